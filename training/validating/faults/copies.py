"""Queries that are copies: of each other, of their documents, or of one phrase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from training.validating.diversity import Alike
from training.validating.faults.fault import Fault, exceeds
from training.validating.faults.reading import Reading
from training.validating.overlap import copied

REPEATED, COPIED, PHRASE = 0.2, 0.3, 0.3
"""The largest shares without a fault. Of real questions at most 4 % have a near-duplicate, 5 % are copies of five words
and more, and 10 % have one phrase of three words in common."""
WHOLE = 0.8
"""The part of a query that one run of its document has to cover."""
LEAST = {"words": 5, "characters": 8}
"""The shortest run that counts as copied: shorter ones are names."""
IN_COMMON = {"words": 3, "characters": 5}
_LONGEST = 12


def repeated(own: Reading, real: Reading | None) -> Fault:
    """Whether queries occur several times, equal but for case and punctuation, or with most trigrams in common."""
    hits, usual = _repeated(own), None if real is None else (_repeated(real), len(real.whole))
    of = len(own.whole)
    found = exceeds(hits, of, REPEATED, usual)
    return Fault("repeated", hits / of if of else None, found, _times(own, hits), real=_share(usual))


def copies(own: Reading, real: Reading | None) -> Fault:
    """Whether queries are runs of words of their documents."""
    having = sum(source is not None for source in own.sources)
    if not having:
        return Fault("copied", None, line="no query names its document; add the field 'document'")
    places = _copied(own)
    usual = None if real is None else (len(_copied(real)), sum(source is not None for source in real.sources))
    line = f"copied from the document: {len(places) / having:.0%} of the queries are a passage of it"
    if places and (opening := sum(place == 0 for place in places)) >= 0.5 * len(places):
        line = f"{line}, {opening / len(places):.0%} of these its first words"
    return Fault("copied", len(places) / having, exceeds(len(places), having, COPIED, usual), line, real=_share(usual))


def phrase(own: Reading, real: Reading | None) -> Fault:
    """Whether many queries share one phrase of at least three words."""
    if not len(own):
        return Fault("phrase", None, line="no query has words")
    size = IN_COMMON["characters" if own.unspaced else "words"]
    words, hits = _phrase(own.units, size)
    usual = None if real is None else (sum(_has(one, words) for one in real.units), len(real))
    opening = sum(one[: len(words)] == words for one in own.units)
    verb = "begin with" if 2 * opening > hits else "contain"
    shown = ("" if own.unspaced else " ").join(words)
    line = f"one form: {hits / len(own):.0%} {verb} '{shown}'"
    return Fault("phrase", hits / len(own), exceeds(hits, len(own), PHRASE, usual), line, real=_share(usual))


def _repeated(one: Reading) -> int:
    return round(Alike.of(one.whole).rate() * len(one.whole)) if len(one.whole) else 0


def _times(own: Reading, hits: int) -> str:
    counts = Counter(own.normal)
    if counts and min(counts.values()) == max(counts.values()) > 1:
        return f"repeated: each query occurs {max(counts.values())} times"
    text, times = counts.most_common(1)[0] if counts else ("", 0)
    some = f"; '{text}' occurs {times} times" if times > 1 else ""
    return f"repeated: {hits / max(1, len(own.normal)):.0%} of the queries have a double among them{some}"


def _copied(one: Reading) -> list[int]:
    """For each copied query, the place in its document where the copy begins."""
    least = LEAST["characters" if one.unspaced else "words"]
    found = []
    for units, source in zip(one.units, one.sources, strict=True):
        if source is not None and len(units) >= least:
            length, place = copied(units, source)
            if length >= max(least, WHOLE * len(units)):
                found.append(place)
    return found


def _phrase(queries: Sequence[Sequence[str]], size: int) -> tuple[tuple[str, ...], int]:
    """The phrase that most queries have, and the number of these. It is made as long as nine in ten of them allow."""
    words, hits = _commonest(queries, size)
    for longer in range(size + 1, _LONGEST + 1):
        more, count = _commonest(queries, longer)
        if count < 0.9 * hits or not count:
            break
        words = more
    return words, hits


def _commonest(queries: Sequence[Sequence[str]], size: int) -> tuple[tuple[str, ...], int]:
    counts = Counter(
        gram for one in queries for gram in {tuple(one[at : at + size]) for at in range(len(one) - size + 1)}
    )
    return min(counts.items(), key=lambda item: (-item[1], item[0])) if counts else ((), 0)


def _has(one: Sequence[str], words: tuple[str, ...]) -> bool:
    return any(tuple(one[at : at + len(words)]) == words for at in range(len(one) - len(words) + 1))


def _share(usual: tuple[int, int] | None) -> float | None:
    return usual[0] / usual[1] if usual and usual[1] else None

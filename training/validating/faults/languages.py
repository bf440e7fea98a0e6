"""The language of queries. One short query is often taken for a neighbouring language, so a set has another language
only if one and the same other language is found again and again with high probability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from adapters.errors import MissingExtra
from adapters.languages import NAMES, name_of
from harness.data.detection import Vote, detected_as
from training.validating.faults.fault import Fault, exceeds
from training.validating.faults.reading import Reading
from training.validating.words import code

LIMIT = 0.2
SURE = 0.5
"""The probability from which a query counts for another language."""
_SAMPLE = 100
_VARIETIES = {"wuu": "zh", "yue": "zh", "arz": "ar", "ary": "ar", "nb": "no", "nn": "no"}
_CLOSE = {"zh": ("wuu", "yue"), "no": ("nb", "nn", "da"), "nb": ("no", "nn", "da"), "da": ("no", "nb", "nn"),
          "id": ("ms",), "ms": ("id",), "hr": ("sr", "bs"), "sr": ("hr", "bs"), "bs": ("hr", "sr"),
          "ar": ("arz", "ary"), "hi": ("mr", "ne"), "cs": ("sk",), "sk": ("cs",), "gl": ("pt",)}  # fmt: skip
"""Languages that short texts do not distinguish."""


def other_language(own: Reading, real: Reading | None) -> Fault:
    """Whether many queries are in one other language than they, the corpus or the profile declare. Without a declared
    language it is that of the documents, and a difference is only a warning, because a search across languages may be
    wanted."""
    try:
        declared = None not in own.languages
        expected = own.language or spoken(_documents(own))
        languages = [language for one in own.languages if (language := one or expected) is not None]
        if len(languages) < len(own) or not languages:
            return Fault("language", None, line="no language is declared, and none is found in the documents")
        hits, rival = rivals(own.texts, languages)
        usual = None
        if real is not None and len(real):
            usual = rivals(real.texts, [expected or languages[0]] * len(real))[0], len(real)
    except MissingExtra:
        return Fault("language", None, line="identifying a language needs the package py3langid")
    share = hits / len(own) if len(own) else 0.0
    asked = _named(languages[0]) if len(set(languages)) == 1 else "in the declared language of the query"
    line = f"not {asked}: {share:.0%} look {_named(rival or '')}"
    return Fault(
        "language", share, exceeds(hits, len(own), LIMIT, usual), line, declared,
        usual[0] / usual[1] if usual else None,
    )  # fmt: skip


def rivals(texts: Sequence[str], expected: Sequence[str]) -> tuple[int, str | None]:
    """The number of texts in the most frequent other language than the expected one of each, and that language."""
    close = {one: {code(one), *_CLOSE.get(code(one), ())} for one in set(expected)}
    votes = Counter(
        _VARIETIES.get(vote.language, vote.language)
        for text, one in zip(texts, expected, strict=True)
        if (vote := _vote(text)) is not None and vote.probability >= SURE and vote.language not in close[one]
    )
    return (votes.most_common(1)[0][1], votes.most_common(1)[0][0]) if votes else (0, None)


def across(own: Reading) -> bool:
    """Whether queries and documents are in two languages, so that they share no words. False without the package.
    Queries that declare different languages are looked at by language, and a language of few of them does not count."""
    rows: dict[str | None, list[int]] = {}
    for row, language in enumerate(own.languages):
        rows.setdefault(language, []).append(row)
    try:
        return any(_differ(own, some[:_SAMPLE]) for some in rows.values() if len(some) > LIMIT * len(own))
    except MissingExtra:
        return False


def _differ(own: Reading, rows: Sequence[int]) -> bool:
    asked = spoken(own.texts[row] for row in rows)
    held = spoken(_documents(own, rows))
    return asked is not None and held is not None and held not in {asked, *_CLOSE.get(asked, ())}


def _documents(own: Reading, rows: Sequence[int] | None = None) -> Sequence[str]:
    """Some documents of the queries; of the corpus, if the queries name none."""
    sources = own.sources[:_SAMPLE] if rows is None else [own.sources[row] for row in rows]
    return [one.text for one in sources if one is not None] or own.background.sample


def spoken(texts: Iterable[str]) -> str | None:
    """The language of most texts; None without texts."""
    votes = Counter(vote.language for text in texts if (vote := _vote(text[:400])) is not None)
    return votes.most_common(1)[0][0] if votes else None


def asked_language(texts: Sequence[str], declared: str | None) -> str | None:
    """The declared language of queries, or the language of most of them; None without both, or without the package."""
    if declared is not None:
        return declared
    try:
        return spoken(texts[:_SAMPLE])
    except MissingExtra:
        return None


def language_of(text: str) -> str | None:
    """The language of a text; None if it is identified with a probability below 0.5, or has no letters."""
    vote = _vote(text)
    return None if vote is None or vote.probability < SURE else _VARIETIES.get(vote.language, vote.language)


@lru_cache(maxsize=1 << 16)
def _vote(text: str) -> Vote | None:
    return detected_as(text) if any(map(str.isalpha, text)) else None


def _named(language: str) -> str:
    return name_of(code(language)) if code(language) in NAMES else f"'{language}'"

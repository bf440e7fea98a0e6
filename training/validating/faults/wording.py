"""The order of words: random words, and queries that stop in the middle."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from training.validating.calibration import wilson
from training.validating.faults.background import Background
from training.validating.faults.fault import Fault, exceeds
from training.validating.faults.reading import Reading

DISORDER, CUT, CUT_UNSPACED = 0.65, 0.12, 0.08
"""Of real queries at least 75 % have more known pairs of neighbours than the same words in a random order, of random
words half. Of real English questions 11 % end with a word that ends no clause of the corpus, of Chinese ones 3 %."""
_ORDERED = 0.75
"""The figure of the corpus itself from which its order says something."""
_GRAMMAR = 50
"""The number of most frequent words, which carry the grammar."""
_LONG = 30
"""The mean number of units of a clause above which marks do not show where clauses end: 115 characters in Thai, 13 in
Chinese, 7 to 11 words elsewhere."""
_MARKS = tuple("?!.;:؟।。！？…\"'”’»)]」』")


def random_words(own: Reading, real: Reading | None, seed: int) -> Fault:
    """Whether the words of queries have no order: pairs of neighbours occur in the corpus no more often than those of
    the same words in a random order. Keywords have no order either, but no articles and prepositions: queries count
    only with at least half of the share of the corpus's commonest words."""
    expected = own.background.order
    if expected is None or expected < _ORDERED:
        return Fault("random words", None, line="the documents show no order of words to compare with")
    sentences = [units for units in own.units if len(units) >= 3]
    if 2 * len(sentences) < len(own) or not sentences:
        return Fault("random words", None, line="most queries have fewer than three words")
    wins = own.background.orders(sentences, seed)
    share = float(wins.mean())
    if real is not None and len(real):
        usual = float(real.background.orders([one for one in real.units if len(one) >= 3] or [()], seed).mean())
    else:
        usual = None
    high = wilson(round(share * len(wins)), len(wins))[1]
    usual_low = 1.0 if usual is None else usual
    grammar = _grammar(sentences, own.background) >= 0.5 * _grammar_of(own.background)
    found = high < min(DISORDER, usual_low) and (grammar or own.unspaced)
    line = (
        f"random words: their order is that of the language in {share:.0%} of the comparisons with a random order "
        f"(chance: 50 %, the documents: {expected:.0%})"
    )
    return Fault("random words", share, found, line, real=usual)


def truncated(own: Reading, real: Reading | None) -> Fault:
    """Whether queries stop in the middle: with a part of a word, or with a word that ends no clause of the corpus, and
    without a mark."""
    if own.background.length > _LONG:
        return Fault("truncated", None, line="the documents have too few marks to show where a sentence ends")
    hits = sum(_cut(own))
    usual = None if real is None else (sum(_cut(real)), len(real))
    line = f"truncated: {hits / max(1, len(own)):.0%} stop in the middle of a sentence or of a word"
    share = hits / len(own) if len(own) else None
    limit = CUT_UNSPACED if own.unspaced else CUT
    return Fault(
        "truncated", share, exceeds(hits, len(own), limit, usual), line, real=usual[0] / usual[1] if usual else None
    )


def _grammar(sentences: Sequence[Sequence[str]], background: Background) -> float:
    commonest = background.commonest(_grammar_size(background))
    words = [unit for units in sentences for unit in units]
    return sum(word in commonest for word in words) / max(1, len(words))


def _grammar_size(background: Background) -> int:
    """Fewer words in a small corpus, in which 50 would be half of all."""
    return min(_GRAMMAR, max(5, len(background.words) // 20))


def _grammar_of(background: Background) -> float:
    commonest = background.commonest(_grammar_size(background))
    return sum(background.words[word] for word in commonest) / max(1, background.total)


def _cut(one: Reading) -> list[bool]:
    own = {unit for units in one.units for unit in units[:-1]}
    known = one.background.ordered
    return [
        bool(units) and not text.rstrip().endswith(_MARKS) and _stops(units, one.background, known, own)
        for text, units in zip(one.texts, one.units, strict=True)
    ]


def _stops(units: Sequence[str], background: Background, known: Sequence[str], own: set[str]) -> bool:
    last = units[-1]
    if background.unfinished(last) or (len(units) > 1 and background.unfinished_pair(units[-2], last)):
        return True
    place = bisect_left(known, last)
    is_part = place < len(known) and known[place] != last and known[place].startswith(last)
    return is_part and last not in own and last.isalpha()

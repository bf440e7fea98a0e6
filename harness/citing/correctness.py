"""Whether an answer says what it should, whatever it cites: the measures of ALCE (Gao et al. 2023, eval.py 246c476).

Each takes the answer's text without marks and returns a fraction (`length`: words), or NaN where the answer has nothing
to compare with. With ALCE's own preprocessing (`alce_text`) they give ALCE's values.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.errors import need
from harness.citing.alce import first_line, without_citations
from harness.citing.answers import Answer
from harness.citing.asking import Asking
from harness.citing.marks import runs_of
from harness.citing.parsing import unmarked
from harness.citing.sentences import Splitter, nltk_sentences, sentences
from harness.citing.support import FULL, SupportRules

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)


@dataclass(frozen=True)
class Correctness:
    """The measures of one answer; NaN where the answer has nothing to compare with."""

    id: str
    str_em: float
    str_hit: float
    claim_recall: float
    rouge_lsum: float
    token_f1: float
    length: int
    """Words of the text without marks, divided by white space."""


def correctness(answer: Answer, rules: SupportRules, *, alce: bool = False, rouge: bool = True) -> Asking[Correctness]:
    """Return all measures of an answer.

    Args:
        alce: whether to compute ALCE's values: only the first line, with ALCE's way to remove citations.
        rouge: whether to compute ROUGE-Lsum, which needs the package rouge-score.

    Raises:
        MissingExtra: a package is missing.
    """
    text = alce_text(answer.text) if alce else plain_text(answer)
    premise = without_citations(text) if alce else text  # ALCE does it twice
    claims = yield from claim_recall(premise, answer.sub_claims, rules)
    found = str_em(text, answer.short_answers, alce=alce)
    return Correctness(
        answer.id, found, math.nan if math.isnan(found) else float(found == 1), claims,
        rouge_lsum(text, answer.long_answers, _splitter(answer, alce=alce)) if rouge else math.nan,
        token_f1(text, answer.long_answers), len(text.split()),
    )  # fmt: skip


def _splitter(answer: Answer, *, alce: bool) -> Splitter:
    return nltk_sentences() if alce else lambda text: sentences(text, answer.language)


def alce_text(text: str) -> str:
    """Return the text of an answer that ALCE compares."""
    return without_citations(first_line(text))


def plain_text(answer: Answer) -> str:
    """Return the whole text of an answer without its marks."""
    return unmarked(answer.text, runs_of(answer.text, len(answer.references))).text.strip()


def normalised(text: str) -> str:
    """Return a text in lower case without ASCII punctuation and English articles, with single spaces, as SQuAD does
    (Rajpurkar et al. 2016)."""
    bare = "".join(sign for sign in text.lower() if sign not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def str_em(text: str, short_answers: Sequence[Sequence[str]], *, alce: bool = False) -> float:
    """Return the share of facts of which any way to write it is in the text, both normalised: ASQA's STR-EM (Stelmakh
    et al. 2022). `STR-hit` is 1 if it is 1.

    Args:
        alce: whether a short answer that is empty after normalising, such as "The", is in every text, as in ALCE. Here
            it is in none.
    """
    within = normalised(text)
    found = [any((own or alce) and own in within for own in map(normalised, ways)) for ways in short_answers]
    return sum(found) / len(found) if found else math.nan


def claim_recall(text: str, claims: Sequence[str], rules: SupportRules) -> Asking[float]:
    """Return the share of claims that the text supports, as the judge says with the text as the premise."""
    if not claims:
        return math.nan
    values = yield [(text, claim) for claim in claims]
    if any(map(math.isnan, values)):
        return math.nan
    return sum(rules.level(value) == FULL for value in values) / len(values)


def rouge_lsum(text: str, long_answers: Sequence[str], split: Splitter) -> float:
    """Return ROUGE-Lsum (Lin 2004), the F-measure with Porter's stemmer over sentences, the largest over the reference
    answers. ALCE reports the median of bootstrap samples of the mean; this is the value of one answer.

    Raises:
        MissingExtra: rouge-score is not installed.
    """
    if not long_answers:
        return math.nan
    scorer = need("rouge_score.rouge_scorer", "cite", "ROUGE-Lsum").RougeScorer(["rougeLsum"], use_stemmer=True)
    own, *others = ("\n".join(split(one.lower())) for one in (text, *long_answers))
    return max(float(scorer.score(other, own)["rougeLsum"].fmeasure) for other in others)


def token_f1(text: str, long_answers: Sequence[str]) -> float:
    """Return the F1 of normalised words (SQuAD), the largest over the reference answers."""
    return max((_f1(normalised(text).split(), normalised(one).split()) for one in long_answers), default=math.nan)


def _f1(own: Sequence[str], other: Sequence[str]) -> float:
    if not own or not other:
        return float(own == other)
    common = sum((Counter(own) & Counter(other)).values())
    return 2 * common / (len(own) + len(other))

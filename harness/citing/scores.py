"""Citation measures of a set of answers: means over questions, intervals, paired differences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from adapters.errors import DataError
from harness.citing.answers import ParsedAnswer
from harness.citing.asking import Verdicts, answered
from harness.citing.causes import mean_causes, precision_causes, recall_causes
from harness.citing.metric import AnswerScore, cited_of, needs_or_all, scored
from harness.citing.support import SupportRules
from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import Difference, difference

RECALL, PRECISION, F1 = "citation-recall", "citation-precision", "citation-F1"
MEASURES: Mapping[str, Callable[[AnswerScore], float]] = {
    RECALL: lambda score: score.recall,
    PRECISION: lambda score: score.precision,
    F1: lambda score: score.f1,
    "citation-recall-of-all": lambda score: score.recall_of_all,
    "weighted-precision": lambda score: score.weighted_precision,
    "weighted-recall": lambda score: score.weighted_recall,
}
"""The measures of an answer, by the names under which they are stored."""


@dataclass(frozen=True)
class CitationCounts:
    """What a set of answers consists of. Citations are counted once per statement."""

    answers: int
    unjudged: int
    """Answers without values because the judge gave none for part of them. No other count includes them."""
    empty: int
    """Answers without words."""
    unneeding: int
    """Answers with words, nothing of which needs support."""
    uncited_answers: int
    """Answers without a citation that counts, whose precision is undefined: they cite nothing, or cite
    only where no support is needed."""
    statements: int
    """Statements that need support. An answer without words counts as one."""
    uncited: int
    """Statements that need support and have no citation at all."""
    only_invalid: int
    """Statements that need support and have only citations of documents that are not there."""
    citations: int
    invalid: int
    unneeded: int
    redundant: int
    joint: int

    @property
    def citations_per_statement(self) -> float:
        """Citations per statement that needs support."""
        return self.citations / self.statements if self.statements else math.nan

    @property
    def uncited_share(self) -> float:
        """The share of statements that need support and have no citation at all."""
        return self.uncited / self.statements if self.statements else math.nan

    @property
    def only_invalid_share(self) -> float:
        """The share of statements that need support and have only citations of documents that are not there."""
        return self.only_invalid / self.statements if self.statements else math.nan

    @property
    def invalid_share(self) -> float:
        """The share of citations whose document is not there."""
        return self.invalid / self.citations if self.citations else math.nan

    @property
    def redundant_share(self) -> float:
        """The share of citations that are relevant and could be left out."""
        return self.redundant / self.citations if self.citations else math.nan


@dataclass(frozen=True)
class CitationScores:
    """The scores of a set of answers, one per question."""

    answers: tuple[AnswerScore, ...]
    drawn_from: str = ""
    """What names the set of questions: equal for sets that are to be paired."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the questions."""
        return tuple(score.id for score in self.answers)

    def values(self, measure: str) -> Floats64:
        """Return a measure of every answer, float64 [answers]; NaN where it is undefined or not judged."""
        return np.array([MEASURES[measure](score) for score in self.answers], np.float64)

    def mean(self, measure: str) -> float:
        """Return the macro mean over the answers that have a value; NaN without any."""
        values = self.values(measure)
        return float(np.mean(values[~np.isnan(values)])) if (~np.isnan(values)).any() else math.nan

    def left_out(self, measure: str) -> int:
        """Return the number of answers without a value."""
        return int(np.isnan(self.values(measure)).sum())

    def interval(self, measure: str) -> tuple[float, float]:
        """Return the 95 % interval of the mean, bootstrap over the questions that have a value; NaN with fewer
        than 2."""
        values = self.values(measure)
        has = ~np.isnan(values)
        return value_interval(self._design(has), [values[has]])

    def _design(self, has: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Design:
        return Design((Questions(self.drawn_from, tuple(np.array(self.ids, object)[has])),))

    @property
    def f1_of_means(self) -> float:
        """2PR / (P + R) of the mean recall and precision. It is no mean over questions, so it has no interval."""
        recall, precision = self.mean(RECALL), self.mean(PRECISION)
        if math.isnan(recall) or math.isnan(precision):
            return math.nan
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    @cached_property
    def judged(self) -> tuple[AnswerScore, ...]:
        """The answers for which the judge gave every value."""
        return tuple(score for score in self.answers if not score.missing)

    @property
    def micro_recall(self) -> float:
        """Recall over all statements of all answers. An empty answer counts as one statement."""
        statements = sum(max(1, len(score.needing)) for score in self.judged)
        return (
            sum(one.credit for score in self.judged for one in score.needing) / statements if statements else math.nan
        )

    @property
    def micro_precision(self) -> float:
        """Precision over all citations of all answers."""
        citations = sum(score.citations for score in self.judged)
        return sum(score.relevant for score in self.judged) / citations if citations else math.nan

    @property
    def recall_causes(self) -> Mapping[str, float]:
        """What each cause takes from the mean recall; together 1 - recall."""
        return mean_causes([recall_causes(score) for score in self.judged])

    @property
    def precision_causes(self) -> Mapping[str, float]:
        """What each cause takes from the mean precision; together 1 - precision."""
        found = [precision_causes(score) for score in self.judged]
        return mean_causes([causes for causes in found if causes is not None])

    @property
    def counts(self) -> CitationCounts:
        """What the answers consist of."""
        judged = self.judged

        def total(of: Callable[[AnswerScore], int]) -> int:
            return sum(map(of, judged))

        return CitationCounts(
            answers=len(self.answers), unjudged=len(self.answers) - len(judged), empty=total(lambda s: s.wordless),
            unneeding=total(lambda s: s.empty and not s.wordless),
            uncited_answers=total(lambda s: not s.citations), statements=total(lambda s: len(s.needing)),
            uncited=total(lambda s: s.uncited), only_invalid=total(lambda s: s.only_invalid),
            citations=total(lambda s: s.citations), invalid=total(lambda s: s.invalid),
            unneeded=total(lambda s: s.unneeded), redundant=total(lambda s: s.redundant),
            joint=total(lambda s: s.joint),
        )  # fmt: skip


def evaluate(
    answers: Sequence[ParsedAnswer],
    verdicts: Verdicts,
    rules: SupportRules,
    needs: Sequence[Sequence[bool]] | None = None,
    drawn_from: str = "",
) -> CitationScores:
    """Score answers. The judge is called once for all single documents, once for all pairs and once for all triples.

    Args:
        needs: for every answer and statement whether it needs support. Default: all do.
        drawn_from: what names the set of questions.

    Raises:
        DataError: two answers have the same id.
    """
    ids = [one.answer.id for one in answers]
    if len(set(ids)) < len(ids):
        repeated = next(id for id, count in Counter(ids).items() if count > 1)
        raise DataError(f"two answers have the id {repeated!r}; give every answer its own")
    cases = zip(answers, needs_or_all(needs, len(answers)), strict=True)
    tasks = [scored(one, cited_of(one, need), rules) for one, need in cases]
    return CitationScores(tuple(answered(tasks, verdicts)), drawn_from)


@dataclass(frozen=True)
class PairedScores:
    """The difference of two sets of answers to the same questions."""

    difference: Difference
    questions: int
    """The questions that have a value in both sets."""
    left_out: int
    """The questions of either set that are not paired."""


def paired(scores: CitationScores, before: CitationScores, measure: str) -> PairedScores:
    """Compare two sets of answers by the rule of all differences, over the questions that have a value in both."""
    own = dict(zip(scores.ids, scores.values(measure).tolist(), strict=True))
    base = dict(zip(before.ids, before.values(measure).tolist(), strict=True))
    ids = tuple(id for id in own if id in base and not math.isnan(own[id] - base[id]))
    deltas = np.array([own[id] - base[id] for id in ids], np.float64)
    found = difference(Design((Questions(scores.drawn_from, ids),)), [deltas])
    return PairedScores(found, len(ids), len(own.keys() | base.keys()) - len(ids))

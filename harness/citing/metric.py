"""Citation recall, precision and F1 of an answer, over its statements. docs/citations.md works each of them by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from harness.citing.answers import ParsedAnswer, Statement
from harness.citing.asking import Asking, together
from harness.citing.support import FULL, PARTIAL, Ids, SupportRules, Weighed, supported, weighed

NAN = math.nan


@dataclass(frozen=True)
class Cited:
    """A statement as it is scored: what it says and which documents it cites. Marks, their order and their repetition
    play no part any more."""

    text: str
    ids: Ids = ()
    """The cited documents that are there, distinct and ascending."""
    invalid: tuple[int, ...] = ()
    """The cited numbers without a document, distinct and ascending."""
    needs: bool = True
    """Whether it needs support."""


def cited_of(parsed: ParsedAnswer, needs: Sequence[bool] | None = None) -> tuple[Cited, ...]:
    """Return the statements of an answer as they are scored.

    Args:
        needs: for every statement, whether it needs support. Default: all do.
    """
    n = len(parsed.answer.references)
    return tuple(
        Cited(statement.text, statement.cited(n), statement.invalid(n), need)
        for statement, need in zip(parsed.statements, needs or [True] * len(parsed.statements), strict=True)
    )


def needs_or_all(needs: Sequence[Sequence[bool]] | None, answers: int) -> Sequence[Sequence[bool] | None]:
    """Return what `cited_of` takes for every answer."""
    return [None] * answers if needs is None else needs


@dataclass(frozen=True)
class StatementScore:
    """A statement with what the judge said of its citations."""

    cited: Cited
    weighed: Weighed
    graded: bool = False

    @cached_property
    def credit(self) -> float:
        """What it adds to recall: 1 if supported; with graded support one half if partially supported; else 0."""
        level = self.weighed.level
        return 1.0 if level == FULL else PARTIAL if level == PARTIAL and self.graded else 0.0

    @cached_property
    def relevant(self) -> frozenset[int]:
        """Its relevant citations. With graded support, those of minimal partially supporting subsets too."""
        full = self.weighed.relevant()
        return full | self.weighed.relevant(PARTIAL) if self.graded else full

    @cached_property
    def partly(self) -> frozenset[int]:
        """The citations that are not relevant and belong to a minimal partially supporting subset."""
        return self.weighed.relevant(PARTIAL) - self.relevant


@dataclass(frozen=True)
class AnswerScore:
    """The citation measures of one answer. Values are fractions; NaN where a measure is undefined or the judge gave no
    value."""

    id: str
    statements: tuple[StatementScore, ...]

    @cached_property
    def needing(self) -> tuple[StatementScore, ...]:
        """The statements that need support."""
        return tuple(score for score in self.statements if score.cited.needs)

    @property
    def empty(self) -> bool:
        """Whether nothing in the answer needs support. It then counts as one uncited statement, so its recall is 0."""
        return not any(score.cited.text for score in self.needing)

    @cached_property
    def missing(self) -> int:
        """The number of judgments that the judge did not give. If there are any, no value is computed."""
        return sum(score.weighed.missing for score in self.statements)

    @cached_property
    def recall(self) -> float:
        """The share of supported statements among those that need support."""
        return self._unless_missing(_mean([score.credit for score in self.needing]))

    @cached_property
    def recall_of_all(self) -> float:
        """The share of supported statements among all."""
        return self._unless_missing(_mean([score.credit for score in self.statements]))

    @cached_property
    def precision(self) -> float:
        """The share of relevant citations; NaN if no citation counts."""
        return self._unless_missing(self.relevant / self.citations if self.citations else NAN)

    @cached_property
    def f1(self) -> float:
        """The harmonic mean of recall and precision; 0 if no citation counts or nothing is supported."""
        recall, precision = self.recall, self.precision
        if self.missing:
            return NAN
        if math.isnan(precision) or recall + precision == 0:
            return 0.0
        return 2 * precision * recall / (precision + recall)

    @cached_property
    def citations(self) -> int:
        """The denominator of precision: valid citations of statements that need support, and all invalid ones."""
        return sum(len(score.cited.ids) for score in self.needing) + self.invalid

    @cached_property
    def relevant(self) -> int:
        """The numerator of precision."""
        return sum(len(score.relevant) for score in self.needing)

    @cached_property
    def invalid(self) -> int:
        """The number of citations of documents that are not there, each once per statement."""
        return sum(len(score.cited.invalid) for score in self.statements)

    @property
    def _needed(self) -> list[Cited]:
        return [score.cited for score in self.needing]

    @property
    def uncited(self) -> int:
        """The number of statements that need support and have no citation at all."""
        return sum(bool(one.text) and not one.ids and not one.invalid for one in self._needed)

    @property
    def only_invalid(self) -> int:
        """The number of statements that need support and have only citations of documents that are not there."""
        return sum(bool(one.text) and not one.ids and bool(one.invalid) for one in self._needed)

    @property
    def wordless(self) -> bool:
        """Whether the answer has no words at all."""
        return not any(score.cited.text for score in self.statements)

    @property
    def unneeded(self) -> int:
        """The number of valid citations of statements that need no support. No measure counts them."""
        return sum(len(score.cited.ids) for score in self.statements if not score.cited.needs)

    @property
    def redundant(self) -> int:
        """The number of relevant citations beyond the smallest supporting subset of their statement."""
        return sum(score.weighed.redundant for score in self.needing)

    @property
    def joint(self) -> int:
        """The number of statements that several documents support only together."""
        return sum(score.weighed.joint for score in self.needing)

    @property
    def weighted_precision(self) -> float:
        """TREC's: the mean over citations of full 1, partial 0.5, none 0, each document judged alone; NaN without
        citations."""
        alone = [level for score in self.needing for level in _alone(score)] + [0.0] * self.invalid
        return self._unless_missing(sum(alone) / len(alone) if alone else NAN)

    @property
    def weighted_recall(self) -> float:
        """TREC's: the mean over statements of the best citation, each document judged alone."""
        return self._unless_missing(_mean([max(_alone(score), default=0.0) for score in self.needing]))

    def _unless_missing(self, value: float) -> float:
        return NAN if self.missing else value


def _alone(score: StatementScore) -> list[float]:
    return [score.weighed.levels.get((number,), 0.0) for number in score.cited.ids]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def scored(parsed: ParsedAnswer, cited: Sequence[Cited], rules: SupportRules) -> Asking[AnswerScore]:
    """Score an answer with given citations: its own (`cited_of`), or those of a control."""
    references = parsed.answer.references
    found = yield from together(
        [(weighed if one.needs else supported)(one.text, references, one.ids, rules) for one in cited]
    )
    statements = [StatementScore(*pair, rules.graded) for pair in zip(cited, found, strict=True)]
    return AnswerScore(parsed.answer.id, tuple(statements))


def needs_of(statements: Sequence[Statement], question: str, least: float = 0.5) -> Asking[tuple[bool, ...]]:
    """Ask a judge of need which statements need support: those with a value of at least `least`, and those that it
    gives no value for. It sees the question as the premise and the statement without its marks as the claim."""
    values = yield [(question, statement.text) for statement in statements]
    return tuple(math.isnan(value) or value >= least for value in values)

"""A file of answers, evaluated: citations, what an answer says, ALCE's values, controls and causes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from adapters.errors import EnvironmentFailure, ModelError
from adapters.identity import digest
from harness.citing.alce import AlceScore, alce
from harness.citing.answers import ParsedAnswer
from harness.citing.asking import Verdicts, answered
from harness.citing.controls import ControlOutcome, controls, random_citations
from harness.citing.correctness import Correctness, correctness
from harness.citing.metric import cited_of, needs_of, needs_or_all, scored
from harness.citing.parsing import parsed
from harness.citing.reading.files import AnswerFile
from harness.citing.scores import F1, PRECISION, RECALL, CitationScores, evaluate
from harness.citing.sentences import nltk_sentences
from harness.citing.support import SupportRules
from harness.citing.waterfall import WaterfallStep, waterfall
from harness.measuring.statistics.design import Floats64

CORRECT: Mapping[str, Callable[[Correctness], float]] = {
    "STR-EM": lambda one: one.str_em,
    "STR-hit": lambda one: one.str_hit,
    "claim-recall": lambda one: one.claim_recall,
    "ROUGE-Lsum": lambda one: one.rouge_lsum,
    "token-F1": lambda one: one.token_f1,
    "length": lambda one: float(one.length),
}
"""What an answer says, by the names of its measures."""
_ALCE_CORRECT = {
    "STR-EM": "str_em",
    "STR-hit": "str_hit",
    "claim-recall": "claims_nli",
    "ROUGE-Lsum": "rougeLsum",
    "length": "length",
}
"""The measures of what an answer says that ALCE computes too, with its names."""


@dataclass(frozen=True)
class AlceValues:
    """What ALCE's program computes of the answers."""

    scores: tuple[AlceScore, ...]
    steps: tuple[WaterfallStep, ...]
    correctness: tuple[Correctness, ...]

    @cached_property
    def correct(self) -> Mapping[str, float]:
        """The means of what ALCE finds the answers to say, by its names; those that any answer has."""
        rows = _correct(self.correctness)
        return {name: float(np.nanmean(rows[own])) for own, name in _ALCE_CORRECT.items() if own in rows}

    @property
    def recall(self) -> float:
        """The mean over the answers that ALCE does not skip."""
        return _mean([one.recall for one in self.scores])

    @property
    def precision(self) -> float:
        """The mean over the answers that ALCE does not skip."""
        return _mean([one.precision for one in self.scores])


@dataclass(frozen=True)
class CitationEvaluation:
    """All that was measured of a file of answers."""

    file: AnswerFile
    answers: tuple[ParsedAnswer, ...]
    scores: CitationScores
    rules: SupportRules
    judge: str
    settings: str
    """The judge with the settings that are not the default, such as `lexical, most 2, graded, need by chat`."""
    identity: Mapping[str, object]
    """What decides the values, besides the answers."""
    missing: Mapping[str, int]
    """For each reason why the judge gave no value, the number of pairs."""
    asked: int
    """The number of distinct pairs."""
    controls: tuple[ControlOutcome, ...]
    chance: Mapping[str, float]
    """The measures of as many random citations."""
    correctness: tuple[Correctness, ...]
    alce: AlceValues | None = None
    needs: tuple[tuple[bool, ...], ...] | None = None
    need_missing: Mapping[str, int] = field(default_factory=dict)
    """For each reason why the judge of need gave no value, the number of statements, which count as needing support."""
    remarks: tuple[str, ...] = ()

    @cached_property
    def correct(self) -> Mapping[str, Floats64]:
        """The measures of what the answers say that any answer has, by name: float64 [answers], NaN where an answer has
        nothing to compare with."""
        return _correct(self.correctness)


def _correct(answers: Sequence[Correctness]) -> Mapping[str, Floats64]:
    rows = {name: np.array(list(map(of, answers)), np.float64) for name, of in CORRECT.items()}
    return {name: row for name, row in rows.items() if not np.isnan(row).all()}


def questions_digest(answers: Sequence[ParsedAnswer]) -> str:
    """Return what names a set of questions: equal for answers of several systems to the same questions."""
    return digest({"questions": sorted([one.answer.id, one.answer.question] for one in answers)})


def needs_asked(answers: Sequence[ParsedAnswer], verdicts: Verdicts) -> tuple[tuple[bool, ...], ...]:
    """Ask a judge of need about every statement of every answer. Statements without a value of it need support.

    Raises:
        ModelError, EnvironmentFailure: the judge gave no value for any statement.
    """
    found = tuple(answered([needs_of(one.statements, one.answer.question) for one in answers], verdicts))
    refuse_silent(verdicts, "statement")
    return found


def evaluated(
    file: AnswerFile,
    verdicts: Verdicts,
    rules: SupportRules,
    need: Verdicts | None = None,
    compat: str | None = None,
    *,
    with_controls: bool = True,
) -> CitationEvaluation:
    """Evaluate the answers of a file.

    Args:
        need: judges which statements need support. Default: all do.
        compat: `alce` adds ALCE's values and the way from them to ours.
        with_controls: whether to score the controls and the chance level, which ask for many more pairs.

    Raises:
        ModelError, EnvironmentFailure: the judge, or that of need, gave no value for any pair or statement.
    """
    answers = tuple(parsed(one) for one in file.answers)
    needs = None if need is None else needs_asked(answers, need)
    identity = _identity(verdicts, rules, need)
    scores = evaluate(answers, verdicts, rules, needs, digest({"questions": questions_digest(answers), **identity}))
    refuse_silent(verdicts)
    said = tuple(answered([correctness(one.answer, rules) for one in answers], verdicts))
    return CitationEvaluation(
        file, answers, scores, rules, verdicts.judge.name, _settings(verdicts, rules, need), identity,
        dict(verdicts.missing),
        verdicts.asked, controls(answers, scores, verdicts, rules, needs) if with_controls else (),
        _chance(answers, verdicts, rules, needs) if with_controls else {}, said,
        _alce(answers, verdicts, rules, needs) if compat == "alce" else None, needs,
        {} if need is None else dict(need.missing),
    )  # fmt: skip


def _identity(verdicts: Verdicts, rules: SupportRules, need: Verdicts | None) -> dict[str, object]:
    own = {"most": rules.most, "full": rules.full, "partial": rules.partial, "graded": rules.graded}
    judged: dict[str, object] = {"judge": dict(verdicts.judge.identity), "support": own, "citing": 1}
    return judged if need is None else {**judged, "need": dict(need.judge.identity)}


def _settings(verdicts: Verdicts, rules: SupportRules, need: Verdicts | None) -> str:
    changed = [f"most {rules.most}"] if rules.most != SupportRules.most else []
    changed += [*(["graded"] if rules.graded else []), *([f"need by {need.judge.name}"] if need else [])]
    return ", ".join([verdicts.judge.name, *changed])


def refuse_silent(verdicts: Verdicts, asked: str = "pair") -> None:
    """Refuse a judge that gave no value for anything.

    Args:
        asked: what it was asked for.

    Raises:
        ModelError: it gave something else than numbers in [0, 1].
        EnvironmentFailure: it could not be reached.
    """
    if verdicts.asked and verdicts.asked == sum(verdicts.missing.values()):
        reason = next(iter(verdicts.missing))
        kind = ModelError if reason.startswith("no number") else EnvironmentFailure
        raise kind(f"{verdicts.judge.name} gave no value for any {asked}: {reason}")


def _chance(
    answers: Sequence[ParsedAnswer], verdicts: Verdicts, rules: SupportRules, needs: Sequence[Sequence[bool]] | None
) -> dict[str, float]:
    cases = zip(answers, needs_or_all(needs, len(answers)), strict=True)
    tasks = [scored(one, random_citations(one, cited_of(one, own)), rules) for one, own in cases]
    found = CitationScores(tuple(answered(tasks, verdicts)))
    return {name: found.mean(name) for name in (RECALL, PRECISION, F1)}


def _alce(
    answers: Sequence[ParsedAnswer], verdicts: Verdicts, rules: SupportRules, needs: Sequence[Sequence[bool]] | None
) -> AlceValues:
    split, plain = nltk_sentences(), [one.answer for one in answers]
    found = answered([alce(one, split, rules) for one in plain], verdicts)
    said = answered([correctness(one, rules, alce=True) for one in plain], verdicts)
    return AlceValues(tuple(found), waterfall(plain, verdicts, rules, split, needs), tuple(said))


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan

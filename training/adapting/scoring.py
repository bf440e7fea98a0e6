"""Measure an arm on a tier with the harness: values per query, with intervals. Pairs in the ledger are not scored
again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import ModelError, UsageError
from adapters.kinds import kind_of
from adapters.models import open_folder
from adapters.spec import open_ranker
from harness.judging.compare.paired import PairedValues, joined
from harness.judging.compare.side import ComparedSide, side_of
from harness.judging.gate.stage import Stage
from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design
from harness.measuring.votes import shares
from harness.result.adaptation.record import Score
from harness.result.adaptation.vocabulary import MACRO, Tier
from harness.result.result import results_of
from training.yes_no import taught_template


@dataclass(frozen=True)
class ArmScores:
    """The results of one arm on all collections of a tier, in the order of the stage."""

    arm: str
    spec: str
    measure: str
    """The name of the primary endpoint."""
    measures: tuple[str, ...]
    """The primary measure of each collection."""
    sides: tuple[ComparedSide, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the evaluations. Equal weights on equal queries have equal ids, whatever the name of their
        folder."""
        return tuple(id for side in self.sides for id in side.ids)

    @property
    def answers(self) -> tuple[bytes, ...]:
        """The values of every query, as bytes, by collection. Equal for arms that these queries do not distinguish."""
        return tuple(np.asarray(side.values, np.float64).tobytes() for side in self.sides)

    @property
    def value(self) -> float:
        """The primary endpoint: the mean over queries, macro-averaged over collections as in the gate."""
        means = [float(side.values.mean()) for side in self.sides]
        return float(np.dot(shares([side.collection.group for side in self.sides]), means))


def measure(arm: str, spec: str, stage: Stage) -> ArmScores:
    """Evaluate a spec on the queries of a stage, and store the results.

    Raises:
        ModelError: the model gives NaN, or ranks planted answers in reverse.
        HarnessError: the spec cannot be opened.
    """
    names = stage.measures_of(stage.collections)
    evaluations = stage.run(stage.system(spec))
    measures = tuple(names[one.collection.fingerprint] for one in evaluations)
    found = zip(evaluations, measures, strict=True)
    sides = tuple(side_of(result) for one, name in found for result in results_of(one) if result.measure == name)
    return ArmScores(arm, spec, stage.measure, measures, sides)


def spec_of(path: str) -> str:
    """The spec of a checkpoint: a cross-encoder, an embedder, or a language model with yes/no scores."""
    try:
        folder = open_folder(path)
        kind = kind_of(folder)
    except ModelError:  # a base that does not exist yet gets a score head
        return f"cross-encoder:{path}"
    if kind != "causal-lm":
        return f"embedder:{path}" if kind == "embedder" else f"cross-encoder:{path}"
    template = taught_template(folder)
    return f"causal-lm:{path}" + (f"?template={template}" if template else "")


def cut_spec(spec: str, max_length: int | None) -> str:
    """The spec with the student's maximum length, if the reranker has such an option."""
    if max_length is None or "max_length=" in spec:
        return spec
    cut = f"{spec}{'&' if '?' in spec else '?'}max_length={max_length}"
    try:
        open_ranker(cut)
    except UsageError:  # the reranker has no such option
        return spec
    return cut


def paired(baseline: ArmScores, candidate: ArmScores) -> list[PairedValues]:
    """The values of two arms, paired per query, for each collection.

    Raises:
        DataError: the arms were not measured on the same queries and candidates.
    """
    return [joined(one, other) for one, other in zip(baseline.sides, candidate.sides, strict=True)]


def rows(measured: ArmScores, tier: Tier) -> tuple[Score, ...]:
    """A row for each collection, and one for the macro average if there are several. Intervals are 95 % percentile
    bootstraps over questions."""
    single = [_row(measured, tier, place) for place in range(len(measured.sides))]
    return (*single, _macro(measured, tier)) if len(single) > 1 else tuple(single)


def _row(measured: ArmScores, tier: Tier, place: int) -> Score:
    side = measured.sides[place]
    low, high = _interval([side])
    return Score(
        arm=measured.arm, tier=tier, collection=side.collection.name, language=side.collection.language,
        measure=measured.measures[place], value=float(side.values.mean()), low=low, high=high,
        queries=len(side.values), evaluation=side.ids[0],
    )  # fmt: skip


def _macro(measured: ArmScores, tier: Tier) -> Score:
    low, high = _interval(measured.sides)
    return Score(
        arm=measured.arm, tier=tier, collection=MACRO, language=None, measure=measured.measure, value=measured.value,
        low=low, high=high, queries=sum(len(side.values) for side in measured.sides), evaluation=None,
    )  # fmt: skip


def _interval(sides: Sequence[ComparedSide]) -> tuple[float | None, float | None]:
    design = Design(tuple(side.questions for side in sides), shares([side.collection.group for side in sides]))
    low, high = value_interval(design, [side.values for side in sides])
    return finite(low), finite(high)


def finite(value: float) -> float | None:
    """The value for JSON: None instead of nan or infinity."""
    return value if math.isfinite(value) else None

"""One measure of one system in figures: value, interval, difference to the first stage, ceiling, headroom, ties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.evaluation import Evaluation
from harness.measures import Measure
from harness.significance import stratified_interval


@dataclass(frozen=True)
class Summary:
    """Means over queries; over several collections the mean of their means, each with the same weight. Fractions."""

    measure: Measure
    value: float
    interval: tuple[float, float]
    """95 % bootstrap interval over queries, for these collections; (nan, nan) with fewer than two queries."""
    delta: float
    """Value minus the first stage's, paired per query."""
    delta_interval: tuple[float, float]
    ceiling: float
    """What a perfect order of the same candidates gets."""
    chance: float
    """What a random order of the same candidates expects."""
    tie_span: float

    @property
    def headroom(self) -> float | None:
        """The share of what the first stage left to gain that was gained; None where nothing was left."""
        left = self.ceiling - (self.value - self.delta)
        return self.delta / left if left > 1e-12 else None

    @property
    def moved(self) -> bool:
        """Whether the interval of the difference leaves out zero."""
        low, high = self.delta_interval
        return low > 0 or high < 0


def summarise(evaluations: Sequence[Evaluation], measure: Measure) -> Summary:
    """Summarise one system over one collection or several."""
    rows = [evaluation.measures.index(measure) for evaluation in evaluations]
    values = [evaluation.values[row] for evaluation, row in zip(evaluations, rows, strict=True)]
    first = [evaluation.ground.first_stage[row] for evaluation, row in zip(evaluations, rows, strict=True)]
    deltas = [ours - theirs for ours, theirs in zip(values, first, strict=True)]

    def control(name: str) -> float:
        return _macro([e.ground.controls[name][row] for e, row in zip(evaluations, rows, strict=True)])

    return Summary(
        measure=measure,
        value=_macro(values),
        interval=stratified_interval(values),
        delta=_macro(deltas),
        delta_interval=stratified_interval(deltas),
        ceiling=control("oracle"),
        chance=control("chance"),
        tie_span=float(np.mean([evaluation.audit.tie_span[str(measure)] for evaluation in evaluations])),
    )


def _macro(strata: Sequence[np.typing.NDArray[np.float64]]) -> float:
    return float(np.mean([np.mean(values) for values in strata]))

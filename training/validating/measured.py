"""One measure of a set of queries, with its floor and its scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from training.validating.sets import QuerySet, Sets

Distance = Callable[[QuerySet, QuerySet], float]
"""A distance of the first set from the second."""
Level = Callable[[QuerySet], float]
"""A figure of one set."""
HALVINGS, RESAMPLES = 20, 200
LEAST = 20
"""The smallest number of queries on each side; with fewer, a distance has no meaning."""


@dataclass(frozen=True)
class ValidationRow:
    """One row of a validation. Shares are fractions; `unit` names other units."""

    id: str
    """V1 to V14."""
    name: str
    statistic: str
    unit: str
    value: float | None = None
    """Synthetic against real queries; None without real queries."""
    interval: tuple[float, float] | None = None
    """95 % interval of `value`."""
    floor: float | None = None
    """One half of the real queries against the other: the mean over random halvings."""
    floor_high: float | None = None
    """The 95th percentile over the halvings. A value below it is not a detectable difference."""
    scale: float | None = None
    """Synthetic against another domain."""
    levels: Mapping[str, float | None] = field(default_factory=dict)
    """The figure of each set by its name, for measures that have one."""
    note: str = ""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """Details, for plots: histograms, shares by type."""

    @property
    def above_floor(self) -> bool | None:
        """Whether the value is above the noise; None if this is not known."""
        return None if self.value is None or self.floor_high is None else self.value > self.floor_high

    def as_dict(self) -> dict[str, Any]:
        """The values for JSON, with null for figures that are not finite."""
        plain: dict[str, Any] = _finite(asdict(self) | {"above_floor": self.above_floor})
        return plain


@dataclass(frozen=True)
class Name:
    """The names and the unit of a measure."""

    id: str
    name: str
    statistic: str
    unit: str


def measured(  # noqa: PLR0917
    name: Name,
    sets: Sets,
    distance: Distance,
    level: Level | None = None,
    note: str = "",
    parts: Mapping[str, Any] | None = None,
    resamples: int = RESAMPLES,
    halvings: int = HALVINGS,
) -> ValidationRow:
    """Measure synthetic against real, real against real, and synthetic against another domain. Each side has as many
    queries as half of the real ones, so that floor and value have the same noise.

    Args:
        distance: the distance of two sets of equal size.
        level: the figure of one set, if the measure has one.
        resamples: bootstrap samples over documents; 0 gives no interval.
    """
    levels = {one.name: level(one) for one in sets.all} if level else {}
    plain = ValidationRow(name.id, name.name, name.statistic, name.unit, levels=levels, note=note, parts=parts or {})
    size = matched(sets)
    if sets.real is None or size is None:
        return plain
    real = sets.real
    draw = np.random.default_rng([sets.seed, *name.id.encode()])
    floors, values, scales = [], [], []
    for _ in range(halvings):
        first, second = (half.sample(size, draw) for half in real.halves(draw))
        floors.append(distance(first, second))
        own = sets.synthetic.sample(size, draw)
        values.append(distance(own, second))
        if sets.wrong is not None and len(sets.wrong) >= size:
            scales.append(distance(own, sets.wrong.sample(size, draw)))
    spread = [
        distance(sets.synthetic.resample(draw).sample(size, draw), real.resample(draw).sample(size, draw))
        for _ in range(resamples)
    ]
    return ValidationRow(
        name.id, name.name, name.statistic, name.unit,
        value=float(np.mean(values)),
        interval=(float(np.quantile(spread, 0.025)), float(np.quantile(spread, 0.975))) if spread else None,
        floor=float(np.mean(floors)), floor_high=float(np.quantile(floors, 0.95)),
        scale=float(np.mean(scales)) if scales else None,
        levels=levels, note=note, parts=parts or {},
    )  # fmt: skip


def matched(sets: Sets) -> int | None:
    """The number of queries on each side: half of the real ones, or all synthetic ones if they are fewer; None if there
    are too few."""
    if sets.real is None or len(sets.real.members) < 2:
        return None
    size = min(len(sets.synthetic), *(len(half) for half in sets.real.halves(np.random.default_rng(sets.seed))))
    return size if size >= LEAST else None


def _finite(value: object) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, np.generic):
        return _finite(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value

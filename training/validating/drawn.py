"""The comparison of `measured` for figures of single queries. The figures are computed once, and only rows are drawn
repeatedly. All measures of a validation share the draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, TypeVar

import numpy as np

from training.validating.measured import HALVINGS, RESAMPLES, Name, ValidationRow, matched
from training.validating.numbered import Numbered, rows_of
from training.validating.sets import QuerySet, Rows, Sets
from training.validating.two_samples import Values

Role = Literal["synthetic", "real", "wrong"]
F = TypeVar("F")
"""The figures of the queries of one set, in their order."""
Features = Mapping[Role, F]
Levels = Mapping[str, float | None]
Figures = Sequence[float] | Values


@dataclass(frozen=True)
class Halving:
    """The rows of one comparison, with the same number of queries on each side."""

    first: Rows
    """One half of the real queries; `second` is the other."""
    second: Rows
    own: Rows
    """Synthetic queries."""
    wrong: Rows | None


@dataclass(frozen=True)
class Effort:
    """The numbers of draws."""

    resamples: int = RESAMPLES
    """Draws for the interval; 0 for no interval."""
    halvings: int = HALVINGS


FULL = Effort()


_Groups = tuple[tuple[int, ...], tuple[int, ...]]
"""The groups and the topics of queries."""


def roles(sets: Sets) -> dict[Role, QuerySet]:
    """The available sets by role."""
    named: tuple[tuple[Role, QuerySet | None], ...] = (
        ("synthetic", sets.synthetic), ("real", sets.real), ("wrong", sets.wrong)
    )  # fmt: skip
    return {role: one for role, one in named if one is not None}


def halvings(sets: Sets, count: int = HALVINGS) -> tuple[Halving, ...]:
    """Random halves of the real queries, with the same number of other queries; empty if there are too few queries."""
    size = matched(sets)
    if sets.real is None or size is None:
        return ()
    wrong = None if sets.wrong is None else _groups(sets.wrong)
    return _halved(_groups(sets.synthetic), _groups(sets.real), wrong, size, sets.seed, count)


def measured_features(  # noqa: PLR0917
    name: Name,
    sets: Sets,
    features: Features[F],
    distance: Callable[[F, F], float],
    take: Callable[[F, Rows], F],
    levels: Levels | None = None,
    note: str = "",
    parts: Mapping[str, Any] | None = None,
    effort: Effort = FULL,
    repeats: bool = True,
) -> ValidationRow:
    """Measure synthetic against real, real against real, and synthetic against another domain.

    Args:
        features: the figures of each available set, aligned with its queries.
        distance: the distance of two sets of equal size. If it is nan, the row has only levels.
        take: returns the figures of some rows, in their order.
        repeats: True for a bootstrap interval over documents. False for an interval from the variation over random
            halves of the documents of each side, centred on the value, for statistics that change if a query is drawn
            twice. Half of a set, drawn without replacement, varies as much as the whole set.
    """
    plain = ValidationRow(
        name.id, name.name, name.statistic, name.unit, levels=levels or {}, note=note, parts=parts or {}
    )
    drawn = halvings(sets, effort.halvings)
    if not drawn:
        return plain
    own, real = features["synthetic"], features["real"]
    floors = [distance(take(real, one.first), take(real, one.second)) for one in drawn]
    values = [distance(take(own, one.own), take(real, one.second)) for one in drawn]
    scales = [
        distance(take(own, one.own), take(features["wrong"], one.wrong)) for one in drawn if one.wrong is not None
    ]
    again = _again(sets, effort.resamples, repeats)
    return _filled(
        plain, values, floors, scales, lambda: [distance(take(own, a), take(real, b)) for a, b in again], repeats
    )


def measured_differences(  # noqa: PLR0917
    name: Name,
    sets: Sets,
    features: Features[F],
    level: Callable[[F], float],
    take: Callable[[F, Rows], F],
    note: str = "",
    parts: Mapping[str, Any] | None = None,
    effort: Effort = FULL,
) -> ValidationRow:
    """Like `measured_features` without repeats, with the absolute difference of levels as the distance of two sets.
    Levels are means over draws of equal numbers of queries. Without enough real queries they are those of the whole
    sets."""
    plain = ValidationRow(name.id, name.name, name.statistic, name.unit, note=note, parts=parts or {})
    drawn = halvings(sets, effort.halvings)
    if not drawn:
        return replace(plain, levels=levels_of(sets, features, level))

    def at(role: Role, rows: Rows) -> float:
        return level(take(features[role], rows))

    first = np.array([at("real", one.first) for one in drawn])
    second = np.array([at("real", one.second) for one in drawn])
    own = np.array([at("synthetic", one.own) for one in drawn])
    wrong = np.array([at("wrong", one.wrong) for one in drawn if one.wrong is not None])
    known = {"synthetic": own, "real": np.concatenate([first, second]), "wrong": wrong}
    levels = {one.name: _known(float(known[role].mean())) for role, one in roles(sets).items() if len(known[role])}
    again = _again(sets, effort.resamples, repeats=False)
    return _filled(
        replace(plain, levels=levels), abs(own - second), abs(first - second), abs(own[: len(wrong)] - wrong),
        lambda: [abs(at("synthetic", a) - at("real", b)) for a, b in again], repeats=False,
    )  # fmt: skip


def measured_values(  # noqa: PLR0917
    name: Name,
    sets: Sets,
    values: Features[Values],
    distance: Callable[[Values, Values], float],
    levels: Levels | None = None,
    note: str = "",
    parts: Mapping[str, Any] | None = None,
    effort: Effort = FULL,
) -> ValidationRow:
    """Like `measured_features`, for one number, or one row of numbers, per query."""
    return measured_features(
        name, sets, values, distance, lambda all_, rows: all_[rows], levels, note, parts, effort
    )  # fmt: skip


def levels_of(sets: Sets, features: Features[F], level: Callable[[F], float]) -> Levels:
    """The figure of each whole set."""
    return {one.name: _known(level(features[role])) for role, one in roles(sets).items()}


def rows_in(halving: Halving, role: Role) -> Rows | None:
    """The rows of a set that are compared with the second half of the real ones; None if there is no such set."""
    return {"synthetic": halving.own, "real": halving.first, "wrong": halving.wrong}[role]


def _filled(  # noqa: PLR0917
    plain: ValidationRow,
    values: Figures,
    floors: Figures,
    scales: Figures,
    spread: Callable[[], Sequence[float]],
    repeats: bool,
) -> ValidationRow:
    """The row with its figures, or without them if one is not finite."""
    if not np.isfinite([*floors, *values]).all():
        return plain
    value = float(np.mean(values))
    return replace(
        plain,
        value=value,
        interval=_interval(np.array(spread()), None if repeats else value),
        floor=float(np.mean(floors)),
        floor_high=float(np.quantile(floors, 0.95)),
        scale=_known(float(np.mean(scales))) if len(scales) else None,
    )


def _interval(spread: Values, middle: float | None) -> tuple[float, float] | None:
    """The 95 % interval of repeated distances. With `middle`, it is centred there, and only the variation is used."""
    if not len(spread):
        return None
    low, high = np.quantile(spread if middle is None else middle + spread - spread.mean(), (0.025, 0.975))
    return max(0.0, float(low)), float(high)


def _known(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None


def _groups(one: QuerySet) -> _Groups:
    return one.groups or tuple(range(len(one))), one.topics


def _again(sets: Sets, count: int, repeats: bool) -> tuple[tuple[Rows, Rows], ...]:
    size = matched(sets)
    if sets.real is None or size is None:
        return ()
    return _redrawn(_groups(sets.synthetic), _groups(sets.real), size, sets.seed, count, repeats)


@lru_cache(maxsize=8)
def _halved(  # noqa: PLR0917
    synthetic: _Groups, real: _Groups, wrong: _Groups | None, size: int, seed: int, count: int
) -> tuple[Halving, ...]:
    draw = np.random.default_rng([seed, 1])
    own, truth = _numbered(synthetic), _numbered(real)
    other = _numbered(wrong) if wrong is not None and len(wrong[0]) >= size else None
    found = []
    for _ in range(count):
        first, second = truth.halves(draw)
        least = min(size, len(first), len(second))
        a, b, c = (_drawn(one, least, draw) for one in (first, second, own))
        found.append(Halving(a, b, c, None if other is None else _drawn(other, least, draw)))
    return tuple(found)


@lru_cache(maxsize=8)
def _redrawn(  # noqa: PLR0917
    synthetic: _Groups, real: _Groups, size: int, seed: int, count: int, repeats: bool
) -> tuple[tuple[Rows, Rows], ...]:
    draw = np.random.default_rng([seed, 2])
    sides = _numbered(synthetic), _numbered(real)
    found = []
    for _ in range(count):
        own, truth = (one.resample(draw) if repeats else one.halves(draw)[0] for one in sides)
        least = min(size, len(own), len(truth))
        found.append((_drawn(own, least, draw), _drawn(truth, least, draw)))
    return tuple(found)


def _numbered(groups: _Groups) -> Numbered:
    """A set that is only used for its rows."""
    own, topics = groups
    return Numbered("", ("",) * len(own), groups=own, topics=topics, rows=np.arange(len(own)))


def _drawn(one: QuerySet, size: int, draw: np.random.Generator) -> Rows:
    return rows_of(one.sample(size, draw))

"""The figures of robustness: how often attacks succeed, and what invariances change. Pure functions of values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from harness.measuring.robustness.perturbations import members
from harness.measuring.robustness.perturbed import ANY, RELEVANT, Floats64, Perturbed
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import Difference, difference, differences
from harness.measuring.statistics.proportion import wilson

Rows = Mapping[tuple[str, str], Perturbed]
"""The values of one system on one collection, by perturbation and measure."""


@dataclass(frozen=True)
class Examined:
    """One system on one collection: its rows, and the questions that their queries belong to."""

    questions: Questions
    rows: Rows
    values: Mapping[str, Floats64]
    """By measure, the values on the unchanged texts of the same queries, float64 [queries]."""


@dataclass(frozen=True)
class AttackFigure:
    """How often an attack, or any attack of a family, succeeds. Shares are fractions."""

    name: str
    queries: int
    questions: int
    success: float
    """The share of the questions for which the attacking document reaches the best relevant candidate."""
    interval: tuple[float, float]
    """95 %, Wilson over questions."""
    over_all: float
    """The share of the questions for which it reaches every candidate."""
    ties: int
    """The number of queries that succeed only by an equal score."""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class InvarianceFigure:
    """What a change that should not matter does to a measure. Values are fractions."""

    name: str
    measure: str
    queries: int
    changed: int
    original: float
    perturbed: float
    difference: Difference
    """Perturbed minus original, corrected over the invariances of the system and the measure."""

    def as_dict(self) -> dict[str, object]:
        """For JSON. With fewer than 6 questions there is no interval."""
        found, tested = asdict(self), self.difference
        interval = None if any(map(math.isnan, tested.interval)) else tested.interval
        return {**found, "difference": {**found["difference"], "interval": interval, "significant": tested.significant}}


def margins(name: str, rows: Rows, measure: str = RELEVANT) -> Floats64 | None:
    """Return the margin of the best attack with this name, or of this family, per query; None if one is missing."""
    found = [rows.get((one, measure)) for one in members(name)]
    if any(one is None or not one.is_current for one in found):
        return None
    return np.max([one.values for one in found if one is not None], axis=0)  # type: ignore[no-any-return]


def attack_figure(name: str, examined: Sequence[Examined]) -> AttackFigure | None:
    """Return the figure of an attack, or of a family, over collections; None if a collection was not examined."""
    found = [margins(name, one.rows) for one in examined]
    over = [margins(name, one.rows, ANY) for one in examined]
    if not examined or any(one is None for one in (*found, *over)):
        return None
    design = Design(tuple(one.questions for one in examined))
    success, over_all = (_per_question(design, [one for one in kind if one is not None]) for kind in (found, over))
    share = float(success.mean()) if len(success) else float("nan")
    return AttackFigure(
        name=name,
        queries=design.queries,
        questions=design.questions,
        success=share,
        interval=wilson(share, design.questions),
        over_all=float(over_all.mean()) if len(over_all) else float("nan"),
        ties=sum(int((one == 0).sum()) for one in found if one is not None),
    )


def success_deltas(
    name: str, baseline: Sequence[Examined], candidate: Sequence[Examined]
) -> tuple[Design, list[Floats64]] | None:
    """Return the differences of the success of an attack between two systems, candidate minus baseline, per query; None
    if one of them was not examined on the same queries."""
    sides = [{one.questions: margins(name, one.rows) for one in side} for side in (baseline, candidate)]
    theirs, ours = ({key: one for key, one in side.items() if one is not None} for side in sides)
    if not ours or theirs.keys() != ours.keys() or len(ours) < len(candidate):
        return None
    deltas = [(ours[key] >= 0).astype(np.float64) - (theirs[key] >= 0) for key in ours]
    return Design(tuple(ours)), deltas


def more_success(name: str, baseline: Sequence[Examined], candidate: Sequence[Examined]) -> Difference | None:
    """Return the difference of the success of an attack between two systems, by the one rule of differences; None as
    for `success_deltas`."""
    found = success_deltas(name, baseline, candidate)
    return None if found is None else difference(*found)


def invariance_figures(measure: str, examined: Sequence[Examined]) -> list[InvarianceFigure]:
    """Return the figures of every invariance that was measured on all collections, corrected over these."""
    known = [[name for (name, of), row in one.rows.items() if of == measure and row.is_current] for one in examined]
    names = [name for name in (known[0] if known else ()) if all(name in own for own in known)]
    if not names or any(measure not in one.values for one in examined):
        return []
    design = Design(tuple(one.questions for one in examined))
    changed = [np.stack([one.rows[name, measure].values for name in names]) for one in examined]
    original = [one.values[measure] for one in examined]
    tested = differences(design, [own - before for own, before in zip(changed, original, strict=True)])
    return [
        InvarianceFigure(
            name=name,
            measure=measure,
            queries=design.queries,
            changed=sum(one.rows[name, measure].changed for one in examined),
            original=design.mean(original),
            perturbed=design.mean([own[place] for own in changed]),
            difference=tested[place].macro,
        )
        for place, name in enumerate(names)
    ]


def _per_question(design: Design, found: Sequence[Floats64]) -> Floats64:
    """Return the share of the queries of each question for which an attack succeeds."""
    success, queries = np.zeros(design.questions), np.zeros(design.questions)
    for margin, units in zip(found, design.units, strict=True):
        np.add.at(success, units, margin >= 0)
        np.add.at(queries, units, 1)
    return success / queries

"""The robustness of stored or new results: which rows belong to which system, with their figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.measuring.robustness.figures import (
    AttackFigure,
    Examined,
    InvarianceFigure,
    attack_figure,
    invariance_figures,
)
from harness.measuring.robustness.perturbations import ATTACKS, families
from harness.measuring.robustness.perturbations import Attack as AttackKind
from harness.result.keys import SystemKey
from harness.result.result import Result


@dataclass(frozen=True)
class SystemRobustness:
    """The figures of one system over all collections on which it was examined."""

    system: SystemKey
    collections: tuple[str, ...]
    attacks: tuple[AttackFigure, ...]
    invariances: tuple[InvarianceFigure, ...]

    def as_dict(self) -> dict[str, object]:
        """For JSON. Values are fractions."""
        return {
            "collections": list(self.collections),
            "attacks": {one.name: one.as_dict() for one in self.attacks},
            "invariances": {f"{one.measure} {one.name}": one.as_dict() for one in self.invariances},
        }


def robustness_of(results: Sequence[Result]) -> list[SystemRobustness]:
    """Return the robustness of every system that was examined. Perturbations that a collection lacks are left out.

    Args:
        results: one for each system, collection and measure.
    """
    known = [one for one in results if one.perturbed]
    return [
        _of([one for one in known if one.system == system]) for system in dict.fromkeys(one.system for one in known)
    ]


def examined_of(results: Sequence[Result]) -> list[Examined]:
    """Return what was examined of one system, one value for each collection; without rows where nothing was.

    Args:
        results: of one system, one for each collection and measure.
    """
    by_id: dict[str, list[Result]] = {}
    for one in results:
        by_id.setdefault(one.id, []).append(one)
    return [_examined(own) for own in by_id.values()]


def earlier_definitions(results: Sequence[Result]) -> list[str]:
    """Return the names of the perturbations whose stored values are of an earlier definition."""
    return list(dict.fromkeys(row.name for one in results for row in one.perturbed if not row.is_current))


def perturbed_values(result: Result) -> list[dict[str, object]]:
    """Return what is stored of an evaluation on perturbed texts, query by query, for JSON."""
    return [
        {
            "perturbation": one.name, "measure": one.measure, "version": one.version, "changed": one.changed,
            "eligible": one.eligible, "per_query": dict(zip(one.ids, one.values.tolist(), strict=True)),
        }
        for one in result.perturbed
    ]  # fmt: skip


def _of(results: Sequence[Result]) -> SystemRobustness:
    examined = examined_of(results)
    measures = dict.fromkeys(measure for one in examined for measure in one.values)
    return SystemRobustness(
        system=results[0].system,
        collections=tuple(dict.fromkeys(one.collection.name for one in results)),
        attacks=tuple(_attacks(examined)),
        invariances=tuple(figure for measure in measures for figure in invariance_figures(measure, examined)),
    )


def _attacks(examined: Sequence[Examined]) -> Iterator[AttackFigure]:
    """Yield the figures of the attacks, and after the attacks of a family that has several that of the family."""
    for family, names in families(AttackKind).items():
        wanted = [one.name for one in ATTACKS if one.name in names]
        for name in (*wanted, *((family,) if len(wanted) > 1 else ())):
            figure = attack_figure(name, examined)
            if figure is not None:
                yield figure


def _examined(results: Sequence[Result]) -> Examined:
    first = results[0]
    ids = first.perturbed[0].ids if first.perturbed else ()
    values = {}
    for one in results:
        place = {id: at for at, id in enumerate(one.ids)}
        if all(id in place for id in ids):
            values[one.measure] = one.values[np.array([place[id] for id in ids], np.int64)]
    rows = {(one.name, one.measure): one for one in first.perturbed if one.ids == ids}
    return Examined(first.stored.collection.questions(ids), rows, values)

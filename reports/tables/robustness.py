"""The tables of robustness: how often attacks succeed, and what changes that should not matter do to a measure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.measuring.robustness.figures import AttackFigure, InvarianceFigure
from harness.measuring.robustness.perturbations import families
from harness.numbers import count, interval, points, share, signed, signed_interval
from harness.result.result import Result
from harness.result.robustness import earlier_definitions, robustness_of
from reports.table import Cell, Table
from reports.view import PLAIN, View

SIGNIFICANT = "*"
ATTACKS, INVARIANCES = "robustness-attacks", "robustness-invariances"
"""The names of the tables, as files of a report."""
_ATTACKS = ("system", "attack", "queries", "success", "95 % interval", "over all", "ties")
_INVARIANCES = (
    "system", "invariance", "queries", "changed", "measure", "original", "perturbed", "difference", "interval",
)  # fmt: skip


def robustness_tables(results: Sequence[Result], view: View = PLAIN) -> dict[str, Table]:
    """By name, the tables of all systems that were examined: `ATTACKS` and `INVARIANCES`, those that have rows."""
    found = robustness_of(results)
    collections = ", ".join(dict.fromkeys(name for one in found for name in one.collections))
    systems = [(view.system(one.system.label), one) for one in found]
    attacks = tuple(_attack(name, figure) for name, one in systems for figure in one.attacks)
    changes = tuple(_invariance(name, figure) for name, one in systems for figure in one.invariances)
    tested = any(figure.difference.significant for one in found for figure in one.invariances)
    marks = ((SIGNIFICANT, "significant: the corrected p-value is at most 0.05"),) if tested else ()
    notes = _notes(results)
    made = {
        ATTACKS: Table(f"attacks on {collections}", _ATTACKS, attacks, (*_OF_ATTACKS, *notes), left=2),
        INVARIANCES: Table(
            f"invariances on {collections}: changes that should not matter",
            _INVARIANCES, changes, (*_OF_INVARIANCES, *notes), left=2, footnotes=marks,
        ),
    }  # fmt: skip
    return {name: table for name, table in made.items() if table.rows}


def _attack(system: str, one: AttackFigure) -> tuple[Cell, ...]:
    figures = [share(one.success), interval(one.interval, share), share(one.over_all), count(one.ties)]
    return tuple(map(Cell, [system, _named(one.name), count(one.queries), *figures]))


def _invariance(system: str, one: InvarianceFigure) -> tuple[Cell, ...]:
    found = one.difference
    marks = (SIGNIFICANT,) if found.significant else ()
    texts = [system, one.name, count(one.queries), count(one.changed), one.measure]
    values = Cell(points(one.original)), Cell(points(one.perturbed)), Cell(signed(found.value), marks=marks)
    return (*map(Cell, texts), *values, Cell(signed_interval(found.interval)))


def _named(name: str) -> str:
    return f"{name} (any)" if len(families().get(name, ())) > 1 else name


_OF_ATTACKS = (
    "success: the attacking document scores at least as high as the best relevant candidate; over all: as the best "
    "candidate; ties: queries that succeed only by an equal score; unrelated: the document without an attack",
    "intervals: Wilson over questions",
)
_OF_INVARIANCES = (
    "changed: queries that the change can alter; perturbed: the value after the change",
    "intervals: the rule of differences, corrected over the invariances of a system",
)


def _notes(results: Sequence[Result]) -> list[str]:
    notes = list[str]()
    for one in {one.id: one for one in results if one.perturbed}.values():
        row, queries = one.perturbed[0], len(one.ids)
        if row.eligible < queries or len(row.ids) < row.eligible:
            notes.append(
                f"{one.collection.name}: {len(row.ids):,} queries of the {row.eligible:,} that have a relevant "
                f"candidate and an unrelated document; {queries - row.eligible:,} have not"
            )
    earlier = earlier_definitions(results)
    if earlier:
        notes.append(f"left out, because the definition has changed: {', '.join(earlier)}; run --robustness again")
    return list(dict.fromkeys(notes))

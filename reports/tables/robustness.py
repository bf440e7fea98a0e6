"""The table of robustness: how often attacks succeed, and what changes that should not matter do to a measure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.measuring.robustness.figures import AttackFigure, InvarianceFigure
from harness.measuring.robustness.perturbations import families
from harness.numbers import DASH, count, interval, points, share, signed, signed_interval
from harness.result.result import Result
from harness.result.robustness import earlier_definitions, robustness_of
from reports.table import Cell, Table
from reports.view import PLAIN, View

SIGNIFICANT = "*"
_COLUMNS = (
    "system", "perturbation", "queries", "success", "95 % interval", "over all", "ties", "changed", "measure",
    "original", "perturbed", "difference", "interval",
)  # fmt: skip


def robustness_tables(results: Sequence[Result], view: View = PLAIN) -> list[Table]:
    """One table of all systems that were examined; no table if there is none."""
    found = robustness_of(results)
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        name = view.system(one.system.label)
        rows += [_attack(name, figure) for figure in one.attacks]
        rows += [_invariance(name, figure) for figure in one.invariances]
    if not rows:
        return []
    collections = dict.fromkeys(name for one in found for name in one.collections)
    tested = any(figure.difference.significant for one in found for figure in one.invariances)
    marks = ((SIGNIFICANT, "significant: the corrected p-value is at most 0.05"),) if tested else ()
    title = f"robustness on {', '.join(collections)}"
    return [Table(title, _COLUMNS, tuple(rows), tuple(_notes(results)), left=2, footnotes=marks)]


def _attack(system: str, one: AttackFigure) -> tuple[Cell, ...]:
    figures = [share(one.success), interval(one.interval, share), share(one.over_all), count(one.ties)]
    return tuple(map(Cell, [system, _named(one.name), count(one.queries), *figures, *[DASH] * 6]))


def _invariance(system: str, one: InvarianceFigure) -> tuple[Cell, ...]:
    found = one.difference
    marks = (SIGNIFICANT,) if found.significant else ()
    texts = [system, one.name, count(one.queries), *[DASH] * 4, count(one.changed), one.measure]
    values = Cell(points(one.original)), Cell(points(one.perturbed)), Cell(signed(found.value), marks=marks)
    return (*map(Cell, texts), *values, Cell(signed_interval(found.interval)))


def _named(name: str) -> str:
    return f"{name} (any)" if len(families().get(name, ())) > 1 else name


def _notes(results: Sequence[Result]) -> list[str]:
    notes = [
        "success: the attacking document scores at least as high as the best relevant candidate; over all: as the best "
        "candidate; ties: queries that succeed only by an equal score; unrelated: the document without an attack",
        "intervals of shares: Wilson over questions; of differences: the rule of differences, corrected over the "
        "invariances of a system",
    ]
    for one in {one.id: one for one in results if one.perturbed}.values():
        row, queries = one.perturbed[0], len(one.ids)
        if row.eligible < queries or len(row.ids) < row.eligible:
            notes.append(
                f"{one.collection.name}: {len(row.ids):,} of {row.eligible:,} queries with a relevant candidate and an "
                f"unrelated document; {queries - row.eligible:,} queries have none"
            )
    earlier = earlier_definitions(results)
    if earlier:
        notes.append(f"left out, because the definition has changed: {', '.join(earlier)}; run --robustness again")
    return list(dict.fromkeys(notes))

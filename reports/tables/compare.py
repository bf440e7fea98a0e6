"""A comparison as tables: the candidates, then the collections and languages of each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.data.suites.table import PAIRED_MEASURE
from harness.judging.compare.comparison import ComparedSystems, MeasureComparison
from harness.judging.compare.rows import Row
from harness.measuring.statistics.difference import ALPHA
from harness.measuring.statistics.effects import LARGE
from harness.measuring.statistics.flips import FLIPS
from harness.measuring.statistics.seeds import SeedEffect
from harness.numbers import DASH, points, probability, signed, signed_interval
from harness.result.figure import Figure
from reports.columns import COLUMNS, COUNT, POINTS, Column, Unit, measure_note, notes
from reports.findings import finding
from reports.lines import Line
from reports.table import Cell, Table
from reports.view import PLAIN, View

OTHER_CANDIDATES, IN_THE_NOISE, SIGNIFICANT = "†", "~", "*"
_ENOUGH_SEEDS = 3


@dataclass(frozen=True)
class ComparedLine(Line):
    """A baseline, or a candidate against it, over some collections."""

    row: Row | None = None
    """None for a baseline."""
    ids: tuple[str, ...] = ()


def _of_row(read: Callable[[Row], Any]) -> Callable[[Any], Any]:
    return lambda line: None if line.row is None else read(line.row)


def _equivalent(row: Row) -> str | None:
    if row.equivalence is None or math.isnan(row.equivalence.p):
        return None
    return f"{'yes' if row.equivalence.equivalent else 'no'} ({probability(row.equivalence.p)})"


def _ids(line: Any) -> str | None:
    return _id(line.ids) if line.ids else None


def _whole(show: Callable[[Any], str]) -> Unit:
    return Unit("text", lambda value: DASH if value is None else show(value))


_LARGE = f"> {100 * LARGE:g}"
COMPARED = {
    one.key: one
    for one in (
        COLUMNS["value"],
        replace(COLUMNS["delta"], header="difference", note="difference: candidate - baseline, paired per query"),
        replace(COLUMNS["delta_interval"], header="95 % interval", note=(
            "95 % interval: the differences that the flips of the test do not reject, not corrected"
        )),
        replace(COLUMNS["p"], note=""),
        COLUMNS["adjusted_p"],
        Column(
            "d_z", "d_z", _whole(lambda d: f"{d:+z.2f}"), _of_row(lambda row: _finite(row.effect.d_z)),
            "d_z: the difference in standard deviations of a query's difference", default=True, difference=True,
        ),
        Column(
            "outcomes", "W / T / L", _whole(lambda found: " / ".join(f"{one:,}" for one in found)),
            _of_row(lambda row: (row.effect.wins, row.effect.ties, row.effect.losses)),
            "W / T / L: wins, ties, losses", default=True, difference=True,
        ),
        Column(
            "large", _LARGE, _whole(lambda part: f"{100 * part:.0f} %"), _of_row(lambda row: row.effect.large_share),
            f"{_LARGE}: the share of queries that moved by more than {100 * LARGE:g} points", difference=True,
        ),
        Column(
            "both_zero", "both 0", COUNT, _of_row(lambda row: row.both_zero),
            "both 0: queries on which both systems have 0, including those without a relevant candidate, which no "
            "reranker can move", difference=True,
        ),
        Column(
            "noise", "noise", POINTS, _of_row(lambda row: row.noise),
            "noise: difference between two scorings of the same checkpoint; -: not measured",
            difference=True,
        ),
        Column("equivalence", "within", _whole(str), _of_row(_equivalent), difference=True),
        Column("id", "id", _whole(str), _ids),
    )
}  # fmt: skip
"""The columns of a comparison by key. Columns that a run also has are read in the same way."""


def compared_tables(comparison: ComparedSystems, view: View = PLAIN) -> list[Table]:
    """The tables of a comparison.

    Each measure has a table of candidates and, for groups of seeds, a table of seeds. Over several collections each
    candidate has a table of collections, and a table of languages if a language has several collections.
    """
    tables = []
    comparison = displayed(comparison, view)
    columns = _shown(comparison, view)
    for measured in comparison.measures:
        tables.append(_candidates(comparison, measured, columns))
        if any(one.seeds for one in measured.candidates):
            tables.append(_seeds(comparison, measured))
        for one in measured.candidates:
            head = f"{one.system} against {comparison.baseline}"
            if len(one.collections) > 1:
                title, rows = f"{measured.measure} by collection: {head}", [*one.collections, *one.groups]
                tables.append(_parts(title, "collections", rows, comparison, columns))
            if any(len(row.parts) > 1 for row in one.languages):
                title = f"{measured.measure} by language: {head}"
                tables.append(_parts(title, "languages", one.languages, comparison, columns))
    return tables


def displayed(comparison: ComparedSystems, view: View) -> ComparedSystems:
    """The comparison with the names of the view."""
    measures = tuple(
        replace(one, candidates=tuple(replace(own, system=view.system(own.system)) for own in one.candidates))
        for one in comparison.measures
    )
    wrong = tuple(map(view.system, comparison.wrong))
    return replace(comparison, baseline=view.system(comparison.baseline), measures=measures, wrong=wrong)


def _shown(comparison: ComparedSystems, view: View) -> list[Column]:
    chosen = view.columns or [
        one for one in COMPARED.values() if one.default or (one.key == "equivalence" and comparison.margin is not None)
    ]
    if comparison.margin is None:
        return list(chosen)
    name = _within(comparison.margin)
    note = f"{name}: yes if two one-sided tests (TOST) at 5 % show it, with the larger p; no means not shown"
    return [replace(one, header=name, note=note) if one.key == "equivalence" else one for one in chosen]


def _line(measure: str, row: Row, *, baseline: bool = False) -> ComparedLine:
    if baseline:
        ids = tuple(part.baseline_id for part in row.parts)
        return ComparedLine(measure, Figure(row.baseline), is_first_stage=True, ids=ids)
    ids = tuple(part.candidate_id for part in row.parts)
    return ComparedLine(measure, Figure(row.candidate, difference=row.difference), row=row, ids=ids)


def _candidates(comparison: ComparedSystems, measured: MeasureComparison, columns: Sequence[Column]) -> Table:
    macros = [one.macro for one in measured.candidates]
    lines = [_line(measured.measure, macros[0], baseline=True), *(_line(measured.measure, row) for row in macros)]
    names = [comparison.baseline, *(one.system for one in measured.candidates)]
    values = [line.figure.value or 0.0 for line in lines]
    sound = [value for name, value in zip(names, values, strict=True) if name not in comparison.wrong]
    best = [name not in comparison.wrong and value == max(sound) for name, value in zip(names, values, strict=True)]
    rows = tuple(
        (Cell(name), *(_cell(one, line, strong=strong) for one in columns))
        for name, line, strong in zip(names, lines, best, strict=True)
    )
    title = f"{measured.measure} against {comparison.baseline}, {_over(macros[0])}"
    return Table(
        title,
        ("system", *(one.head(measured.measure) for one in columns)),
        rows,
        (*_explained(measured), *notes(columns), *_marks(macros, "candidates"), *comparison.notes),
        finding=finding(list(zip(names[1:], [row.difference for row in macros], strict=True)), "system", names[0]),
    )


def _parts(title: str, what: str, rows: Sequence[Row], comparison: ComparedSystems, columns: Sequence[Column]) -> Table:
    """A row for each collection or language of one candidate."""
    heads, measure = ["language", "collection"], title.partition(" by ")[0]
    cells = [[Cell(row.language or "") for row in rows], [Cell(_collection(row)) for row in rows]]
    for one in columns:
        if one.key in ("value", "id"):
            heads.append("baseline" if one.key == "value" else "baseline id")
            cells.append([_cell(one, _line(measure, row, baseline=True)) for row in rows])
        heads.append({"value": "candidate", "id": "candidate id"}.get(one.key, one.head(measure)))
        cells.append([_cell(one, _line(measure, row)) for row in rows])
    tested = [(row.name, row.difference) for row in rows]
    return Table(
        title, tuple(heads), tuple(zip(*cells, strict=True)), tuple(_marks(rows, what)), left=2,
        finding=finding(tested, "result", comparison.baseline),
    )  # fmt: skip


def _cell(column: Column, line: ComparedLine, *, strong: bool = False) -> Cell:
    marks = _signs(line.row) if column.key == "delta" and line.row is not None else ()
    return Cell(column.text(line), strong=strong and column.key == "value", marks=marks)


def _seeds(comparison: ComparedSystems, measured: MeasureComparison) -> Table:
    groups = [(one.system, one.macro, one.seeds) for one in measured.candidates if one.seeds is not None]
    rows = tuple(
        (
            Cell(name),
            Cell(f"{found.candidate_seeds} against {found.baseline_seeds}"),
            Cell(f"{points(found.candidate_sd)} against {points(found.baseline_sd)}"),
            Cell(signed(found.delta), marks=() if row.same_candidates else (OTHER_CANDIDATES,)),
            Cell(signed_interval(found.interval)),
        )
        for name, row, found in groups
    )
    notes = [
        "sd: standard deviation of the value between seeds, in points; the interval resamples seeds and questions; "
        "with one seed on a side it holds only for that seed",
    ]
    if any(_few(found) for _, _, found in groups):
        notes.append(f"a claim about a method needs at least {_ENOUGH_SEEDS} seeds, better 5")
    title = f"{measured.measure}, seeds against {comparison.baseline}"
    return Table(title, ("system", "seeds", "sd", "difference", "interval over seeds"), rows, tuple(notes))


def _few(found: SeedEffect) -> bool:
    return any(1 < seeds < _ENOUGH_SEEDS for seeds in (found.candidate_seeds, found.baseline_seeds))


def _explained(measured: MeasureComparison) -> list[str]:
    unit = "questions" if measured.measure == PAIRED_MEASURE else "queries"
    lost = f"; {measured.left_out:,} are left out, which a system has no value of" if measured.left_out else ""
    return [
        f"{measure_note(measured.measure)}; {_counted(measured, unit)}{lost}",
        f"p: randomisation test over questions, two-sided ({FLIPS:,} flips of signs). With many {unit} almost every "
        "difference is significant, so its size decides",
    ]


def _counted(measured: MeasureComparison, unit: str) -> str:
    """The number of queries, and of different questions if several queries ask the same."""
    effect = measured.candidates[0].macro.effect
    if effect.questions == effect.queries:
        return f"{effect.queries:,} {unit}"
    return f"{effect.queries:,} {unit}, {effect.questions:,} different questions: one in several languages counts once"


def _corrected_over(rows: Sequence[Row], what: str) -> str:
    """What the p-values of the rows are corrected over."""
    sizes = {row.kind: row.difference.family for row in rows if row.difference.family > 1}
    if not sizes:
        return "nothing to correct for"
    names = {"group": "groups"}
    over = " and over ".join(f"{size} {names.get(kind, what)}" for kind, size in sizes.items())
    return f"step-down MaxT over {over}, with the same flips" + ("" if what == "candidates" else ", of this candidate")


def _marks(rows: Sequence[Row], what: str) -> list[str]:
    notes = [f"adjusted p: {_corrected_over(rows, what)}; {SIGNIFICANT} adjusted p at most {ALPHA}"]
    if any(math.isnan(row.difference.interval[0]) and not math.isnan(row.difference.p) for row in rows):
        notes.append("an interval needs 6 questions")
    if any(row.in_the_noise for row in rows):
        notes.append(f"{IN_THE_NOISE} no larger than the noise")
    if not all(row.same_candidates for row in rows):
        notes.append(
            f"{OTHER_CANDIDATES} other candidates on each side: this compares first stages as well as rerankers"
        )
    return notes


def _signs(row: Row) -> tuple[str, ...]:
    found = (
        (SIGNIFICANT, row.difference.significant),
        (IN_THE_NOISE, row.in_the_noise),
        (OTHER_CANDIDATES, not row.same_candidates),
    )
    return tuple(mark for mark, there in found if there)


def _collection(row: Row) -> str:
    if row.kind == "group":
        return f"{row.name}, mean of {len(row.parts)}"
    return row.parts[0].collection if len(row.parts) == 1 else f"{len(row.parts)} collections"


def _over(macro: Row) -> str:
    if len(macro.parts) == 1:
        return macro.name
    sizes = Counter(part.group for part in macro.parts if part.group)
    groups = [f"{name} ({size})" for name, size in sizes.items() if size > 1]
    averaged = f"macro average of {len(macro.parts)} collections"
    return f"{averaged}; one vote each: {', '.join(groups)}" if groups else averaged


def _id(ids: Sequence[str]) -> str:
    """The id of the evaluation, or the number of ids if there are several. The tables of collections and the JSON have
    all of them."""
    all_of = [id for joined in ids for id in joined.split(",")]
    return all_of[0] if len(all_of) == 1 else f"{len(all_of)} ids"


def _within(margin: float) -> str:
    return f"within {100 * margin:g}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

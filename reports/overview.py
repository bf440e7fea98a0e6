"""One row per system: the macro average with its interval, the difference with its test, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.result.keys import SystemKey
from harness.result.result import Result
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from harness.result.summary import OFFICIAL
from reports import marks, rule
from reports.figures import Figure
from reports.grid_tables import Sheet, bracketed, medals, names, points, signed, significant
from reports.tables import Cell, Kind, Table

_COLUMNS = (
    "95 % interval", "vs first stage", "interval of it", "adjusted p", "better", "worse", "ceiling", "headroom",
    "tie span", "truncated", "pairs/s", "alarms",
)  # fmt: skip


def overview_table(sheet: Sheet) -> Table:
    """The first column of the sheet, which is its macro average or its only collection, with everything beside it."""
    systems = sheet.grid.systems
    best = medals(sheet, 0)
    rows = tuple(_row(sheet, system, best) for system in systems)
    kinds: tuple[Kind, ...] = tuple("system" if system.reranker else "first stage" for system in systems)
    columns = (*sheet.left, sheet.grid.measure, *_COLUMNS)
    return Table(
        f"{sheet.grid.measure}, {_over(sheet)}", columns, rows, tuple(_notes(sheet)), left=len(sheet.left), kinds=kinds,
        footnotes=marks.footnotes(rows, (), marks.wrong_notes(sheet.grid.cells.values())),
    )  # fmt: skip


def speed_of(results: Sequence[Result]) -> float | None:
    """Pairs over seconds of all of them; None where one was not scored on this machine."""
    pairs = [one.stored.audit.get("candidates") for one in results]
    known = [
        (count, one.pairs_per_second)
        for count, one in zip(pairs, results, strict=True)
        if isinstance(count, int) and one.pairs_per_second
    ]
    if not known or len(known) < len(results):
        return None
    return sum(count for count, _ in known) / sum(count / speed for count, speed in known)


def counted(sheet: Sheet, system: SystemKey) -> tuple[int, int, int]:
    """In how many collections the corrected test finds the system better and worse, and in how many it was tested."""
    tested = [
        sheet.figure(system, place)
        for place, column in enumerate(sheet.columns)
        if len(column.collections) == 1 and sheet.figure(system, place).difference is not None
    ]
    signs = [sign for figure in tested for sign in significant(figure)]
    return signs.count(marks.BETTER), signs.count(marks.WORSE), len(tested)


def probability(p: float | None) -> str:
    """A p-value as it is printed."""
    if p is None:
        return "-"
    return f"{p:.4f}" if p < 0.1 else f"{p:.2f}"


def _row(sheet: Sheet, system: SystemKey, best: tuple[str, str]) -> tuple[Cell, ...]:
    figure = sheet.figure(system, 0)
    label, *rest = names(sheet.grid, system)
    cells = [cell for cell in sheet.grid.row(system) if cell is not None]
    better, worse, tested = counted(sheet, system)
    alarms = sum(len(marks.alarms_of(one)) for one in cells)
    text = points(figure.value)
    texts = [
        bracketed(figure.interval), *_difference(figure), f"{better}" if tested else "-", f"{worse}" if tested else "-",
        points(figure.ceiling), "-" if figure.headroom is None else f"{100 * figure.headroom:+z.0f} %",
        points(figure.tie_span), _truncated(cells), _speed(cells), str(alarms),
    ]  # fmt: skip
    signs = (marks.INCOMPLETE,) if figure.value is None else (marks.WRONG,) if figure.wrong else ()
    strong, second = (text == medal and not figure.wrong for medal in best)
    first = Cell(text, strong=strong, second=second, href=_href(figure), marks=signs)
    found = [Cell(one) for one in texts]
    found[1] = Cell(found[1].text, marks=significant(figure))
    return (Cell(label, marks=marks.of_system(cells)), *map(Cell, rest), first, *found)


def _difference(figure: Figure) -> tuple[str, str, str]:
    p = None if figure.difference is None else figure.difference.adjusted_p
    return signed(figure.delta), bracketed(figure.delta_interval, signed), probability(p)


def _href(figure: Figure) -> str:
    return f"#e-{figure.results[0].id}" if len(figure.results) == 1 and figure.value is not None else ""


def _truncated(cells: Sequence[Result]) -> str:
    shares = [one.truncated for one in cells]
    sizes = [one.stored.audit.get("candidates") for one in cells]
    known = [
        (share, size) for share, size in zip(shares, sizes, strict=True) if share is not None and isinstance(size, int)
    ]
    if not known or len(known) < len(cells):
        return "-"
    total = sum(size for _, size in known)
    return f"{100 * sum(share * size for share, size in known) / total:.1f} %" if total else "-"


def _speed(cells: Sequence[Result]) -> str:
    speed = speed_of(cells)
    return "-" if speed is None else f"{speed:,.1f}"


def _over(sheet: Sheet) -> str:
    column = sheet.columns[0]
    if len(column.collections) == 1:
        return column.collections[0].name
    voters = len({one.group or (one.name, one.fingerprint) for one in column.collections})
    groups = f" with {voters} votes" if voters < len(column.collections) else ""
    return f"macro average of {len(column.collections)} collections{groups}"


def _notes(sheet: Sheet) -> Iterator[str]:
    yield from bm25_notes(of_stored(one.stored for one in sheet.grid.cells.values()))
    yield f"{sheet.grid.measure} x 100; 95 % interval: {rule.INTERVAL.removeprefix('95 % ')}"
    if sheet.grid.measure == OFFICIAL:
        yield "each collection by its own official measure; a mean of different measures has no unit"
    yield from rule.sets(sheet.grid)
    yield from rule.notes(sheet.families)
    if len(sheet.grid.collections) > 1 and any(system.reranker for system in sheet.grid.systems):
        yield "better, worse: in how many collections the corrected test finds a difference"
    yield "ceiling: a perfect order of the same candidates; headroom: the share of the way there that was gained"

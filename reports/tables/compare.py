"""A comparison as tables: the candidates, then the collections and languages of each; every mark has its note."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from harness.data.suites.table import PAIRED_MEASURE
from harness.judging.compare.comparison import Comparison, Measured
from harness.judging.compare.rows import Row
from harness.measuring.statistics.difference import ALPHA
from harness.measuring.statistics.effects import LARGE
from harness.measuring.statistics.flips import FLIPS
from harness.measuring.statistics.seeds import SeedEffect
from reports.table import Cell, Table

OTHER_CANDIDATES, IN_THE_NOISE, SIGNIFICANT = "†", "~", "*"
_ENOUGH_SEEDS = 3

Figures = dict[str, Callable[[Row], str]]
"""The columns of a table, each with what it says of a row."""


def compared_tables(comparison: Comparison) -> list[Table]:
    """Per measure: one table of candidates; for groups one of seeds; over several collections one of them for each
    candidate, and one of languages where a language has several collections."""
    tables = []
    for measured in comparison.measures:
        tables.append(_candidates(comparison, measured))
        if any(one.seeds for one in measured.candidates):
            tables.append(_seeds(comparison, measured))
        for one in measured.candidates:
            head = f"{one.system} against {comparison.baseline}"
            if len(one.collections) > 1:
                title = f"{measured.measure} by collection: {head}"
                tables.append(_parts(title, "collections", [*one.collections, *one.groups], comparison, measured))
            if any(len(row.parts) > 1 for row in one.languages):
                title = f"{measured.measure} by language: {head}"
                tables.append(_parts(title, "languages", one.languages, comparison, measured))
    return tables


def _candidates(comparison: Comparison, measured: Measured) -> Table:
    macros = [one.macro for one in measured.candidates]
    figures = _figures(comparison, measured)
    values = [macros[0].baseline, *(row.candidate for row in macros)]
    names = [comparison.baseline, *(one.system for one in measured.candidates)]
    ids = [[part.baseline_id for part in macros[0].parts], *([p.candidate_id for p in row.parts] for row in macros)]
    told = [[""] * len(figures), *([tell(row) for tell in figures.values()] for row in macros)]
    sound = [value for name, value in zip(names, values, strict=True) if name not in comparison.wrong]
    best = max(sound, default=math.nan)
    rows = tuple(
        (
            Cell(name),
            Cell(_points(value), strong=value == best and name not in comparison.wrong),
            *map(Cell, texts),
            Cell(_id(own)),
        )
        for name, value, texts, own in zip(names, values, told, ids, strict=True)
    )
    notes = (*_explained(comparison, measured), *_marks(macros, "candidates"), *comparison.notes)
    title = f"{measured.measure} against {comparison.baseline}, {_over(macros[0])}"
    return Table(title, ("system", measured.measure, *figures, "id"), rows, notes)


def _parts(title: str, what: str, rows: Sequence[Row], comparison: Comparison, measured: Measured) -> Table:
    columns: Figures = {
        "language": lambda row: row.language or "",
        "collection": _collection,
        "baseline": lambda row: _points(row.baseline),
        "candidate": lambda row: _points(row.candidate),
        **_figures(comparison, measured),
        "baseline id": lambda row: _id([part.baseline_id for part in row.parts]),
        "candidate id": lambda row: _id([part.candidate_id for part in row.parts]),
    }
    cells = tuple(tuple(Cell(tell(row)) for tell in columns.values()) for row in rows)
    return Table(title, tuple(columns), cells, tuple(_marks(rows, what)), left=2)


def _seeds(comparison: Comparison, measured: Measured) -> Table:
    groups = [(one.system, one.macro, one.seeds) for one in measured.candidates if one.seeds is not None]
    rows = tuple(
        (
            Cell(name),
            Cell(f"{found.candidate_seeds} against {found.baseline_seeds}"),
            Cell(f"{_points(found.candidate_sd)} against {_points(found.baseline_sd)}"),
            Cell(_signed(found.delta) + ("" if row.same_candidates else OTHER_CANDIDATES)),
            Cell(_interval(found.interval)),
        )
        for name, row, found in groups
    )
    notes = [
        "sd: between seeds, of the value in points; the interval resamples seeds and questions; where a side has one "
        "seed, it is about that one",
    ]
    if any(_few(found) for _, _, found in groups):
        notes.append(f"a claim about a method needs at least {_ENOUGH_SEEDS} seeds, better 5")
    title = f"{measured.measure}, seeds against {comparison.baseline}"
    return Table(title, ("system", "seeds", "sd", "difference", "interval over seeds"), rows, tuple(notes))


def _few(found: SeedEffect) -> bool:
    return any(1 < seeds < _ENOUGH_SEEDS for seeds in (found.candidate_seeds, found.baseline_seeds))


def _figures(comparison: Comparison, measured: Measured) -> Figures:
    figures: Figures = {
        "difference": _difference,
        "95 % interval": lambda row: _interval(row.difference.interval),
        "p": lambda row: _p(row.difference.p),
        "adjusted p": lambda row: _p(row.difference.adjusted_p),
        "d_z": lambda row: "-" if math.isnan(row.effect.d_z) else f"{row.effect.d_z:+z.2f}",
        "W / T / L": lambda row: f"{row.effect.wins:,} / {row.effect.ties:,} / {row.effect.losses:,}",
        _moved(): lambda row: f"{100 * row.effect.large_share:.0f} %",
    }
    if measured.measure != PAIRED_MEASURE:
        figures["both 0"] = lambda row: "-" if row.both_zero is None else f"{row.both_zero:,}"
    figures["noise"] = lambda row: "-" if row.noise is None else _points(row.noise)
    if comparison.margin is not None:
        figures[_within(comparison.margin)] = _equivalent
    return figures


def _explained(comparison: Comparison, measured: Measured) -> list[str]:
    asked = "questions" if measured.measure == PAIRED_MEASURE else "queries"
    notes = [
        f"{measured.measure} x 100; {_counted(measured, asked)}; difference: candidate - baseline, paired per query",
        f"p: randomisation test over questions, two-sided ({FLIPS:,} flips of signs); the 95 % interval holds the "
        f"differences that the same flips do not reject. With many {asked} almost every difference is significant, so "
        "its size decides",
        f"d_z: the difference in standard deviations of a query's difference; W / T / L: wins, ties, losses; "
        f"{_moved()}: {asked} that moved by more than that",
    ]
    if measured.measure != PAIRED_MEASURE:
        notes.append(
            "both 0: queries on which both systems have 0; those without a relevant candidate are among them, and no "
            "reranker can move those"
        )
    notes.append("noise: how far the same checkpoint was from itself, scored twice; - where nobody measured it")
    if comparison.margin is not None:
        notes.append(
            f"{_within(comparison.margin)}: yes where two one-sided tests (TOST) at 5 % say so, with the larger p; "
            "no means not shown"
        )
    return notes


def _counted(measured: Measured, asked: str) -> str:
    """How many queries there are, and what is drawn where these are not independent."""
    effect = measured.candidates[0].macro.effect
    if effect.questions == effect.queries:
        return f"{effect.queries:,} {asked}"
    return f"{effect.queries:,} {asked}, {effect.questions:,} different questions: one in several languages counts once"


def _corrected_over(rows: Sequence[Row], what: str) -> str:
    """What the p-values of some rows are corrected over."""
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


def _difference(row: Row) -> str:
    marks = (
        (SIGNIFICANT, row.difference.significant),
        (IN_THE_NOISE, row.in_the_noise),
        (OTHER_CANDIDATES, not row.same_candidates),
    )
    return _signed(row.difference.value) + "".join(mark for mark, there in marks if there)


def _equivalent(row: Row) -> str:
    if row.equivalence is None or math.isnan(row.equivalence.p):
        return "-"
    return f"{'yes' if row.equivalence.equivalent else 'no'} ({_p(row.equivalence.p)})"


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
    """The id of the one evaluation; a number for several, which the tables of collections and the JSON name."""
    all_of = [id for joined in ids for id in joined.split(",")]
    return all_of[0] if len(all_of) == 1 else f"{len(all_of)} ids"


def _within(margin: float) -> str:
    return f"within {100 * margin:g}"


def _moved() -> str:
    return f"> {100 * LARGE:g}"


def _points(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.2f}"


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:+z.2f}"


def _interval(bounds: tuple[float, float]) -> str:
    return "-" if math.isnan(bounds[0]) else f"[{_signed(bounds[0])}, {_signed(bounds[1])}]"


def _p(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"

"""The columns of all tables of systems: runs, reports, comparisons, frames and JSON pick theirs from `COLUMNS`.

To add a column, add a line to the list below, or call `register`. Nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.errors import UsageError, did_you_mean
from harness.data.suites.table import PAIRED_MEASURE
from harness.judging.compare.comparison import canonical
from harness.result.summary import OFFICIAL
from reports import numbers, rule
from reports.lines import Line, pairs_per_second

SIGNED = (PAIRED_MEASURE,)
"""Measures whose values can be negative."""
ALL = "all"
"""Names every column for `choose`."""


@dataclass(frozen=True)
class Unit:
    """How the values of a column are printed."""

    name: str
    show: Callable[[Any], str]
    signed: Callable[[Any], str] | None = None
    """For a measure whose values can be negative; None for no other way."""
    type: type = float
    """Of a frame's column."""

    def of(self, measure: str) -> Callable[[Any], str]:
        """How the values of a measure are printed."""
        return self.signed if self.signed is not None and measure in SIGNED else self.show


POINTS = Unit("points", numbers.points, numbers.signed)
DIFFERENCE = Unit("points", numbers.signed)
INTERVAL = Unit("points", numbers.bracketed, numbers.signed_interval)
DIFFERENCE_INTERVAL = Unit("points", numbers.signed_interval)
PROBABILITY = Unit("probability", numbers.probability)
SHARE = Unit("per cent", numbers.share)
GAINED = Unit("per cent", numbers.signed_share)
RATE = Unit("per second", numbers.rate)
COUNT = Unit("count", numbers.count, type=int)


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        key: its name for `--columns`, in JSON and in frames.
        header: its name in a table.
        read: its value, a fraction for points and per cent; None for nothing.
        note: a sentence under the table, '' for none.
        default: whether a table has it unless columns are named.
        difference: whether it is about a difference, so that the row of a first stage is empty.
        tested: whether it needs the intervals and tests, which a frame has only if it is asked for them.
        fields: its columns in a frame, for an interval two; () for none.
    """

    key: str
    header: str
    unit: Unit
    read: Callable[[Line], Any]
    note: str = ""
    default: bool = False
    difference: bool = False
    tested: bool = False
    fields: tuple[str, ...] | None = None

    def text(self, line: Line) -> str:
        """Its value as a table prints it."""
        if self.difference and line.is_first_stage:
            return ""
        return self.unit.of(line.measure)(self.read(line))

    def head(self, measure: str) -> str:
        """Its name over a table of a measure."""
        return measure_head(measure) if self.key == "value" else self.header

    @property
    def frame_fields(self) -> tuple[str, ...]:
        """Its columns in a frame."""
        return (self.key,) if self.fields is None else self.fields


def measure_head(measure: str) -> str:
    """What the column of a measure's values is called."""
    return "mean" if measure == OFFICIAL else measure


def measure_note(measure: str) -> str:
    """What the values of a measure are, for the notes under a table."""
    if measure == PAIRED_MEASURE:
        return (
            f"{measure} x 100, signed, from -100 to 100: how documents move that the changed instruction makes "
            "irrelevant; above 0 they sink, as they should, 0 ignores the instruction, below 0 they rise; a question "
            "is a pair of queries"
        )
    if measure == OFFICIAL:
        return (
            "every collection by its own official measure, x 100; a mean of different measures has no unit: it orders "
            "systems as mteb's leaderboard does, and says nothing else"
        )
    return f"{measure} x 100"


def in_order(known: Sequence[str], asked: Sequence[str]) -> list[str]:
    """The measures, those that were asked for first, in the order in which they were."""
    first = [canonical(one) for one in asked]
    return sorted(known, key=lambda name: first.index(name) if name in first else len(first))


def _truncated(line: Line) -> float | None:
    known = [(one.truncated, one.candidates) for one in line.evaluations]
    lost = sum(truncated for truncated, _ in known if truncated is not None)
    total = sum(candidates for _, candidates in known if candidates is not None)
    return lost / total if total and all(None not in pair for pair in known) else None


def _found(line: Line, sign: int) -> int | None:
    """In how many collections the corrected test finds a difference of that sign."""
    tested = [one for one in line.each if one.difference is not None]
    return sum(one.significant and sign * (one.delta or 0) > 0 for one in tested) if tested else None


def _difference(name: str) -> Callable[[Line], Any]:
    return lambda line: None if line.figure.difference is None else getattr(line.figure.difference, name)


_FOUND = "better, worse: in how many collections the corrected test finds a difference"

COLUMNS: dict[str, Column] = {}
"""By key, in the order of the tables."""


def register(column: Column) -> Column:
    """Add a column to every table, frame and JSON document.

    Raises:
        ValueError: there is a column with this key or header.
    """
    if any(column.key == one.key or column.header == one.header for one in COLUMNS.values()):
        raise ValueError(f"there is a column '{column.key}' or '{column.header}' already")
    COLUMNS[column.key] = column
    return column


for _column in (
    Column("value", "value", POINTS, lambda line: line.figure.value, default=True),
    Column(
        "interval", "95 % interval", INTERVAL, lambda line: line.figure.interval,
        f"95 % interval: {rule.INTERVAL.removeprefix('95 % ')}", default=True, tested=True, fields=("low", "high"),
    ),
    Column("delta", "vs first stage", DIFFERENCE, lambda line: line.figure.delta, default=True, difference=True),
    Column(
        "delta_interval", "interval of it", DIFFERENCE_INTERVAL, lambda line: line.figure.delta_interval,
        default=True, difference=True, tested=True, fields=("delta_low", "delta_high"),
    ),
    Column("p", "p", PROBABILITY, _difference("p"), "p: not corrected", difference=True, tested=True),
    Column(
        "adjusted_p", "adjusted p", PROBABILITY, _difference("adjusted_p"), default=True, difference=True, tested=True
    ),
    Column(
        "family", "family", COUNT, _difference("family"),
        "family: how many differences the p-value was corrected over", difference=True, tested=True,
    ),
    Column("better", "better", COUNT, lambda line: _found(line, 1), _FOUND, difference=True, tested=True, fields=()),
    Column("worse", "worse", COUNT, lambda line: _found(line, -1), _FOUND, difference=True, tested=True, fields=()),
    Column(
        "ceiling", "ceiling", POINTS, lambda line: line.figure.ceiling,
        "ceiling: a perfect order of the same candidates", default=True,
    ),
    Column(
        "headroom", "headroom", GAINED, lambda line: line.figure.headroom,
        "headroom: the share of the way from the first stage to the ceiling that was gained", difference=True,
    ),
    Column(
        "chance", "chance", POINTS, lambda line: line.figure.chance, "chance: a random order of the same candidates"
    ),
    Column(
        "tie_span", "tie span", POINTS, lambda line: line.figure.tie_span,
        "tie span: the best minus the worst value over all orders of equal scores",
    ),
    Column("truncated", "truncated", SHARE, _truncated, "truncated: candidates that lost a token or more"),
    Column(
        "queries", "queries", COUNT, lambda line: sum(one.values for one in line.evaluations) or None,
        "queries: how many have a value; for p-MRR, questions",
    ),
    Column(
        "pairs_per_second", "pairs/s", RATE, lambda line: pairs_per_second(line.evaluations),
        "pairs/s: model time on this machine; - where nothing was scored here",
    ),
    Column("alarms", "alarms", COUNT, lambda line: sum(one.alarms for one in line.evaluations)),
):  # fmt: skip
    register(_column)


def choose(names: str | None, known: Mapping[str, Column] = COLUMNS) -> tuple[Column, ...] | None:
    """The columns of `a,b,c`, in that order, each by its key or its header; every one for `all`; None, for the default
    ones, where nothing is named.

    Raises:
        UsageError: a column is unknown, or nothing is named between commas.
    """
    if names is None:
        return None
    if names.strip() == ALL:
        return tuple(known.values())
    found = [_named(name.strip(), known) for name in names.split(",")]
    return tuple(dict.fromkeys(found))


def _named(name: str, known: Mapping[str, Column]) -> Column:
    for one in known.values():
        if _plain(name) in (_plain(one.key), _plain(one.header)):
            return one
    raise UsageError(f"no column '{name}'.{did_you_mean(name, known)} '{ALL}' names every one.")


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def shown(columns: Sequence[Column] | None, lines: Sequence[Line]) -> tuple[Column, ...]:
    """The columns of a table: those that were chosen, else the default ones, without differences where there is no
    reranker."""
    if columns is not None:
        return tuple(columns)
    alone = all(line.is_first_stage for line in lines)
    return tuple(one for one in COLUMNS.values() if one.default and not (alone and one.difference))


def notes(columns: Sequence[Column]) -> list[str]:
    """The notes of the columns, each once."""
    return list(dict.fromkeys(one.note for one in columns if one.note))


def values(line: Line) -> dict[str, object]:
    """Every column by its key as plain JSON; fractions, null where nothing is known."""
    found = {one.key: one.read(line) for one in COLUMNS.values()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}

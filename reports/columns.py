"""The columns of all tables of systems. Runs, reports, comparisons, frames and JSON take their columns from `COLUMNS`.

To add a column, add a line to the list below or call `register`. Nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Any

from adapters.errors import UsageError, did_you_mean
from harness import numbers
from harness.data.suites.table import PAIRED_MEASURE
from harness.judging.compare.comparison import canonical
from harness.measuring.votes import shares
from harness.result.gathered import OFFICIAL, speed_of
from reports import rule
from reports.lines import Line
from reports.marks import alarms_of

SIGNED = (PAIRED_MEASURE,)
"""Measures whose values can be negative."""
ALL = "all"
"""The name that selects every column in `choose`."""


@dataclass(frozen=True)
class Unit:
    """How the values of a column are printed."""

    name: str
    show: Callable[[Any], str]
    signed: Callable[[Any], str] | None = None
    """The format for measures whose values can be negative. None: the same as `show`."""
    type: type = float
    """The type of the column in a frame."""

    def of(self, measure: str) -> Callable[[Any], str]:
        """The function that prints the values of a measure."""
        return self.signed if self.signed is not None and measure in SIGNED else self.show


POINTS = Unit("points", numbers.points, numbers.signed)
DIFFERENCE = Unit("points", numbers.signed)
INTERVAL = Unit("points", numbers.interval, numbers.signed_interval)
DIFFERENCE_INTERVAL = Unit("points", numbers.signed_interval)
PROBABILITY = Unit("probability", numbers.probability)
SHARE = Unit("per cent", numbers.share)
GAINED = Unit("per cent", numbers.signed_share)
RATE = Unit("per second", numbers.decimal)
COUNT = Unit("count", numbers.count, type=int)


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        key: name for `--columns`, in JSON and in frames.
        header: name in a table.
        unit: how the values are printed.
        read: returns the value, a fraction for points and per cent; None if there is no value.
        note: a sentence under the table. Default: no note.
        default: whether a table shows the column when `--columns` is not given. Default: False.
        difference: whether the column is about a difference, so that it is empty for a first stage. Default: False.
        tested: whether it needs intervals and tests, which a frame computes only on request. Default: False.
        fields: names of the columns in a frame, two for an interval, () for none. Default: the key.
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
        """The value as a table prints it."""
        if self.difference and line.is_first_stage:
            return ""
        return self.unit.of(line.measure)(self.read(line))

    def head(self, measure: str) -> str:
        """The heading in a table of a measure."""
        return measure_head(measure) if self.key == "value" else self.header

    @property
    def frame_fields(self) -> tuple[str, ...]:
        """The names of the columns in a frame."""
        return (self.key,) if self.fields is None else self.fields


def measure_head(measure: str) -> str:
    """The heading of the column with a measure's values."""
    return "mean" if measure == OFFICIAL else measure


def measure_note(measure: str) -> str:
    """A note that explains the values of a measure."""
    if measure == PAIRED_MEASURE:
        return (
            f"{measure} x 100, from -100 to 100: how documents move that the changed instruction makes irrelevant; "
            "above 0 they sink, as they should; 0: the system ignores the instruction; below 0 they rise; a question "
            "is a pair of queries"
        )
    if measure == OFFICIAL:
        return (
            "every collection by its own official measure, x 100; a mean of different measures has no unit: use it "
            "only to order systems, as mteb's leaderboard does"
        )
    return f"{measure} x 100"


def in_order(measures: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The measures: first those in `wanted`, in that order, then the others."""
    first = [canonical(name) for name in wanted]
    return sorted(measures, key=lambda name: first.index(name) if name in first else len(first))


def _truncated(line: Line) -> float | None:
    audits = [one.stored.audit for one in line.results]
    counts = [(one.tokens.truncated if one.tokens else None, one.candidates) for one in audits]
    lost = sum(truncated for truncated, _ in counts if truncated is not None)
    total = sum(candidates for _, candidates in counts if candidates is not None)
    return lost / total if total and all(None not in pair for pair in counts) else None


def _noise(line: Line) -> float | None:
    """The largest change of the mean by other batches in half precision; None if one collection has none."""
    floors = [one.stored.audit.noise for one in line.results]
    known = [one.effects[line.measure] for one in floors if one is not None and line.measure in one.effects]
    if not known or len(known) < len(floors):
        return None
    return float(sum(map(mul, shares([one.collection.group for one in line.results]), known)))


def _significant(line: Line, sign: int) -> int | None:
    """The number of collections where the corrected test finds a difference of this sign."""
    tested = [one for one in line.each if one.difference is not None]
    return sum(one.significant and sign * (one.delta or 0) > 0 for one in tested) if tested else None


def _difference(name: str) -> Callable[[Line], Any]:
    return lambda line: None if line.figure.difference is None else getattr(line.figure.difference, name)


_BETTER_WORSE = "better, worse: number of collections where the corrected test finds a difference"

COLUMNS: dict[str, Column] = {}
"""The columns by key, in the order of the tables."""


def register(column: Column) -> Column:
    """Add a column to every table, frame and JSON document.

    Raises:
        ValueError: another column has this key or header.
    """
    if any(column.key == one.key or column.header == one.header for one in COLUMNS.values()):
        raise ValueError(f"a column '{column.key}' or '{column.header}' exists already; choose another key and header")
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
        "family: number of differences that the p-value was corrected over", difference=True, tested=True,
    ),
    Column(
        "better", "better", COUNT, lambda line: _significant(line, 1), _BETTER_WORSE, difference=True, tested=True,
        fields=(),
    ),
    Column(
        "worse", "worse", COUNT, lambda line: _significant(line, -1), _BETTER_WORSE, difference=True, tested=True,
        fields=(),
    ),
    Column(
        "ceiling", "ceiling", POINTS, lambda line: line.figure.ceiling,
        "ceiling: a perfect order of the same candidates", default=True,
    ),
    Column(
        "headroom", "headroom", GAINED, lambda line: line.figure.headroom,
        "headroom: the gain as a share of the distance from the first stage to the ceiling", difference=True,
    ),
    Column(
        "chance", "chance", POINTS, lambda line: line.figure.chance, "chance: a random order of the same candidates"
    ),
    Column(
        "tie_span", "tie span", POINTS, lambda line: line.figure.tie_span,
        "tie span: the best minus the worst value over all orders of equal scores",
    ),
    Column(
        "noise", "noise", POINTS, _noise,
        "noise: how much half precision changes the value of the same pairs in other batches; -: float32, or no model",
    ),
    Column("truncated", "truncated", SHARE, _truncated, "truncated: candidates that lost a token or more"),
    Column(
        "queries", "queries", COUNT, lambda line: sum(len(one.values) for one in line.results) or None,
        "queries: number of queries with a value; for p-MRR, of questions",
    ),
    Column(
        "pairs_per_second", "pairs/s", RATE, lambda line: speed_of(line.results),
        "pairs/s: model time on this machine; -: nothing was scored here",
    ),
    Column("alarms", "alarms", COUNT, lambda line: sum(len(alarms_of(one)) for one in line.results)),
):  # fmt: skip
    register(_column)


def choose(names: str | None, known: Mapping[str, Column] = COLUMNS) -> tuple[Column, ...] | None:
    """The columns that the option `--columns` names.

    Args:
        names: keys or headers such as `a,b,c`, in the wanted order; `all` for every column; None for the default.
        known: the columns to choose from. Default: `COLUMNS`.

    Returns:
        The columns in the order of `names`; None for the default columns.

    Raises:
        UsageError: a name is unknown or empty.
    """
    if names is None:
        return None
    if names.strip() == ALL:
        return tuple(known.values())
    return tuple(dict.fromkeys(_named(name.strip(), known) for name in names.split(",")))


def _named(name: str, known: Mapping[str, Column]) -> Column:
    for column in known.values():
        if _plain(name) in (_plain(column.key), _plain(column.header)):
            return column
    raise UsageError(f"no column '{name}'.{did_you_mean(name, known)} '{ALL}' selects all columns.")


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def shown(columns: Sequence[Column] | None, lines: Sequence[Line]) -> tuple[Column, ...]:
    """The chosen columns, or the default ones. Without a reranker, the default leaves out differences."""
    if columns is not None:
        return tuple(columns)
    no_reranker = all(line.is_first_stage for line in lines)
    return tuple(one for one in COLUMNS.values() if one.default and not (no_reranker and one.difference))


def notes(columns: Sequence[Column]) -> list[str]:
    """The notes of the columns, each once."""
    return list(dict.fromkeys(one.note for one in columns if one.note))


def values(line: Line) -> dict[str, object]:
    """The values of all columns by key, as plain JSON: fractions, null for unknown."""
    read = {one.key: one.read(line) for one in COLUMNS.values()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in read.items()}

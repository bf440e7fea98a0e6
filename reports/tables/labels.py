"""Tables of label versions: what was imported, and how two versions of judgments differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice

from harness.labelling.diff import ChangedPair, JudgmentDiff, LabelDiff, MovedSystem
from harness.labelling.imports import ImportedLabels
from harness.numbers import count, decimal, interval, points, probability, share, signed, signed_interval
from reports.table import Cell, Table, markdown

LISTED = 20
"""The number of pairs of systems in the table; JSON has all."""


@dataclass(frozen=True)
class LabelComparison:
    """The result of `harness.judge_diff`.

    Attributes:
        found: every figure.
        left_out: a line for each stored system that could not be measured.
    """

    found: LabelDiff
    left_out: list[str]

    def tables(self) -> list[Table]:
        """Return the tables that `harness judge diff` prints."""
        found = self.found
        tables = [_counts(found), _changes(found.judgments, found.names)]
        if found.collection is not None:
            tables.append(_systems(found, self.left_out))
        if found.pairs:
            tables.append(_pairs(found))
        return tables

    def table(self) -> str:
        """Return the tables as Markdown."""
        return "\n".join(map(markdown, self.tables()))

    def as_dict(self) -> dict[str, object]:
        """Return everything as `harness judge diff --json` prints it. Values are fractions."""
        found, judgments = self.found, self.found.judgments
        return {
            "versions": list(found.names), "judgments": [len(judgments.first), len(judgments.second)],
            "added": judgments.added, "removed": judgments.removed,
            "regraded": [[*pair, judgments.first[pair], judgments.second[pair]] for pair in judgments.regraded],
            "changes": [[*grades, number] for grades, number in sorted(judgments.changes.items())],
            "agreement": _known(judgments.agreement), "kappa": _known(judgments.kappa()), "bias": judgments.bias,
            "collection": found.collection, "measure": found.measure, "queries": found.queries,
            "queries_left_out": found.left_out, "systems": [_system(one) for one in found.systems],
            "pairs_compared": found.compared, "changed_places": [_changed(one) for one in found.pairs],
            "left_out": self.left_out, "notes": list(found.notes),
        }  # fmt: skip


def imported_table(found: Sequence[ImportedLabels]) -> Table:
    """One row for each collection with a new label version."""
    heads = ("target", "by", "new", "replaced", "same", "queries", "without grade", "id")
    rows = tuple(tuple(map(Cell, _imported(one))) for one in found)
    notes = [one.note for one in found if one.note]
    if any(one.below_zero for one in found):
        notes.append(f"grades below 0 count as 0: {count(found[0].below_zero)}")
    return Table(
        "Label version",
        heads,
        rows,
        (*notes, "new, replaced: labels of pairs without and with another judgment"),
        left=2,
    )


def _imported(one: ImportedLabels) -> tuple[str, ...]:
    counts = map(count, (one.new, one.replaced, one.same, one.queries, one.without_grade))
    return one.collection, one.version.added[-1].by, *counts, one.version.fingerprint[:12]


def _counts(found: LabelDiff) -> Table:
    judgments = found.judgments
    heads = ("first", "second", "in both", "added", "removed", "regraded", "same grade", "kappa", "bias per query")
    sizes = (judgments.first, judgments.second, judgments.both, judgments.added, judgments.removed, judgments.regraded)
    bias = sorted(judgments.bias.values())
    spread = interval((bias[0], bias[-1]) if bias else None, "{:+.2f}".format)
    figures = share(judgments.agreement), decimal(judgments.kappa(), 2), spread
    rows = (tuple(map(Cell, (*(count(len(one)) for one in sizes), *figures))),)
    notes = (
        *found.notes,
        "kappa: Cohen's, of the grades of the pairs in both",
        "bias: the mean of second - first grade of a query's pairs in both, from the lowest to the highest query",
    )
    return Table(f"Judgments: {found.names[0]} and {found.names[1]}", heads, rows, notes, left=0)


def _changes(judgments: JudgmentDiff, names: tuple[str, str]) -> Table:
    first = sorted({grade for grade, _ in judgments.changes})
    second = sorted({grade for _, grade in judgments.changes})
    rows = tuple(
        (Cell(str(grade)), *(Cell(count(judgments.changes[grade, other]), strong=grade == other) for other in second))
        for grade in first
    )
    title = f"Pairs that both judge: grade in {names[0]} (rows), in {names[1]} (columns)"
    return Table(title, ("grade", *map(str, second)), rows)


def _systems(found: LabelDiff, left_out: Sequence[str]) -> Table:
    rows = tuple(
        tuple(
            map(Cell, (one.system, points(one.first), str(one.first_place), points(one.second), str(one.second_place)))
        )
        for one in found.systems
    )
    what = f"{found.measure} x 100, {found.collection}, {count(found.queries)} queries that both judge"
    others = [f"left out: {count(found.left_out)} queries that only one version judges"] if found.left_out else []
    none = [] if found.systems else ["the workspace has no ranking of this collection; `harness run` makes one"]
    heads = ("system", "first", "place", "second", "place")
    title = f"{len(found.pairs)} of {found.compared} pairs of systems change places"
    return Table(title, heads, rows, (what, *others, *none, *left_out))


def _pairs(found: LabelDiff) -> Table:
    heads = ("pair (second - first system)", "first", "second", "change", "95 % interval", "adjusted p")
    order = sorted(found.pairs, key=lambda one: -abs(one.change.value))
    rows = tuple(tuple(map(Cell, _pair(one))) for one in islice(order, LISTED))
    more = [f"{len(order) - LISTED} more pairs are in --json"] if len(order) > LISTED else []
    note = (
        f"change: the difference of the differences, paired per query; p corrected over {count(found.compared)} pairs"
    )
    return Table("Systems that change places", heads, rows, (note, *more))


def _pair(one: ChangedPair) -> tuple[str, ...]:
    change = one.change
    figures = signed(change.value), signed_interval(change.interval), probability(change.adjusted_p)
    return f"{one.b} - {one.a}", signed(one.first), signed(one.second), *figures


def _system(one: MovedSystem) -> dict[str, object]:
    return {
        "system": one.system, "id": one.id, "values": [one.first, one.second],
        "places": [one.first_place, one.second_place],
    }  # fmt: skip


def _changed(one: ChangedPair) -> dict[str, object]:
    change = {key: _plain(value) for key, value in asdict(one.change).items()}
    return {"systems": [one.a, one.b], "first": one.first, "second": one.second, "change": change}


def _plain(value: object) -> object:
    """Fractions for JSON, which has no NaN: with fewer than 6 questions there is no interval."""
    if isinstance(value, tuple):
        return None if any(map(math.isnan, value)) else list(value)
    return _known(value) if isinstance(value, float) else value


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value

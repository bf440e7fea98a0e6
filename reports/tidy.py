"""Results as Arrow tables and pandas frames: one row per system, collection and measure, or per query."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from adapters.errors import need
from harness.measuring.statistics.difference import Difference
from harness.result.figure import Figure
from harness.result.gathered import all_grids
from harness.result.keys import CollectionKey, SystemKey
from harness.result.left_out import LeftOut
from harness.result.result import Result
from harness.workspace import write_atomically
from reports import grid
from reports.columns import COLUMNS, Column
from reports.grid import figures, plain_name
from reports.lines import Line
from reports.marks import is_adapted
from reports.table import Cell, Table

if TYPE_CHECKING:
    import pandas as pd

_BEFORE = (
    "system", "first_stage", "reranker", "depth", "collection", "suite", "group", "split", "language", "measure",
    "is_main_measure", "first_stage_value",
)  # fmt: skip
_AFTER = (
    "sampled_from", "imported", "known_wrong", "corpus_adapted", "training_data", "licence", "id", "fingerprint",
    "updated",
)  # fmt: skip
PER_QUERY = ("system", "first_stage", "depth", "collection", "split", "language", "query", "measure", "value", "id")


def names(*, intervals: bool = False) -> tuple[str, ...]:
    """The columns of `tidy`: keys, then the fields of `reports.columns.COLUMNS`, then facts about the origin.

    Args:
        intervals: whether to include intervals and tests. Default: False.
    """
    return (*_BEFORE, *(field for one in _measured(intervals) for field in one.frame_fields), *_AFTER)


def tidy(results: Sequence[Result], *, intervals: bool = False) -> pa.Table:
    """One row per system, collection and measure, with the columns of `names`. Values, differences and bounds are
    fractions.

    Args:
        results: the selected results.
        intervals: whether to include the 95 % intervals and tests of a report of these results. Default: False.
    """
    by_key = {(one.system, one.collection, one.measure): one for one in results}
    shown = _figures(results) if intervals else {}
    rows = []
    for one in results:
        key = (one.system, one.collection, one.measure)
        first = _first_stage_value(one, by_key.get((one.system.base, *key[1:])))
        line = _line(one, shown.get(key), first)
        rows.append((*_before(one), first, *_values(line, intervals), *_after(one)))
    types = _types()
    return pa.table({
        name: pa.array([row[i] for row in rows], types.get(name, pa.string()))
        for i, name in enumerate(names(intervals=intervals))
    })  # fmt: skip


def tidy_per_query(results: Sequence[Result]) -> pa.Table:
    """One row per system, collection, measure and query (for p-MRR: question), with the columns `PER_QUERY`. Imported
    means have no such rows.

    Raises:
        UsageError: the results are all imported means.
    """
    listed = [one for one in results if not one.is_mean_only] or [results[0].with_values()]
    return pa.concat_tables(map(_queries, listed)).unify_dictionaries()


def with_left_out(table: pa.Table, left_out: LeftOut) -> pa.Table:
    """The table with counts of the results that were left out, as JSON in the metadata key `left_out`. Parquet keeps
    it."""
    return table.replace_schema_metadata({"left_out": json.dumps(left_out.as_dict(), ensure_ascii=False)})


def frame(table: pa.Table) -> pd.DataFrame:
    """The table as a pandas frame, with its metadata in `attrs`.

    Raises:
        MissingExtra: pandas is not installed.
    """
    need("pandas", "reports", "a frame")
    data: pd.DataFrame = table.to_pandas()
    data.attrs |= {key.decode(): json.loads(value) for key, value in (table.schema.metadata or {}).items()}
    return data


def from_frame(data: pd.DataFrame, title: str, left: int = 1, digits: int = 2) -> Table:
    """A table from any frame, for the formats of all tables.

    Args:
        data: the frame.
        title: the title of the table.
        left: the number of columns with text, from the left. Default: 1.
        digits: decimals of floats, which are printed as they are, not as points. Default: 2.
    """
    rows = tuple(tuple(Cell(_shown(value, digits)) for value in row) for row in data.itertuples(index=False))
    return Table(title, tuple(map(str, data.columns)), rows, left=left)


def write_parquet(table: pa.Table, file: Path) -> None:
    """Write a Parquet file atomically."""
    from pyarrow import parquet

    with write_atomically(file) as temporary:
        parquet.write_table(table, temporary)


def write_csv(table: pa.Table, file: Path) -> None:
    """Write a CSV file atomically."""
    from pyarrow import csv

    with write_atomically(file) as temporary:
        csv.write_csv(table, temporary)


def _measured(intervals: bool) -> list[Column]:
    return [one for one in COLUMNS.values() if intervals or not one.tested]


def _first_stage_value(one: Result, base: Result | None) -> float | None:
    """The value of the first stage, if it was measured on the same candidates."""
    paired = base is not None and one.system.reranker and base.stored.candidates == one.stored.candidates
    return base.value if base is not None and paired else None


def _line(one: Result, tested: Figure | None, first: float | None) -> Line:
    """The line of a row. Without tests, its difference is the difference of the means."""
    value, nan = _finite(one.value), math.nan
    plain = None if value is None or first is None else Difference(value - first, (nan, nan), nan, nan, 1, nan)
    means = Figure(value, None, plain, one.chance, one.ceiling, one.tie_span)
    return Line(one.measure, tested or means, (one,), is_first_stage=not one.system.reranker)


def _values(line: Line, intervals: bool) -> Iterator[object]:
    for column in _measured(intervals):
        value = column.read(line)
        wide = len(column.frame_fields) > 1
        yield from (value or (None, None)) if wide else [value][: len(column.frame_fields)]


def _before(one: Result) -> tuple[object, ...]:
    system, collection = one.system, one.collection
    return (
        system.label, system.first_stage, system.reranker, system.depth, plain_name(collection), collection.suite,
        collection.group, collection.split, collection.language, one.measure, one.measure == collection.main_measure,
    )  # fmt: skip


def _after(one: Result) -> tuple[object, ...]:
    collection, entry = one.collection, one.collection.entry
    return (
        collection.sampled_from, one.imported, one.wrong, is_adapted(one), entry.training if entry else None,
        entry.licence if entry else None, one.id, collection.fingerprint, one.stored.updated,
    )  # fmt: skip


def _figures(results: Sequence[Result]) -> Mapping[tuple[SystemKey, CollectionKey, str], Figure]:
    """The figure of every result, corrected as in a report of the same results."""
    by_key = {}
    for own in all_grids(results):
        columns = [grid.GridColumn(one.name, "", (one,), (1.0,)) for one in own.collections]
        for (system, place), one in figures(own, columns).items():
            by_key[system, own.collections[place], own.measure] = one
    return by_key


def _types() -> dict[str, Any]:
    """The types of the columns that are not text."""
    kinds = {float: pa.float64(), int: pa.int64()}
    return {
        **{field: kinds[one.unit.type] for one in COLUMNS.values() for field in one.frame_fields},
        "first_stage_value": pa.float64(),
        **dict.fromkeys(("depth", "sampled_from"), pa.int64()),
        **dict.fromkeys(("is_main_measure", "imported", "corpus_adapted", "training_data"), pa.bool_()),
    }


def _queries(one: Result) -> Any:
    size = len(one.ids)
    same = (
        one.system.label, one.system.first_stage, one.system.depth, plain_name(one.collection), one.collection.split,
        one.collection.language,
    )  # fmt: skip
    columns = [*(_repeated(value, size) for value in same), pa.array(one.ids, pa.string())]
    columns += [_repeated(one.measure, size), pa.array(one.values), _repeated(one.id, size)]
    return pa.table(columns, names=list(PER_QUERY))


def _repeated(value: object, size: int) -> Any:
    if isinstance(value, int):
        return pa.array([value] * size, pa.int64())
    places = pa.array([None if value is None else 0] * size, pa.int32())
    return pa.DictionaryArray.from_arrays(places, pa.array([value or ""], pa.string()))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _shown(value: object, digits: int) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else str(value)

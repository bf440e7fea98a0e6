"""Results as columns, one row per system, collection and measure, or per query: for those who make their own tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from adapters.errors import need
from harness.result.gathered import all_grids
from harness.result.keys import CollectionKey, SystemKey
from harness.result.left_out import LeftOut
from harness.result.opening import stored_in
from harness.result.result import Result
from harness.workspace import write_atomically
from reports.figures import Figure, figures
from reports.grid_columns import Column, plain_name
from reports.marks import alarms_of, is_adapted
from reports.tables import Cell, Table

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "system", "first_stage", "reranker", "depth", "collection", "suite", "group", "split", "language", "measure",
    "is_main_measure", "value", "first_stage_value", "delta", "chance", "ceiling", "tie_span", "truncated", "queries",
    "sampled_from", "pairs_per_second", "alarms", "imported", "known_wrong", "corpus_adapted", "training_data",
    "licence", "id", "fingerprint", "updated",
)  # fmt: skip
"""Of `tidy`; values, differences and bounds are fractions."""
INTERVAL = ("low", "high", "delta_low", "delta_high", "p", "adjusted_p", "family")
"""Of `tidy` with intervals: of the value, and of the difference to the first stage with its p-values and the number of
differences that it was corrected over."""
PER_QUERY = ("system", "first_stage", "depth", "collection", "split", "language", "query", "measure", "value", "id")


def tidy(results: Sequence[Result], *, intervals: bool = False) -> pa.Table:
    """One row per system, collection and measure, with `COLUMNS`; with intervals also `INTERVAL`: the 95 %
    intervals and the test that a report of these results shows."""
    known = {(one.system, one.collection, one.measure): one for one in results}
    rows = [_row(one, known.get((one.system.base, one.collection, one.measure))) for one in results]
    if intervals:
        shown = _figures(results)
        figures_of = [shown[one.system, one.collection, one.measure] for one in results]
        rows = [(*row, *_of_figure(one)) for row, one in zip(rows, figures_of, strict=True)]
    names = (*COLUMNS, *(INTERVAL if intervals else ()))
    types = {**dict.fromkeys(names, pa.string()), **_types()}
    return pa.table(
        {name: pa.array([row[i] for row in rows], types[name]) for i, name in enumerate(names)},
    )


def tidy_per_query(results: Sequence[Result], workspace: Path) -> pa.Table:
    """One row per system, collection, measure and query (for p-MRR: question), with `PER_QUERY`. Imported means have no
    such rows.

    Raises:
        UsageError: there is nothing but imported means.
    """
    listed = [one for one in results if not one.is_mean_only] or results
    with stored_in(workspace / "results.sqlite") as store:
        parts = [_queries(one, store.per_query(one.id, one.measure)[0]) for one in listed]
    return pa.concat_tables(parts).unify_dictionaries()


def with_left_out(table: pa.Table, left_out: LeftOut) -> pa.Table:
    """The table with the count of what it does not hold as metadata, which Parquet keeps: `left_out`, as JSON."""
    return table.replace_schema_metadata({"left_out": json.dumps(left_out.as_dict(), ensure_ascii=False)})


def frame(table: pa.Table) -> pd.DataFrame:
    """As pandas has it; metadata are in `attrs`.

    Raises:
        MissingExtra: pandas is not installed.
    """
    need("pandas", "reports", "a frame")
    found: pd.DataFrame = table.to_pandas()
    found.attrs |= {key.decode(): json.loads(value) for key, value in (table.schema.metadata or {}).items()}
    return found


def from_frame(data: pd.DataFrame, title: str, left: int = 1, digits: int = 2) -> Table:
    """A frame of one's own as a table, to be rendered as all others are. Figures get so many digits; nothing is
    multiplied."""
    rows = tuple(tuple(Cell(_shown(value, digits)) for value in row) for row in data.itertuples(index=False))
    return Table(title, tuple(map(str, data.columns)), rows, left=left)


def write_parquet(table: pa.Table, file: Path) -> None:
    """Write a Parquet file, whole or not at all."""
    from pyarrow import parquet

    with write_atomically(file) as temporary:
        parquet.write_table(table, temporary)


def write_csv(table: pa.Table, file: Path) -> None:
    """Write a CSV file, whole or not at all."""
    from pyarrow import csv

    with write_atomically(file) as temporary:
        csv.write_csv(table, temporary)


def _row(one: Result, base: Result | None) -> tuple[object, ...]:
    system, collection = one.system, one.collection
    entry = collection.entry
    paired = base is not None and system.reranker and base.stored.candidates == one.stored.candidates
    first = base.value if base is not None and paired else None
    value = _finite(one.value)
    return (
        system.label, system.first_stage, system.reranker, system.depth, plain_name(collection), collection.suite,
        collection.group, collection.split, collection.language, one.measure,
        one.measure == collection.main_measure, value, first,
        None if value is None or first is None else value - first, one.chance, one.ceiling, one.tie_span,
        one.truncated, len(one.values), collection.sampled_from, one.pairs_per_second, len(alarms_of(one)),
        one.imported, one.wrong, is_adapted(one), entry.training if entry else None,
        entry.licence if entry else None, one.id, collection.fingerprint, one.stored.updated,
    )  # fmt: skip


def _figures(results: Sequence[Result]) -> dict[tuple[SystemKey, CollectionKey, str], Figure]:
    """Of every result, corrected as in a report of the same results."""
    found = {}
    for grid in all_grids(results):
        columns = [Column(one.name, "", (one,), (1.0,)) for one in grid.collections]
        for (system, place), one in figures(grid, columns).items():
            found[system, grid.collections[place], grid.measure] = one
    return found


def _of_figure(figure: Figure) -> tuple[object, ...]:
    own = figure.difference
    low, high = figure.interval or (None, None)
    tested = (None, None, None) if own is None else (own.p, own.adjusted_p, own.family)
    return (low, high, *(figure.delta_interval or (None, None)), *tested)


def _types() -> dict[str, Any]:
    def typed(kind: Any, names: Iterable[str]) -> dict[str, Any]:
        return dict.fromkeys(names, kind)

    floats = ("value", "first_stage_value", "delta", "chance", "ceiling", "tie_span", "truncated", "pairs_per_second")
    flags = ("is_main_measure", "imported", "corpus_adapted", "training_data")
    return {
        **typed(pa.float64(), (*floats, *INTERVAL[:-1])),
        **typed(pa.int64(), ("depth", "queries", "sampled_from", "alarms", "family")),
        **typed(pa.bool_(), flags),
    }


def _queries(one: Result, queries: Sequence[str]) -> Any:
    size = len(queries)
    same = (
        one.system.label, one.system.first_stage, one.system.depth, plain_name(one.collection), one.collection.split,
        one.collection.language,
    )  # fmt: skip
    columns = [*(_repeated(value, size) for value in same), pa.array(queries, pa.string())]
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

"""The rows of evaluations in the results store: their size, and their removal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.result.store import Results

_THESE = "(select value from json_each(?))"
_OF_COLLECTIONS = {
    "corpus": "collection",
    "detected": "collection",
    "parallel": "collection",
    "collection": "fingerprint",
}
"""The tables with rows of collections, each with the column of the fingerprint."""
_SIZES = {
    "evaluation": ("id", "length(identity) + length(audit) + length(controls) + length(environment)"),
    "value": ("evaluation", "length(per_query) + coalesce(length(questions), 0)"),
    "robustness": ("evaluation", "length(per_query) + length(queries)"),
}


def rows_size(file: Path, ids: Sequence[str]) -> int:
    """About how many bytes the rows of evaluations need, without the overhead of the file."""
    with Results(file) as results:
        return sum(
            int(results.rows(f"select coalesce(sum({size}), 0) from {table} where {key} in {_THESE}", _list(ids))[0][0])
            for table, (key, size) in _SIZES.items()
        )


def remove_rows(file: Path, ids: Sequence[str]) -> None:
    """Delete evaluations in one transaction, and their collections where no other evaluation has them. Looks of the
    gate stay, because they count."""
    with Results(file) as results:
        with results.transaction():
            asked = f"select distinct collection from evaluation where id in {_THESE}"
            collections = _list([row[0] for row in results.rows(asked, _list(ids))])
            for table in ("value", "timing", "latency", "noise", "mark", "robustness"):
                results.rows(f"delete from {table} where evaluation in {_THESE}", _list(ids))
            results.rows(f"delete from evaluation where id in {_THESE}", _list(ids))
            results.rows(f"delete from checksum where kind <> 'collection' and id in {_THESE}", _list(ids))
            for table, key in _OF_COLLECTIONS.items():
                unused = f"{key} in {_THESE} and {key} not in (select collection from evaluation)"
                results.rows(f"delete from {table} where {unused}", collections)
            forgotten = f"kind = 'collection' and id in {_THESE} and id not in (select collection from evaluation)"
            results.rows(f"delete from checksum where {forgotten}", collections)
        results.shrink()


def _list(values: Sequence[str]) -> tuple[str]:
    """A list as one parameter: a query may not have as many parameters as there are evaluations."""
    return (json.dumps(list(values)),)

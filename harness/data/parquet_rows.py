"""Read the rows of Parquet files of other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from adapters.errors import DataError, class_of

_BATCH = 1024


def parquet_rows(
    path: Path, columns: Callable[[Sequence[str]], Sequence[str]] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of every row, from 1, and its values by column.

    Args:
        columns: given the names of all columns, returns those to read. Default: all.

    Raises:
        DataError: the file is not Parquet, or is damaged.
    """
    import pyarrow as pa
    from pyarrow import parquet

    number = 0
    try:
        file = parquet.ParquetFile(path)
        wanted = None if columns is None else list(columns(file.schema_arrow.names))
        for batch in file.iter_batches(_BATCH, columns=wanted):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, OSError, ValueError, OverflowError, TypeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        kind = class_of(error, DataError)
        raise kind(f"{path}: not a readable Parquet file ({reason[:200]}); write or fetch it again") from None

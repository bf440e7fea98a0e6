"""The judgments as their source has them, read a second time by separate code. pytrec_eval gets these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from adapters.identity import file_digest
from adapters.sums import DamagedFile, unreadable
from harness.data.arrow import integers, rows_of, strings, to_numpy

Grades = Mapping[str, Mapping[str, int]]
"""The grade of each document, by query; ids as texts."""
_SCHEMA = pa.schema([("query", pa.string()), ("document", pa.string()), ("grade", pa.int32())])


@dataclass(frozen=True)
class AsPublished:
    """A file of judgments that is kept with the columns of a collection. It is read when it is first needed."""

    file: Path
    digest: str
    """The digest of the file's bytes when it was written."""
    renew: Callable[[DamagedFile], AsPublished | None] | None = field(default=None, compare=False)
    """Makes the file again from its source. Default: a damaged file is an error."""

    @cached_property
    def table(self) -> pa.Table:
        """Columns `query`, `document` and `grade`, one row for each judgment.

        Raises:
            DamagedFile: the file is missing or was changed, and cannot be made again.
        """
        try:
            return self._read()
        except DamagedFile as damage:
            again = None if self.renew is None else self.renew(damage)
            if again is None:
                raise
            return again._read()

    def _read(self) -> pa.Table:
        try:
            if file_digest(self.file) != self.digest:
                raise DamagedFile(f"{self.file}: it is not what was written")
            return ipc.open_file(pa.memory_map(str(self.file))).read_all()
        except (OSError, pa.ArrowException) as error:
            raise unreadable(self.file, error) from error

    def of(self, queries: Sequence[str]) -> dict[str, dict[str, int]]:
        """Return the grades of the judged documents of some queries; {} for a query without judgments."""
        judgments: dict[str, dict[str, int]] = {name: {} for name in queries}
        rows = self.table.filter(pc.is_in(self.table["query"], value_set=strings(queries)))
        for query, document, grade in zip(*(rows[name].to_pylist() for name in _SCHEMA.names), strict=True):
            judgments[query][document] = grade
        return judgments

    def grades(self, queries: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (index into `queries`, grade) of every judgment of these queries, sorted."""
        indices = rows_of(self.table["query"], strings(queries))
        grades = to_numpy(self.table["grade"]).astype(np.int64)[indices >= 0]
        indices = indices[indices >= 0]
        order = np.lexsort((grades, indices))
        return indices[order], grades[order]


def write_published(file: Path, judgments: Grades) -> AsPublished:
    """Write judgments to a file, and return the file as a value."""
    arrays = [
        strings(query for query, grades in judgments.items() for _ in grades),
        strings(document for grades in judgments.values() for document in grades),
        integers([grade for grades in judgments.values() for grade in grades.values()], _SCHEMA.field("grade").type),
    ]
    with pa.OSFile(str(file), "wb") as out, ipc.new_file(out, _SCHEMA) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA))
    return AsPublished(file, file_digest(file))

"""Texts on disk: an Arrow IPC file of (id, text, digest) that is written as a stream and read memory-mapped."""

from __future__ import annotations

from array import array
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

from adapters.identity import digest, text_digest
from adapters.sums import DamagedFile, unreadable
from harness.data.arrow import strings
from harness.data.texts import DIGEST_BYTES, SCHEMA, Guard, Texts

_ROWS = 4096
_CHARACTERS = 1 << 23


class TextWriter:
    """Writes texts to an Arrow IPC file. At most one batch is in memory."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self.empty = 0
        """Texts of length 0 so far."""
        self._file = pa.OSFile(str(path), "wb")
        self._writer = ipc.new_file(self._file, SCHEMA)
        self._clear()

    def __enter__(self) -> TextWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None and self._ids:
            self._write()
        self._writer.close()
        self._file.close()

    def add(self, identifier: str, text: str) -> None:
        """Append one text. Its row is the value of `rows` before the call."""
        self._ids.append(identifier)
        self._texts.append(text)
        self._characters += len(text)
        self.rows += 1
        self.empty += not text
        if len(self._ids) == _ROWS or self._characters > _CHARACTERS:
            self._write()

    def _write(self) -> None:
        digests = pa.py_buffer(b"".join(map(text_digest, self._texts)))
        columns = [
            strings(self._ids),
            strings(self._texts, pa.large_string()),
            pa.FixedSizeBinaryArray.from_buffers(pa.binary(DIGEST_BYTES), len(self._texts), [None, digests]),
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=SCHEMA))
        self._clear()

    def _clear(self) -> None:
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._characters = 0


def open_texts(path: Path, guard: Guard | None = None) -> Texts:
    """Map a file of texts into memory; pages are read, and blocks verified, when they are needed.

    Raises:
        DamagedFile: the file is missing or is not a complete Arrow file of texts.
    """
    try:
        table = ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    if table.schema != SCHEMA:
        raise DamagedFile(f"{path}: it is not a file of texts")
    return Texts(table, guard, path.absolute())


class IdHashes:
    """Finds ids that may be repeated, with 8 bytes per id. A hit can be a collision: the caller has to confirm it."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, identifier: str) -> None:
        """Add one id."""
        self._hashes.append(hash(identifier))

    def repeated(self) -> frozenset[int]:
        """The hashes that were added more than once."""
        hashes = np.array(self._hashes, np.int64)
        return frozenset(_repeated(hashes).tolist())


def count_duplicate_texts(texts: Texts) -> int:
    """Count the rows with the same text as an earlier row."""
    first = np.concatenate([np.empty(0, "<u8"), *(block.digests[:, 0] for block in texts.blocks())])
    suspects = _repeated(first.copy())
    if not len(suspects):
        return 0
    rows = np.concatenate([block.digests[np.isin(block.digests[:, 0], suspects)] for block in texts.blocks()])
    return len(rows) - len(np.unique(rows, axis=0))


def texts_digest(texts: Texts) -> str:
    """Digest of the ids and the text digests in their order, 32 hex digits. The batches do not matter."""
    lengths, ids, digests = (blake2b(digest_size=16) for _ in range(3))
    for block in texts.blocks():
        lengths.update(np.diff(block.id_offsets).astype("<i8").tobytes())
        ids.update(block.id_bytes)
        digests.update(np.ascontiguousarray(block.digests).data)
    return blake2b(lengths.digest() + ids.digest() + digests.digest(), digest_size=16).hexdigest()


def corpus_fingerprint(corpus: Texts) -> str:
    """The fingerprint of a corpus without its queries."""
    return digest({"corpus": texts_digest(corpus)})


def _repeated(values: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    values.sort()
    return np.unique(values[1:][values[1:] == values[:-1]])

"""Texts on disk: an Arrow IPC file of (id, text, digest) that is written as a stream and read memory-mapped."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

from adapters.errors import DataError
from adapters.identity import digest, text_digest
from harness.data.collection import Texts

DIGEST_BYTES = 16
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.large_string()), ("digest", pa.binary(DIGEST_BYTES))])
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
            pa.array(self._ids, pa.string()),
            pa.array(self._texts, pa.large_string()),
            pa.FixedSizeBinaryArray.from_buffers(pa.binary(DIGEST_BYTES), len(self._texts), [None, digests]),
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=SCHEMA))
        self._clear()

    def _clear(self) -> None:
        self._ids: list[str] = []
        self._texts: list[str] = []
        self._characters = 0


def open_texts(path: Path) -> Texts:
    """Map a file of texts into memory; pages are read when they are needed.

    Raises:
        DataError: the file is missing or is not a complete Arrow file of texts.
    """
    try:
        table = ipc.open_file(pa.memory_map(str(path))).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: damaged ({str(error).splitlines()[0]}); delete the folder {path.parent}") from error
    if table.schema != SCHEMA:
        raise DataError(f"{path}: not a file of texts; delete the folder {path.parent}")
    return Texts(table, path.absolute())


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
    first = np.concatenate([np.empty(0, "<u8"), *(words[:, 0] for words in digest_chunks(texts))])
    suspects = _repeated(first.copy())
    if not len(suspects):
        return 0
    rows = np.concatenate([words[np.isin(words[:, 0], suspects)] for words in digest_chunks(texts)])
    return len(rows) - len(np.unique(rows, axis=0))


def texts_digest(texts: Texts) -> str:
    """Digest of the ids and the text digests in their order, 32 hex digits. The batches do not matter."""
    lengths, ids, digests = (blake2b(digest_size=16) for _ in range(3))
    for chunk in texts.table["id"].chunks:
        encoded = chunk.cast(pa.large_binary())
        offsets = np.frombuffer(encoded.buffers()[1], "<i8")[encoded.offset : encoded.offset + len(encoded) + 1]
        lengths.update(np.diff(offsets).astype("<i8").tobytes())
        if offsets[-1] > offsets[0]:
            ids.update(memoryview(encoded.buffers()[2])[offsets[0] : offsets[-1]])
    for words in digest_chunks(texts):
        digests.update(np.ascontiguousarray(words).data)
    return blake2b(lengths.digest() + ids.digest() + digests.digest(), digest_size=16).hexdigest()


def corpus_fingerprint(corpus: Texts) -> str:
    """The fingerprint of a corpus without its queries."""
    return digest({"corpus": texts_digest(corpus)})


def digest_chunks(texts: Texts) -> Iterator[npt.NDArray[np.uint64]]:
    """Yield the digests of the texts in their order, shape [n, 2], one batch of the file at a time."""
    for chunk in texts.table["digest"].chunks:
        if len(chunk):
            yield np.frombuffer(chunk.buffers()[1], "<u8").reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]


def _repeated(values: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
    values.sort()
    return np.unique(values[1:][values[1:] == values[:-1]])

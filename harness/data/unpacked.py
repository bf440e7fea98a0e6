"""Read files, plain or compressed, with bounds on the length of a line and on how far a file may unpack."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from adapters.errors import DataError
from adapters.file_heads import other_than_text
from adapters.limits import LARGEST_RATIO, LONGEST_LINE, RATIO_FROM

UNREADABLE = (
    EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError, struct.error,
)  # fmt: skip
"""What Python raises for compressed files that are cut off, damaged, encrypted or packed with an unknown method."""
_BLOCK = 1 << 20
_RATIO = f"unpacks to more than {LARGEST_RATIO} times its size, as no text does; unpack it yourself if you trust it"


def lines_of(stored: IO[bytes], file: str, *, packed: bool) -> Iterator[bytes]:
    """The lines of an open file.

    Args:
        stored: the bytes on the disk.
        file: its name in messages.
        packed: whether the bytes are gzipped.

    Raises:
        DataError: a line is longer than `LONGEST_LINE`, the file unpacks further than `LARGEST_RATIO`, it is no plain
            text, or a carriage return alone ends a line.
    """
    content = cast(IO[bytes], gzip.GzipFile(fileobj=stored)) if packed else _buffered(stored)
    total = number = 0
    while line := content.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise DataError(
                f"{file}:{number}: a line of more than {LONGEST_LINE >> 20} MiB; write one object or text per line"
            )
        if packed:
            total += len(line)
            refuse_ratio(total, stored.tell(), file)
        if number == 1:
            refuse_other(line, file)
        if b"\r" in line and b"\r" in line.strip():
            raise DataError(
                f"{file}:{number}: a carriage return (CR) inside the line; end every line with a line feed (LF), as "
                "mac2unix does"
            )
        yield line


def content_of(path: Path) -> bytes:
    """The whole content of a file, unpacked if its name ends in .gz.

    Raises:
        DataError: it unpacks further than `LARGEST_RATIO`, or is packed in another way, or is UTF-16.
        OSError, EOFError, zlib.error: the file cannot be read.
    """
    content = _unpacked(path)
    refuse_other(content[:10], str(path))
    return content


def refuse_no_file(path: Path, what: str = "file") -> None:
    """Refuse a path that is not a file which can be read from the start as often as needed.

    Args:
        what: what the file should be, in the message.

    Raises:
        DataError: there is nothing, a folder, or a pipe.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a {what}; name a file in it")
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is not a regular file; write its content to a file and name that, not a pipe")
    if not path.is_file():
        raise DataError(f"no {what} at {path}")


def refuse_other(head: bytes, file: str) -> None:
    """Refuse a file that is not plain text, after gzip was unpacked for a name that ends in .gz.

    Args:
        head: its first bytes.

    Raises:
        DataError: they are those of a compressed file, or of UTF-16 or UTF-32.
    """
    if (found := other_than_text(head)) is not None:
        raise DataError(f"{file}: {found}")


def _unpacked(path: Path) -> bytes:
    with path.open("rb") as stored:
        if path.suffix != ".gz":
            return stored.read()
        unpacked, found = gzip.GzipFile(fileobj=stored), io.BytesIO()
        while block := unpacked.read(_BLOCK):
            found.write(block)
            refuse_ratio(found.tell(), stored.tell(), str(path))
        return found.getvalue()


def refuse_ratio(unpacked: int, packed: int, file: str) -> None:
    """Refuse a file that unpacks further than any text.

    Args:
        unpacked: bytes after unpacking.
        packed: bytes on the disk.

    Raises:
        DataError: the ratio is above `LARGEST_RATIO`. A file of `RATIO_FROM` bytes or less may have any.
    """
    if unpacked > RATIO_FROM and unpacked > LARGEST_RATIO * max(packed, 1):
        raise DataError(f"{file}: {_RATIO}")


def reason_of(error: BaseException) -> str:
    """The first line of an error of `UNREADABLE`, without its number and the name of the file."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _buffered(stored: IO[bytes]) -> IO[bytes]:
    """A file of a zip file is read in blocks, because its own `readline` is slow."""
    return io.BufferedReader(cast(io.RawIOBase, stored), _BLOCK) if isinstance(stored, zipfile.ZipExtFile) else stored

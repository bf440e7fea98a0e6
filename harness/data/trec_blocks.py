"""The quick way to read a TREC run: blocks of lines through Arrow's reader of CSV.

It takes only what it can read exactly as `harness.data.trec` reads line by line. Everything else is `Irregular`: the
file is then read line by line, which takes it or names the line that is wrong.
"""

from __future__ import annotations

import gzip
import re
from codecs import BOM_UTF8
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from adapters.errors import HarnessError
from adapters.limits import LONGEST_LINE
from harness.data.arrow import to_numpy
from harness.data.unpacked import UNREADABLE, refuse_other, refuse_ratio

_READ = 4 << 20
"""Bytes that are read at a time. Arrow refuses a longer line."""
_CACHED = 1 << 17
"""Bytes that stay in the cache while they are looked at."""
_COLUMNS = 6
_LEAST = 5
"""Columns of a line without a tag."""
_TWO_LINES = 9
"""Columns from which a line may be two lines that lack a newline between them."""
_OTHER_SPACE = b"\t\r\v\f"
_TO_SPACE = bytes.maketrans(_OTHER_SPACE, b" " * len(_OTHER_SPACE))
_SPACE, _NEWLINE = 32, 10
_MARK = re.compile(b"^" + BOM_UTF8, re.MULTILINE)
_COMMENT = re.compile(rb"^(#\S*)[^\n]*\n", re.MULTILINE)


class Irregular(Exception):
    """The file has to be read line by line."""


@dataclass(frozen=True)
class RunBlock:
    """Consecutive lines, as columns of the same length."""

    queries: pa.ChunkedArray
    documents: pa.ChunkedArray
    scores: npt.NDArray[np.float64]
    """Finite."""
    width: int
    """Columns of each line in the file."""


def blocks(path: Path, known: Container[str]) -> Iterator[RunBlock]:
    """Yield the lines of a run file in their order, without comments.

    Args:
        known: the query ids of the collection. A line that begins with one of them is no comment.

    Raises:
        Irregular: there is no such file, it cannot be read, or a line has another form.
    """
    width = None
    try:
        for lines in _whole_lines(path):
            if plain := _plain(lines, known):
                block = _columns(plain)
                width = width or block.width
                if not may_differ(width, block.width):
                    raise Irregular("a line has more columns than others")
                yield block
    except (*UNREADABLE, HarnessError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        raise Irregular(str(error)) from error


def may_differ(first: int, width: int) -> bool:
    """Whether lines of both numbers of columns may be in one file: only a tag of one word may be left out in some."""
    return first == width or max(first, width) <= _COLUMNS


def _whole_lines(path: Path) -> Iterator[bytes]:
    """The content of a file in blocks, each of which ends with a newline."""
    packed = path.suffix == ".gz"
    total = 0
    with path.open("rb") as stored:
        content = cast(IO[bytes], gzip.GzipFile(fileobj=stored)) if packed else stored
        while lines := content.read(_READ) + content.readline(LONGEST_LINE + 1):
            total += len(lines)
            if packed:
                refuse_ratio(total, stored.tell(), str(path))
            if total == len(lines):
                refuse_other(lines, str(path))
            yield lines if lines.endswith(b"\n") else lines + b"\n"


def _plain(lines: bytes, known: Container[str]) -> bytes:
    """The lines with one space between columns and none at the ends, without comments and byte order marks."""
    if not lines.isascii():
        lines.decode()
        lines = _MARK.sub(b"", lines)
    if b"\r" in lines and lines.count(b"\r") != lines.count(b"\r\n"):
        raise Irregular("a carriage return inside a line")
    if any(lines.find(byte) >= 0 for byte in _OTHER_SPACE) or _has_neighbours(lines):
        lines = _single_spaced(lines)
    if b"#" in lines:
        lines = _COMMENT.sub(lambda line: line[0] if line[1].decode() in known else b"", lines)
    return lines.lstrip(b"\n")


def _has_neighbours(lines: bytes) -> bool:
    """Whether two spaces, or a space and a newline, stand side by side, or the lines begin with one."""
    read = np.frombuffer(lines, np.uint8)
    for start in range(0, len(read), _CACHED):
        white = read[max(0, start - 1) : start + _CACHED] <= _SPACE
        if (white[1:] & white[:-1]).any():
            return True
    return bool(read[0] <= _SPACE)


def _single_spaced(lines: bytes) -> bytes:
    read = np.frombuffer(lines.translate(_TO_SPACE), np.uint8)
    space = read == _SPACE
    after = np.concatenate([[True], (space | (read == _NEWLINE))[:-1]])
    read = read[~(space & after)]
    before = np.concatenate([(read == _NEWLINE)[1:], [False]])
    single: bytes = read[~((read == _SPACE) & before)].tobytes()
    return single


def _columns(lines: bytes) -> RunBlock:
    """The columns of lines that `_plain` made. Words of a tag are columns too, the same number in every line."""
    from pyarrow import csv

    count = lines.count(b" ", 0, lines.index(b"\n")) + 1
    if not _LEAST <= count < _TWO_LINES:
        raise Irregular("too few columns, or enough for two lines")
    chosen = {"query": pa.string(), "document": pa.string(), "score": pa.float64()}
    if count != _COLUMNS:
        chosen["rank"] = pa.string()
    names = ["query", "Q0", "document", "rank", "score", *(f"tag {word}" for word in range(count - _LEAST))]
    table = csv.read_csv(
        pa.BufferReader(lines),
        csv.ReadOptions(column_names=names, block_size=2 * _READ, use_threads=False),
        csv.ParseOptions(delimiter=" ", quote_char=False, double_quote=False, escape_char=False),
        csv.ConvertOptions(
            column_types=chosen, include_columns=list(chosen), null_values=[], strings_can_be_null=False
        ),
    )
    scores = to_numpy(table["score"])
    if not np.isfinite(scores).all() or ("rank" in chosen and not _all_whole(table["rank"])):
        raise Irregular("a score is not finite, or a rank is not a whole number")
    return RunBlock(table["query"], table["document"], scores, count)


def _all_whole(column: pa.ChunkedArray) -> bool:
    return pc.min_max(pc.match_substring_regex(column, r"^[+-]?[0-9]+$"))["min"].as_py() is True

"""Rows of a file of answers, each with its place, and the fields that they must have."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.errors import DataError, UsageError, class_of
from adapters.json_text import BROKEN, DECODER, half_character, reason
from harness.data.sources.jsonl import kind_of
from harness.data.sources.record_fields import DOCUMENT_TEXTS
from harness.data.unpacked import UNREADABLE, content_of, reason_of

_INDENT = re.compile(rb"\s*[\[{]\r?\n([ \t]+)\S")


_ROW_FIELDS = frozenset(("question", "answer", "answers", "output", "references", "responses", *DOCUMENT_TEXTS))
"""An object with one of these fields is a row, also if it has an array as well."""


class RefusedRow(Exception):
    """Why a row cannot be used, in words."""


@dataclass(frozen=True)
class BadRow:
    """A row that is not used."""

    where: str
    """`file:line`, or `file (item N)` in a file with one array."""
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True)
class AnswerRow:
    """An object of a file."""

    where: str
    number: int
    """Its line, or its place in the array, from 1."""
    fields: Mapping[str, Any]

    def text(self, *names: str) -> str:
        """The first of these fields that is there.

        Raises:
            RefusedRow: none is there, or it is not text.
        """
        found = self.optional_text(*names)
        if found is None:
            if null := next((one for one in names if one in self.fields), None):
                raise RefusedRow(f"the field '{null}' is null; write text")
            raise RefusedRow(f"the field '{names[0]}' is missing; add it (fields: {', '.join(self.fields)[:200]})")
        return found

    def optional_text(self, *names: str) -> str | None:
        """The first of these fields that is there; None if none is.

        Raises:
            RefusedRow: it is not text.
        """
        name = next((one for one in names if self.fields.get(one) is not None), None)
        return None if name is None else as_text(self.fields[name], f"the field '{name}'")

    def identifier(self, *names: str) -> str | None:
        """The first of these fields that is there, text or a whole number; None if none is.

        Raises:
            RefusedRow: it is something else, or empty.
        """
        name = next((one for one in names if self.fields.get(one) is not None), None)
        if name is None:
            return None
        value = self.fields[name]
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            raise RefusedRow(f"the field '{name}' is {kind_of(value)}; write text or a whole number that is not empty")
        return str(value)

    def items(self, name: str) -> list[Any]:
        """A list; empty if the field is missing or null.

        Raises:
            RefusedRow: it is not a list.
        """
        value = self.fields.get(name)
        if value is not None and not isinstance(value, list):
            raise RefusedRow(f"the field '{name}' is {kind_of(value)}; write a list")
        return value or []

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty if the field is missing or null.

        Raises:
            RefusedRow: it is something else.
        """
        return tuple(as_text(one, f"item {at} of '{name}'") for at, one in enumerate(self.items(name), 1))


def as_text(value: object, what: str) -> str:
    """A value that must be text.

    Raises:
        RefusedRow: it is not.
    """
    if not isinstance(value, str):
        kind = "NaN, not a number" if isinstance(value, float) and math.isnan(value) else kind_of(value)
        raise RefusedRow(f"{what} is {kind}; write text")
    return value


def as_object(value: object, what: str) -> Mapping[str, Any]:
    """A value that must be an object.

    Raises:
        RefusedRow: it is not.
    """
    if not isinstance(value, dict):
        raise RefusedRow(f"{what} is {kind_of(value)}; write an object")
    return value


def rows_of(path: Path, container: str = "data") -> Iterator[AnswerRow | BadRow]:
    """Yield the objects of a JSONL file, of a file that is one array, or of a file that is one object with the
    array under a key, plain or gzipped. A file with a value on each of several lines is JSONL, whatever its first line
    is. A line or an item that cannot be read is yielded as a bad row.

    Args:
        container: the key of the array.

    Raises:
        UsageError: there is no such file.
        DataError, EnvironmentFailure: the file cannot be read at all.
    """
    content = _content(path)
    lines = content.split(b"\n")
    whole = _whole(content, lines, container)
    if whole is not None:
        yield from _items(_array_of(whole, container), path)
    else:
        yield from _lines(lines, path)


def with_rows(path: Path, change: Callable[[AnswerRow], Mapping[str, Any] | None], container: str = "data") -> bytes:
    """Return the content of a file with other rows, in the layout of the file: JSON lines, one array, or one object
    that has the array.

    Args:
        change: the new fields of a row; None if it stays as it is. Bad rows stay as they are.
        container: as for `rows_of`.

    Raises:
        UsageError, DataError, EnvironmentFailure: as for `rows_of`.
    """
    content = _content(path)
    lines = content.split(b"\n")
    whole = _whole(content, lines, container)
    if whole is None:
        return b"\n".join(_changed(line, row, change) for line, row in zip(lines, _by_line(lines, path), strict=True))
    items = _array_of(whole, container)
    new = [_new(row, change) or value for value, row in zip(items, _items(items, path), strict=True)]
    return _written({**whole, container: new} if isinstance(whole, dict) else new, content)


def _new(row: AnswerRow | BadRow | None, change: Callable[[AnswerRow], Mapping[str, Any] | None]) -> object:
    return change(row) if isinstance(row, AnswerRow) else None


def _changed(
    line: bytes, row: AnswerRow | BadRow | None, change: Callable[[AnswerRow], Mapping[str, Any] | None]
) -> bytes:
    new = _new(row, change)
    return line if new is None else _written(new, line)


def _written(value: object, like: bytes) -> bytes:
    """A value as JSON with the line breaks, the indentation, the escapes and the spaces of another text."""
    indent = _INDENT.match(like)
    separators = (",", ":") if b'": ' not in like else None
    encoder = json.JSONEncoder(
        ensure_ascii=like.isascii(), indent=indent[1].decode() if indent else None, separators=separators
    )
    text = encoder.encode(value)
    if isinstance(value, list) and indent is None and b"\n" in like.strip():
        text = "[\n" + ",\n".join(map(encoder.encode, value)) + "\n]"
    return text.encode() + like[len(like.rstrip()) :]


def _content(path: Path) -> bytes:
    """The content of a file, unpacked, without a byte order mark."""
    try:
        content = content_of(path)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except UNREADABLE as error:
        raise class_of(error, DataError)(f"{path}: cannot be read ({reason_of(error)})") from None
    return content.removeprefix(b"\xef\xbb\xbf")


def _whole(content: bytes, lines: Sequence[bytes], container: str) -> list[Any] | dict[str, Any] | None:
    """The array that a file consists of, or the object that has it; None if the file has a row on each line."""
    first, *more = [line for line in lines if line.strip()] or [b""]
    value = _parsed(first)
    if isinstance(value, BadRow):
        value = _parsed(content)
    elif more:
        return None
    return value if isinstance(value, list | dict) and _holds_array(value, container) else None


def _array_of(whole: list[Any] | dict[str, Any], container: str) -> list[Any]:
    found: list[Any] = whole[container] if isinstance(whole, dict) else whole
    return found


def _holds_array(value: list[Any] | dict[str, Any], container: str) -> bool:
    if isinstance(value, dict):
        return isinstance(value.get(container), list) and _ROW_FIELDS.isdisjoint(value)
    return True


def _items(array: Iterable[object], path: Path) -> Iterator[AnswerRow | BadRow]:
    for number, value in enumerate(array, 1):
        yield _row(value, f"{path} (item {number})", number)


def _lines(lines: Iterable[bytes], path: Path) -> Iterator[AnswerRow | BadRow]:
    return (row for row in _by_line(lines, path) if row is not None)


def _by_line(lines: Iterable[bytes], path: Path) -> Iterator[AnswerRow | BadRow | None]:
    """The row of each line; None for a line that is empty."""
    for number, line in enumerate(lines, 1):
        value, where = _parsed(line) if line.strip() else None, f"{path}:{number}"
        if not line.strip():
            yield None
        else:
            yield BadRow(where, value.reason) if isinstance(value, BadRow) else _row(value, where, number)


def _row(value: object, where: str, number: int) -> AnswerRow | BadRow:
    if not isinstance(value, dict):
        return BadRow(where, f"{kind_of(value)}, not an object; write one object per row")
    return AnswerRow(where, number, value)


def _parsed(line: bytes) -> object:
    """The value of a line of JSON, or a bad row without a place."""
    try:
        text = line.decode()
        value: object = DECODER.decode(text.strip())
    except UnicodeDecodeError as error:
        return BadRow("", f"byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8; save the file as UTF-8")
    except BROKEN as error:
        return BadRow("", reason(error))
    return BadRow("", "half a surrogate pair; correct the escape") if half_character(text, value) else value

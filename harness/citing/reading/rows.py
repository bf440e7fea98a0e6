"""Rows of a file of answers, each with its place, and the fields that they must have."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.errors import DataError, UsageError, class_of
from adapters.json_text import BROKEN, DECODER, half_character, reason
from harness.data.sources.jsonl import kind_of
from harness.data.unpacked import UNREADABLE, content_of, reason_of


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


def rows_of(path: Path, container: str | None = "data") -> Iterator[AnswerRow | BadRow]:
    """Yield the objects of a JSONL file, of a file with one array, or of a file with one object that has the array
    under a key, plain or gzipped. A line or an item that cannot be read is yielded as a bad row.

    Args:
        container: the key of the array.

    Raises:
        UsageError: there is no such file.
        DataError, EnvironmentFailure: the file cannot be read at all.
    """
    try:
        content = content_of(path)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except UNREADABLE as error:
        raise class_of(error, DataError)(f"{path}: cannot be read ({reason_of(error)})") from None
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    array = _array(content, lines, container)
    if array is not None:
        yield from _items(array, path)
    else:
        yield from _lines(lines, path)


def _array(content: bytes, lines: Sequence[bytes], container: str | None) -> Sequence[object] | None:
    """The array that the file consists of; None if it has an object on each line."""
    first = next((line for line in lines if line.strip()), b"")
    value = _parsed(first)
    if isinstance(value, BadRow) or not _holds_array(value, container):
        value = _parsed(content.removeprefix(b"\xef\xbb\xbf")) if isinstance(value, BadRow) else value
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and container in value and isinstance(value[container], list):
        found: list[object] = value[container]
        return found
    return None


def _holds_array(value: object, container: str | None) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and isinstance(value.get(container), list))


def _items(array: Iterable[object], path: Path) -> Iterator[AnswerRow | BadRow]:
    for number, value in enumerate(array, 1):
        yield _row(value, f"{path} (item {number})", number)


def _lines(lines: Iterable[bytes], path: Path) -> Iterator[AnswerRow | BadRow]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            value = _parsed(line)
            where = f"{path}:{number}"
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

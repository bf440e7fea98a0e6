"""Read lines of JSON, or one array, plain or gzipped, strictly UTF-8. Every error names the file and the line."""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import IO, Protocol

from adapters.errors import DataError, array_advice
from adapters.json_text import BROKEN, DECODER, reason
from harness.data.sources.dirt import Dirt, shown
from harness.data.sources.json_array import array_items
from harness.data.unpacked import UNREADABLE, lines_of, reason_of

_WHITE = re.compile(r"[\s\0]")


class CollectionFiles(Protocol):
    """The files of a collection, in a folder or a zip file."""

    def names(self) -> list[str]:
        """The names of its files relative to the collection, with '/' between folders."""
        ...

    def label(self, name: str) -> str:
        """The name of the file in messages."""
        ...

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open the stored bytes of a file."""
        ...


def find(place: CollectionFiles, name: str) -> str | None:
    """The name of a file, plain or gzipped; None if it does not exist.

    Raises:
        DataError: both exist.
    """
    found = [candidate for candidate in (name, f"{name}.gz") if candidate in place.names()]
    if len(found) == 2:
        raise DataError(f"{place.label(name)}: exists both plain and gzipped; remove one of the two")
    return found[0] if found else None


def lines(place: CollectionFiles, name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers from 1. A byte order mark at the start of a line is
    dropped: concatenated files have several.

    Raises:
        DataError: the file has bytes that are not UTF-8, compressed data that is damaged, or more than the bounds of
            `adapters.limits` allow.
    """
    file, number = place.label(name), 0
    try:
        with place.open(name) as stored:
            for number, raw in enumerate(lines_of(stored, file, packed=name.endswith(".gz")), 1):
                if raw.removeprefix(BOM_UTF8).strip():
                    yield number, _decoded(raw, file, number).removeprefix("\ufeff").rstrip("\r\n")
    except UNREADABLE as error:
        raise DataError(f"{file}:{number + 1}: cannot be read further ({reason_of(error)}); fetch it again") from error


def _decoded(raw: bytes, file: str, number: int) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        byte = f"byte {error.start + 1} (0x{raw[error.start]:02x})"
        raise DataError(f"{file}:{number}: {byte} is not UTF-8; save the file as UTF-8") from None


@dataclass(frozen=True, slots=True)
class JsonLine:
    """A JSON object with its place in a file, read field by field."""

    file: str
    line: int
    fields: dict[str, object]
    item: int | None = None
    """Its position in an array, from 1. Several items may be in one line."""

    @property
    def where(self) -> str:
        """`file:line`, the beginning of every message."""
        return f"{self.file}:{self.line}" if self.item is None else f"{self.file}:{self.line} (item {self.item})"

    @property
    def number(self) -> int:
        """Its number in the file: the item in an array, else the line."""
        return self.item or self.line

    def identifier(self, name: str, dirt: Dirt) -> str:
        """An id: text, or a whole number, which is converted to text."""
        value = self._field(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return clean_id(self._text(name, value, "text or a whole number"), self.where, dirt)

    def text(self, name: str) -> str:
        """A text, which may be empty."""
        return self._text(name, self._field(name))

    def optional_text(self, name: str) -> str | None:
        """A text that may be missing or null; data frames write NaN for null."""
        return self._text(name, self.fields[name]) if self.has(name) else None

    def has(self, name: str) -> bool:
        """Whether a field exists and is not null."""
        return not _is_null(self.fields.get(name))

    def first_or_only(self, names: Sequence[str]) -> str | None:
        """The first of `names` if the record has that field, else as `only_one`.

        Raises:
            DataError: the record has several of the other names.
        """
        return names[0] if self.has(names[0]) else self.only_one(names)

    def only_one(self, names: Sequence[str]) -> str | None:
        """The name in `names` of the only such field that is not null; None if there is none.

        Raises:
            DataError: the record has several of them.
        """
        found = [name for name in names if self.has(name)]
        if len(found) > 1:
            several = " and ".join(f"'{name}'" for name in found)
            raise DataError(
                f"{self.where}: the fields {several} could both be '{names[0]}'; rename one of them to '{names[0]}'"
            )
        return found[0] if found else None

    def _field(self, name: str) -> object:
        if name not in self.fields:
            fields = ", ".join(sorted(self.fields)) or "none"
            raise DataError(f"{self.where}: field '{name}' is missing; add it (fields: {fields[:200]})")
        return self.fields[name]

    def _text(self, name: str, value: object, wanted: str = "text") -> str:
        if not isinstance(value, str):
            raise DataError(f"{self.where}: field '{name}' is {kind_of(value)}; write {wanted}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError(f"{self.where}: field '{name}' has half a surrogate pair; correct the escape") from None
        return value


def records(place: CollectionFiles, name: str) -> Iterator[JsonLine]:
    """Yield the objects of a JSONL file, or of a file with one JSON array of objects.

    Raises:
        DataError: a line is not JSON, or not an object, or a key occurs twice in an object.
    """
    file, numbered = place.label(name), lines(place, name)
    for first in numbered:
        rest = chain([first], numbered)
        is_array = first[1].lstrip().startswith("[")
        yield from _items(rest, file) if is_array else _objects(rest, file)


def _objects(numbered: Iterable[tuple[int, str]], file: str) -> Iterator[JsonLine]:
    for number, line in numbered:
        yield JsonLine(file, number, _parsed(line, file, number))


def _items(numbered: Iterable[tuple[int, str]], file: str) -> Iterator[JsonLine]:
    for item, (line, value) in enumerate(array_items(numbered, file), 1):
        if not isinstance(value, dict):
            raise DataError(f"{file}:{line}: {kind_of(value)} in the array, not an object; write an array of objects")
        yield JsonLine(file, line, value, item)


def _parsed(line: str, file: str, number: int) -> dict[str, object]:
    try:
        value = DECODER.decode(line)
    except json.JSONDecodeError as error:
        advice = array_advice(line, f"{file}:{number}")
        raise DataError(f"{file}:{number}: {reason(error)}; {advice}") from None
    except BROKEN as error:
        raise DataError(f"{file}:{number}: {reason(error)}") from None
    if not isinstance(value, dict):
        raise DataError(
            f"{file}:{number}: {kind_of(value)}, not a JSON object; {array_advice(line, f'{file}:{number}')}"
        )
    return value


def clean_id(identifier: str, where: str, dirt: Dirt) -> str:
    """Check that an id fits into a TREC file, and return it.

    Raises:
        DataError: it is empty, or it has white space and no rule lets that through.
    """
    if not identifier.strip("\0").strip():
        raise empty_id(where)
    if _WHITE.search(identifier) is None:
        return identifier
    dirt.meet("white-space-ids", f"{where}: id {shown(identifier)} has white space")
    return underscored(identifier)


def empty_id(where: str) -> DataError:
    """The error for an empty id."""
    return DataError(f"{where}: an empty id; give every query and document one")


def underscored(identifier: str) -> str:
    """An id with white space replaced by '_', for the rule `white-space-ids`."""
    return _WHITE.sub("_", identifier)


def kind_of(value: object) -> str:
    """The type of a JSON value, in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if _is_null(value) else names.get(type(value), type(value).__name__)


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))

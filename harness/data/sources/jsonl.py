"""Lines of JSON, plain or gzipped, strictly UTF-8. Every error names the file and the line."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol

from adapters.errors import DataError
from harness.data.sources.dirt import Dirt, shown

_BROKEN = (EOFError, OSError, zlib.error, zipfile.BadZipFile, RuntimeError)
_WHITE = re.compile(r"[\s\0]")


class CollectionFiles(Protocol):
    """Where the files of a collection lie: a folder or a zip file."""

    def names(self) -> list[str]:
        """The names of its files relative to the collection, with '/' between folders."""
        ...

    def label(self, name: str) -> str:
        """How messages call the file."""
        ...

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Its bytes as they are stored."""
        ...


def find(place: CollectionFiles, name: str) -> str | None:
    """The name under which a file is there, plain or gzipped, or None.

    Raises:
        DataError: both are there; which one counts cannot be known.
    """
    found = [candidate for candidate in (name, f"{name}.gz") if candidate in place.names()]
    if len(found) == 2:
        raise DataError(f"{place.label(name)}: lies here plain and gzipped; remove one of the two")
    return found[0] if found else None


def lines(place: CollectionFiles, name: str) -> Iterator[tuple[int, str]]:
    """The lines that hold anything, with their numbers from 1. A byte order mark at the start of a line is no part of
    it: files that were put together have several.

    Raises:
        DataError: bytes that are not UTF-8, or compressed data that breaks off.
    """
    file, number = place.label(name), 0
    try:
        with place.open(name) as stored:
            unpacked = gzip.GzipFile(fileobj=stored) if name.endswith(".gz") else stored
            for number, raw in enumerate(unpacked, 1):
                if raw.removeprefix(BOM_UTF8).strip():
                    yield number, _decoded(raw, file, number).removeprefix("\ufeff").rstrip("\r\n")
    except _BROKEN as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{file}:{number + 1}: cannot be read on ({reason}); fetch it again") from error


def _decoded(raw: bytes, file: str, number: int) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        byte = f"byte {error.start + 1} (0x{raw[error.start]:02x})"
        raise DataError(f"{file}:{number}: {byte} is not UTF-8; save the file as UTF-8") from None


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One line: a JSON object, asked field by field."""

    file: str
    line: int
    fields: dict[str, object]

    @property
    def where(self) -> str:
        """`file:line`, the beginning of every message."""
        return f"{self.file}:{self.line}"

    def identifier(self, name: str, dirt: Dirt) -> str:
        """An id: text, or a whole number that becomes text."""
        value = self._field(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return clean_id(self._text(name, value, "text or a whole number"), self.where, dirt)

    def text(self, name: str) -> str:
        """A text, which may be empty."""
        return self._text(name, self._field(name))

    def optional_text(self, name: str) -> str | None:
        """A text that may be missing or null."""
        value = self.fields.get(name)
        return None if value is None else self._text(name, value)

    def texts(self, name: str) -> list[str]:
        """A list of texts, which may be empty."""
        values = self._field(name)
        if not isinstance(values, list):
            raise DataError(f"{self.where}: field '{name}' is {_kind(values)}; write a list of texts")
        return [self._text(name, value) for value in values]

    def _field(self, name: str) -> object:
        if name not in self.fields:
            there = ", ".join(sorted(self.fields)) or "none"
            raise DataError(f"{self.where}: field '{name}' is missing; add it (fields there: {there[:200]})")
        return self.fields[name]

    def _text(self, name: str, value: object, wanted: str = "text") -> str:
        if not isinstance(value, str):
            raise DataError(f"{self.where}: field '{name}' is {_kind(value)}; write {wanted}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise DataError(f"{self.where}: field '{name}' holds half a surrogate pair; repair the escape") from None
        return value


def records(place: CollectionFiles, name: str) -> Iterator[JsonLine]:
    """The objects of a JSONL file.

    Raises:
        DataError: a line that is no JSON, or no object.
    """
    file = place.label(name)
    for number, line in lines(place, name):
        yield JsonLine(file, number, _parsed(line, file, number))


def _parsed(line: str, file: str, number: int) -> dict[str, object]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        reason = f"column {error.colno}: {error.msg}"
        raise DataError(f"{file}:{number}: not JSON ({reason}); write one object per line") from None
    except (ValueError, RecursionError):
        raise DataError(f"{file}:{number}: not JSON that can be read; write one object per line") from None
    if not isinstance(value, dict):
        raise DataError(f"{file}:{number}: {_kind(value)}, not a JSON object; write one object per line")
    return value


def clean_id(identifier: str, where: str, dirt: Dirt) -> str:
    """An id that a TREC file can hold.

    Raises:
        DataError: it is empty, or has white space that no rule lets through.
    """
    if not identifier.strip("\0 "):
        raise empty_id(where)
    if _WHITE.search(identifier) is None:
        return identifier
    dirt.meet("white-space-ids", f"{where}: id {shown(identifier)} has white space")
    return underscored(identifier)


def empty_id(where: str) -> DataError:
    """The error for an id that is empty."""
    return DataError(f"{where}: an empty id; give every query and document one")


def underscored(identifier: str) -> str:
    """What the rule `white-space-ids` makes of an id."""
    return _WHITE.sub("_", identifier)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else names[type(value)]

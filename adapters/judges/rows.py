"""Rows of premises, claims and verdicts: lines of JSON, plain or gzipped, and WiCE's lists of sentences."""

from __future__ import annotations

import ast
import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError, UsageError, array_advice, class_of
from adapters.file_heads import other_than_text
from adapters.json_text import BROKEN, DECODER, half_character, reason
from adapters.limits import LONGEST_LINE

_EXACT = 2**53
"""Floats from here on skip whole numbers, so that two ids may have become one."""


@dataclass(frozen=True)
class VerdictRow:
    """A JSON object with its place in a file."""

    where: str
    """`file:line`, the beginning of every message."""
    fields: Mapping[str, object]

    def text(self, name: str) -> str:
        """A text that is not empty.

        Raises:
            DataError: it is missing, empty or something else.
        """
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise DataError(f"{self.where}: the field '{name}' is {_described(value)}; write a text")
        return value

    @property
    def premise(self) -> str:
        """The field `premise`, or `evidence`: a text, or a list of sentences, which are joined by spaces. WiCE writes
        the list as a text.

        Raises:
            DataError: there is no such text.
        """
        if "premise" in self.fields:
            return self.text("premise")
        value = self.fields.get("evidence")
        if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
            value = _listed(value)
        if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
            return " ".join(value)
        if isinstance(value, str) and value.strip():
            return value
        raise DataError(f"{self.where}: no premise; add a field 'premise' (fields: {', '.join(self.fields)[:200]})")

    @property
    def id(self) -> str | None:
        """The field `id`, or `id` in the field `meta`; None without one, or if it is null. A whole number written as a
        float, as pandas does, is the whole number: 12.0 is the id 12.

        Raises:
            DataError: it is no text and no whole number.
        """
        meta = self.fields.get("meta")
        value = self.fields.get("id", meta.get("id") if isinstance(meta, dict) else None)
        if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
            value = int(value)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int):
            raise DataError(
                f"{self.where}: the id {str(value)[:40]} is no text and no whole number; write it as a text"
            )
        return str(value)


def verdict_rows(file: Path) -> Iterator[VerdictRow]:
    """Yield the objects of a JSONL file; a name that ends in .gz is unpacked.

    Raises:
        DataError: the file cannot be read, or a line is not one JSON object, in one line that names the place.
    """
    number = 0
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
            while line := opened.readline(LONGEST_LINE + 1):
                number += 1
                if number == 1 and (found := other_than_text(line)) is not None:
                    raise DataError(f"{file}: {found}")
                if line.strip():
                    yield VerdictRow(f"{file}:{number}", _parsed(line, f"{file}:{number}"))
    except FileNotFoundError:
        raise UsageError(f"{file}: there is no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise class_of(error, DataError)(f"{file}: cannot be read after line {number}: {error}") from None


def _parsed(line: bytes, where: str) -> dict[str, object]:
    if len(line) > LONGEST_LINE:
        raise DataError(f"{where}: a line of more than {LONGEST_LINE >> 20} MiB; write one object per line")
    try:
        text = line.decode("utf-8-sig")
        value = DECODER.decode(text.strip())
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: byte {error.start + 1} is not UTF-8; save the file as UTF-8") from None
    except BROKEN as error:
        advice = array_advice(line.decode("utf-8", "replace"), where)
        raise DataError(f"{where}: {reason(error)}; {advice}") from None
    if not isinstance(value, dict):
        raise DataError(f"{where}: not a JSON object; {array_advice(text, where)}")
    if half_character(text, value):
        raise DataError(f"{where}: a text has half a surrogate pair; correct the escape")
    return value


def _listed(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _described(value: object) -> str:
    return "missing" if value is None else "empty" if isinstance(value, str) else f"{str(value)[:40]!r}"

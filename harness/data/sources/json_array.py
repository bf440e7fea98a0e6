"""Read a file with one JSON array item by item, so that every item has its line number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from adapters.errors import DataError
from adapters.json_text import BROKEN, DECODER, reason

_SPACE = re.compile(r"\s*")


def array_items(numbered: Iterable[tuple[int, str]], file: str) -> Iterator[tuple[int, object]]:
    """Yield the items of the array, each with the number of the line that it begins in.

    Raises:
        DataError: the lines are not JSON, a key occurs twice in an object, or something follows the array.
    """
    reader = _Reader(_padded(numbered), file)
    reader.take("[")
    while not reader.is_at("]"):
        yield reader.line, reader.value()
        if not reader.is_at("]"):
            reader.take(",")
            if reader.is_at("]"):
                raise reader.broken("a comma before ']'")
    reader.take("]")
    if not reader.is_at(""):
        raise reader.broken("something follows the array")


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.line = 1
        self._text, self._file, self._at = text, file, 0
        self._move(0)

    def is_at(self, sign: str) -> bool:
        """Whether a character comes next; '' is the end."""
        return self._text[self._at : self._at + 1] == sign

    def take(self, sign: str) -> None:
        if not self.is_at(sign):
            raise self.broken(f"expected '{sign}'")
        self._move(self._at + 1)

    def value(self) -> object:
        try:
            found, end = DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._move(error.pos)
            raise self.broken(f"column {error.colno}: {error.msg}") from None
        except BROKEN as error:
            raise DataError(f"{self._file}:{self.line}: {reason(error)}") from None
        self._move(end)
        return found

    def broken(self, reason: str) -> DataError:
        return DataError(f"{self._file}:{self.line}: not JSON ({reason}); write one array of objects, or one per line")

    def _move(self, to: int) -> None:
        end = _SPACE.match(self._text, to).end()  # type: ignore[union-attr]
        self.line += self._text.count("\n", self._at, end)
        self._at = end


def _padded(numbered: Iterable[tuple[int, str]]) -> str:
    """The text, with the blank lines that were skipped."""
    parts, last = list[str](), 1
    for number, line in numbered:
        parts.append("\n" * (number - last) + line)
        last = number
    return "".join(parts)

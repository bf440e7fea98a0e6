"""A JSON object whose fields are what a reader expects, or one line that says which is not."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never

from adapters.errors import DataError


@dataclass(frozen=True)
class Fields:
    """An object of a file, and where in the file it stands."""

    file: Path
    where: str
    """As `scores[3].`; empty at the top."""
    values: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Fields:
        """The object that a file holds.

        Raises:
            DataError: there is no such file, it cannot be read, or holds no JSON object.
        """
        try:
            found = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"{file}: no record can be read ({error})") from None
        if not isinstance(found, dict):
            raise DataError(f"{file}: holds no JSON object")
        return cls(file, "", found)

    def text(self, key: str) -> str:
        """A string."""
        found = self._there(key)
        return found if isinstance(found, str) else self.damaged(key, "is no text")

    def text_or_none(self, key: str) -> str | None:
        """A string, or null."""
        return None if self._there(key) is None else self.text(key)

    def one_of(self, key: str, known: tuple[str, ...]) -> str:
        """A string that is one of those that are known."""
        found = self.text(key)
        return found if found in known else self.damaged(key, f"is '{found}', not one of {', '.join(known)}")

    def number(self, key: str) -> float:
        """A finite number."""
        found = self._there(key)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            self.damaged(key, "is no finite number")
        return float(found)

    def number_or_none(self, key: str) -> float | None:
        """A finite number, or null."""
        return None if self._there(key) is None else self.number(key)

    def count(self, key: str) -> int:
        """A whole number, 0 or more."""
        found = self._there(key)
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            self.damaged(key, "is no count")
        return int(found)

    def truth(self, key: str) -> bool:
        """True or false."""
        found = self._there(key)
        return found if isinstance(found, bool) else self.damaged(key, "is neither true nor false")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        found = self._there(key)
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self.damaged(key, "is no list of texts")
        return tuple(found)

    def objects(self, key: str) -> Iterator[Fields]:
        """A list of objects."""
        found = self._there(key)
        if not isinstance(found, list):
            self.damaged(key, "is no list")
        for place, one in enumerate(found):
            if not isinstance(one, dict):
                self.damaged(f"{key}[{place}]", "is no object")
            yield Fields(self.file, f"{self.where}{key}[{place}].", one)

    def object(self, key: str) -> Fields:
        """One object."""
        found = self._there(key)
        return (
            Fields(self.file, f"{self.where}{key}.", found)
            if isinstance(found, dict)
            else self.damaged(key, "is no object")
        )

    def damaged(self, key: str, why: str) -> Never:
        """Refuse the file.

        Raises:
            DataError: always.
        """
        raise DataError(f"{self.file}: '{self.where}{key}' {why}; the file is damaged or not a record of this version")

    def _there(self, key: str) -> Any:
        return self.values[key] if key in self.values else self.damaged(key, "is missing")

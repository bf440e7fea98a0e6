"""Verdicts that were computed or collected elsewhere, from a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from adapters.errors import DataError, UsageError
from adapters.identity import digest, text_digest
from adapters.judges.pairs import named
from adapters.judges.rows import VerdictRow, verdict_rows
from adapters.paths import user_path
from adapters.protocols import Floats, Identity

_HALVES = (0.0, 0.5, 1.0)
_ROUNDING = 1e-5
"""Verdicts of the same texts that differ by no more, as models give in other batches, are one: the first."""


class RecordedJudge:
    """The verdict in a file of rows `{"premise": ..., "claim": ..., "score": ...}`, one JSON object per line.

    Instead of texts, the rows may have an `id`, if `texts` names a file with `id`, `premise` and `claim`.

    Args:
        file: JSONL, plain or gzipped.
        score: the field with the verdict, a number from 0 to 1.
        texts: the file with the texts of the ids.
        grades: the values that the verdicts can have, as in `0,0.5,1`: ascending, from 0 to 1. Only the highest is full
            support. Default: 0, 0.5 and 1 if every verdict is one of them and some are 0.5; else any value, and 0.5 and
            more is full support.

    Raises:
        UsageError: `grades` are not such values.
        DataError: a row has no such field, a value is outside [0, 1], two rows disagree about a pair, or a pair that
            is asked for is not in the file.
    """

    def __init__(self, file: str, *, score: str = "score", texts: str | None = None, grades: str | None = None) -> None:
        self._file, self._score = user_path(file), score
        self._texts = None if texts is None else user_path(texts)
        self._grades = None if grades is None else _grades(grades)

    @property
    def name(self) -> str:
        """The name of the file and of the field."""
        return f"{self._file.name}:{self._score}"

    @property
    def identity(self) -> Identity:
        """The digest of all verdicts."""
        rows = sorted((premise.hex(), claim.hex(), value) for (premise, claim), (value, _) in self._known.items())
        return {"judge": "recorded", "version": 1, "verdicts": digest({"rows": rows})}

    @property
    def grades(self) -> tuple[float, ...] | None:
        """The grades that were given, or those that the file has; None for any value.

        Raises:
            DataError: as the class says, or a verdict is none of the grades that were given.
        """
        if self._grades is not None:
            for value, where in self._known.values():
                if value not in self._grades:
                    listed = ", ".join(f"{grade:g}" for grade in self._grades)
                    raise DataError(f"{where}: the verdict {value:g} is none of the grades {listed}; correct ?grades=")
            return self._grades
        values = {value for value, _ in self._known.values()}
        return _HALVES if values <= set(_HALVES) and 0.5 in values else None

    def check(self) -> None:
        """Read the file. Raises DataError as the constructor's class says."""
        _ = self.grades

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> Floats:
        """Return float32 [len(claims)]."""
        values = (self._value(premise, claim) for premise, claim in zip(premises, claims, strict=True))
        return np.fromiter(values, np.float32, len(claims))

    def _value(self, premise: str, claim: str) -> float:
        found = self._known.get((text_digest(premise), text_digest(claim)))
        if found is None:
            raise DataError(
                f"{self._file}: no verdict for {named(premise, claim)}; add a row with these texts, character for "
                "character"
            )
        return found[0]

    @cached_property
    def _known(self) -> dict[tuple[bytes, bytes], tuple[float, str]]:
        """The verdict of every pair of text digests, and the place of its row."""
        known: dict[tuple[bytes, bytes], tuple[float, str]] = {}
        for (premise, claim), row in self._rows():
            key, value = (text_digest(premise), text_digest(claim)), self._number(row)
            before = known.setdefault(key, (value, row.where))
            if abs(before[0] - value) > _ROUNDING:
                raise DataError(
                    f"{row.where}: the verdict {value:g} contradicts {before[0]:g} in {before[1]} for the same texts; "
                    "keep one of the two rows"
                )
        if not known:
            raise DataError(f"{self._file}: no rows; write one object with premise, claim and {self._score} per line")
        return known

    def _rows(self) -> Iterator[tuple[tuple[str, str], VerdictRow]]:
        if self._texts is None:
            yield from (((row.premise, row.text("claim")), row) for row in verdict_rows(self._file))
            return
        texts = _texts_of(self._texts)
        for row in verdict_rows(self._file):
            if (id := row.id) is None:
                raise DataError(f"{row.where}: no id; give every row one, or leave out ?texts=")
            if id not in texts:
                raise DataError(f"{row.where}: the id '{id}' is not in {self._texts}; add its texts there")
            yield texts[id], row

    def _number(self, row: VerdictRow) -> float:
        value = row.fields.get(self._score)
        if (verdict := _share(value)) is None:
            not_a_number = isinstance(value, float) and math.isnan(value)
            shown = "missing" if value is None else "NaN, not a number" if not_a_number else repr(value)[:40]
            numbers = [name for name, one in row.fields.items() if _share(one) is not None]
            raise DataError(
                f"{row.where}: the field '{self._score}' is {shown}; write a number from 0 to 1, or name another field "
                f"with ?score= (numbers from 0 to 1: {', '.join(numbers) or 'none'})"
            )
        return verdict


def _share(value: object) -> float | None:
    """A number from 0 to 1; None for anything else, such as true."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None


def _grades(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) < 2 or (found[0], found[-1]) != (0, 1) or list(found) != sorted(set(found)):
        raise UsageError(f"?grades={text}: write ascending numbers from 0 to 1, as in ?grades=0,0.5,1")
    return found


def _texts_of(file: Path) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for row in verdict_rows(file):
        if (id := row.id) is None:
            raise DataError(f"{row.where}: no id; give every row one")
        texts = row.premise, row.text("claim")
        if found.setdefault(id, texts) != texts:
            raise DataError(f"{row.where}: the id '{id}' has other texts in an earlier row; give it its own id")
    return found

"""Published values that are known to be wrong: wherever somebody takes one in, its note goes with it."""

from __future__ import annotations

import csv
import importlib.resources
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from adapters.errors import DataError
from harness.data.suites.targets import find, is_suite_target
from harness.measuring.alarms.alarm import Alarm
from harness.result.origin import MARK

NAME = "known-wrong"
"""Of the alarm."""
_FILE = "known_wrong.csv"
_ROUNDED = 5e-5
"""Fractions that are printed as the same points, with two decimals, are the same published value."""
_MODELS = ("model", "model_in_file", "model_name", "reranker_name")
"""Where an imported file states whose results it has."""


@dataclass(frozen=True)
class KnownWrong:
    """One published value that nobody should rank, compare with or hold a candidate against."""

    model: str
    task: str
    """As mteb names it."""
    subset: str
    split: str
    measure: str
    """As `harness.measuring.measures` writes it."""
    value: float
    """A fraction."""
    reason: str
    source: str
    """Where it was corrected, or shown to be wrong."""

    @property
    def note(self) -> str:
        """What stands wherever the value stands."""
        return f"known to be wrong: {self.reason}"


@cache
def known_wrong() -> tuple[KnownWrong, ...]:
    """Every row of the table.

    Raises:
        DataError: a row cannot be trusted.
    """
    text = importlib.resources.files("harness.result").joinpath(_FILE).read_text("utf-8")
    return tuple(read_known_wrong(text, _FILE))


def read_known_wrong(text: str, name: str) -> list[KnownWrong]:
    """Rows of a CSV file with the fields of `KnownWrong` as its header.

    Raises:
        DataError: naming file and line.
    """
    found = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            found.append(KnownWrong(**{**row, "value": float(row["value"])}))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{name}:{number}: not a value that is known to be wrong ({error})") from None
        if not all(row.values()) or not -1 <= found[-1].value <= 1:
            raise DataError(f"{name}:{number}: every column is needed, and the value as a fraction")
    return found


def wrong_value(
    models: Iterable[str], task: str, split: str, measure: str, value: float, *, subset: str = "default"
) -> KnownWrong | None:
    """The row of a value, as far as it was rounded; None where nothing is known against it.

    Args:
        models: every name that the model goes by.
    """
    names = {name.casefold() for name in models}
    for row in known_wrong():
        same = (row.task, row.subset, row.split, row.measure) == (task, subset, split, measure)
        if same and row.model.casefold() in names and abs(row.value - value) <= _ROUNDED:
            return row
    return None


def known_wrong_alarms(
    identity: Mapping[str, object], system: str, collection: str, split: str, means: Mapping[str, float]
) -> Iterator[Alarm]:
    """The alarm of an imported evaluation that has a value which is known to be wrong. It is about all measures: one
    wrong value is a sign of wrong scores, and they all come from these. None for what was measured here.

    Args:
        identity: of the evaluation; what was imported says so.
        system: its name, with its marks.
        collection: the name of the collection.
        means: fractions, by measure.
    """
    said, target = identity.get("imported"), collection.rstrip("†")
    if not isinstance(said, Mapping) or not is_suite_target(target):
        return
    models = [system.removesuffix(MARK).partition("@")[0], *_stated(said.get("stated"))]
    for entry in (one.mteb for one in find(target.partition("/")[0]) if one.target == target):
        rows = (wrong_value(models, entry.task, split, *one, subset=entry.subset) for one in means.items())
        for row in dict.fromkeys(row for row in rows if row is not None):
            yield Alarm("known-wrong", row.note)


def known_by_now(  # noqa: PLR0917
    before: Iterable[Alarm],
    identity: Mapping[str, object],
    system: str,
    collection: str,
    split: str,
    means: Mapping[str, float],
) -> tuple[Alarm, ...]:
    """The alarms that were stored with an evaluation, and what the table knows by now."""
    kept = (alarm for alarm in before if alarm.name != NAME)
    return (*kept, *known_wrong_alarms(identity, system, collection, split, means))


def note_among(alarms: Iterable[Alarm]) -> str | None:
    """The note of a value that is known to be wrong."""
    return next((alarm.message for alarm in alarms if alarm.name == NAME), None)


def _stated(said: object) -> list[str]:
    return [str(said[key]) for key in _MODELS if said.get(key)] if isinstance(said, Mapping) else []

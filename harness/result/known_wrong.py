"""Published values that are known to be wrong. An imported value that is among them gets an alarm with the reason."""

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
"""The name of the alarm."""
_FILE = "known_wrong.csv"
_ROUNDED = 5e-5
"""Two fractions are the same published value if they are the same points when rounded to two decimals."""
_MODELS = ("model", "model_in_file", "model_name", "reranker_name")
"""Keys under which an imported file names its model."""


@dataclass(frozen=True)
class KnownWrong:
    """One published value that must not be ranked or compared with."""

    model: str
    task: str
    """The name in mteb."""
    subset: str
    split: str
    measure: str
    """The name in `harness.measuring.measures`."""
    value: float
    """A fraction."""
    reason: str
    source: str
    """Where it was corrected, or shown to be wrong."""

    @property
    def note(self) -> str:
        """The note that is shown with the value."""
        return f"known to be wrong: {self.reason}"


@cache
def known_wrong() -> tuple[KnownWrong, ...]:
    """Return every row of the table.

    Raises:
        DataError: a row of the table is wrong.
    """
    text = importlib.resources.files("harness.result").joinpath(_FILE).read_text("utf-8")
    return tuple(read_known_wrong(text, _FILE))


def read_known_wrong(text: str, name: str) -> list[KnownWrong]:
    """Read the rows of a CSV file whose header has the fields of `KnownWrong`.

    Raises:
        DataError: a row is wrong. The error names file and line.
    """
    found = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            found.append(KnownWrong(**{**row, "value": float(row["value"])}))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{name}:{number}: not a value that is known to be wrong ({error})") from None
        if not all(row.values()) or not -1 <= found[-1].value <= 1:
            raise DataError(f"{name}:{number}: fill in every column, and write the value as a fraction")
    return found


def wrong_value(
    models: Iterable[str], task: str, split: str, measure: str, value: float, *, subset: str = "default"
) -> KnownWrong | None:
    """Return the row of a value, compared as it is rounded; None if the value is not known to be wrong.

    Args:
        models: all names of the model.
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
    """Yield the alarms of an imported evaluation with a value that is known to be wrong. They are about all measures,
    because the other values come from the same scores. Evaluations that were measured here have none.

    Args:
        identity: the identity of the evaluation, which shows whether it was imported.
        system: the name of the system, with its marks.
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
    """Return the stored alarms of an evaluation, with those of the current table of wrong values."""
    kept = (alarm for alarm in before if alarm.name != NAME)
    return (*kept, *known_wrong_alarms(identity, system, collection, split, means))


def note_among(alarms: Iterable[Alarm]) -> str | None:
    """Return the note of a value that is known to be wrong; None if there is none."""
    return next((alarm.message for alarm in alarms if alarm.name == NAME), None)


def _stated(said: object) -> list[str]:
    return [str(said[key]) for key in _MODELS if said.get(key)] if isinstance(said, Mapping) else []

"""Alarms of stored results, and marks with caveats about a number or a collection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.data.label_names import NOT_BY_PEOPLE, by_judges
from harness.result.keys import CollectionKey
from harness.result.result import Result
from leaderboards.sheets import is_drifted
from reports.marks import alarms_of


@dataclass(frozen=True)
class Mark:
    """A sign at a number or a column, with its footnote."""

    sign: str
    meaning: str


TRAINING = Mark("T", "models in common use declare this collection as training data")
TRAINED = Mark("t", "--systems declares that this system was trained on the collection")
SAMPLED = Mark("S", "measured on a sample of the collection's queries")
DRIFTED = Mark("†", "the collection's data differ from those of its suite")
JUDGED = Mark("J", f"{NOT_BY_PEOPLE}: a judge gave some")
IMPORTED = Mark("i", "computed elsewhere and imported")
WRONG = Mark("✗", "published and known to be wrong, so it is not ranked and never the best")


def collection_marks(collection: CollectionKey) -> list[Mark]:
    """The marks of a collection, which apply to all systems."""
    entry = collection.entry
    applies = {
        TRAINING: entry is not None and entry.training is True,
        SAMPLED: bool(collection.sampled_from),
        DRIFTED: is_drifted(collection),
        JUDGED: by_judges(collection.name),
    }
    return [mark for mark, holds in applies.items() if holds]


def alarms_by_message(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The results by the message of their alarms."""
    by_message: dict[str, list[Result]] = {}
    for result in results:
        for message in alarms_of(result):
            by_message.setdefault(message, []).append(result)
    return by_message

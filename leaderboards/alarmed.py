"""The alarms of stored results, and the other things that a reader has to know before comparing two numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.result.keys import CollectionKey
from harness.result.result import Result
from leaderboards.sheets import is_drifted


@dataclass(frozen=True)
class Mark:
    """A sign at a number or a column, with the footnote that it needs."""

    sign: str
    meaning: str


TRAINING = Mark("T", "models in common use declare this collection as training data")
TRAINED = Mark("t", "this system is declared to be trained on the collection (--systems)")
SAMPLED = Mark("S", "measured on a sample of the collection's queries")
DRIFTED = Mark("†", "the collection's data differ from those of its suite")
IMPORTED = Mark("i", "computed by somebody else and taken into this store")
WRONG = Mark("✗", "published, and known to be wrong: never ranked and never the best")
ALARM = Mark("!", "an alarm was raised: something that should keep a reader from trusting the number")


def collection_marks(collection: CollectionKey) -> list[Mark]:
    """What is true of the collection, whoever is measured on it."""
    entry = collection.entry
    found = {
        TRAINING: entry is not None and entry.training is True,
        SAMPLED: bool(collection.sampled_from),
        DRIFTED: is_drifted(collection),
    }
    return [mark for mark, holds in found.items() if holds]


def alarms(result: Result) -> list[str]:
    """The messages of one result's alarms; alarms of another measure are not among them."""
    return [alarm.named for alarm in result.stored.audit.about(result.measure)]


def alarms_by_message(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Every message once, with what it is about."""
    found: dict[str, list[Result]] = {}
    for result in results:
        for message in alarms(result):
            found.setdefault(message, []).append(result)
    return found

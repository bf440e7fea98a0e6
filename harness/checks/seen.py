"""Whether a checkpoint was trained on the queries of an evaluation, by the sketches in its manifests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adapters.lineage import folders_of
from harness.checks.near_duplicates import normalised
from harness.checks.sketch import TrainedQueries, fingerprint, found_in, joined, secret, trained_on
from harness.data.collection import Collection
from harness.measuring.alarms.alarm import Alarm

SHARE, LEAST = 0.05, 3
"""A checkpoint counts as trained on a collection if it was trained on more than 5 % of the queries, and on at least
three. Less is what separate sets share: of SciFact's 300 test queries 6 are nearly equal to a training query."""


@dataclass(frozen=True)
class Seen:
    """The queries of a collection that a checkpoint was trained on."""

    collection: str
    queries: int
    """Distinct queries of the collection."""
    matched: int
    share: float
    """The estimated share; larger than matched / queries if the sketch has only a part of the training queries."""

    @property
    def is_leak(self) -> bool:
        """Whether they are more than separate collections share."""
        return self.matched >= LEAST and self.share > SHARE

    def __str__(self) -> str:
        return f"was trained on {self.matched:,} of the {self.queries:,} queries of {self.collection}"


def queries_of(folders: Iterable[Path]) -> TrainedQueries | None:
    """What the manifests in all these folders say; None if none says anything.

    Raises:
        ModelError: a manifest is damaged.
    """
    found = [one for folder in folders if (one := trained_on(folder)) is not None]
    if not found:
        return None
    return TrainedQueries(joined(part for one in found for part in one.sketches), all(one.whole for one in found))


def is_locked(trained: TrainedQueries) -> bool:
    """Whether a part of the sketches has another secret than the environment, so that it cannot be compared."""
    own = fingerprint(secret())
    return any(one.key not in {None, own} for one in trained.sketches)


def seen(trained: TrainedQueries, collection: str, texts: Sequence[str]) -> Seen:
    """The queries of a collection that were trained on. A query that several sketches have counts once, by the sketch
    that keeps the largest share. Sketches with an unknown secret are left out."""
    unique = list({normalised(text): text for text in texts if normalised(text)}.values())
    times = np.zeros(len(unique))  # of each query, the training queries that it represents: 1 / kept
    for one in sorted(trained.sketches, key=lambda sketch: sketch.kept):
        if one.key in {None, fingerprint(secret())}:
            times[found_in(one, unique, secret() if one.key else None)] = 1 / one.kept
    share = float(times.sum()) / max(len(unique), 1)
    return Seen(collection, len(unique), int((times > 0).sum()), min(share, 1.0))


def leaks(trained: TrainedQueries | None, known: Iterable[tuple[str, Sequence[str]]]) -> list[Seen]:
    """The collections that a checkpoint was trained on.

    Args:
        known: names and queries of collections.
    """
    if trained is None:
        return []
    return [found for name, texts in known if (found := seen(trained, name, texts)).is_leak]


def alarms_of(adapter: object, collection: Collection) -> tuple[Alarm, ...]:
    """The alarm about a reranker that was trained on the queries of a collection; empty if there is none."""
    trained = queries_of(folder.path for folder in folders_of(adapter))
    known = ((one.name, list(one.queries)) for one in (collection,))  # queries are read only if there is a sketch
    return tuple(Alarm("trained-on-queries", f"the model {one}") for one in leaks(trained, known))

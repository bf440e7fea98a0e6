"""Train-test overlap: which evaluation queries stood in the training data, and what the others alone say.

Leaked queries raise a value and reorder systems (Froebe et al., SPIRE 2022, found near-duplicates of 69 % of Robust04's
topics in common training sets).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.checks.near_duplicates import Index, normalised
from harness.checks.training_file import Queries
from harness.data.collection import Collection
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.alarms.alarm import Alarm
from harness.result.store import Results

THRESHOLD = 0.8


@dataclass(frozen=True)
class Match:
    """An evaluation query and the training query most like it."""

    query: str
    """Id."""
    text: str
    training: str
    line: int
    similarity: float
    """Jaccard coefficient of character trigrams."""
    exact: bool
    """The same after normalisation."""


@dataclass(frozen=True)
class Overlap:
    """What a scan found for one collection."""

    collection: str
    split: str
    fingerprint: str
    queries: int
    matches: tuple[Match, ...]
    """Most alike first."""

    @property
    def exact(self) -> int:
        """Queries that are the same after normalisation."""
        return sum(match.exact for match in self.matches)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """One, if anything was found."""
        if not self.matches:
            return ()
        found = len(self.matches)
        told = f"{found} of {self.queries} queries stood in the training data, {self.exact} of them word for word"
        return (Alarm("train-test-overlap", told),)


@dataclass(frozen=True)
class Clean:
    """One stored value beside what the queries without overlap alone say. Fractions; nan where none is left."""

    evaluation: str
    collection: str
    system: str
    measure: str
    whole: float
    clean: float
    queries: int
    """Without overlap."""


def overlaps(
    collections: Sequence[Collection], training: Iterable[Queries], threshold: float = THRESHOLD
) -> list[Overlap]:
    """Scan training queries for near-duplicates of the collections' queries. Empty queries match nothing."""
    texts = [list(map(normalised, collection.queries)) for collection in collections]
    known = {text: place for place, text in enumerate(dict.fromkeys(text for part in texts for text in part if text))}
    best = _best(known, training, threshold) if known else {}
    return [
        Overlap(
            collection.name,
            collection.split,
            collection.fingerprint,
            len(part),
            tuple(_matches(collection, [best.get(known.get(text, -1)) for text in part])),
        )
        for collection, part in zip(collections, texts, strict=True)
    ]


def clean_values(results: Results, found: Sequence[Overlap]) -> Iterator[Clean]:
    """Every stored value of these collections and of samples of them, whole and without the queries that overlap."""
    leaked = {one.fingerprint: {match.query for match in one.matches} for one in found}
    for stored in results.all():
        whole_of = [leaked.get(key) for key in (stored.collection.fingerprint, stored.collection.part_of) if key]
        names = next(filter(None, whole_of), set[str]())
        for measure, whole in stored.means.items():
            if not names or measure == PAIRED_MEASURE:
                continue
            queries, values = results.per_query(stored.id, measure)
            kept = values[[name not in names for name in queries]]
            clean = float(kept.mean()) if len(kept) else float("nan")
            yield Clean(stored.id, stored.collection.name, stored.system, measure, whole, clean, len(kept))


_Best = tuple[bool, float, int, str]
"""Exact, similarity, line and text of a training query."""


def _best(known: dict[str, int], training: Iterable[Queries], threshold: float) -> dict[int, _Best]:
    """For every known text the training query most like it, the first one where several are."""
    index, best = Index(list(known)), dict[int, _Best]()
    for batch in training:
        asked = [normalised(text) for _, text in batch]
        for row, text in enumerate(asked):
            if text in known and not best.get(known[text], (False,))[0]:
                best[known[text]] = (True, 1.0, *batch[row])
        for found in index.search(asked, threshold):
            for place, row, similarity in zip(found.known, found.asked, found.similarity, strict=True):
                other = (False, float(similarity), *batch[row])
                best[int(place)] = max(best.get(int(place), other), other, key=lambda one: (one[0], one[1], -one[2]))
    return best


def _matches(collection: Collection, best: Sequence[_Best | None]) -> list[Match]:
    ids = collection.queries.ids()
    found = [
        Match(ids[row], collection.queries[row], text, line, similarity, exact)
        for row, one in enumerate(best)
        if one is not None
        for exact, similarity, line, text in [one]
    ]
    return sorted(found, key=lambda match: -match.similarity)

"""Train-test overlap: which evaluation queries occur in the training data, and the values without these queries.

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
    """An evaluation query and the most similar training query."""

    query: str
    """The id of the evaluation query."""
    text: str
    training: str
    line: int
    similarity: float
    """The Jaccard coefficient of character trigrams."""
    exact: bool
    """Whether the two are equal after normalisation."""


@dataclass(frozen=True)
class Overlap:
    """The overlap of one collection with the training data."""

    collection: str
    split: str
    fingerprint: str
    queries: int
    matches: tuple[Match, ...]
    """The most similar first."""

    @property
    def exact(self) -> int:
        """The number of queries that are equal to a training query after normalisation."""
        return sum(match.exact for match in self.matches)

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """One alarm if there is any overlap."""
        if not self.matches:
            return ()
        found = len(self.matches)
        message = f"{found} of {self.queries} queries occur in the training data, {self.exact} of them word for word"
        return (Alarm("train-test-overlap", message),)


@dataclass(frozen=True)
class Clean:
    """A stored value, and the value over the queries without overlap. Fractions; NaN if no query is left."""

    evaluation: str
    collection: str
    system: str
    measure: str
    whole: float
    clean: float
    queries: int
    """The number of queries without overlap."""


def overlaps(
    collections: Sequence[Collection], training: Iterable[Queries], threshold: float = THRESHOLD
) -> list[Overlap]:
    """Find near-duplicates of the collections' queries among training queries. Empty queries match nothing.

    Args:
        training: batches of training queries, as `harness.checks.training_file` yields them.
        threshold: the smallest Jaccard coefficient of character trigrams. Default: 0.8.
    """
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
    """Yield every stored value of these collections and of samples of them, with and without overlapping queries."""
    leaked = {one.fingerprint: {match.query for match in one.matches} for one in found}
    for stored in results.all():
        whole_of = [leaked.get(key) for key in (stored.collection.fingerprint, stored.collection.part_of) if key]
        names = next(filter(None, whole_of), set[str]())
        for measure, whole in stored.means.items():
            if not names or measure == PAIRED_MEASURE:
                continue
            result = results.result(stored.id, measure)
            kept = result.values[[name not in names for name in result.ids]]
            clean = float(kept.mean()) if len(kept) else float("nan")
            yield Clean(stored.id, stored.collection.name, stored.system, measure, whole, clean, len(kept))


_Best = tuple[bool, float, int, str]
"""Whether it is equal, similarity, line and text of a training query."""


def _best(known: dict[str, int], training: Iterable[Queries], threshold: float) -> dict[int, _Best]:
    """Return the most similar training query for every known text; the first one if there are several."""
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

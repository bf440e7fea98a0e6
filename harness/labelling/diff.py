"""`harness judge diff`: two versions of the judgments of a collection, and the stored systems that change places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from adapters.errors import DataError
from harness.data.collection import Collection
from harness.data.label_versions import judged, merged_qrels
from harness.labelling.agreement import kappa
from harness.measuring.judged import Judged
from harness.measuring.measures import Measure
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import Difference, differences
from harness.result.recall import Recalled

Pair = tuple[str, str]
"""Query id and document id."""
Grades = Mapping[Pair, int]


@dataclass(frozen=True)
class JudgmentDiff:
    """How two versions of judgments differ."""

    first: Grades
    second: Grades

    @cached_property
    def added(self) -> list[Pair]:
        """Pairs that only the second version judges."""
        return sorted(self.second.keys() - self.first.keys())

    @cached_property
    def removed(self) -> list[Pair]:
        """Pairs that only the first version judges."""
        return sorted(self.first.keys() - self.second.keys())

    @cached_property
    def both(self) -> list[Pair]:
        """Pairs that both versions judge."""
        return sorted(self.first.keys() & self.second.keys())

    @cached_property
    def regraded(self) -> list[Pair]:
        """Pairs with another grade in the second version."""
        return [pair for pair in self.both if self.first[pair] != self.second[pair]]

    @cached_property
    def changes(self) -> Counter[tuple[int, int]]:
        """The number of pairs that both judge, by (first grade, second grade)."""
        return Counter((self.first[pair], self.second[pair]) for pair in self.both)

    @property
    def agreement(self) -> float:
        """The share of pairs that both judge with the same grade; nan if there is none."""
        return 1 - len(self.regraded) / len(self.both) if self.both else float("nan")

    def kappa(self, least: int | None = None) -> float:
        """Cohen's kappa on the pairs that both judge; nan if it is not defined, as with a single grade.

        Args:
            least: compare only whether a grade is at least this. Default: compare the grades.
        """
        grades = sorted({grade for change in self.changes for grade in change})
        places = {grade: place if least is None else int(grade >= least) for place, grade in enumerate(grades)}
        counts = np.zeros((1, max(len(grades), 2), max(len(grades), 2)))
        for (first, second), size in self.changes.items():
            counts[0, places[first], places[second]] += size
        return float(kappa(counts)[0])

    @cached_property
    def bias(self) -> dict[str, float]:
        """The mean of second grade - first grade for each query, over the pairs that both judge."""
        by_query: dict[str, list[int]] = {}
        for pair in self.both:
            by_query.setdefault(pair[0], []).append(self.second[pair] - self.first[pair])
        return {query: float(np.mean(moved)) for query, moved in by_query.items()}


@dataclass(frozen=True)
class MovedSystem:
    """A stored system, measured again with both versions. Values are fractions."""

    system: str
    id: str
    """The id of the evaluation that has its ranking."""
    first: float
    second: float
    first_place: int
    """From 1. Systems with the same value have the same place."""
    second_place: int
    values: tuple[Floats64, Floats64]
    """Per query with the first and with the second version, float64 [queries]."""


@dataclass(frozen=True)
class ChangedPair:
    """Two systems whose order the second version changes."""

    a: str
    b: str
    first: float
    """b - a with the first version."""
    second: float
    """b - a with the second version."""
    change: Difference
    """The difference of these differences, paired per query, corrected over all pairs of systems."""


@dataclass(frozen=True)
class LabelDiff:
    """Two versions of the judgments of one collection."""

    names: tuple[str, str]
    judgments: JudgmentDiff
    collection: str | None = None
    """The collection whose stored systems were measured again; None if there is none."""
    measure: str | None = None
    queries: int = 0
    """Queries that both versions judge: the denominator."""
    left_out: int = 0
    """Queries of the collection that only one version judges."""
    systems: tuple[MovedSystem, ...] = ()
    pairs: tuple[ChangedPair, ...] = ()
    compared: int = 0
    """All pairs of systems, over which p-values are corrected."""
    notes: tuple[str, ...] = ()
    """For each label version, who gave its labels."""


def unknown_in(collection: Collection, grades: Grades) -> list[Pair]:
    """Return the pairs whose query the collection does not have."""
    known = set(collection.queries.ids())
    return [pair for pair in grades if pair[0] not in known]


def diff(
    names: tuple[str, str], judgments: JudgmentDiff, collection: Collection, recalled: Sequence[Recalled],
    measure: Measure,
) -> LabelDiff:  # fmt: skip
    """Measure stored rankings with both versions.

    Args:
        names: of the versions.
        judgments: the versions; all their queries are in the collection.
        collection: it has the texts.
        recalled: rankings of the collection's queries, newest last. Of several evaluations of one system the newest is
            used.
        measure: of single queries.

    Raises:
        DataError: no query is judged by both versions.
    """
    of_both = [{query for query, _ in one} for one in (judgments.first, judgments.second)]
    ids = collection.queries.ids()
    kept = np.array([query in of_both[0] and query in of_both[1] for query in ids], bool)
    if not kept.any():
        raise DataError(f"no query of {collection.name} is judged by both {names[0]} and {names[1]}")
    newest = _labelled(recalled)
    values = {label: _values(one, judgments, collection, measure, kept) for label, one in newest.items()}
    systems = _placed({label: (one.stored.id, values[label]) for label, one in newest.items()})
    questions = Questions(collection.parallel or collection.fingerprint, tuple(np.array(ids, object)[kept]))
    pairs = _changed(systems, questions)
    size = len(systems)
    return LabelDiff(
        names, judgments, collection.name, str(measure), int(kept.sum()), int((~kept).sum()), systems, pairs,
        size * (size - 1) // 2,
    )  # fmt: skip


def _labelled(recalled: Sequence[Recalled]) -> dict[str, Recalled]:
    """The newest ranking of each system, by a name that only it has."""
    newest = {one.stored.key: one for one in recalled}
    shared = Counter(key.label for key in newest)
    return {
        key.label if shared[key.label] == 1 else f"{key.label} on {key.first_stage}, depth {key.depth}": one
        for key, one in newest.items()
    }


def _values(
    one: Recalled, judgments: JudgmentDiff, collection: Collection, measure: Measure, kept: np.ndarray
) -> tuple[Floats64, Floats64]:
    found = []
    for grades in (judgments.first, judgments.second):
        qrels = merged_qrels(collection, ((*pair, grade) for pair, grade in grades.items()), instead=True)
        found.append(Judged(one.run, qrels, len(collection.queries)).values([measure])[0][kept])
    return found[0], found[1]


def _placed(found: Mapping[str, tuple[str, tuple[Floats64, Floats64]]]) -> tuple[MovedSystem, ...]:
    means = {label: (float(first.mean()), float(second.mean())) for label, (_, (first, second)) in found.items()}

    def place(label: str, at: int) -> int:
        return 1 + sum(other[at] > means[label][at] for other in means.values())

    systems = (
        MovedSystem(label, id, *means[label], place(label, 0), place(label, 1), values)
        for label, (id, values) in found.items()
    )
    return tuple(sorted(systems, key=lambda one: (one.second_place, one.first_place, one.system)))


def _changed(systems: Sequence[MovedSystem], questions: Questions) -> tuple[ChangedPair, ...]:
    both = list(combinations(systems, 2))
    if not both:
        return ()
    deltas = np.stack([(b.values[1] - a.values[1]) - (b.values[0] - a.values[0]) for a, b in both])
    found = differences(Design((questions,)), [deltas])
    pairs = (
        ChangedPair(a.system, b.system, b.first - a.first, b.second - a.second, one.macro)
        for (a, b), one in zip(both, found, strict=True)
    )
    return tuple(one for one in pairs if np.sign(one.first) != np.sign(one.second))


def grades_of(collection: Collection) -> Grades:
    """Return the judgments of a collection by query and document."""
    return judged(collection)

"""Choose the weights of several teachers on judged dev queries: a grid of blends, measured like any reranker."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from adapters.errors import DataError, UsageError
from harness.data.collection import Collection
from harness.data.sources import load
from harness.measuring.questions import questions_of
from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design, Floats64
from harness.measuring.votes import shares
from harness.numbers import points
from harness.scoring.ground import CandidatePool, prepare
from harness.scoring.rerank import rerank, unscored
from harness.scoring.retrieve import GIVEN, first_stage
from harness.scoring.session import Session
from training.stages import Mining
from training.teaching.blend import blended
from training.teaching.teachers import open_teachers

STEPS = 4
"""Weights are multiples of 1/4."""
LEXICAL = "bm25"
"""The first stage of dev queries that bring no candidates."""
_TEST = "test"
_SHOWN_DECIMALS = 3
"""A tenth of a point. Blends that are equal in the table are equal for the choice."""


@dataclass(frozen=True)
class DevQueries:
    """The judged queries that the weights are chosen on."""

    target: str
    split: str | None

    def load(self, session: Session) -> list[Collection]:
        """The collections.

        Raises:
            UsageError: the split is missing or is test, or the target is unknown.
        """
        if self.split is None or self.split == _TEST:
            raise UsageError(
                f"the weights of teachers are chosen on dev queries; name the split of '{self.target}' that is for "
                "choosing, such as dev or validation, and not test"
            )
        return load(self.target, session.workspace, split=self.split)


@dataclass(frozen=True)
class TriedBlend:
    """One blend of the grid, with its value on dev."""

    weights: tuple[float, ...]
    """One for each teacher; 0 for a teacher that is left out."""
    value: float
    """The mean over queries, macro-averaged over collections, a fraction."""
    low: float | None
    """The 95 % percentile interval over questions; None if there are too few."""
    high: float | None
    values: tuple[Floats64, ...] = field(repr=False, compare=False)
    """The values of the queries of each collection."""

    @property
    def teachers(self) -> int:
        """The number of teachers with a weight."""
        return sum(weight > 0 for weight in self.weights)


@dataclass(frozen=True)
class WeightChoice:
    """The blends that were tried on dev, and the chosen one."""

    teachers: tuple[str, ...]
    measure: str
    collections: tuple[Collection, ...] = field(repr=False)
    tried: tuple[TriedBlend, ...]
    chosen: TriedBlend

    @property
    def kept(self) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """The teachers with a weight in the chosen blend, and their weights."""
        pairs = [(one, weight) for one, weight in zip(self.teachers, self.chosen.weights, strict=True) if weight > 0]
        names, weights = zip(*pairs, strict=True)
        return names, weights

    def named(self, one: TriedBlend) -> str:
        """A blend as one word, such as `blend:0.25,0.75`, in the order of the teachers."""
        return f"blend:{','.join(f'{weight:g}' for weight in one.weights)}"

    def __str__(self) -> str:
        names, weights = self.kept
        chosen = " + ".join(f"{weight:g} {name}" for name, weight in zip(names, weights, strict=True))
        single = max(one.value for one in self.tried if one.teachers == 1)
        return (
            f"{chosen}: {points(self.chosen.value, 1)} on dev, the best single teacher {points(single, 1)}; "
            f"{len(self.tried)} blends were tried"
        )

    def as_dict(self) -> dict[str, object]:
        """The entries of the manifest."""
        rows = [
            {"weights": one.weights, "value": one.value, "low": one.low, "high": one.high, "chosen": one is self.chosen}
            for one in self.tried
        ]
        on = [{"collection": one.name, "split": one.split, "queries": len(one.queries)} for one in self.collections]
        return {"teachers": self.teachers, "measure": self.measure, "dev": on, "looks": len(rows), "tried": rows}


def grid(teachers: int) -> list[tuple[float, ...]]:
    """All weights in steps of a quarter that sum to 1: 5 for two teachers, 15 for three."""
    return [tuple(part / STEPS for part in parts) for parts in _parts(STEPS, teachers)]


def choose(
    collections: Sequence[Collection],
    specs: Sequence[str],
    max_length: int | None,
    session: Session,
    *,
    stage: str | None = None,
    depth: int = Mining.depth,
    measure: str | None = None,
) -> WeightChoice:
    """Measure every blend of the grid on dev, and choose the best. Of blends that are equal to a tenth of a point, the
    one with the fewest teachers is chosen, then the one with the most equal weights, then the first.

    Args:
        stage: the first stage. Default: the given candidates, or bm25.
        measure: Default: the main measure of each collection.

    Raises:
        UsageError: a teacher cannot be opened, or a measure is unknown.
        DataError: a collection has no judged query with candidates.
        ModelError: a score is not finite, or all scores of a teacher are equal.
    """
    scored = [_scored(one, specs, max_length, session, stage, depth, measure) for one in collections]
    design = Design(tuple(questions_of(one) for one in collections), shares([one.group for one in collections]))
    tried = tuple(_tried(weights, scored, design) for weights in grid(len(specs)))
    best = max(_shown(one) for one in tried)
    chosen = min((one for one in tried if _shown(one) == best), key=_complexity)
    names = sorted({str(one.ground.measures[0]) for one in scored})
    return WeightChoice(tuple(specs), ", ".join(names), tuple(collections), tried, chosen)


def dev_pairs(
    collections: Sequence[Collection], specs: Sequence[str], max_length: int | None, session: Session
) -> list[tuple[int, int]]:
    """For each teacher the pairs that `choose` has scored, and those of them that are not in the ledger. Nothing is
    scored.

    Raises:
        UsageError, DataError: see `choose`.
    """
    counts = np.zeros((len(specs), 2), np.int64)
    for collection in collections:
        candidates = _candidates(collection, session).candidates
        for place, one in enumerate(open_teachers(specs, collection, max_length, None, session)):
            new = unscored(collection, candidates, one.reranker, session.ledger)
            counts[place] += len(candidates), new
    return [(every, new) for every, new in counts.tolist()]


def _candidates(
    collection: Collection,
    session: Session,
    stage: str | None = None,
    depth: int = Mining.depth,
    measure: str | None = None,
) -> CandidatePool:
    named = stage or (LEXICAL if collection.given is None else GIVEN)
    ground = prepare(collection, first_stage(named, session.workspace), depth, [measure] if measure else [], session)
    if not len(ground.candidates):
        raise DataError(f"{collection.name}: no query has candidates, so no weights can be chosen on it")
    return ground


@dataclass(frozen=True, eq=False)
class _Scored:
    """A dev collection with the scores of every teacher."""

    ground: CandidatePool
    specs: tuple[str, ...]
    scores: tuple[Floats64, ...]

    def values(self, weights: Sequence[float]) -> Floats64:
        """The values of the queries under a blend. Scores are standardised over the pairs of this collection."""
        used = [place for place, weight in enumerate(weights) if weight > 0]
        scores = blended(
            [self.scores[one] for one in used], [weights[one] for one in used], [self.specs[one] for one in used]
        )
        return np.asarray(self.ground.judged.values(self.ground.measures, scores.astype(np.float32))[0])


def _scored(  # noqa: PLR0917
    collection: Collection,
    specs: Sequence[str],
    max_length: int | None,
    session: Session,
    stage: str | None,
    depth: int,
    measure: str | None,
) -> _Scored:
    ground = _candidates(collection, session, stage, depth, measure)
    teachers = open_teachers(specs, collection, max_length, None, session)
    done = [
        rerank(collection, ground.candidates, one.reranker, session, f"teacher {one.spec} on dev", one.source)
        for one in teachers
    ]
    scores = tuple(one.run.scores.astype(np.float64) for one in done)
    return _Scored(ground, tuple(specs), scores)


def _tried(weights: tuple[float, ...], scored: Sequence[_Scored], design: Design) -> TriedBlend:
    values = tuple(one.values(weights) for one in scored)
    low, high = value_interval(design, values)
    known = math.isfinite(low)
    mean = float(np.dot(design.weights, [own.mean() for own in values]))
    return TriedBlend(weights, mean, low if known else None, high if known else None, values)


def _shown(one: TriedBlend) -> float:
    return round(one.value, _SHOWN_DECIMALS)


def _complexity(one: TriedBlend) -> tuple[int, float]:
    return one.teachers, sum(weight**2 for weight in one.weights)


def _parts(total: int, places: int) -> Iterator[tuple[int, ...]]:
    """All ways to write a total as a sum of this number of parts, the largest first part first."""
    if places == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in _parts(total - first, places - 1):
            yield (first, *rest)

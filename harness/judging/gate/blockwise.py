"""Scores block after block until the answer is certain. The candidates are those of the whole collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError
from harness.checks.half_noise import with_noise
from harness.data.collection import Collection
from harness.judging.gate.blocks import plan
from harness.judging.gate.remembered import Remembered
from harness.judging.gate.sequential import Monitor, SequentialDecision, SequentialRule
from harness.measuring.measures import DEFINITIONS, Trec
from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.votes import shares
from harness.result.evaluation import Evaluation
from harness.result.store import Results
from harness.running.experiment import evaluate, measure
from harness.scoring.ground import CandidatePool, part_of
from harness.scoring.rerank import is_known
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker, RunFileReranker, System

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SystemPairs:
    """The number of pairs of one system over all collections."""

    planned: int
    """The pairs of all queries."""
    used: int
    """The pairs that the decision is based on."""
    fresh: int
    """The pairs that the model scored now; the others were in the ledger."""

    @property
    def saved(self) -> int:
        """The pairs that did not have to be scored."""
        return self.planned - self.used


@dataclass(frozen=True)
class Stopped:
    """Where the sequential gate stopped, and the evaluations that its decision is based on."""

    decision: SequentialDecision
    anchor: tuple[Evaluation, ...]
    """The evaluations on the queries that were used, collection by collection; likewise `candidate`. They are not
    stored yet."""
    candidate: tuple[Evaluation, ...]
    anchor_pairs: SystemPairs
    candidate_pairs: SystemPairs
    seed: int
    """The seed of the order of the questions."""
    headroom: bool = False
    """Whether the headroom over the anchor was used."""


@dataclass(frozen=True)
class _Side:
    """One system, and the time that it took on each collection so far."""

    system: System
    session: Session
    fresh: dict[int, int] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)

    def values(self, grounds: Sequence[CandidatePool], rows: Sequence[Rows]) -> list[Floats64]:
        """Return the values of some queries of each collection, in the order of the rows."""
        return [self._values(place, *one) for place, one in enumerate(zip(grounds, rows, strict=True))]

    def _values(self, place: int, ground: CandidatePool, rows: Rows) -> Floats64:
        if not len(rows):
            return np.empty(0)
        part = part_of(ground, rows)
        scores = self.system.score(part, self.session)
        self.fresh[place] = self.fresh.get(place, 0) + scores.fresh
        self.seconds[place] = self.seconds.get(place, 0.0) + scores.seconds
        values: Floats64 = measure(part, scores.run)[0]
        return values[np.argsort(np.argsort(rows))]  # a part has its queries in the order of the collection

    def evaluations(self, parts: Sequence[CandidatePool]) -> tuple[Evaluation, ...]:
        """Return the evaluations of what was scored. All scores are in the ledger."""
        with Results(self.session.workspace.results) as results:
            done = [with_noise(evaluate(part, self.system, self.session), results) for part in parts]
        return tuple(replace(one, fresh=self.fresh[d], seconds=self.seconds[d]) for d, one in enumerate(done))

    def pairs(self, grounds: Sequence[CandidatePool], parts: Sequence[CandidatePool]) -> SystemPairs:
        """Return the numbers of planned, used and newly scored pairs."""
        planned, used = (sum(len(ground.candidates) for ground in some) for some in (grounds, parts))
        return SystemPairs(planned, used, sum(self.fresh.values()))


def run_blocks(
    grounds: Sequence[CandidatePool],
    anchor: System,
    candidate: System,
    rule: SequentialRule,
    session: Session,
    *,
    seed: int = 0,
) -> Stopped:
    """Score both systems on random blocks of questions of all collections, until the answer is certain.

    A question of a parallel set is scored in all its languages at once. If every score of the anchor is known, its
    headroom is used.

    Args:
        grounds: the collections (or the parts for the gate) with their candidates, from `prepare`. Both systems share
            the first stage. The first measure of each is compared.
        seed: the seed of the random order of the questions, which depends on their ids and not on the file. Default: 0.

    Raises:
        UsageError: a collection has pairs of queries, which are not independent.
    """
    for ground in grounds:
        if ground.collection.changes is not None:
            raise UsageError(f"{ground.collection.name} has pairs of queries; run the gate without --sequential")
    collections = [ground.collection for ground in grounds]
    blocks = plan(Design(tuple(map(questions_of, collections)), shares([one.group for one in collections])), seed)
    orders = [_rows(*both) for both in zip(collections, blocks.whole.collections, strict=True)]
    known = headroom(grounds, anchor, session) if blocks.partnered else None
    ordered = None if known is None else [room[order] for room, order in zip(known, orders, strict=True)]
    monitor = Monitor.of(rule, blocks, ordered)
    ours, theirs = _Side(anchor, session), _Side(candidate, session)
    while monitor.wanted.any():
        used, wanted = monitor.used, monitor.wanted
        rows = [order[start : start + more] for order, start, more in zip(orders, used, wanted, strict=True)]
        values = zip(ours.values(grounds, rows), theirs.values(grounds, rows), strict=True)
        monitor = monitor.fed([new - old for old, new in values])
    parts = [part_of(ground, order[:used]) for ground, order, used in zip(grounds, orders, monitor.used, strict=True)]
    return Stopped(
        decision=monitor.decision,
        anchor=ours.evaluations(parts),
        candidate=theirs.evaluations(parts),
        anchor_pairs=ours.pairs(grounds, parts),
        candidate_pairs=theirs.pairs(grounds, parts),
        seed=seed,
        headroom=monitor.headroom is not None,
    )


def headroom(grounds: Sequence[CandidatePool], anchor: System, session: Session) -> list[Floats64] | None:
    """Return how much a candidate can gain at most on every query, float64 [queries] for each collection: the value of
    the best order of the candidates (1 for a measure that trec_eval does not have) minus the anchor's. None if a score
    of the anchor is not known yet. Nothing is scored."""
    if not all(_is_known(ground, anchor, session) for ground in grounds):
        return None
    values = [measure(ground, anchor.score(ground, session).run)[0] for ground in grounds]
    return [np.maximum(_highest(ground) - own, 0.0) for ground, own in zip(grounds, values, strict=True)]


def _is_known(ground: CandidatePool, system: System, session: Session) -> bool:
    if isinstance(system.reranker, ModelReranker):
        reranker = system.reranker.on(ground.collection)
        return is_known(ground.collection, ground.candidates, reranker, session.ledger)
    return isinstance(system.reranker, Remembered | RunFileReranker | None)


def _highest(ground: CandidatePool) -> Floats64:
    by_trec_eval = isinstance(DEFINITIONS[ground.measures[0].name].check, Trec)
    values: Floats64 = ground.controls["oracle"][0] if by_trec_eval else np.ones(len(ground.collection.queries))
    return values


def _rows(collection: Collection, ordered: Questions) -> Rows:
    """Return the rows of the queries, in the order in which they are scored."""
    rows = {id: row for row, id in enumerate(collection.queries.ids())}
    return np.array([rows[id] for id in ordered.ids], np.int64)

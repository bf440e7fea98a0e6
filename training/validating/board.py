"""A judged collection with a teacher's scores of everything that was found or judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from harness.data.collection import Collection
from harness.data.runs import Run, build, only
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from harness.scoring.rerank import rerank
from harness.scoring.retrieve import first_stage, retrieve
from harness.scoring.session import Session
from training.teaching.blend import blended, shares_of
from training.teaching.teachers import open_teachers
from training.validating.calibration import Mask, Values

MEASURE = "nDCG@10"


@dataclass(frozen=True, eq=False)
class ScoredCollection:
    """A judged collection, its candidates, and the teacher's scores of them and of every other judged document."""

    collection: Collection
    candidates: Run
    pool: Run
    """Candidates and judged documents, with the teacher's scores; the rows of a query follow one another."""

    @cached_property
    def teacher(self) -> Values:
        """nDCG@10 of the teacher's order of the candidates alone, float64 [queries]: no positive is put in."""
        size = len(self.collection.corpus)
        return self.values(only(self.pool, np.isin(_keys(self.pool, size), _keys(self.candidates, size))))

    def values(self, run: Run) -> Values:
        """nDCG@10 of each query."""
        judged = Judged(run, self.collection.qrels, len(self.collection.queries))
        return np.asarray(judged.values([parse(MEASURE)])[0])

    @cached_property
    def grades(self) -> npt.NDArray[np.int32]:
        """Of the rows of the pool; -1 where nobody judged."""
        return Judged(self.pool, self.collection.qrels, len(self.collection.queries)).grades

    @property
    def relevant(self) -> Mask:
        """Rows of the pool that people call relevant."""
        return np.asarray(self.grades >= 1)

    @cached_property
    def refusals(self) -> bool:
        """Whether half of the queries have a document that was judged not relevant."""
        return 2 * len(np.unique(self.pool.queries[self.grades == 0])) >= len(self.collection.queries)

    @property
    def counted(self) -> Mask:
        """Rows whose relevance is known, or taken as known."""
        return np.asarray(self.grades >= 0) if self.refusals else np.ones(len(self.pool), bool)

    @property
    def scores(self) -> Values:
        """The teacher's, float64 [rows of the pool]."""
        return self.pool.scores.astype(np.float64)

    @property
    def caution(self) -> str:
        """What a reader has to know of the labels."""
        return "" if self.refusals else "nobody judged most documents: an unjudged candidate counts as not relevant"


def board_of(  # noqa: PLR0917
    judged: Collection,
    teachers: Sequence[str],
    stage: str,
    weights: Sequence[float],
    depth: int,
    max_length: int | None,
    session: Session,
) -> ScoredCollection:
    """Search, and score what the ledger does not know; several teachers are blended as `train teach` blends them.

    Raises:
        ModelError: a score is not finite, or a teacher gives all pairs one score.
    """
    shares = shares_of(weights, len(teachers))
    opened = open_teachers(teachers, judged, max_length, None, session)
    candidates = retrieve(judged, first_stage(stage, session.workspace), depth, session)
    pool = _with_judged(candidates, judged)
    done = [rerank(judged, pool, one.reranker, session, f"teacher {one.spec} on {judged.name}") for one in opened]
    labels = blended([one.run.scores for one in done], shares, teachers)
    return ScoredCollection(judged, candidates, pool.rescored(labels.astype(np.float32)))


def _with_judged(candidates: Run, judged: Collection) -> Run:
    """The candidates and every judged document, without an order."""
    size, qrels = len(judged.corpus), judged.qrels
    keys = np.union1d(_keys(candidates, size), qrels.queries.astype(np.int64) * size + qrels.documents)
    offsets = np.searchsorted(keys, np.arange(len(judged.queries) + 1) * size).astype(np.int64)
    return build(offsets, keys % size, np.zeros(len(keys), np.float32), judged.corpus.ids)


def _keys(run: Run, size: int) -> npt.NDArray[np.int64]:
    return np.asarray(run.queries * size + run.documents)

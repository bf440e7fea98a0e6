"""A judged collection with a teacher's scores of all candidates and judged documents."""

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
    """A judged collection, its candidates, and the teacher's scores of the candidates and of all judged documents."""

    collection: Collection
    candidates: Run
    pool: Run
    """Candidates and judged documents with the teacher's scores. The rows of a query are contiguous."""

    @cached_property
    def teacher(self) -> Values:
        """nDCG@10 of the teacher's order of the candidates, float64 [queries]. Positives are not added to the
        candidates."""
        size = len(self.collection.corpus)
        return self.values(only(self.pool, np.isin(_keys(self.pool, size), _keys(self.candidates, size))))

    def values(self, run: Run) -> Values:
        """nDCG@10 of each query."""
        judged = Judged(run, self.collection.qrels, len(self.collection.queries))
        return np.asarray(judged.values([parse(MEASURE)])[0])

    @cached_property
    def grades(self) -> npt.NDArray[np.int32]:
        """The grades of the rows of the pool; -1 for unjudged documents."""
        return Judged(self.pool, self.collection.qrels, len(self.collection.queries)).grades

    @property
    def relevant(self) -> Mask:
        """Whether each row of the pool was judged relevant."""
        return np.asarray(self.grades >= 1)

    @cached_property
    def refusals(self) -> bool:
        """Whether at least half of the queries have a document that was judged not relevant."""
        return 2 * len(np.unique(self.pool.queries[self.grades == 0])) >= len(self.collection.queries)

    @property
    def counted(self) -> Mask:
        """Rows whose relevance is known or assumed."""
        return np.asarray(self.grades >= 0) if self.refusals else np.ones(len(self.pool), bool)

    @property
    def scores(self) -> Values:
        """The teacher's scores, float64 [rows of the pool]."""
        return self.pool.scores.astype(np.float64)

    @property
    def caution(self) -> str:
        """A warning about the labels, or ''."""
        return "" if self.refusals else "most documents are unjudged: an unjudged candidate counts as not relevant"


def board_of(  # noqa: PLR0917
    judged: Collection,
    teachers: Sequence[str],
    stage: str,
    weights: Sequence[float],
    depth: int,
    max_length: int | None,
    session: Session,
) -> ScoredCollection:
    """Search, and score the pairs that are not in the ledger. Several teachers are blended as in `train teach`.

    Raises:
        ModelError: a score is not finite, or all scores of a teacher are equal.
    """
    shares = shares_of(weights, len(teachers))
    opened = open_teachers(teachers, judged, max_length, None, session)
    candidates = retrieve(judged, first_stage(stage, session.workspace), depth, session)
    pool = _with_judged(candidates, judged)
    done = [
        rerank(judged, pool, one.reranker, session, f"teacher {one.spec} on {judged.name}", one.source)
        for one in opened
    ]
    labels = blended([one.run.scores for one in done], shares, teachers)
    return ScoredCollection(judged, candidates, pool.rescored(labels.astype(np.float32)))


def _with_judged(candidates: Run, judged: Collection) -> Run:
    """The candidates and all judged documents, without an order."""
    size, qrels = len(judged.corpus), judged.qrels
    keys = np.union1d(_keys(candidates, size), qrels.queries.astype(np.int64) * size + qrels.documents)
    offsets = np.searchsorted(keys, np.arange(len(judged.queries) + 1) * size).astype(np.int64)
    return build(offsets, keys % size, np.zeros(len(keys), np.float32), judged.corpus.ids)


def _keys(run: Run, size: int) -> npt.NDArray[np.int64]:
    return np.asarray(run.queries * size + run.documents)

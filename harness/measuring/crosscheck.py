"""Our values against trec_eval's own code, at run time, on a sample of the queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytrec_eval

from adapters.errors import DataError
from harness.measuring.chance import Floats64
from harness.measuring.judged import Judged
from harness.measuring.measures import DEFINITIONS, Measure
from harness.measuring.ranking import checked_scores

DocumentIds = Callable[[npt.NDArray[np.int64]], list[str]]
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class _Query:
    """One query as pytrec_eval wants it. Scores are dense ranks: trec_eval would round others to float32."""

    run: dict[str, float]
    qrels: dict[str, int]

    def first(self, cutoff: int | None) -> dict[str, float]:
        """The top of the run, in trec_eval's order: score, then bytes of the id, both descending."""
        order = sorted(self.run, key=lambda document: (self.run[document], document.encode()), reverse=True)
        return {document: self.run[document] for document in order[:cutoff]}


def cross_check(
    judged: Judged,
    measures: Sequence[Measure],
    values: Floats64,
    document_ids: DocumentIds,
    *,
    scores: npt.ArrayLike | None = None,
    query_ids: Sequence[str] | None = None,
    sample: int = 25,
    seed: int = 0,
) -> int:
    """Recompute a deterministic sample of queries with pytrec_eval and return how many were compared.

    Args:
        values: float64 [len(measures), queries], what is to be checked.
        document_ids: gives the ids of corpus rows.
        scores: aligned with the run's documents; None for the run's own.
        query_ids: names for the error message; None for indices.

    Raises:
        DataError: a value differs by more than 1e-9; the message names the query, the measure and both values.
    """
    checked = checked_scores(judged.run, scores).astype(np.float64)
    chosen = np.sort(np.random.default_rng(seed).permutation(judged.queries)[:sample])
    for query in chosen.tolist():
        one = _query(judged, checked, query, document_ids)
        for measure, ours in zip(measures, values[:, query].tolist(), strict=True):
            theirs = _reference(one, measure)
            if not abs(ours - theirs) <= _TOLERANCE:
                name = query if query_ids is None else f"'{query_ids[query]}'"
                raise DataError(
                    f"query {name}: {measure} is {ours!r} here and {theirs!r} in trec_eval; the numbers of this run "
                    "cannot be trusted, please report it with the run and the qrels"
                )
    return len(chosen)


def _query(judged: Judged, scores: Floats64, query: int, document_ids: DocumentIds) -> _Query:
    rows = slice(*judged.run.offsets[query : query + 2].tolist())
    first, last = np.searchsorted(judged.qrels.queries, (query, query + 1))
    candidates = document_ids(judged.run.documents[rows].astype(np.int64))
    documents = document_ids(judged.qrels.documents[first:last].astype(np.int64))
    dense = np.unique(scores[rows], return_inverse=True)[1].reshape(-1)
    return _Query(
        dict(zip(candidates, map(float, dense), strict=True)),
        dict(zip(documents, judged.qrels.grades[first:last].tolist(), strict=True)),
    )


def _reference(query: _Query, measure: Measure) -> float:
    """trec_eval's value; 0 where it leaves the query out (no candidates or no judgments)."""
    if not query.run or not query.qrels:
        return 0.0
    name, run = trec_name(measure), query.run
    if measure.name == "RR":
        run = query.first(measure.cutoff)
    found = pytrec_eval.RelevanceEvaluator({"q": query.qrels}, {name}).evaluate({"q": run})
    return float(found["q"][name.replace(".", "_")]) if "q" in found else 0.0


def trec_name(measure: Measure) -> str:
    """The name that pytrec_eval takes. `recip_rank` has no cutoff there: cut the run instead."""
    definition = DEFINITIONS[measure.name]
    cut = measure.cutoff is not None and definition.trec != definition.uncut
    return f"{definition.trec}.{measure.cutoff}" if cut else str(definition.uncut)

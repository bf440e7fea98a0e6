"""Checks during a run: our values against trec_eval's code, or against the reference of a measure that trec_eval lacks,
on a sample of the queries, and our judgments against those of the source, on all queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytrec_eval

from adapters.errors import DataError
from harness.data.as_published import AsPublished
from harness.data.qrels import Qrels
from harness.measuring.chance import Floats64
from harness.measuring.judged import Judged
from harness.measuring.measures import DEFINITIONS, Measure, Reference, Trec
from harness.measuring.ranking import checked_scores

DocumentIds = Callable[[npt.NDArray[np.int64]], list[str]]
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class _Query:
    """One query in the form of pytrec_eval. Scores are dense ranks, because trec_eval rounds scores to float32."""

    run: Mapping[str, float]
    qrels: Mapping[str, int]

    def first(self, cutoff: int | None) -> dict[str, float]:
        """The top of the run in trec_eval's order: by score, then by the bytes of the id, both descending."""
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
    published: AsPublished | None = None,
    sample: int = 25,
    seed: int = 0,
) -> int:
    """Recompute a deterministic sample of queries with pytrec_eval, or with the reference that a measure names, and
    return how many were compared.

    Args:
        values: the values to check, float64 [len(measures), queries].
        document_ids: returns the ids of corpus rows.
        scores: aligned with the run's documents. Default: the run's scores.
        query_ids: names for the error message and for `published`. Default: indices.
        published: the judgments for pytrec_eval. Default: those of `judged`.
        sample: the number of queries.

    Raises:
        DataError: a value differs by more than 1e-9; the message names the query, the measure and both values.
    """
    checked = checked_scores(judged.run, scores).astype(np.float64)
    chosen = np.sort(np.random.default_rng(seed).permutation(judged.queries)[:sample]).tolist()
    names = None if query_ids is None else [query_ids[query] for query in chosen]
    of_source = None if published is None or names is None else published.of(names)
    for place, query in enumerate(chosen):
        qrels = _qrels(judged, query, document_ids) if of_source is None or names is None else of_source[names[place]]
        reference = _Query(_run(judged, checked, query, document_ids), qrels)
        for measure, ours in zip(measures, values[:, query].tolist(), strict=True):
            theirs = _reference(reference, measure)
            if not abs(ours - theirs) <= _TOLERANCE:
                name = query if names is None else f"'{names[place]}'"
                where = "trec_eval" if isinstance(DEFINITIONS[measure.name].check, Trec) else "its reference"
                raise DataError(
                    f"query {name}: {measure} is {ours!r} here and {theirs!r} in {where}; the numbers of this run "
                    "cannot be trusted, please report it with the run and the qrels"
                )
    return len(chosen)


def check_judgments(qrels: Qrels, published: AsPublished, query_ids: Sequence[str]) -> None:
    """Compare the grades of every query with those of the source. This takes milliseconds.

    Raises:
        DataError: a query has other grades than in the source; the message names it.
    """
    queries, grades = qrels.all_queries.astype(np.int64), qrels.all_grades.astype(np.int64)
    order = np.lexsort((grades, queries))
    ours, theirs = (queries[order], grades[order]), published.grades(query_ids)
    if all(np.array_equal(mine, other) for mine, other in zip(ours, theirs, strict=True)):
        return
    for place, name in enumerate(query_ids):
        here, in_source = (of_all[rows == place].tolist() for rows, of_all in (ours, theirs))
        if here != in_source:
            raise DataError(
                f"query '{name}': {_counted(here)} here and {_counted(in_source)} in the source; the numbers of this "
                "run cannot be trusted, please report it with the file of judgments"
            )


def _counted(grades: Sequence[int]) -> str:
    shown = ", ".join(map(str, grades[-10:][::-1])) + (", ..." if len(grades) > 10 else "")
    return f"{len(grades)} judgments" + (f" (grades {shown})" if grades else "")


def _run(judged: Judged, scores: Floats64, query: int, document_ids: DocumentIds) -> dict[str, float]:
    rows = slice(*judged.run.offsets[query : query + 2].tolist())
    dense = np.unique(scores[rows], return_inverse=True)[1].reshape(-1)
    return dict(zip(document_ids(judged.run.documents[rows].astype(np.int64)), map(float, dense), strict=True))


def _qrels(judged: Judged, query: int, document_ids: DocumentIds) -> dict[str, int]:
    qrels, missing = judged.qrels, judged.qrels.missing
    rows = np.flatnonzero(qrels.queries == query)
    of_missing = np.flatnonzero(missing.queries == query)
    grades = dict(zip(document_ids(qrels.documents[rows].astype(np.int64)), qrels.grades[rows].tolist(), strict=True))
    return grades | {missing.ids[row]: int(missing.grades[row]) for row in of_missing.tolist()}


def _reference(query: _Query, measure: Measure) -> float:
    """The value of trec_eval, or of the measure's own reference; 0 for a query without candidates or judgments."""
    if not query.run or not query.qrels:
        return 0.0
    check = DEFINITIONS[measure.name].check
    return _of_trec(query, check, measure.cutoff) if isinstance(check, Trec) else _own(query, check, measure.cutoff)


def _of_trec(query: _Query, check: Trec, cutoff: int | None) -> float:
    """If trec_eval's measure has no cutoff, the run is cut instead."""
    name = trec_name(check, cutoff)
    run = query.first(cutoff if check.cut == check.uncut else None)
    values = pytrec_eval.RelevanceEvaluator({"q": dict(query.qrels)}, {name}).evaluate({"q": run})
    return float(values["q"][name.replace(".", "_")]) if "q" in values else 0.0


def _own(query: _Query, reference: Reference, cutoff: int | None) -> float:
    ranked = [max(query.qrels.get(document, 0), 0) for document in query.first(None)]
    return reference(ranked, [max(grade, 0) for grade in query.qrels.values()], cutoff)


def trec_name(check: Trec, cutoff: int | None) -> str:
    """The name in pytrec_eval of a measure with this cutoff."""
    cut = cutoff is not None and check.cut != check.uncut
    return f"{check.cut}.{cutoff}" if cut else str(check.uncut)

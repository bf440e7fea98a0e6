"""What the harness says, in the peers' terms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytrec_eval

from harness import api
from harness.result.evaluation import Evaluation

MEASURES = ("nDCG@10", "AP@1000", "RR@10", "R@100")
ROUNDING = 5.01e-6
"""The peers round a mean to five digits: half of the last one."""
Results = dict[str, dict[str, float]]


def evaluated(
    target: Path,
    workspace: Path,
    *,
    first_stage: str | Path,
    rerankers: Sequence[str | Path] = (),
    depth: int,
    measures: Sequence[str] = MEASURES,
) -> tuple[Evaluation, ...]:
    """The first stage and every reranker."""
    outcome = api.run(
        str(target),
        first_stage=str(first_stage),
        rerankers=[str(name) for name in rerankers],
        depth=depth,
        measures=measures,
        workspace=workspace,
    )
    return outcome.evaluations


def means(evaluation: Evaluation) -> dict[str, float]:
    """Mean over all queries of the split, by measure."""
    return {
        str(measure): float(row.mean()) for measure, row in zip(evaluation.measures, evaluation.values, strict=True)
    }


def per_query(evaluation: Evaluation, measure: str) -> dict[str, float]:
    """The values of one measure, by query id."""
    row = evaluation.values[[str(one) for one in evaluation.measures].index(measure)]
    return dict(zip(evaluation.collection.queries.ids(), row.tolist(), strict=True))


def results(evaluation: Evaluation) -> Results:
    """The run as the peers take it; a query without candidates has an empty dict."""
    run, collection = evaluation.run, evaluation.collection
    documents = collection.corpus.ids(run.documents)
    found: Results = {query: {} for query in collection.queries.ids()}
    names = list(found)
    for query, document, score in zip(run.queries.tolist(), documents, run.scores.tolist(), strict=True):
        found[names[query]][document] = score
    return found


def largest_difference(evaluation: Evaluation, qrels: dict[str, dict[str, int]]) -> float:
    """Over all queries and measures, to pytrec_eval's own values; RR@10 is the reciprocal rank within the first 10."""
    names = {"nDCG@10": "ndcg_cut_10", "AP@1000": "map_cut_1000", "RR@10": "recip_rank", "R@100": "recall_100"}
    wanted = {"ndcg_cut.10", "map_cut.1000", "recall.100", "recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate(results(evaluation))
    differences = [0.0]
    for measure in map(str, evaluation.measures):
        for query, value in per_query(evaluation, measure).items():
            reference = theirs[query][names[measure]]
            within = measure != "RR@10" or reference >= 0.1
            differences.append(abs(value - (reference if within else 0.0)))
    return float(np.max(differences))

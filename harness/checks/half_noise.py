"""Measures the noise floor of systems in half precision: some pairs are scored again in other batches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import combinations

import numpy as np

from adapters.errors import UsageError
from adapters.precision import HALVES, dtype_in
from adapters.protocols import Floats, Integers, Reranker
from harness.checks.shift import Shift, shift
from harness.checks.trials import alone, request_of, shuffled
from harness.data.runs import Run, cut
from harness.measuring.half_noise import HalfNoise
from harness.measuring.judged import Judged
from harness.result.evaluation import Evaluation
from harness.result.store import Results
from harness.scoring.ground import CandidatePool, part_of

PAIRS, BEST = 512, 20
"""At most this number of pairs is scored again: the best candidates of some queries."""


def with_noise(evaluation: Evaluation, results: Results) -> Evaluation:
    """Return the evaluation with its noise floor, if its system computes in half precision. A stored floor is used if
    it has all measures."""
    content = evaluation.made_of.content
    if dtype_in({"system": content["reranker"] or content["retriever"]}) not in HALVES:
        return evaluation
    known, wanted = _stored(evaluation, results), {str(one) for one in evaluation.measures}
    if known is None or not wanted <= known.effects.keys():
        again = evaluation.system.uncached(evaluation.collection)
        known = None if again is None else half_noise(evaluation.ground, evaluation.run, again)
    return replace(evaluation, audit=replace(evaluation.audit, noise=known))


def half_noise(ground: CandidatePool, run: Run, reranker: Callable[[], Reranker]) -> HalfNoise | None:
    """Score the best candidates of a fixed random sample of queries one by one and shuffled, and compare with the run.

    Args:
        run: the scored candidates.
        reranker: gives the adapter without vectors that it made before, once for each way.

    Returns:
        The noise floor; None if no query has candidates.
    """
    part = best_of(ground, run)
    if part is None:
        return None
    request = request_of(part)
    plans = [part.candidates.scores, *(way(reranker(), request) for way in (alone, shuffled))]
    moved = [shift([part], [one], [other]) for one, other in combinations(plans, 2)]
    return _joined(part, plans, moved)


def best_of(ground: CandidatePool, run: Run) -> CandidatePool | None:
    """Return the best candidates of some queries, with the scores of the run; None if no query has candidates."""
    rows = _sample(np.diff(run.offsets))
    if not len(rows):
        return None
    part = part_of(replace(ground, candidates=run), rows)
    best = cut(part.candidates, BEST)
    queries = len(part.collection.queries)
    return replace(part, candidates=best, judged=Judged(best, part.collection.qrels, queries))


def _sample(lengths: Integers) -> Integers:
    """The rows of the queries, ascending."""
    order = np.random.default_rng(0).permutation(np.flatnonzero(lengths))
    ends = np.cumsum(np.minimum(lengths[order], BEST))
    taken = max(1, int((ends <= PAIRS).sum()))
    return np.sort(order[:taken]).astype(np.int64)


def _joined(part: CandidatePool, plans: list[Floats], moved: list[Shift]) -> HalfNoise:
    means = np.stack([part.judged.values(part.measures, scores).mean(axis=1) for scores in plans])
    effects = zip(part.measures, np.ptp(means, axis=0).tolist(), strict=True)
    return HalfNoise(
        queries=moved[0].queries,
        pairs=moved[0].pairs,
        largest=max(one.largest for one in moved),
        typical=max(one.mean for one in moved),
        turned=max(one.turned for one in moved),
        effects={str(measure): effect for measure, effect in effects},
    )


def _stored(evaluation: Evaluation, results: Results) -> HalfNoise | None:
    with suppress(UsageError):  # it is not in the store
        return results.find(evaluation.id).audit.noise
    return None

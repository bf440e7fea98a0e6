"""What a number rests on: ties, truncation, duplicates and holes of one scored run. Costs no model call."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

import numpy as np
import numpy.typing as npt

from harness.collection import Collection
from harness.ground import Ground
from harness.ledger.store import Entries
from harness.runs import Run
from harness.system import Scores

TIE_ALARM = 0.001
"""A tenth of a point: above it the order of ties decides more than most comparisons do."""


@dataclass(frozen=True)
class Tokens:
    """What reached the model. Counts are of candidates."""

    truncated: int
    """Documents that lost a token or more."""
    truncated_half: int
    """Documents that lost half of their tokens or more."""
    truncated_away: int
    """Documents of which no token was left."""
    identical_inputs: int | None
    """Candidates with a text of their own, but the same tokens after truncation as another candidate of the query."""


@dataclass(frozen=True)
class Audit:
    """Counts are of candidates unless a name says otherwise."""

    queries: int
    queries_without_candidates: int
    candidates: int
    judged_at_10: float
    """Share of the top 10 that is judged, mean over queries."""
    ties: dict[str, tuple[float, float]]
    """The worst and the best value over all orders of equal scores, per measure, mean over queries."""
    constant_queries: int
    """Queries with two candidates or more that all got one score."""
    duplicate_texts: int
    """Candidates whose text another candidate of the same query has."""
    membership_kept: bool
    tokens: Tokens | None
    """None where the system has no tokens."""
    alarms: tuple[str, ...] = field(default=())

    @property
    def tie_span(self) -> dict[str, float]:
        """Best minus worst, per measure."""
        return {measure: best - worst for measure, (worst, best) in self.ties.items()}

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def audit(ground: Ground, scores: Scores) -> Audit:
    """Audit one scored run against the candidates that it was made of."""
    run, judged, measures = scores.run, ground.judged, ground.measures
    worst, best = judged.bounds(measures, run.scores)
    ties = zip(measures, worst.mean(axis=1).tolist(), best.mean(axis=1).tolist(), strict=True)
    texts = _text_codes(ground.collection, run)
    found = Audit(
        queries=judged.queries,
        queries_without_candidates=int((np.diff(run.offsets) == 0).sum()),
        candidates=len(run),
        judged_at_10=float(np.mean(judged.judged_at(10, run.scores))),
        ties={str(measure): (low, high) for measure, low, high in ties},
        constant_queries=_constant(run),
        duplicate_texts=_repeated(run.queries, texts),
        membership_kept=run.candidates == ground.candidates.candidates,
        tokens=_tokens(run, texts, scores.entries),
    )
    ordered = not scores.identity.get("given")  # given lists are one tie by design
    return replace(found, alarms=tuple(_alarms(found, reranked=scores.entries is not None)) if ordered else ())


def _tokens(run: Run, texts: npt.NDArray[np.int64], entries: Entries | None) -> Tokens | None:
    if entries is None or (entries.tokens < 0).all():
        return None
    filled = entries.tokens > 0
    lost = np.where(filled, entries.tokens - entries.kept, 0)
    return Tokens(
        truncated=int((lost > 0).sum()),
        truncated_half=int((filled & (lost * 2 >= entries.tokens)).sum()),
        truncated_away=int((filled & (entries.kept == 0)).sum()),
        identical_inputs=_same_input(run, texts, entries.input),
    )


def _text_codes(collection: Collection, run: Run) -> npt.NDArray[np.int64]:
    unique, inverse = np.unique(run.documents, return_inverse=True)
    words = np.ascontiguousarray(collection.corpus.digests[unique])
    _, same = np.unique(words.view("V16").ravel(), return_inverse=True)
    return np.asarray(same[inverse], np.int64)


def _repeated(queries: npt.NDArray[np.int64], codes: npt.NDArray[np.integer]) -> int:
    _, counts = np.unique(np.stack([queries, codes.astype(np.int64)]), axis=1, return_counts=True)
    return int(counts[counts > 1].sum())


def _same_input(run: Run, texts: npt.NDArray[np.int64], inputs: npt.NDArray[np.uint64]) -> int | None:
    if (inputs == 0).all():
        return None
    distinct = np.unique(np.stack([run.queries, texts, inputs.view(np.int64)]), axis=1)
    return _repeated(distinct[0], distinct[2])


def _constant(run: Run) -> int:
    filled = np.diff(run.offsets) > 1
    if not len(run):
        return 0
    starts = run.offsets[:-1][np.diff(run.offsets) > 0]
    flat = np.zeros(len(filled), bool)
    flat[np.diff(run.offsets) > 0] = np.minimum.reduceat(run.scores, starts) == np.maximum.reduceat(run.scores, starts)
    return int((flat & filled).sum())


def _alarms(found: Audit, *, reranked: bool) -> list[str]:
    alarms = [
        f"the order of equal scores moves {name} by {100 * span:.2f} points"
        for name, span in found.tie_span.items()
        if span > TIE_ALARM
    ]
    if reranked and found.constant_queries:
        alarms.append(f"every candidate got the same score for {found.constant_queries} of {found.queries} queries")
    if found.tokens and found.tokens.truncated_away:
        alarms.append(f"{found.tokens.truncated_away} documents were truncated away whole: the model never saw them")
    if found.tokens and found.tokens.identical_inputs:
        alarms.append(f"{found.tokens.identical_inputs} candidates with different texts became the same input")
    if not found.membership_kept:
        alarms.append("the reranker changed which documents are candidates")
    return alarms

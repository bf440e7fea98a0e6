"""The audit of a scored run: ties, truncation, duplicates and unjudged candidates. It calls no model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import numpy.typing as npt

from harness.data.runs import Run
from harness.measuring.alarms.alarm import Alarm, counted
from harness.measuring.alarms.texts import Codes, repeated
from harness.measuring.half_noise import HalfNoise
from harness.scoring.alarms.registered import Role
from harness.scoring.alarms.scores import SystemScores, score_alarms
from harness.scoring.ground import CandidatePool
from harness.scoring.ledger.store import Entries
from harness.scoring.system import Scores


@dataclass(frozen=True)
class TokenAudit:
    """The tokens that reached the model. Counts are numbers of candidates."""

    truncated: int
    """Documents that lost at least one token."""
    truncated_half: int
    """Documents that lost at least half of their tokens."""
    truncated_away: int
    """Documents that lost all tokens."""
    identical_inputs: int | None
    """Candidates with the same tokens after truncation as another candidate of the query, but a different text. None if
    the inputs are not known."""


@dataclass(frozen=True)
class Audit:
    """The audit of a scored run. Counts are numbers of candidates unless the name says otherwise."""

    queries: int
    queries_without_candidates: int
    candidates: int
    judged_at_10: float
    """The judged share of the top 10, mean over queries."""
    ties: dict[str, tuple[float, float]]
    """By measure, the worst and the best value over all orders of equal scores, mean over queries."""
    constant_queries: int
    """Queries with at least two different candidates that all got the same score."""
    distinct_scores: float
    """Number of different scores / number of different texts, mean over queries; 1 if no two texts are tied."""
    tied: int
    """Candidates with the same score as another candidate of the query with a different text."""
    duplicate_texts: int
    """Candidates with the same text as another candidate of the query."""
    membership_kept: bool
    """Whether the reranker kept the candidates."""
    tokens: TokenAudit | None
    """None if the system has no tokens."""
    noise: HalfNoise | None = None
    """The noise floor of half precision; None in float32, and for systems without a number format."""
    alarms: tuple[Alarm, ...] = field(default=())

    @property
    def tie_span(self) -> dict[str, float]:
        """Best minus worst value, by measure."""
        return {measure: best - worst for measure, (worst, best) in self.ties.items()}

    def as_dict(self) -> dict[str, object]:
        """For JSON. The noise floor is left out where there is none."""
        found = asdict(self) | {"alarms": [alarm.as_dict() for alarm in self.alarms]}
        return found if self.noise else {key: value for key, value in found.items() if key != "noise"}


def audit(ground: CandidatePool, scores: Scores) -> Audit:
    """Audit a scored run and compare it with the candidates."""
    run, judged, measures = scores.run, ground.judged, ground.measures
    worst, best = judged.bounds(measures, run.scores)
    ties = zip(measures, worst.mean(axis=1).tolist(), best.mean(axis=1).tolist(), strict=True)
    scored = SystemScores(ground, run, _role(ground, scores), from_file="run-file" in scores.identity)
    result = Audit(
        queries=judged.queries,
        queries_without_candidates=int((np.diff(run.offsets) == 0).sum()),
        candidates=len(run),
        judged_at_10=float(np.mean(judged.judged_at(10, run.scores))),
        ties={str(measure): (low, high) for measure, low, high in ties},
        constant_queries=int(scored.constant.sum()),
        distinct_scores=scored.distinct_share,
        tied=int(scored.tied.sum()),
        duplicate_texts=int(repeated(run.queries, scored.texts).sum()),
        membership_kept=run.candidates == ground.candidates.candidates,
        tokens=_tokens(run, scored.texts, scores.entries),
    )
    ordered = not scores.identity.get("given")  # in given lists all candidates are tied by design
    return replace(result, alarms=(*score_alarms(scored), *_alarms(result)) if ordered else ())


def _role(ground: CandidatePool, scores: Scores) -> Role:
    if scores.run is ground.candidates:
        return "first stage"
    return "control" if "control" in scores.identity else "reranker"


def _tokens(run: Run, texts: Codes, entries: Entries | None) -> TokenAudit | None:
    if entries is None or (entries.tokens < 0).all():
        return None
    filled = entries.tokens > 0
    lost = np.where(filled, entries.tokens - entries.kept, 0)
    return TokenAudit(
        truncated=int((lost > 0).sum()),
        truncated_half=int((filled & (lost * 2 >= entries.tokens)).sum()),
        truncated_away=int((filled & (entries.kept == 0)).sum()),
        identical_inputs=_same_input(run, texts, entries.input),
    )


def _same_input(run: Run, texts: Codes, inputs: npt.NDArray[np.uint64]) -> int | None:
    if (inputs == 0).all():
        return None
    different = ~_copies(run.queries, texts, inputs)
    return int(repeated(run.queries[different], inputs[different].view(np.int64)).sum())


def _copies(queries: Codes, texts: Codes, inputs: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Rows with the same text and input as an earlier row of the query, so that they are the same document."""
    order = np.lexsort((inputs, texts, queries))
    same = np.zeros(len(order), bool)
    same[order[1:]] = np.all([column[order[1:]] == column[order[:-1]] for column in (queries, texts, inputs)], axis=0)
    return same


def _alarms(result: Audit) -> Iterator[Alarm]:
    if result.tokens:
        away, same = result.tokens.truncated_away, result.tokens.identical_inputs or 0
        message = f"{away} documents were truncated away whole: the model never saw them"
        yield from counted("truncated-away", away, result.candidates, message)
        message = f"{same} candidates with different texts became the same input"
        yield from counted("identical-inputs", same, result.candidates, message)
    if not result.membership_kept:
        yield Alarm("changed-membership", "the reranker changed which documents are candidates")

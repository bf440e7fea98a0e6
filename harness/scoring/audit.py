"""What a number rests on: ties, truncation, duplicates and holes of one scored run. Costs no model call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import numpy.typing as npt

from harness.data.runs import Run
from harness.measuring.alarms.alarm import Alarm, counted
from harness.measuring.alarms.texts import Codes, repeated
from harness.scoring.alarms.scores import Role, SystemScores, score_alarms
from harness.scoring.ground import CandidatePool
from harness.scoring.ledger.store import Entries
from harness.scoring.system import Scores


@dataclass(frozen=True)
class TokenAudit:
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
    """Queries with two different candidates or more that all got one score."""
    distinct_scores: float
    """Different scores for each different text, mean over queries; 1 where no two texts are tied."""
    tied: int
    """Candidates whose score another candidate of the query, with another text, has too."""
    duplicate_texts: int
    """Candidates whose text another candidate of the same query has."""
    membership_kept: bool
    tokens: TokenAudit | None
    """None where the system has no tokens."""
    alarms: tuple[Alarm, ...] = field(default=())

    @property
    def tie_span(self) -> dict[str, float]:
        """Best minus worst, per measure."""
        return {measure: best - worst for measure, (worst, best) in self.ties.items()}

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self) | {"alarms": [alarm.as_dict() for alarm in self.alarms]}


def audit(ground: CandidatePool, scores: Scores) -> Audit:
    """Audit one scored run against the candidates that it was made of."""
    run, judged, measures = scores.run, ground.judged, ground.measures
    worst, best = judged.bounds(measures, run.scores)
    ties = zip(measures, worst.mean(axis=1).tolist(), best.mean(axis=1).tolist(), strict=True)
    scored = SystemScores(ground, run, _role(ground, scores))
    found = Audit(
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
    ordered = not scores.identity.get("given")  # given lists are one tie by design
    return replace(found, alarms=(*score_alarms(scored), *_alarms(found)) if ordered else ())


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
    own = ~_seconds(run.queries, texts, inputs)
    return int(repeated(run.queries[own], inputs[own].view(np.int64)).sum())


def _seconds(queries: Codes, texts: Codes, inputs: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Rows whose text and input an earlier row of the query has: they are no other document."""
    order = np.lexsort((inputs, texts, queries))
    same = np.zeros(len(order), bool)
    same[order[1:]] = np.all([column[order[1:]] == column[order[:-1]] for column in (queries, texts, inputs)], axis=0)
    return same


def _alarms(found: Audit) -> Iterator[Alarm]:
    if found.tokens:
        away, same = found.tokens.truncated_away, found.tokens.identical_inputs or 0
        told = f"{away} documents were truncated away whole: the model never saw them"
        yield from counted("truncated-away", away, found.candidates, told)
        told = f"{same} candidates with different texts became the same input"
        yield from counted("identical-inputs", same, found.candidates, told)
    if not found.membership_kept:
        yield Alarm("changed-membership", "the reranker changed which documents are candidates")

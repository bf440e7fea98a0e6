"""Alarms about the scores of a system: ties, half precision, the unchanged order of the first stage, a swapped sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from harness.data.runs import Run
from harness.measuring.alarms.alarm import Alarm, counted
from harness.measuring.alarms.catalogue import Hazard
from harness.measuring.alarms.certainty import sure
from harness.measuring.alarms.half_precision import half_precision
from harness.measuring.alarms.texts import Codes, distinct, text_codes
from harness.measuring.ranking import ranks
from harness.scoring.alarms.holes import unjudged
from harness.scoring.alarms.registered import OF_SCORES, Role, alarm_of_scores

if TYPE_CHECKING:
    from harness.scoring.ground import CandidatePool

Flags = npt.NDArray[np.bool_]

TIE_ALARM = 0.001
"""A tenth of a point: above this the order of ties decides more than most comparisons."""
_ENOUGH_QUERIES = 20
_ENOUGH_CANDIDATES = 5
"""The probability that five candidates have a given order by chance is 1/120."""
_SATURATED = 0.05
_UNCHANGED = 0.95
_SAME_SCORES = 1e-4
"""As a share of the spread of the first stage's scores."""
_ROUNDING = 1e-6
"""As a share of the scores' size: eight float32 steps."""
_NOTABLE = 0.01


@dataclass(frozen=True)
class SystemScores:
    """The scores of one system, with facts that several alarms need."""

    ground: CandidatePool
    run: Run
    role: Role
    from_file: bool = False
    """Whether a file has the scores. A model reads texts and does not know the scores of the first stage."""

    @cached_property
    def texts(self) -> Codes:
        """A number for every row; equal texts have equal numbers."""
        return text_codes(self.ground.collection, self.run)

    @cached_property
    def constant(self) -> Flags:
        """Queries with at least two different texts that all got the same score, bool [queries]."""
        low, high = self.range
        different = distinct(self.run.queries, self.texts, len(low)) > 1
        return np.asarray(different & (low == high))

    @cached_property
    def range(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The lowest and the highest score of every query; 0 for a query without candidates."""
        filled = np.diff(self.run.offsets) > 0
        low, high = np.zeros(len(filled), np.float32), np.zeros(len(filled), np.float32)
        if len(self.run):
            starts = self.run.offsets[:-1][filled]
            low[filled] = np.minimum.reduceat(self.run.scores, starts)
            high[filled] = np.maximum.reduceat(self.run.scores, starts)
        return low, high

    @cached_property
    def tied(self) -> Flags:
        """Rows with the same score as a row of the same query with another text."""
        order, score, text = self._groups
        members = np.bincount(np.cumsum(score) - 1, weights=text) if len(order) else np.empty(0)
        found = np.empty(len(order), bool)
        found[order] = (members > 1)[np.cumsum(score) - 1]
        return found

    @property
    def without_twins(self) -> npt.NDArray[np.float32]:
        """Scores that are different for different texts, so that only equal texts are tied."""
        order, _, text = self._groups
        step = np.cumsum(text) - 1
        scores = np.empty(len(order), np.float32)
        scores[order] = step - step[self.run.offsets[:-1].repeat(np.diff(self.run.offsets))]
        return scores

    @property
    def distinct_share(self) -> float:
        """Number of different scores / number of different texts, mean over the queries with candidates."""
        order, score, text = self._groups
        queries, filled = self.run.queries[order], np.diff(self.run.offsets) > 0
        size = len(filled)
        scores, texts = (np.bincount(queries, weights=new, minlength=size)[filled] for new in (score, text))
        return float(np.mean(scores / texts)) if filled.any() else 1.0

    @cached_property
    def _groups(self) -> tuple[npt.NDArray[np.int64], Flags, Flags]:
        """Rows by query, score and text, and flags of the rows where a new score and a new text begin."""
        run = self.run
        order = np.lexsort((self.texts, run.scores, run.queries))
        queries, scores, texts = run.queries[order], run.scores[order], self.texts[order]
        score, text = np.ones(len(order), bool), np.ones(len(order), bool)
        score[1:] = (np.diff(queries) != 0) | (np.diff(scores) != 0)
        text[1:] = score[1:] | (np.diff(texts) != 0)
        return order, score, text


def score_alarms(scored: SystemScores) -> Iterator[Alarm]:
    """Yield the alarms about the scores of a system. Controls are unusual on purpose, so only their ties are
    reported."""
    for detector in OF_SCORES.values():
        if scored.role in detector.roles:
            yield from detector.alarms(scored)


@alarm_of_scores(
    Hazard("tied-order", "the order of equal scores decides more than a tenth of a point", hard=True),
    roles=("first stage", "control", "reranker"),
)
def _tied_order(scored: SystemScores) -> Iterator[Alarm]:
    """No system can distinguish equal texts, so the effect of their order is not the system's fault."""
    judged, measures = scored.ground.judged, scored.ground.measures
    worst, best = judged.bounds(measures, scored.run.scores)
    span = (best - worst).mean(axis=1)
    if not (span > TIE_ALARM).any():
        return
    low, high = judged.bounds(measures, scored.without_twins)
    for measure, whole, twins in zip(measures, span, (high - low).mean(axis=1), strict=True):
        if whole - twins > TIE_ALARM:
            message = f"the order of equal scores moves {measure} by {100 * whole:.2f} points"
            yield Alarm("tied-order", message, str(measure))


@alarm_of_scores(
    Hazard("worse-than-chance", "the order is worse than a random one, and the reversed order is better", hard=True),
    roles=("first stage", "reranker"),
)
def _worse_than_chance(scored: SystemScores) -> Iterator[Alarm]:
    ground, measures = scored.ground, scored.ground.measures
    values, reverse = (ground.judged.values(measures, sign * scored.run.scores) for sign in (1, -1))
    movable = ground.controls["oracle"] > ground.controls["anti-oracle"]
    for row, measure in enumerate(measures):
        queries = movable[row]
        gained = (reverse[row] - values[row])[queries]
        below = (ground.controls["chance"][row] - values[row])[queries]
        luck = (ground.controls["random"][row] - ground.controls["chance"][row])[queries]
        enough = len(gained) >= _ENOUGH_QUERIES and gained.mean() > _NOTABLE
        if enough and sure(gained, luck) and sure(below, luck):
            yield Alarm(
                "worse-than-chance",
                f"{measure} is {100 * values[row].mean():.2f}, a random order expects "
                f"{100 * ground.controls['chance'][row].mean():.2f} and the reversed order gets "
                f"{100 * reverse[row].mean():.2f}: a swapped sign or label?",
                str(measure),
            )


@alarm_of_scores(
    Hazard("constant-scores", "all candidates of a query got the same score, so there is no ranking", hard=True),
    Hazard("few-constant-scores", "the same for at most one query in a hundred"),
    Hazard(
        "rounding-noise", "scores so close together that their order is rounding: a head without training", hard=True
    ),
)
def _constant(scored: SystemScores) -> Iterator[Alarm]:
    constant, queries = int(scored.constant.sum()), scored.ground.judged.queries
    message = f"every candidate got the same score for {constant} of {queries} queries"
    yield from counted("constant-scores", constant, queries, message)
    low, high = scored.range
    near = (high > low) & (high - low <= _ROUNDING * np.maximum(abs(low), abs(high)))
    near &= np.diff(scored.run.offsets) >= _ENOUGH_CANDIDATES
    if near.sum() > queries / 2:
        message = f"the scores of {int(near.sum())} of {queries} queries differ by less than a millionth"
        yield Alarm("rounding-noise", f"{message}: their order is rounding")


@alarm_of_scores(
    Hazard("saturated-scores", "the best score is shared by several candidates: a sigmoid that rounds to 1")
)
def _saturated(scored: SystemScores) -> Iterator[Alarm]:
    _, high = scored.range
    top = scored.tied & (scored.run.scores == high[scored.run.queries])
    shared = np.bincount(scored.run.queries[top], minlength=len(high)) > 0
    shared &= ~scored.constant
    if shared.sum() <= _SATURATED * len(high):
        return
    scores = scored.run.scores
    sigmoid = scores.min() >= 0 and scores.max() <= 1
    hint = "; they lie between 0 and 1, so rank by the logits, not by a sigmoid of them" if sigmoid else ""
    message = f"several candidates share the best score in {int(shared.sum())} of {len(high)} queries{hint}"
    yield Alarm("saturated-scores", message)


@alarm_of_scores(Hazard("low-precision", "all scores are numbers of half precision, which made ties"))
def _half_precision(scored: SystemScores) -> Iterator[Alarm]:
    yield from half_precision(scored.run.scores, int(scored.tied.sum()))


@alarm_of_scores(
    Hazard("unchanged-order", "the reranker returns the order of the first stage: its head is not used", hard=True)
)
def _unchanged(scored: SystemScores) -> Iterator[Alarm]:
    """A first stage whose candidates are all tied has no order, so its queries do not count. A model that computes the
    scores of the first stage, such as BM25 on candidates of BM25, has to return its order."""
    before = SystemScores(scored.ground, scored.ground.candidates, "first stage")
    low, high = before.range
    counts = np.diff(scored.run.offsets)
    telling = (counts >= _ENOUGH_CANDIDATES) & (high > low)
    other = ranks(scored.run) != ranks(before.run)
    same = telling & (np.bincount(scored.run.queries[other], minlength=len(counts)) == 0)
    if telling.sum() >= 3 and same.sum() >= _UNCHANGED * telling.sum():
        message = f"the order of the first stage came back for {int(same.sum())} of {int(telling.sum())} queries"
        if not _same_scores(scored.run, before.run):
            yield Alarm("unchanged-order", f"{message}: is the score head loaded?")
        elif scored.from_file:
            yield Alarm("unchanged-order", f"{message}, with its scores: is it the same run?")


def _same_scores(run: Run, before: Run) -> bool:
    """Whether the scores of two runs of the same candidates are equal up to what batches change."""
    spread = float(np.ptp(before.scores))
    return bool(np.abs(run.scores.astype(np.float64) - before.scores).max(initial=0) <= _SAME_SCORES * spread)


@alarm_of_scores(Hazard("unjudged", "the reranker moves up documents without a judgment: its value is a lower bound"))
def _unjudged(scored: SystemScores) -> Iterator[Alarm]:
    yield from unjudged(scored.ground, scored.run)

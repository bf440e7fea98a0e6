"""`harness check --dtype`: whether a model in half precision is the same model as in float32, by a test of equivalence.

A sample in which nothing changed proves little: a change that one question in a thousand has is often not in it. So a
few questions are never enough to say yes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from adapters.errors import UsageError
from adapters.precision import WHOLE
from adapters.precision_probe import resolve
from adapters.spec import with_option
from harness.checks.invariance import InvarianceFinding
from harness.checks.shift import Verdict
from harness.data.collection import Collection
from harness.measuring.measures import parse
from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Design, Floats64
from harness.measuring.statistics.equivalence import tost
from harness.measuring.statistics.error import standard_error
from harness.measuring.votes import shares
from harness.numbers import points, rounded_up, signed, signed_interval
from harness.scoring.ground import prepare
from harness.scoring.precision import OPTION, takes_dtype
from harness.scoring.session import Session
from harness.scoring.system import System, systems

Answer = Literal["the same", "not shown", "not the same"]
MARGIN = 0.001
"""The largest difference of nDCG@10 that is still the same model, a fraction: 0.1 points."""
LEAST = 1190
"""With fewer questions the answer is never yes. If no question of this number changed, fewer than 0.25 % do (95 %), and
even if these move by 30 points the average moves by less than 0.1."""
TRIAL = "same model"
_ALPHA, _POWER = 0.05, 0.8
_MEASURE = parse("nDCG@10")
_SHOWN: dict[Answer, str] = {
    "the same": "the same model", "not shown": "not shown to be the same model", "not the same": "not the same model",
}  # fmt: skip
_VERDICTS: dict[Answer, Verdict] = {"the same": "OK", "not shown": "suspicious", "not the same": "broken"}


@dataclass(frozen=True)
class Sameness:
    """Half precision minus float32. Differences are fractions of nDCG@10."""

    dtype: str
    difference: float
    interval: tuple[float, float]
    """90 %, as two one-sided tests at 5 % have it."""
    p: float
    questions: int
    needed: int
    """The number of questions that would probably show it, if the model is the same."""

    @property
    def answer(self) -> Answer:
        """What is shown."""
        low, high = self.interval
        if low > MARGIN or high < -MARGIN:
            return "not the same"
        return "the same" if self.p < _ALPHA and self.questions >= LEAST else "not shown"

    def __str__(self) -> str:
        more = f"; name a target with about {self.needed:,} questions" if self.answer == "not shown" else ""
        return (
            f"{self.dtype} is {_SHOWN[self.answer]} within {points(MARGIN, 1)} points "
            f"of float32: nDCG@10 {signed(self.difference, 3)}, 90 % interval {signed_interval(self.interval, 3)}, "
            f"{self.questions:,} questions{more}"
        )


def same_model(  # noqa: PLR0917
    spec: str, dtype: str, collections: Sequence[Collection], first_stage: str, depth: int, session: Session
) -> InvarianceFinding:
    """Score all candidates in float32 and in half precision, and test whether nDCG@10 is the same. Pairs in the ledger
    cost nothing.

    Args:
        dtype: `float16`, `bfloat16`, or `auto` for what is fastest here.
    """
    if dtype == "auto":
        choice = resolve(spec, session.workspace.cache)
        if choice.dtype == WHOLE:
            return InvarianceFinding(TRIAL, "OK", note=f"auto is {choice}")
        dtype = choice.dtype
    half = with_option(spec, OPTION, dtype)
    _, *both = systems(first_stage, [spec, half], depth, session.workspace)
    whole, other = (_values(system, collections, session) for system in both)
    deltas = [after - before for before, after in zip(whole, other, strict=True)]
    found = sameness(dtype, _design(collections), deltas)
    return InvarianceFinding(
        TRIAL, _VERDICTS[found.answer], note=f"{dtype}: {found.answer}", detail=f"{spec} in {found}"
    )


def refuse_format(spec: str, dtype: str) -> None:
    """Refuse a number format for a model that has no option for it, or whose spec sets it.

    Raises:
        UsageError: it has none, or sets it.
    """
    if not takes_dtype(spec, "reranker"):
        raise UsageError(
            f"'{spec}' sets its number format, or has none; --dtype {dtype} compares a model without ?dtype= in "
            "float32 and in that format"
        )


def sameness(dtype: str, design: Design, deltas: Sequence[Floats64]) -> Sameness:
    """Test whether the average of the differences is within the margin.

    Args:
        deltas: float64 [queries] for each collection, fractions.
    """
    tested = tost(design, deltas, margin=MARGIN, alpha=_ALPHA)
    needed = _needed(standard_error(design, deltas), design.questions)
    return Sameness(dtype, design.mean(deltas), tested.interval, tested.p, design.questions, needed)


def _needed(se: float, questions: int) -> int:
    """The questions with which two one-sided tests show a difference of zero with a probability of 80 %."""
    if math.isnan(se):
        return LEAST
    reach = NormalDist().inv_cdf(1 - _ALPHA) + NormalDist().inv_cdf((1 + _POWER) / 2)
    return max(LEAST, rounded_up(math.ceil(questions * (reach * se / MARGIN) ** 2)))


def _design(collections: Sequence[Collection]) -> Design:
    return Design(tuple(map(questions_of, collections)), shares([one.group for one in collections]))


def _values(system: System, collections: Sequence[Collection], session: Session) -> list[Floats64]:
    """Return nDCG@10 of every query, float64 [queries] for each collection."""
    values = []
    for collection in collections:
        ground = prepare(collection, system.first_stage, system.depth, [str(_MEASURE)], session)
        scores = system.score(ground, session)
        values.append(np.asarray(ground.judged.values([_MEASURE], scores.run.scores)[0], np.float64))
    return values

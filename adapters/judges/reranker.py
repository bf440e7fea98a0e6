"""Any reranker as a judge: a claim is the query, a premise the document, and a threshold says what is support."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from adapters.errors import ModelError, UsageError
from adapters.identity import digest
from adapters.judges.calibration import JudgeCalibration, read_calibration
from adapters.judges.streamed import ScoreJudge, sigmoid
from adapters.protocols import Bindable, Floats, Identity, Reranker
from adapters.spec import Spec, identity_of, inner_of, open_reranker

_OWN = ("threshold", "calibration", "answer")
_ANSWERS = ("decision", "probability")


class RerankerJudge(ScoreJudge):
    """Scores from the threshold on are 1, others 0; or the probability of a fitted logistic function.

    Args:
        scorer: the reranker.
        threshold: on its raw scores.
        logistic: slope and intercept; None gives decisions.
    """

    kind = "reranker/1"

    def __init__(self, scorer: Reranker, threshold: float, logistic: tuple[float, float] | None = None) -> None:
        super().__init__(scorer)
        self.threshold, self.logistic = threshold, logistic
        self.grades = (0.0, 1.0) if logistic is None else None

    @property
    def identity(self) -> Identity:
        """The reranker's identity with the threshold or the function."""
        made: dict[str, object] = (
            {"threshold": self.threshold} if self.logistic is None else {"logistic": list(self.logistic)}
        )
        return {**super().identity, **made}

    def values(self, scores: Floats) -> Floats:
        """Values in [0, 1], float32. A score that is not finite stays so and is refused later."""
        if self.logistic is None:
            decided = (scores.astype(np.float64) >= self.threshold).astype(np.float32)
            return np.where(np.isfinite(scores), decided, np.float32(np.nan))
        slope, intercept = self.logistic
        return sigmoid((slope * scores.astype(np.float64) + intercept).astype(np.float64))


def open_judge(spec: Spec) -> RerankerJudge:
    """Open `reranker:SPEC?threshold=T` or `reranker:SPEC?calibration=FILE`; other options are those of the reranker.

    `answer=decision` (the default) gives 0 or 1. `answer=probability` needs a calibration file.

    Raises:
        UsageError: there is no threshold, it is not a number, or the file belongs to another reranker.
        DataError: the calibration file cannot be read.
    """
    scorer = open_scorer(spec)
    own = {name: value for name, value in spec.options.items() if name in _OWN}
    answer = own.get("answer", "decision")
    if answer not in _ANSWERS:
        raise UsageError(f"'{spec.text}': answer={answer} is not possible; write {' or '.join(_ANSWERS)}")
    if ("threshold" in own) == ("calibration" in own):
        raise UsageError(
            f"'{spec.text}' needs ?threshold=T or ?calibration=FILE, one of the two; fit it on labels of people with: "
            f"harness judge calibrate LABELLED --judge {inner_of(spec, _OWN, 'reranker:')} --out DIR"
        )
    if "threshold" in own:
        if answer == "probability":
            raise UsageError(f"'{spec.text}': answer=probability needs ?calibration=FILE, not a threshold")
        return RerankerJudge(scorer, _number(spec, own["threshold"]))
    fitted = _calibration(spec, Path(own["calibration"]), scorer)
    return RerankerJudge(
        scorer, fitted.threshold, (fitted.slope, fitted.intercept) if answer == "probability" else None
    )


open_judge.takes_spec = True  # type: ignore[attr-defined]


def open_scorer(spec: Spec) -> Reranker:
    """Open the reranker in a spec `reranker:SPEC`, without a threshold.

    Raises:
        UsageError: no reranker is named, or its scores depend on a collection.
    """
    inner = inner_of(spec, _OWN)
    if not spec.model:
        raise UsageError(
            f"'{spec.text}' names no reranker; write for instance reranker:BAAI/bge-reranker-v2-m3?threshold=0"
        )
    scorer = open_reranker(inner)
    try:
        identity_of(scorer)
    except ModelError:
        if not isinstance(scorer, Bindable):
            raise
        raise UsageError(
            f"'{inner}' cannot be a judge: its scores depend on a collection; use lexical instead"
        ) from None
    return scorer


def _number(spec: Spec, text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise UsageError(f"'{spec.text}': threshold={text} is not a finite number")
    return found


def _calibration(spec: Spec, file: Path, scorer: Reranker) -> JudgeCalibration:
    found = read_calibration(file)
    if found.judge != digest(identity_of(scorer)):
        raise UsageError(
            f"'{spec.text}': {file} was fitted for {found.name}, whose weights or settings differ; calibrate this one"
        )
    return found

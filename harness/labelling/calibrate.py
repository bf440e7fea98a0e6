"""`harness judge calibrate`: how far judges agree with people, and the thresholds that fit best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, UsageError
from adapters.identity import digest
from adapters.judges.calibration import VERSION, JudgeCalibration
from adapters.judges.reranker import RerankerJudge, open_scorer
from adapters.judges.streamed import sigmoid
from adapters.protocols import Judge
from adapters.spec import identity_of, open_judge, parse, refuse_early, remarks_of
from harness.labelling.agreement import JudgedClaims, as_numbers, best_cut, graded, grades_of, logistic
from harness.labelling.labelled import Labelled
from harness.labelling.ledgered import JudgedPairs, judgments, scores
from harness.measuring.statistics.design import Floats64
from harness.scoring.session import Session

FEWEST = 20
"""Claims in each half, and in a group by language or length that is shown."""
_GROUPS = ("short", "medium", "long")


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A judge compared with people. The figures are of the half that its thresholds were not fitted on.

    Args:
        spec: as the user gave it.
        name: of the judge.
        cuts: the value from which on a claim has each grade but the lowest.
        verdicts: of the claims of the second half.
        groups: the same by language and by length of the premise.
        calibration: what the calibration file holds.
        remarks: what a reader has to know.
    """

    spec: str
    name: str
    cuts: tuple[float, ...]
    verdicts: JudgedClaims
    groups: dict[str, JudgedClaims]
    calibration: JudgeCalibration
    judgments: JudgedPairs
    values: Floats64
    remarks: tuple[str, ...]


def calibrate(
    labelled: Labelled, judges: Sequence[str], session: Session, supported_from: float = 1.0
) -> list[Calibrated]:
    """Judge all claims, fit thresholds on one half and compare on the other.

    Args:
        judges: specs; `reranker:SPEC` without a threshold gets one fitted.
        supported_from: labels from this on count as supported.

    Raises:
        UsageError: no judge is named, or one is named twice, perhaps by different specs.
        DataError: a half has too few claims, or all are supported or none.
    """
    if not judges or len(set(judges)) < len(judges):
        raise UsageError("name each judge once, as in --judge lexical --judge nli:./model")
    if not 0 < supported_from <= 1:
        raise UsageError(f"supported_from is above 0 and at most 1, not {supported_from:g}")
    _refuse_few(labelled, supported_from)
    opened = [_opened(spec) for spec in judges]
    _refuse_equal(judges, opened)
    return [
        _calibrated(labelled, spec, *one, session, supported_from) for spec, one in zip(judges, opened, strict=True)
    ]


def _opened(spec: str) -> tuple[Judge, bool]:
    """The judge, and whether its raw scores are compared because it has no threshold yet."""
    parsed = parse(spec)
    bare = parsed.kind == "reranker" and not {"threshold", "calibration"} & set(parsed.options)
    judge: Judge = RerankerJudge(open_scorer(parsed), 0.0) if bare else open_judge(spec)
    refuse_early(judge.scorer if isinstance(judge, RerankerJudge) else judge)
    return judge, bare


def _refuse_equal(specs: Sequence[str], opened: Sequence[tuple[Judge, bool]]) -> None:
    """Refuse two specs of one judge: the ledger has its answers once, so both would show those of the first."""
    known: dict[tuple[str, bool], str] = {}
    for spec, (judge, raw) in zip(specs, opened, strict=True):
        before = known.setdefault((digest(identity_of(judge)), raw), spec)
        if before != spec:
            raise UsageError(
                f"{before} and {spec} are the same judge: their identities are equal, so the answers of one would be "
                "shown for both (the address of a server is not part of an identity); name one of them, or use "
                "another --workspace for the other"
            )


def _calibrated(  # noqa: PLR0917
    labelled: Labelled, spec: str, judge: Judge, raw: bool, session: Session, supported_from: float
) -> Calibrated:
    asked = labelled.premises, labelled.claims, session.ledger, session.reporter
    reranker = judge if isinstance(judge, RerankerJudge) else None
    found = scores(reranker, *asked) if reranker and raw else judgments(judge, *asked)
    values, fitted = labelled.of_units(found.values), labelled.fitted
    supported, grades = labelled.labels >= supported_from, grades_of(labelled.labels)
    truth = graded(labelled.labels, grades, supported_from)
    measured = labelled.of_units(scores(reranker, *asked).values) if reranker else values  # in the ledger by now
    scale = _scale(None if raw else reranker, measured[fitted], supported[fitted])
    decides = reranker is not None and not raw and reranker.grades is not None
    cuts = _cuts(values[fitted], truth[fitted], len(grades), decides=decides)
    chances = sigmoid(scale.slope * measured + scale.intercept).astype(np.float64) if reranker else values
    given = (values[:, None] >= cuts[None]).sum(axis=1)
    whole = JudgedClaims(
        grades, truth, given, supported, measured >= scale.threshold, values, chances, labelled.clusters,
        labelled.digest,
    )  # fmt: skip
    verdicts = whole.part(~fitted)
    calibration = JudgeCalibration(
        VERSION, digest(identity_of(reranker.scorer if reranker else judge)), judge.name, labelled.digest,
        scale.threshold, scale.slope, scale.intercept, as_numbers(verdicts.figures),
    )  # fmt: skip
    groups = {name: whole.part(rows & ~fitted) for name, rows in _groups(labelled).items()}
    shown = {name: one for name, one in groups.items() if len(one) >= FEWEST}
    remarks = (*remarks_of(judge), *_remarks(judge.name, found))
    return Calibrated(spec, judge.name, tuple(cuts.tolist()), verdicts, shown, calibration, found, values, remarks)


@dataclass(frozen=True)
class _Scale:
    """How the scores of a reranker, or the values of another judge, are read."""

    threshold: float
    slope: float
    intercept: float


def _scale(known: RerankerJudge | None, values: Floats64, supported: npt.NDArray[np.bool_]) -> _Scale:
    """Return what a reranker with a threshold has, and fit the rest.

    Args:
        known: a reranker that has a threshold; None for other judges.
        values, supported: of the first half. The values are raw scores if the judge is a reranker.
    """
    threshold = best_cut(values, supported) if known is None else known.threshold
    own = None if known is None else known.logistic
    return _Scale(threshold, *(own or logistic(values, supported)))


def _cuts(values: Floats64, truth: npt.NDArray[np.int64], grades: int, *, decides: bool) -> Floats64:
    """The value from which on a unit has each grade but the lowest, ascending, float64 [grades - 1]."""
    if decides:
        return np.full(grades - 1, 0.5)
    return np.maximum.accumulate(np.array([best_cut(values, truth >= place) for place in range(1, grades)]))


def _groups(labelled: Labelled) -> dict[str, npt.NDArray[np.bool_]]:
    """Units by language, if there are several, and by thirds of the length of their premise."""
    languages = np.array(labelled.languages, object)
    named = sorted({language for language in labelled.languages if language})
    found = {f"language {name}": languages == name for name in named} if len(named) > 1 else {}
    low, high = np.quantile(labelled.lengths, (1 / 3, 2 / 3))
    third = (labelled.lengths > low).astype(int) + (labelled.lengths > high)
    bounds = (f"up to {low:,.0f}", f"up to {high:,.0f}", f"above {high:,.0f}")
    for place, (name, bound) in enumerate(zip(_GROUPS, bounds, strict=True)):
        found[f"{name} premise ({bound} characters)"] = third == place
    return found


def _remarks(name: str, found: JudgedPairs) -> list[str]:
    remarks = []
    if found.truncated:
        remarks.append(f"{name} did not read all of {found.truncated:,} of {found.counted:,} premises (truncation)")
    if found.asked_again:
        counts = ", ".join(f"{count} {reason}" for reason, count in found.asked_again.items())
        remarks.append(f"{name} was asked again: {counts}")
    return remarks


def _refuse_few(labelled: Labelled, supported_from: float) -> None:
    for half in (labelled.fitted, ~labelled.fitted):
        supported = labelled.labels[half] >= supported_from
        if len(supported) < FEWEST or supported.all() or not supported.any():
            raise DataError(
                f"{labelled.name}: a half has {len(supported)} claims, {int(supported.sum())} of them supported; each "
                f"half needs {FEWEST} claims, supported ones and others: label more, or lower --supported-from"
            )

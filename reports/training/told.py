"""The format of an adaptation's figures and names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from harness.numbers import interval, points
from harness.result.adaptation.record import AdaptationRecord, ArmRecord, Score

HYPHEN = "-"


def duration(seconds: float) -> str:
    """A duration such as `0.4 s`, `12 min 46 s` or `3 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def value(score: Score | None) -> str:
    """A score in points with its interval if known, such as `70.50 [67.10, 73.90]`; `-` for no score."""
    if score is None:
        return HYPHEN
    if score.low is None or score.high is None:
        return points(score.value)
    return f"{points(score.value)} {interval((score.low, score.high))}"


def made_of(record: AdaptationRecord, arm: ArmRecord) -> str:
    """A short description of an arm, or the reasons if it was refused."""
    if arm.refused:
        return f"refused: {'; '.join(arm.refused)}"
    if arm.kind == "base":
        return record.base_name
    if arm.kind == "stage-1" and arm.path in {one.path for one in record.of_kind("base")}:
        return "the base itself: no general data was given"
    if arm.twin is not None or arm.parts:
        return _merged(arm)
    details = [one.detail for one in record.timeline if one.name == arm.name and one.stage in ("stage-1", "fit")]
    if details or arm.kind != "given":
        return details[-1] if details else ""
    return "given; trained on unknown queries" if arm.queries_known is False else "given"


def _merged(arm: ArmRecord) -> str:
    if arm.twin is not None:
        return f"is {arm.twin}"
    if arm.t is not None and len(arm.parts) == 2:
        return f"t = {arm.t:g} from {arm.parts[0]} to {arm.parts[1]}"
    return ", ".join(arm.parts) if len(arm.parts) < 3 else f"{len(arm.parts)} checkpoints"


def correction(p_values: Iterable[float | None] = ()) -> str:
    """The name of the correction. Records of version 1 were corrected by Holm and have no uncorrected p-value."""
    return "Holm" if any(p is None or math.isnan(p) for p in p_values) else "step-down MaxT"


def joined(names: Sequence[str]) -> str:
    """Names as a list in words: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)

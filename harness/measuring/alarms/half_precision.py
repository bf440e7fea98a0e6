"""Detect scores that were computed in half precision: every score is a number of bfloat16 or of float16."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.measuring.alarms.alarm import Alarm

_ENOUGH = 32
"""The least number of different scores; fewer may be grades, votes or ranks."""
_GRID = 16
"""Multiples of 1/16 are exact in any format and show nothing."""


def half_precision(scores: npt.NDArray[np.float32], tied: int) -> list[Alarm]:
    """The alarm, if half precision made ties. Without ties it had no effect.

    By chance one float32 in 65,536 is a number of bfloat16, and one in 8,192 is a number of float16, so a few scores
    that all are is not chance. Yang et al. (https://arxiv.org/abs/2508.03306) describe the effect.
    """
    different = np.unique(scores)
    telling = different[(different * _GRID) % 1 != 0]
    if not tied or len(telling) < _ENOUGH:
        return []
    name = _format(different)
    if name is None:
        return []
    message = f"all {len(different):,} different scores are numbers of {name}, and {tied:,} candidates are tied by it"
    return [Alarm("low-precision", f"{message}; score in float32")]


def _format(scores: npt.NDArray[np.float32]) -> str | None:
    if not (scores.view(np.uint32) & np.uint32(0xFFFF)).any():
        return "bfloat16"
    with np.errstate(over="ignore"):
        through = scores.astype(np.float16).astype(np.float32)
    return "float16" if np.array_equal(through, scores) else None

"""Scores that were computed in half precision: every one of them is a number of bfloat16 or of float16."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.measuring.alarms.alarm import Alarm

_ENOUGH = 32
"""Different scores; fewer are grades, votes or ranks."""
_GRID = 16
"""Multiples of a sixteenth are short in any format, and say nothing."""


def half_precision(scores: npt.NDArray[np.float32], tied: int) -> list[Alarm]:
    """The alarm, where half precision made ties; without ties it cost nothing.

    A float32 survives the way through bfloat16 by luck once in 65,536, and through float16 once in 8,192, so a
    handful of scores that all survive is no luck. See Yang et al. (https://arxiv.org/abs/2508.03306) for what it costs.
    """
    different = np.unique(scores)
    telling = different[(different * _GRID) % 1 != 0]
    if not tied or len(telling) < _ENOUGH:
        return []
    name = _format(different)
    if name is None:
        return []
    told = f"all {len(different):,} different scores are numbers of {name}, and {tied:,} candidates are tied by it"
    return [Alarm("low-precision", f"{told}; score in float32")]


def _format(scores: npt.NDArray[np.float32]) -> str | None:
    if not (scores.view(np.uint32) & np.uint32(0xFFFF)).any():
        return "bfloat16"
    with np.errstate(over="ignore"):
        through = scores.astype(np.float16).astype(np.float32)
    return "float16" if np.array_equal(through, scores) else None

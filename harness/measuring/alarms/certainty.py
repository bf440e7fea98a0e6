"""When a difference over queries is no luck."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_ERRORS = 4.0
"""Standard errors: luck gets there once in 30,000 collections, so that alarms do not cry wolf."""


def sure(differences: npt.NDArray[np.float64], by_luck: npt.NDArray[np.float64]) -> bool:
    """Whether the mean over queries is above zero by four standard errors.

    Args:
        by_luck: differences that luck alone makes, aligned. Few queries that happen to agree look more certain than
            they are, so the error is never taken smaller than theirs.
    """
    if len(differences) < 2:
        return False
    spread = max(float(differences.std(ddof=1)), float(by_luck.std(ddof=1)))
    return bool(differences.mean() > _ERRORS * spread / np.sqrt(len(differences)))

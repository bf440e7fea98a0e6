"""Whether a difference over queries is too large to be chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_ERRORS = 4.0
"""Standard errors. Chance reaches this once in 30,000 collections, so false alarms are rare."""


def sure(differences: npt.NDArray[np.float64], by_luck: npt.NDArray[np.float64]) -> bool:
    """Whether the mean over queries is above zero by four standard errors.

    Args:
        by_luck: differences by chance alone, aligned. A few queries that happen to agree look too certain, so the error
            is at least that of these differences.
    """
    if len(differences) < 2:
        return False
    spread = max(float(differences.std(ddof=1)), float(by_luck.std(ddof=1)))
    return bool(differences.mean() > _ERRORS * spread / np.sqrt(len(differences)))

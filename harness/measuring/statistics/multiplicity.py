"""Holm's correction, which the gate uses for collapsed parts. Differences are corrected by MaxT instead; see
`harness.measuring.statistics.difference`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float]:
    """Adjust p-values by the step-down rule of Holm (1979), in the given order. Compare each result with alpha.

    None and nan are not tests: they are returned as nan and do not count.
    """
    tests = [place for place, p in enumerate(p_values) if p is not None and not math.isnan(p)]
    adjusted, largest = [float("nan")] * len(p_values), 0.0
    ordered = sorted((float(p_values[place] or 0.0), place) for place in tests)
    for rank, (p, place) in enumerate(ordered):
        largest = max(largest, min(1.0, (len(tests) - rank) * p))
        adjusted[place] = largest
    return adjusted

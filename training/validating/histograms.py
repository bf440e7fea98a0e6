"""Histograms of sets over common bins, for plots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.validating.two_samples import Values

BINS = 30


def histogram(values: Mapping[str, Values], low: float | None = None, high: float | None = None) -> dict[str, Any]:
    """The counts of each set by name, over common bins of equal width.

    Args:
        low: the left end of the first bin. Default: the smallest value.
        high: the right end of the last bin. Default: the 99th percentile; larger values count in the last bin.

    Returns:
        `edges` (one more than bins) and `counts` by set; empty without values.
    """
    together = np.concatenate([np.zeros(0), *values.values()])
    if not len(together):
        return {}
    low = float(together.min()) if low is None else low
    high = float(np.quantile(together, 0.99)) if high is None else high
    edges = np.linspace(low, max(high, low + 1e-9), BINS + 1)
    return {"edges": edges.tolist(), "counts": {name: _counts(each, edges) for name, each in values.items()}}


def whole_numbers(values: Mapping[str, Values]) -> dict[str, Any]:
    """Like `histogram`, for whole numbers: each bin covers the same number of them."""
    together = np.concatenate([np.zeros(0), *values.values()])
    if not len(together):
        return {}
    most = int(np.quantile(together, 0.99)) + 1
    width = -(-most // BINS)
    edges = np.arange(0, most + width, width).astype(float) - 0.5
    return {"edges": edges.tolist(), "counts": {name: _counts(each, edges) for name, each in values.items()}}


def _counts(values: Values, edges: Values) -> list[int]:
    counts: list[int] = np.histogram(values.clip(edges[0], edges[-1]), edges)[0].tolist()
    return counts

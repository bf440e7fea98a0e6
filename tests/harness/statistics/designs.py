"""Designs for tests: collections with questions of their own, and parallel sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.statistics.design import Design, Floats64, Questions


def ids(size: int) -> tuple[str, ...]:
    return tuple(f"q{number}" for number in range(size))


def alone(*sizes: int, weights: Sequence[float] | None = None) -> Design:
    """Collections that share no question."""
    return Design(tuple(Questions(f"collection {place}", ids(size)) for place, size in enumerate(sizes)), weights)


def of(*values: Floats64, weights: Sequence[float] | None = None) -> Design:
    """Collections that share no question, with as many queries as there are values."""
    return alone(*(np.shape(own)[-1] for own in values), weights=weights)


def parallel(languages: int, size: int) -> Design:
    """One set whose questions are all asked in every language."""
    return Design((Questions("set", ids(size)),) * languages)

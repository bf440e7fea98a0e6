"""Sets of queries whose vectors are drawn from known distributions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.validating.sets import QuerySet, Sets

ENOUGH = 100
"""What the tests take for enough real queries: small is fast."""


def cloud(seed: int, size: int = 120, dim: int = 4, shift: float = 0.0, spread: float = 1.0) -> npt.NDArray[np.float32]:
    """Normal vectors, shifted along the first axis."""
    drawn = spread * np.random.default_rng(seed).normal(size=(size, dim))
    drawn[:, 0] += shift
    return drawn.astype(np.float32)


def queries(
    name: str, vectors: npt.NDArray[np.float32], groups: tuple[int, ...] = (), text: str = "a word"
) -> QuerySet:
    """Queries that all look alike and lie at these vectors."""
    return QuerySet(name, (text,) * len(vectors), None, groups, "en", vectors)


def sets(
    synthetic: npt.NDArray[np.float32],
    real: npt.NDArray[np.float32],
    wrong: npt.NDArray[np.float32] | None = None,
    seed: int = 0,
) -> Sets:
    """The three sets."""
    other = None if wrong is None else queries("other", wrong)
    return Sets(queries("synthetic", synthetic), queries("real", real), other, seed)

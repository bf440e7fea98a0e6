"""Strengths of documents from comparisons of two: the Bradley-Terry model, by Newton's method. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Strengths = npt.NDArray[np.float64]
Comparison = tuple[int, int, float]
"""Two documents, and the probability that the first one is better: 1 for a plain win, 0.5 for a tie."""
PENALTY = 0.01
"""Times the sum of the squared strengths. It keeps the strength of a document that wins always finite."""
_STEPS = 100
_SMALLEST = 1e-10


def strengths(documents: int, comparisons: Sequence[Comparison], penalty: float = PENALTY) -> Strengths:
    """The strengths with the largest penalised likelihood, float64 [documents], with mean 0. The first of two documents
    is better with probability sigmoid(difference of the strengths).

    Args:
        documents: the number of documents; `groups` has to find them connected.
        penalty: above 0, so that the maximum is unique.
    """
    first, second = (np.array([one[side] for one in comparisons], np.int64) for side in (0, 1))
    better = np.array([one[2] for one in comparisons], np.float64)
    found = np.zeros(documents)
    for _ in range(_STEPS):
        expected = _sigmoid(found[first] - found[second])
        slope = np.bincount(first, better - expected, documents) - np.bincount(second, better - expected, documents)
        curve = _curvature(documents, first, second, expected * (1 - expected)) + 2 * penalty * np.eye(documents)
        step = np.linalg.solve(curve, slope - 2 * penalty * found)
        found = found + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _SMALLEST:
            break
    return np.asarray(found - found.mean())


def groups(documents: int, comparisons: Sequence[Comparison]) -> list[set[int]]:
    """The groups of documents that comparisons connect. Strengths of different groups cannot be compared."""
    found: list[set[int]] = [{one} for one in range(documents)]
    for a, b, _ in comparisons:
        joined = [one for one in found if a in one or b in one]
        found = [one for one in found if one not in joined] + [set().union(*joined)]
    return sorted(found, key=min)


def _sigmoid(values: Strengths) -> Strengths:
    return np.asarray(0.5 * (1 + np.tanh(values / 2)))


def _curvature(
    documents: int, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], weights: Strengths
) -> Strengths:
    """The Laplacian of the comparisons, float64 [documents, documents]."""
    found = np.zeros((documents, documents))
    np.add.at(found, (first, first), weights)
    np.add.at(found, (second, second), weights)
    np.add.at(found, (first, second), -weights)
    np.add.at(found, (second, first), -weights)
    return found

"""How alike two vectors are: the four similarities that sentence-transformers knows, higher being more alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from adapters.protocols import Floats

Similarity = Literal["cosine", "dot", "euclidean", "manhattan"]
"""Cosine is the inner product of vectors of length 1; the distances are negative."""

_Doubles = npt.NDArray[np.float64]
_ROWS = 64


def of_rows(similarity: Similarity, left: Floats, right: Floats) -> Floats:
    """The similarity of every row of `left` to the same row of `right`, float32 [n]. Each is a sum of its own, in
    float64: a matrix product may round a pair differently in other company."""
    one, other = left.astype(np.float64), right.astype(np.float64)
    if similarity == "euclidean":
        scores = -np.sqrt(((one - other) ** 2).sum(axis=1))
    elif similarity == "manhattan":
        scores = -np.abs(one - other).sum(axis=1)
    else:
        scores = (one * other).sum(axis=1)
    found: Floats = scores.astype(np.float32)
    return found


def of_all(similarity: Similarity, left: Floats, right: Floats) -> Floats:
    """The similarity of every row of `left` to every row of `right`, float32 [left, right]."""
    return _MATRICES[similarity](left, right)


def _products(left: Floats, right: Floats) -> Floats:
    return left @ right.T


def _euclidean(left: Floats, right: Floats) -> Floats:
    """In float64, because the difference of near squares loses half of the digits."""
    one, other = left.astype(np.float64), right.astype(np.float64)
    squares: _Doubles = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(-np.sqrt(np.maximum(squares, 0)), np.float32)


def _manhattan(left: Floats, right: Floats) -> Floats:
    scores = np.empty((len(left), len(right)), np.float32)
    for start in range(0, len(right), _ROWS):
        part = right[start : start + _ROWS].astype(np.float64)
        for row, vector in enumerate(left.astype(np.float64)):
            scores[row, start : start + _ROWS] = -np.abs(part - vector).sum(axis=1)
    return scores


_MATRICES: dict[Similarity, Callable[[Floats, Floats], Floats]] = {
    "cosine": _products,
    "dot": _products,
    "euclidean": _euclidean,
    "manhattan": _manhattan,
}

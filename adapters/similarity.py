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
_UNIT = 2.0**-24
"""The relative error of one rounding to float32."""


def of_rows(similarity: Similarity, left: Floats, right: Floats) -> Floats:
    """The similarity of every row of `left` to the same row of `right`, float32 [n]. Each is a sum of its own, in
    float64: a matrix product may round a pair differently in other company."""
    found = np.empty(len(left), np.float32)
    for start in range(0, len(left), _ROWS):
        some = slice(start, start + _ROWS)
        found[some] = _in_doubles(similarity, left[some].astype(np.float64), right[some].astype(np.float64))
    return found


def _in_doubles(similarity: Similarity, one: _Doubles, other: _Doubles) -> _Doubles:
    if similarity == "euclidean":
        return np.asarray(-np.sqrt(((one - other) ** 2).sum(axis=1)))
    if similarity == "manhattan":
        return np.asarray(-np.abs(one - other).sum(axis=1))
    return np.asarray((one * other).sum(axis=1))


def of_all(similarity: Similarity, left: Floats, right: Floats) -> Floats:
    """The similarity of every row of `left` to every row of `right`, float32 [left, right]."""
    return _MATRICES[similarity](left, right)


def error_of_all(similarity: Similarity, left: Floats, longest: float) -> _Doubles:
    """A bound of the difference between `of_all` and `of_rows`, for each row of `left`, float64 [left].

    It holds for every order in which a matrix product may add (Higham 2002, section 3.1).

    Args:
        longest: the length of the longest row of `right`, as `longest` gives it.
    """
    dim, lengths = left.shape[1], _lengths(left)
    if similarity in ("cosine", "dot"):
        return np.asarray((dim + 4) * _UNIT * lengths * longest)
    # a distance is the root of a square, whose relative error is about dim x 2^-52 in float64
    relative = np.sqrt(4 * dim * 2.0**-52) + 4 * _UNIT * np.sqrt(dim)
    return np.asarray(relative * (lengths + longest))


def longest(vectors: Floats) -> float:
    """The length of the longest vector, rounded up."""
    return float(_lengths(vectors).max(initial=0) * (1 + vectors.shape[1] * _UNIT))


def _lengths(vectors: Floats) -> _Doubles:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", vectors, vectors), dtype=np.float64))


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

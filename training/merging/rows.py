"""nuslerp with `nuslerp_flatten: false`: every row of a tensor is a vector of its own, or every column.

As in mergekit 0.1.5, a row is a line of the last axis, and with `nuslerp_row_wise: true` a line of the first axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from training.merging.combine import Pieces, encoded
from training.merging.methods import Axis, share
from training.merging.plan import Step
from training.merging.tensors import Floats, Raw

Wide = npt.NDArray[np.float64]
_LEAST = 1e-7


def slerped(step: Step, axis: Axis) -> Iterator[Raw]:
    """The elements of the result. Pieces of the step must hold whole lines of the last axis, or of all but the
    first."""
    pieces = Pieces(step)
    assert step.values is not None
    t = share(step.values)
    whole = _columns(step) if axis == "first" else None
    for place in pieces.places():
        base = pieces.base(place)
        one, other = (_lines(vector, step, axis) for vector in pieces.vectors(place, base))
        left, right = _coefficients(*(_sums(one, other, 1) if whole is None else whole), t)
        if whole is None:
            left, right = left[:, None], right[:, None]
        mixed = np.ascontiguousarray(one * left + other * right, np.float32).reshape(-1)
        yield encoded(mixed if base is None else np.add(mixed, base, out=mixed), step.dtype, step.key)


def _lines(vector: Floats, step: Step, axis: Axis) -> Floats:
    length = step.home.shape[-1] if axis == "last" else math.prod(step.home.shape[1:])
    return vector.reshape(-1, length)


def _columns(step: Step) -> tuple[Wide, Wide, Wide]:
    pieces, total = Pieces(step), np.zeros((3, math.prod(step.home.shape[1:])))
    for place in pieces.places():
        one, other = (_lines(vector, step, "first") for vector in pieces.vectors(place, pieces.base(place)))
        total += np.stack(_sums(one, other, 0))
    return total[0], total[1], total[2]


def _sums(one: Floats, other: Floats, axis: int) -> tuple[Wide, Wide, Wide]:
    """The squares of both and their products, summed along an axis."""
    first, second = one.astype(np.float64), other.astype(np.float64)
    return (first * first).sum(axis), (second * second).sum(axis), (first * second).sum(axis)


def _coefficients(first: Wide, second: Wide, product: Wide, t: float) -> tuple[Wide, Wide]:
    lengths = np.maximum(np.sqrt(first), _LEAST) * np.maximum(np.sqrt(second), _LEAST)
    cosine = np.clip(product / lengths, -1, 1)
    # In float32 such angles are zero, and the two formulas agree to seven digits.
    straight = 1 - cosine**2 <= _LEAST
    angle = np.arccos(np.where(straight, 0, cosine))
    sine = np.sin(angle)
    return (
        np.where(straight, 1 - t, np.sin((1 - t) * angle) / sine),
        np.where(straight, t, np.sin(t * angle) / sine),
    )

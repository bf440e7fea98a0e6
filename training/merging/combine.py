"""The arithmetic of one tensor, piece by piece in float32: inner products first, then the sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import ModelError
from training.merging.methods import Coefficients, Products, Solution
from training.merging.plan import Step
from training.merging.sparse import Sparse
from training.merging.tensors import PIECE, Floats, Raw, Tensor, decode, encode

_SAME_SUM = 1e-6


@dataclass(frozen=True)
class TensorReading:
    """The result of one pass over the tensors."""

    products: Products
    """Inner products of the sources, or of their differences to the base."""
    base_norm: float
    """The norm of the base, if differences are taken; otherwise 0."""
    identical: bool
    """Whether all inputs have the same bytes."""


class Pieces:
    """Reads the tensors of a step piece by piece into its buffers."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._length = max(1, PIECE // max(1, step.whole)) * max(1, step.whole)
        self._base = np.empty(self._length, np.float32)
        self._buffers = [np.empty(self._length, np.float32) for _ in step.sources]
        self._raw = [tensor.raw() for tensor in step.sources]
        self._raw_base = None if step.base is None else step.base.raw()

    def places(self) -> Iterator[slice]:
        for start in range(0, self._step.home.size, self._length):
            yield slice(start, min(start + self._length, self._step.home.size))

    def base(self, place: slice) -> Floats | None:
        if self._step.base is None or self._raw_base is None:
            return None
        return decode(self._raw_base[place], self._step.base.dtype, self._base[: place.stop - place.start])

    def vectors(self, place: slice, base: Floats | None) -> list[Floats]:
        """The sources, or their differences to the base. The arrays are valid until the next call."""
        length = place.stop - place.start
        vectors = [
            decode(raw[place], tensor.dtype, buffer[:length])
            for raw, tensor, buffer in zip(self._raw, self._step.sources, self._buffers, strict=True)
        ]
        if base is not None:
            for values in vectors:
                np.subtract(values, base, out=values)
        return vectors

    def same(self, place: slice) -> bool:
        raws = [*self._raw, *([] if self._raw_base is None else [self._raw_base])]
        first = _bits(raws[0][place])
        return all(raw.dtype == raws[0].dtype and np.array_equal(first, _bits(raw[place])) for raw in raws[1:])


def look(step: Step) -> TensorReading:
    """Inner products of a step's tensors, accumulated in float64.

    Raises:
        ModelError: a tensor has NaN or infinity.
    """
    pieces, count = Pieces(step), len(step.sources)
    products, base_square, identical = np.zeros((count, count)), 0.0, True
    with np.errstate(all="ignore"):
        for place in pieces.places():
            identical = identical and pieces.same(place)
            base = pieces.base(place)
            if base is not None:
                base_square += _square(base, step.base)
            _add_products(products, pieces.vectors(place, base), step.sources)
    return TensorReading(products + np.triu(products, 1).T, float(np.sqrt(base_square)), identical)


def _add_products(products: Products, vectors: Sequence[Floats], sources: Sequence[Tensor]) -> None:
    for row, one in enumerate(vectors):
        products[row, row] += _square(one, sources[row])
        for column in range(row + 1, len(vectors)):
            product = float(np.dot(one, vectors[column]))
            exact = product if np.isfinite(product) else np.dot(one.astype(np.float64), vectors[column])
            products[row, column] += exact


def _square(values: Floats, tensor: Tensor | None) -> float:
    """The sum of squares. If it is finite, all values are, so one cheap pass is enough."""
    square = float(np.dot(values, values))
    if np.isfinite(square):
        return square
    if not np.isfinite(values).all():
        where = f"{tensor.file.path}: the tensor '{tensor.name}'" if tensor else "a tensor"
        raise ModelError(f"{where} has NaN or infinity, so this checkpoint cannot be merged")
    wide = values.astype(np.float64)
    return float(np.dot(wide, wide))


def verbatim(step: Step, seen: TensorReading, solution: Solution | None) -> Tensor | None:
    """The tensor whose bytes are the exact result: t = 0, t = 1, equal inputs. None if there is none.

    Without a solution (TIES, DARE and the like) this is only the base, if all differences are zero.
    """
    if step.base is not None and not np.diag(seen.products).any():
        return step.base
    if solution is None:
        return None
    coefficients = solution.coefficients
    zero = not np.diag(seen.products).any()
    if seen.identical and step.base is None and (zero or abs(coefficients.sum() - 1) < _SAME_SUM):
        return step.sources[0]
    if step.base is not None and not coefficients.any():
        return step.base
    hot = np.flatnonzero(coefficients)
    return step.sources[hot[0]] if len(hot) == 1 and coefficients[hot[0]] == 1 else None


def copied(tensor: Tensor, dtype: str) -> Iterator[Raw]:
    """The elements of a tensor in a format; unchanged bytes if the format is the same."""
    raw, buffer = tensor.raw(), np.empty(PIECE, np.float32)
    for start in range(0, tensor.size, PIECE):
        piece = raw[start : start + PIECE]
        yield (
            piece
            if dtype == tensor.dtype
            else encoded(decode(piece, tensor.dtype, buffer[: len(piece)]), dtype, tensor.name)
        )


def summed(step: Step, coefficients: Coefficients) -> Iterator[Raw]:
    """The sum of a step's tensors by their coefficients, or the base plus the sum of the differences."""
    pieces = Pieces(step)
    weights = coefficients.astype(np.float32)
    total = np.empty(PIECE, np.float32)  # such steps have pieces of the usual length
    for place in pieces.places():
        base = pieces.base(place)
        vectors = pieces.vectors(place, base)
        out = total[: place.stop - place.start]
        np.multiply(vectors[0], weights[0], out=out)
        for vector, weight in zip(vectors[1:], weights[1:], strict=True):
            np.multiply(vector, weight, out=vector)
            np.add(out, vector, out=out)
        yield encoded(out if base is None else np.add(out, base, out=out), step.dtype, step.key)


def sparsely(step: Step, sparse: Sparse) -> Iterator[Raw]:
    """The base plus the thinned differences."""
    pieces = Pieces(step)
    for place in pieces.places():
        base = pieces.base(place)
        assert base is not None
        mixed = sparse.mix(pieces.vectors(place, base), place)
        yield encoded(np.add(mixed, base, out=mixed), step.dtype, step.key)


def encoded(values: Floats, dtype: str, name: str) -> Raw:
    """A piece of the output as it is stored.

    Raises:
        ModelError: a value does not fit into the format.
    """
    encoded = encode(values, dtype)
    with np.errstate(all="ignore"):
        fine = np.isfinite(np.dot(values, values)) or np.isfinite(values).all()
    if not fine or (dtype == "F16" and not np.isfinite(encoded).all()):
        raise ModelError(
            f"merge: the tensor '{name}' does not fit into {dtype}; declare a wider dtype, such as bfloat16"
        )
    return encoded


def _bits(raw: Raw) -> Raw:
    return raw.view(f"u{raw.dtype.itemsize}")

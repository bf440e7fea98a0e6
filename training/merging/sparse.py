"""TIES (arXiv 2306.01708), DARE (2311.03099), DELLA (2406.11617) and model breadcrumbs (2312.06795): differences to the
base are thinned out, then added, by sign or not.

The largest differences are found exactly and without a sorted copy: two histograms of the bits of float32, whose order
is that of the numbers, give the k-th largest magnitude. DELLA needs ranks within a row only.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from training.merging.methods import METHODS, Values
from training.merging.tensors import Floats

Mask = npt.NDArray[np.bool_]
Vectors = Callable[[], Iterator[tuple[slice, list[Floats]]]]
"""Reads all pieces from the first on: the slice, and the differences of each input."""
_LEAST = 1e-7
Size = tuple[int, ...]
"""The shape of a tensor."""
_HALF = 1 << 16


class Keep(Protocol):
    """Returns the mask of the elements that are kept; None keeps all."""

    def __call__(self, values: Floats, place: slice) -> Mask | None: ...


class Sparse:
    """The thinning and the sum for one tensor. Call `mix` once for each piece, in order."""

    def __init__(self, method: str, values: Values, read: Vectors, size: Size, source: str) -> None:
        """Args:
        read: reads the pieces; those of DELLA must have whole rows.
        source: the name of the random numbers.
        """
        self._signed = METHODS[method].by_sign
        self._values = values
        self._weights = values.per_input["weight"].astype(np.float32)
        fresh = _keeps(method, values, read, size, source)
        self._scales = _scales(read, fresh()) if values.shared["rescale"] else np.ones(len(self._weights))
        self._keep = fresh()

    def mix(self, vectors: Sequence[Floats], place: slice) -> Floats:
        """The sum of differences to add to the base in this piece."""
        weighted = []
        for vector, keep, scale, weight in zip(vectors, self._keep, self._scales, self._weights, strict=True):
            mask = keep(vector, place)
            thinned = vector if mask is None else vector * mask
            weighted.append(thinned * np.float32(scale) * weight)
        mixed = self._by_sign(weighted) if self._signed else self._plain(weighted)
        mixed *= np.float32(self._values.number("lambda"))
        return mixed

    def _by_sign(self, weighted: list[Floats]) -> Floats:
        """Add only elements with the sign of the sum, divided by the weights of what was added."""
        majority = np.where(sum(weighted) >= 0, np.float32(1), np.float32(-1))
        mixed, divisor = np.zeros_like(majority), np.zeros_like(majority)
        for one, weight in zip(weighted, self._weights, strict=True):
            agreeing = np.sign(one) == majority
            mixed += one * agreeing
            divisor += weight * agreeing
        if self._values.shared["normalize"]:
            mixed /= np.where(divisor == 0, np.float32(1), divisor)
        return mixed

    def _plain(self, weighted: list[Floats]) -> Floats:
        mixed = np.zeros_like(weighted[0])
        for one in weighted:
            mixed += one
        total = float(self._weights.sum())
        if self._values.shared["normalize"] and abs(total) >= 1e-8:
            mixed /= np.float32(total)
        return mixed


def _scales(read: Vectors, keep: Sequence[Keep]) -> npt.NDArray[np.float64]:
    """The factors that give the thinned differences their original sum of magnitudes."""
    before, after = np.zeros(len(keep)), np.zeros(len(keep))
    for place, vectors in read():
        for index, vector in enumerate(vectors):
            mask, size = keep[index](vector, place), np.abs(vector)
            before[index] += size.sum(dtype=np.float64)
            after[index] += size.sum(dtype=np.float64) if mask is None else (size * mask).sum(dtype=np.float64)
    fit = (before >= _LEAST) & (after >= _LEAST)
    return np.where(fit, before / np.where(fit, after, 1), 1.0)


def _keeps(method: str, values: Values, read: Vectors, size: Size, source: str) -> Callable[[], list[Keep]]:
    thinning, densities = METHODS[method].thinning, values.per_input["density"]
    if thinning == "largest":
        limits = _limits(read, [_most(density, math.prod(size)) for density in densities])
        return lambda: [_Largest(*limit) for limit in limits]
    if thinning == "middle":
        return _middle(read, densities, values.per_input["gamma"], math.prod(size))
    named = [(f"{source}/{index}", float(density)) for index, density in enumerate(densities)]
    if thinning == "random":
        return lambda: [_Drawn(name, density) for name, density in named]
    spreads = values.per_input["epsilon"]
    return lambda: [_Ranked(*one, float(spread), size) for one, spread in zip(named, spreads, strict=True)]


def draws(name: str, start: int, count: int) -> Floats:
    """Uniform random numbers of a piece that begins at an element. They depend only on the name and the place."""
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "little")
    return np.random.Generator(np.random.Philox(key=key, counter=start)).random(count, dtype=np.float32)


class _Drawn:
    """Keeps each element with the probability `density`."""

    def __init__(self, name: str, density: float) -> None:
        self._name, self._density = name, density

    def __call__(self, values: Floats, place: slice) -> Mask | None:
        if self._density >= 1:
            return None
        return np.asarray(draws(self._name, place.start, len(values)) < self._density)


class _Ranked:
    """Keeps each element with a probability that grows with its rank in its row, from density - epsilon for the
    smallest to density + epsilon for the largest. The only element of a row has the probability `density`."""

    def __init__(self, name: str, density: float, epsilon: float, size: Size) -> None:
        self._name, self._density, self._epsilon = name, density, epsilon
        self._row = size[1] if len(size) > 1 else max(1, math.prod(size))
        self._inside = math.prod(size[2:])

    def __call__(self, values: Floats, place: slice) -> Mask | None:
        if self._density >= 1:
            return None
        if self._density <= 0:
            return np.zeros(len(values), bool)
        ranks = _ranks(_magnitude(values).reshape(-1, self._row, self._inside))
        height = ranks / np.float32(self._row - 1) if self._row > 1 else np.full_like(ranks, 0.5)
        chance = np.float32(self._density - self._epsilon) + height * np.float32(2) * np.float32(self._epsilon)
        return np.asarray(draws(self._name, place.start, len(values)) < chance.reshape(-1))


def _ranks(magnitudes: npt.NDArray[np.uint32]) -> Floats:
    """Ranks along the middle axis, from 0; of equal magnitudes the first is smaller. Keys with their places in the
    lower half are sorted, because that is much faster than a stable argsort."""
    places = np.arange(magnitudes.shape[1], dtype=np.uint64)[None, :, None]
    keys = np.sort((magnitudes.astype(np.uint64) << np.uint64(32)) | places, axis=1)
    ranks = np.empty(magnitudes.shape, np.float32)
    np.put_along_axis(ranks, (keys & np.uint64(0xFFFFFFFF)).astype(np.int64), places.astype(np.float32), axis=1)
    return ranks


def _middle(
    read: Vectors, densities: npt.NDArray[np.float64], gammas: npt.NDArray[np.float64], size: int
) -> Callable[[], list[Keep]]:
    """Leave out the share `gamma` of the largest, then the smallest until the share `density` is left. Fewer of the
    largest are left out if the rest would be too few."""
    wanted = [size if density >= 1 else int(density * size) for density in densities]
    lowest = [max(0, size - count - int(gamma * size)) for count, gamma in zip(wanted, gammas, strict=True)]
    above = _limits(read, [size - low for low in lowest])
    outliers = _limits(read, [size - low - count for low, count in zip(lowest, wanted, strict=True)])
    return lambda: [
        _Between(_Largest(*one), _Largest(*other)) if density < 1 else _Largest(-1, 0)
        for one, other, density in zip(above, outliers, densities, strict=True)
    ]


class _Between:
    """Keeps what the first keeps and the second does not."""

    def __init__(self, wide: Keep, narrow: Keep) -> None:
        self._wide, self._narrow = wide, narrow

    def __call__(self, values: Floats, place: slice) -> Mask | None:
        wide, narrow = self._wide(values, place), self._narrow(values, place)
        inside = np.ones(len(values), bool) if wide is None else wide
        return inside & ~narrow if narrow is not None else np.zeros(len(values), bool)


def _most(density: float, size: int) -> int:
    """The number of elements that TIES keeps."""
    return size if density >= 1 else 0 if density <= 0 else max(1, int(density * size))


class _Largest:
    """Keeps the elements whose magnitude is above a limit, and the first `spare` elements at the limit."""

    def __init__(self, limit: int, spare: int) -> None:
        self._limit, self._spare = limit, spare

    def __call__(self, values: Floats, place: slice) -> Mask | None:
        if self._limit < 0:
            return None
        bits = _magnitude(values)
        kept = np.asarray(bits > self._limit)
        at = np.flatnonzero(bits == self._limit)[: self._spare]
        kept[at] = True
        self._spare -= len(at)
        return kept


def _limits(read: Vectors, wanted: Sequence[int]) -> list[tuple[int, int]]:
    """For each input, the bits of its k-th largest magnitude and the number of elements to keep at this magnitude; -1
    keeps all."""
    upper = _histograms(read, len(wanted), None)
    buckets = [_bucket(counts, k) for counts, k in zip(upper, wanted, strict=True)]
    lower = _histograms(read, len(wanted), [bucket for bucket, _ in buckets])
    limits = []
    for k, (bucket, above), counts, total in zip(wanted, buckets, lower, upper, strict=True):
        if k == 0 or k >= total.sum():
            limits.append((1 << 31, 0) if k == 0 else (-1, 0))
            continue
        low, more = _bucket(counts, k - above)
        limits.append((bucket * _HALF + low, k - above - more))
    return limits


def _bucket(counts: npt.NDArray[np.int64], k: int) -> tuple[int, int]:
    """The bucket of the k-th largest element, and the number of elements in the buckets above it."""
    from_top = np.cumsum(counts[::-1])
    place = min(int(np.searchsorted(from_top, max(1, k))), len(counts) - 1)
    return len(counts) - 1 - place, int(from_top[place] - counts[::-1][place])


def _histograms(read: Vectors, count: int, buckets: list[int] | None) -> list[npt.NDArray[np.int64]]:
    histograms = [np.zeros(_HALF, np.int64) for _ in range(count)]
    for _, vectors in read():
        for index, vector in enumerate(vectors):
            bits = _magnitude(vector)
            if buckets is None:
                histograms[index] += np.bincount(bits >> 16, minlength=_HALF)
            else:
                histograms[index] += np.bincount(bits[bits >> 16 == buckets[index]] & 0xFFFF, minlength=_HALF)
    return histograms


def _magnitude(values: Floats) -> npt.NDArray[np.uint32]:
    return values.view(np.uint32) & np.uint32(0x7FFFFFFF)

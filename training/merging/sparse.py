"""TIES (arXiv 2306.01708) and DARE (2311.03099): differences to the base are thinned out, then added, by sign or not.

The differences that TIES keeps are found exactly and without a sorted copy: two histograms of the bits of float32,
whose order is that of the numbers, give the k-th largest magnitude.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from training.merging.methods import Values
from training.merging.tensors import Floats

Mask = npt.NDArray[np.bool_]
Vectors = Callable[[], Iterator[tuple[slice, list[Floats]]]]
"""Reads all pieces from the first on: the slice, and the differences of each input."""
_LEAST = 1e-7
_HALF = 1 << 16


class Keep(Protocol):
    """Returns the mask of the elements that are kept; None keeps all."""

    def __call__(self, values: Floats, place: slice) -> Mask | None: ...


class Sparse:
    """The thinning and the sum for one tensor. Call `mix` once for each piece, in order."""

    def __init__(self, method: str, values: Values, read: Vectors, key: str, seed: int) -> None:
        self._signed = method != "dare_linear"
        self._values = values
        self._weights = values.per_input["weight"].astype(np.float32)
        densities = values.per_input["density"]
        fresh = _largest(read, densities) if method == "ties" else _random(densities, f"{seed}/{key}")
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


def _random(densities: npt.NDArray[np.float64], key: str) -> Callable[[], list[Keep]]:
    return lambda: [_Drawn(f"{key}/{index}", density) for index, density in enumerate(densities)]


class _Drawn:
    """Keeps each element with the probability `density`. The draw depends only on the place."""

    def __init__(self, name: str, density: float) -> None:
        self._key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "little")
        self._density = density

    def __call__(self, values: Floats, place: slice) -> Mask | None:
        if self._density >= 1:
            return None
        source = np.random.Generator(np.random.Philox(key=self._key, counter=place.start))
        return np.asarray(source.random(len(values), dtype=np.float32) < self._density)


def _largest(read: Vectors, densities: npt.NDArray[np.float64]) -> Callable[[], list[Keep]]:
    limits = _limits(read, densities)
    return lambda: [_Largest(*limit) for limit in limits]


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


def _limits(read: Vectors, densities: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """For each input, the bits of its k-th largest magnitude and the number of elements to keep at this magnitude; -1
    keeps all."""
    upper = _histograms(read, len(densities), None)
    sizes = [int(counts.sum()) for counts in upper]
    wanted = [0 if d <= 0 else max(1, int(d * size)) for d, size in zip(densities, sizes, strict=True)]
    buckets = [_bucket(counts, k) for counts, k in zip(upper, wanted, strict=True)]
    lower = _histograms(read, len(densities), [bucket for bucket, _ in buckets])
    limits = []
    for density, k, (bucket, above), counts in zip(densities, wanted, buckets, lower, strict=True):
        if density >= 1 or k == 0:
            limits.append((-1, 0) if density >= 1 else (1 << 31, 0))
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

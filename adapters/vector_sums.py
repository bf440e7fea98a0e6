"""Checksums of stored vectors, fast enough to verify every vector that a search reads.

The checksum of a vector is a sum over its 32-bit words, each times a fixed random 64-bit weight, modulo 2^64. A change
of a vector goes unnoticed with a probability of about 2^-32, even one of signs only. Earlier versions wrote a CRC-32.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.identity import Digests
from adapters.protocols import Floats

Sums = npt.NDArray[np.uint64] | npt.NDArray[np.uint32]
"""uint64, or uint32 if an earlier version wrote them."""
_Words = npt.NDArray[np.uint64]
_BYTES = 1 << 18
"""What is summed at a time. It fits into the cache of a core."""
_HALF = np.uint64(32)


def vector_sums(digests: Digests, vectors: Floats, start: int) -> _Words:
    """One checksum for each vector, over the digest that names it and the vector itself.

    Args:
        digests: uint64 [n, 2].
        vectors: float32 [n, dim].
        start: `seed` of what the vectors belong to.

    Returns:
        uint64 [n].
    """
    names = np.column_stack([np.full(len(digests), start, "<u8"), digests])
    return _weighted(names, 1) + _weighted(_words(vectors), 2)


def are_sound(digests: Digests, vectors: Floats, start: int, sums: Sums) -> bool:
    """Whether all vectors are those that the checksums were made of."""
    made = _former_sums if sums.dtype == np.uint32 else vector_sums
    return np.array_equal(made(digests, vectors, start), sums)


def _weighted(words: _Words, kind: int) -> _Words:
    """The weighted sum of each row. The high halves have weights of their own: a change of the highest bit of a word
    would otherwise cancel with another one."""
    low, high = _weights(words.shape[1], kind)
    found = np.empty(len(words), np.uint64)
    step = max(1, _BYTES // (8 * max(1, words.shape[1])))
    for first in range(0, len(words), step):
        part = words[first : first + step]
        found[first : first + step] = np.einsum("ij,j->i", part, low) + np.einsum("ij,j->i", part >> _HALF, high)
    return found


def _words(vectors: Floats) -> _Words:
    """The bytes of each vector as 64-bit words; an odd number of floats ends with zeros."""
    rows = np.ascontiguousarray(vectors, "<f4")
    if rows.shape[1] % 2:
        rows = np.pad(rows, ((0, 0), (0, 1)))
    return rows.view("<u8")


@lru_cache(maxsize=16)
def _weights(count: int, kind: int) -> tuple[_Words, _Words]:
    """Fixed random words: the outputs of SplitMix64, odd for the low halves."""
    with np.errstate(over="ignore"):
        state = (np.arange(1, 2 * count + 1, dtype=np.uint64) + np.uint64(kind << 32)) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    mixed: npt.NDArray[Any] = state ^ state >> np.uint64(31)
    return mixed[:count] | np.uint64(1), mixed[count:]


def _former_sums(digests: Digests, vectors: Floats, start: int) -> npt.NDArray[np.uint32]:
    """The checksums of earlier versions: a CRC-32 of each digest and vector."""
    names, size = np.ascontiguousarray(digests, "<u8").tobytes(), vectors.shape[1] * 4
    content = memoryview(np.ascontiguousarray(vectors, "<f4").tobytes())
    at = range(len(digests))
    sums = (zlib.crc32(content[i * size : (i + 1) * size], zlib.crc32(names[16 * i : 16 * i + 16], start)) for i in at)
    return np.fromiter(sums, np.uint32, len(digests))

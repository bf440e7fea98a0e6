"""Identity is content: one place that turns texts, files and descriptions into digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Digests = npt.NDArray[np.uint64]
"""Shape [n, 2]: 128-bit text digests as two little-endian words."""

_CHUNK = 1 << 22


def text_digest(text: str) -> bytes:
    """16 bytes of BLAKE2b over the UTF-8 text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def text_digests(texts: Iterable[str]) -> Digests:
    """Digests of many texts, shape [n, 2]."""
    return np.frombuffer(b"".join(map(text_digest, texts)), dtype="<u8").reshape(-1, 2)


def digest(description: Mapping[str, object]) -> str:
    """32 hex digits over the canonical JSON of a description."""
    canonical = json.dumps(description, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()


def array_digest(*arrays: npt.NDArray[np.generic]) -> str:
    """32 hex digits over the shapes, types and bytes of arrays."""
    state = hashlib.blake2b(digest_size=16)
    for array in arrays:
        state.update(f"{array.dtype.str}{array.shape}".encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def file_digest(path: Path) -> str:
    """32 hex digits over the bytes of a file."""
    state = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()

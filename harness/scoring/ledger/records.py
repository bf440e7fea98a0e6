"""The arrays of the pair ledger: pack scored pairs into blobs, and find pairs by their digests."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from adapters.identity import Digests
from adapters.protocols import IndexPairs

RECORD = np.dtype(
    [("lo", "<u8"), ("hi", "<u8"), ("score", "<f4"), ("tokens", "<i4"), ("kept", "<i4"), ("input", "<u8")]
)
"""A pair in a blob, 36 bytes: document digest, score, token counts, and the digest of the model's input."""

KEY_BYTES = 16
"""The length of a query's digest."""
Ordinals = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]
FIELDS = ("score", "tokens", "kept", "input")


@dataclass(frozen=True)
class Entries:
    """The recorded values of pairs. All arrays have shape [pairs]."""

    score: npt.NDArray[np.float32]
    """Raw float32 scores, bit for bit as recorded; NaN for unknown pairs."""
    tokens: npt.NDArray[np.int32]
    """Document tokens before truncation; -1 if not known."""
    kept: npt.NDArray[np.int32]
    """Document tokens that reached the model; -1 if not known."""
    input: npt.NDArray[np.uint64]
    """Digest of the model's complete input; 0 if not known."""

    @classmethod
    def unknown(cls, count: int) -> Entries:
        """Entries of unknown pairs."""
        missing = np.full(count, -1, np.int32)
        return cls(np.full(count, np.nan, np.float32), missing, missing.copy(), np.zeros(count, np.uint64))


def checksum(scorer: int, query: bytes, pairs: bytes) -> int:
    """The CRC-32 of a part and its key. The number of a part is left out: parts of a query may be joined."""
    return zlib.crc32(pairs, zlib.crc32(query, zlib.crc32(scorer.to_bytes(8, "little", signed=True))))


def is_sound(scorer: object, query: object, pairs: object, known: object) -> bool:
    """Whether a part is what was written under its key: complete records with the right checksum."""
    return _is_whole(scorer, query, pairs) and (
        known == checksum(scorer, query, pairs) or known == zlib.crc32(pairs)  # type: ignore[arg-type]
    )


def has_former_checksum(pairs: bytes, known: int) -> bool:
    """Whether the checksum of a sound part leaves out the key, as earlier versions wrote it."""
    return known == zlib.crc32(pairs)


def _is_whole(scorer: object, query: object, pairs: object) -> bool:
    key = isinstance(scorer, int) and isinstance(query, bytes) and len(query) == KEY_BYTES
    return key and isinstance(pairs, bytes) and len(pairs) % RECORD.itemsize == 0


def query_keys(queries: Digests) -> list[bytes]:
    """The 16 bytes of each digest."""
    packed = np.ascontiguousarray(queries, dtype="<u8").tobytes()
    return [packed[start : start + 16] for start in range(0, len(packed), 16)]


def decoded(owners: list[int], blobs: list[bytes]) -> tuple[Ordinals, Records]:
    """The records of some blobs in one array, each with the owner of its blob."""
    lengths = [len(blob) // RECORD.itemsize for blob in blobs]
    return np.repeat(np.array(owners, np.int64), lengths), np.frombuffer(b"".join(blobs), RECORD)


def matches(stored_owners: Ordinals, stored: Records, owners: Ordinals, documents: Digests) -> Ordinals:
    """The first stored record of each wanted (owner, document), or -1."""
    keys = _mixed(stored_owners, stored["lo"])
    order = np.argsort(keys, kind="stable")
    keys, lo, hi, owner = keys[order], stored["lo"][order], stored["hi"][order], stored_owners[order]
    wanted = _mixed(owners, documents[:, 0])
    found, rows = np.full(len(wanted), -1, np.int64), np.arange(len(wanted))
    spots = np.searchsorted(keys, wanted)
    while len(rows):
        near = spots < len(keys)
        rows, spots = rows[near], spots[near]
        near = keys[spots] == wanted[rows]
        rows, spots = rows[near], spots[near]
        same = (owner[spots] == owners[rows]) & (lo[spots] == documents[rows, 0]) & (hi[spots] == documents[rows, 1])
        found[rows[same]] = order[spots[same]]
        # two pairs may share a key: look at the next one
        rows, spots = rows[~same], spots[~same] + 1
    return found


def _mixed(owners: Ordinals, words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """One word for an owner and a word of a digest. Different pairs may have the same one."""
    return owners.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ words


def distinct(owners: Ordinals, records: Records) -> tuple[Ordinals, Records]:
    """Drop repeats of an (owner, document). The first record is kept."""
    first = _firsts(owners, _documents(records)) == np.arange(len(records))
    return owners[first], records[first]


def split(owners: Ordinals, records: Records) -> Iterator[tuple[int, bytes]]:
    """Yield one (owner, blob) per owner. The records of an owner keep their order."""
    order = np.argsort(owners, kind="stable")
    owners, records = owners[order], records[order]
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    for start, stop in pairwise([*starts, len(owners)]):
        yield int(owners[start]), records[start:stop].tobytes()


def grouped(queries: Digests, documents: Digests, pairs: IndexPairs, entries: Entries) -> list[tuple[bytes, bytes]]:
    """(query digest, blob) per query of a request, in the order of the digests, without repeated pairs."""
    records = np.empty(len(pairs), RECORD)
    records["lo"], records["hi"] = documents[pairs[:, 1]].T
    for name in FIELDS:
        records[name] = getattr(entries, name)
    asked, rows = np.unique(pairs[:, 0], return_inverse=True)
    position: dict[bytes, int] = {}  # two queries of a collection may have the same text
    owners = np.array([position.setdefault(key, len(position)) for key in query_keys(queries[asked])], np.int64)
    keys = list(position)
    return sorted((keys[owner], blob) for owner, blob in split(*distinct(owners[rows], records)))


def _documents(records: Records) -> Digests:
    return np.stack([records["lo"], records["hi"]], axis=1)


def _firsts(owners: Ordinals, documents: Digests) -> Ordinals:
    """For each row, the first row with the same owner and the same 128-bit document digest."""
    order = np.lexsort((documents[:, 1], documents[:, 0], owners))
    owners, documents = owners[order], documents[order]
    new = np.ones(len(order), bool)
    new[1:] = (owners[1:] != owners[:-1]) | (documents[1:] != documents[:-1]).any(axis=1)
    heads = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    firsts = np.empty(len(order), np.int64)
    firsts[order] = order[heads]
    return firsts

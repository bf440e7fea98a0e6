"""Sketches of the queries that a checkpoint was trained on: what training writes into its manifest, and how many
evaluation queries are in it.

A sketch has 32 bytes for each distinct query: for each of 32 hash functions the last byte of the smallest hash of the
query's character trigrams (MinHash with few bits, Li and König 2010). Two queries count as one if at least 31 bytes are
equal: queries that are equal but for case and punctuation always, of those with a typo a tenth to a half. A sketch
holds no text, but it shows whether a given query was used. With a secret in HARNESS_SKETCH_KEY the hash functions
depend on it, so only somebody who has the secret can compare.
"""

from __future__ import annotations

import binascii
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from adapters.errors import ModelError
from adapters.typed_file import read_value
from adapters.typed_values import Place, Share, typed
from harness.checks.near_duplicates import normalised, trigrams
from harness.measuring.controls import mixed

KEY = "query_sketch"
"""The key in manifest.json of a fitted and in merge.json of a merged checkpoint."""
VARIABLE = "HARNESS_SKETCH_KEY"
HASHES, AGREE, BAND = 32, 31, 4
"""Bytes of a query, how many of them two queries must share, and the bytes that are looked up together: of 8 groups at
least 7 are equal if 31 of 32 bytes are."""
MOST = 100_000
"""Queries of a sketch. Of more a random half, quarter, ... is kept; equal queries are kept or left out together."""
_AT_ONCE = 20_000
_FILES = ("manifest.json", "merge.json")
_ADVICE = "make the checkpoint again, or take it from its source"

Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sketch:
    """The queries of a training."""

    rows: Bytes
    """[queries, 32], sorted and distinct."""
    kept: float = 1.0
    """The share of the queries that is kept: 1, 1/2, 1/4, ..."""
    key: str | None = None
    """Recognises the secret of the hash functions; None without a secret."""

    @property
    def queries(self) -> int:
        """The number of distinct queries, estimated if only a share is kept."""
        return round(len(self.rows) / self.kept)


@dataclass(frozen=True)
class TrainedQueries:
    """What the manifests of a checkpoint say about its training queries."""

    sketches: tuple[Sketch, ...]
    """One for each secret."""
    whole: bool
    """Whether every model that the checkpoint was made from had a sketch."""

    def as_dict(self) -> dict[str, object]:
        """What a manifest holds."""
        parts = [
            {"key": one.key, "kept": one.kept, "rows": b64encode(one.rows.tobytes()).decode()} for one in self.sketches
        ]
        return {"hashes": HASHES, "whole": self.whole, "parts": parts}


def secret() -> str | None:
    """The secret of the environment; None without one."""
    return os.environ.get(VARIABLE) or None


def sketch_of(texts: Iterable[str], secret: str | None = None) -> Sketch:
    """The sketch of queries, read in one pass. Queries that are equal after normalisation count once, empty ones do not
    count."""
    sketch, texts = Sketch(_distinct(_rows([], secret)), 1.0, fingerprint(secret)), iter(texts)
    while some := list(islice(texts, _AT_ONCE)):
        plain = sorted({normalised(text) for text in some} - {""})
        sketch = _together(sketch, replace(sketch, rows=_distinct(_rows(plain, secret)), kept=1.0))
    return sketch


def fingerprint(secret: str | None) -> str | None:
    """Eight hex digits that recognise a secret; None without one."""
    return None if secret is None else blake2b(secret.encode(), digest_size=4, person=b"sketch id").hexdigest()


def joined(sketches: Iterable[Sketch]) -> tuple[Sketch, ...]:
    """The queries of all sketches, one sketch for each secret."""
    by_key: dict[str | None, Sketch] = {}
    for one in sketches:
        before = by_key.get(one.key)
        by_key[one.key] = one if before is None else _together(before, one)
    return tuple(by_key[key] for key in sorted(by_key, key=str))


def trained_on(folder: Path) -> TrainedQueries | None:
    """What the files of a checkpoint say about its training queries; None if they say nothing.

    Raises:
        ModelError: a file is damaged.
    """
    found = [one for name in _FILES if (one := _declared(folder / name)) is not None]
    if not found:
        return None
    return TrainedQueries(joined(part for one in found for part in one.sketches), all(one.whole for one in found))


def inherited(folders: Iterable[Path], queries: Iterable[str] = ()) -> TrainedQueries:
    """The training queries of what is made from the checkpoints in some folders.

    Args:
        queries: those that it is trained on now.

    Raises:
        ModelError: a file of a folder is damaged.
    """
    before, own = [trained_on(folder) for folder in folders], sketch_of(queries, secret())
    known = [part for one in before if one is not None for part in one.sketches]
    whole = all(one is not None and one.whole for one in before)
    return TrainedQueries(joined([*known, *([own] if len(own.rows) else [])]), whole)


def found_in(sketch: Sketch, texts: Sequence[str], secret: str | None = None) -> Flags:
    """Whether each text is one of the queries of a sketch, bool [texts].

    Args:
        secret: that of the sketch.
    """
    plain = [normalised(text) for text in texts]
    seen = np.zeros(len(texts), bool)
    for start in range(0, len(plain), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        seen[part] = _near(sketch.rows, _rows(plain[part], secret))
    return np.asarray(seen & np.array([bool(text) for text in plain], bool))


def _rows(plain: Sequence[str], secret: str | None) -> Bytes:
    """The bytes of normalised texts, [texts, 32]; zeros for an empty text."""
    if not plain:
        return np.zeros((0, HASHES), np.uint8)
    grams = trigrams(plain)
    rows, filled = np.zeros((len(plain), HASHES), np.uint8), grams.sizes > 0
    if not filled.any():
        return rows
    starts = grams.offsets[:-1][filled]
    for place, seed in enumerate(_seeds(secret)):
        least = np.minimum.reduceat(mixed(mixed(grams.values ^ seed[0]) * (seed[1] | np.uint64(1))), starts)
        rows[filled, place] = (mixed(least) & np.uint64(255)).astype(np.uint8)
    return rows


def _seeds(secret: str | None) -> npt.NDArray[np.uint64]:
    start = blake2b((secret or "").encode(), digest_size=32, person=b"query sketch").digest()
    return np.random.default_rng(int.from_bytes(start, "big")).integers(0, 2**63, (HASHES, 2), np.uint64)


def _near(stored: Bytes, asked: Bytes) -> Flags:
    """Whether each asked row shares `AGREE` bytes with a stored row. Rows are compared if a group of bytes is equal."""
    near = np.zeros(len(asked), bool)
    ours, theirs = (np.ascontiguousarray(rows).view("<u4").reshape(-1, HASHES // BAND) for rows in (stored, asked))
    for group in range(HASHES // BAND):
        order = np.argsort(ours[:, group], kind="stable")
        keys = ours[order, group]
        low = np.searchsorted(keys, theirs[:, group], "left")
        high = np.searchsorted(keys, theirs[:, group], "right")
        for row in np.flatnonzero(~near & (high > low)):
            rows = stored[order[low[row] : high[row]]]
            near[row] = bool(((rows == asked[row]).sum(axis=1) >= AGREE).any())
    return near


def _distinct(rows: Bytes) -> Bytes:
    return np.unique(rows, axis=0) if len(rows) else rows.reshape(0, HASHES)


def _fitted(sketch: Sketch) -> Sketch:
    """The sketch with at most `MOST` queries."""
    while len(sketch.rows) > MOST:
        sketch = _halved(sketch, sketch.kept / 2)
    return sketch


def _halved(sketch: Sketch, kept: float) -> Sketch:
    """Keep the queries whose own hash, a number from 0 to 1, is below `kept`."""
    words = np.ascontiguousarray(sketch.rows).view("<u8").reshape(-1, HASHES // 8)
    own = np.zeros(len(words), np.uint64)
    for word in words.T:
        own = mixed(own ^ word.astype(np.uint64))
    return replace(sketch, rows=sketch.rows[own / 2.0**64 < kept], kept=kept)


def _together(one: Sketch, other: Sketch) -> Sketch:
    kept = min(one.kept, other.kept)
    rows = [_halved(part, kept).rows if part.kept > kept else part.rows for part in (one, other)]
    return _fitted(Sketch(_distinct(np.concatenate(rows)), kept, one.key))


@dataclass(frozen=True)
class _Part:
    key: str | None
    kept: Share
    rows: str


@dataclass(frozen=True)
class _Written:
    open_keys: ClassVar[bool] = True
    hashes: int
    whole: bool
    parts: tuple[_Part, ...]


def _declared(file: Path) -> TrainedQueries | None:
    if not file.is_file():
        return None
    content = read_value(file, error=ModelError, advice=_ADVICE)
    value: Any = content.get(KEY) if isinstance(content, dict) else None
    if value is None:
        return None
    place = Place(str(file), error=ModelError, advice=_ADVICE, table="object", way=KEY)
    written = typed(_Written, value if isinstance(value, Mapping) else place.refuse("is not an object"), place)
    if written.hashes != HASHES:
        place.refuse(f"has {written.hashes} hashes; this program reads {HASHES}")
    return TrainedQueries(tuple(_read(one, place) for one in written.parts), written.whole)


def _read(part: _Part, place: Place) -> Sketch:
    try:
        content = b64decode(part.rows, validate=True)
    except (binascii.Error, ValueError):
        place.refuse("is damaged")
    if len(content) % HASHES or not 0 < part.kept <= 1:
        place.refuse("is damaged")
    return Sketch(np.frombuffer(content, np.uint8).reshape(-1, HASHES), part.kept, part.key)

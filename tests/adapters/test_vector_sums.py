"""Every vector is verified when it is read, so a checksum has to be fast, and notice what disks and programs do."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.identity import array_digest, text_digests
from adapters.protocols import Floats
from adapters.sums import DamageWarning, seed
from adapters.vector_sums import are_sound, vector_sums
from adapters.vectors import DamagedVectors, VectorStore

KEY = "0" * 32
CHANGES: dict[str, Callable[[Floats], object]] = {
    "the vector has the opposite sign": lambda one: np.negative(one, out=one),
    "two signs of even places": lambda one: np.negative(one[[2, 6]], out=one[2:7:4]),
    "two signs of odd places": lambda one: np.negative(one[[3, 7]], out=one[3:8:4]),
    "every odd place has the opposite sign": lambda one: np.negative(one[1::2], out=one[1::2]),
    "two numbers are exchanged": lambda one: one.__setitem__([1, 5], one[[5, 1]]),
    "the halves are exchanged": lambda one: one.__setitem__(slice(None), np.roll(one, len(one) // 2)),
    "zeros": lambda one: one.__setitem__(slice(4, 8), 0),
    "twice as long": lambda one: np.multiply(one, 2, out=one),
    "a copy of its neighbour": lambda one: one.__setitem__(slice(4, 8), one[:4]),
}


def vectors(count: int, dim: int) -> Floats:
    return np.random.default_rng(dim).standard_normal((count, dim), dtype=np.float32)


@pytest.mark.parametrize("dim", [8, 9, 256, 1024])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_vector_is_noticed(change: Callable[[Floats], object], dim: int) -> None:
    digests, stored = text_digests(["a", "b", "c"]), vectors(3, dim)
    sums = vector_sums(digests, stored, 5)
    change(stored[1])
    assert (vector_sums(digests, stored, 5) == sums).tolist() == [True, False, True]
    assert not are_sound(digests, stored, 5, sums)


@settings(deadline=None)
@given(st.integers(1, 70), st.lists(st.integers(0, 70 * 32 - 1), min_size=1, max_size=3, unique=True))
def test_up_to_three_flipped_bits_are_noticed(dim: int, places: list[int]) -> None:
    flips = [place for place in places if place < dim * 32] or [0]
    digests, stored = text_digests(["a"]), vectors(1, dim)
    sums = vector_sums(digests, stored, 5)
    for place in flips:
        stored.view(np.uint32)[0, place // 32] ^= np.uint32(1 << place % 32)
    assert not are_sound(digests, stored, 5, sums)


def test_a_checksum_belongs_to_one_text_and_one_embedder() -> None:
    digests, stored = text_digests(["a", "b"]), vectors(2, 16)
    sums = vector_sums(digests, stored, 5)
    assert not are_sound(digests[::-1], stored, 5, sums)
    assert not are_sound(digests, stored[::-1], 5, sums)
    assert not are_sound(digests, stored, 6, sums)


def test_the_checksums_are_the_same_in_every_version_and_on_every_machine() -> None:
    digests, stored = text_digests(["a", "b"]), np.arange(12, dtype=np.float32).reshape(2, 6)
    assert vector_sums(digests, stored, seed(KEY)).tolist() == [13462802700066964316, 1920447232009117602]


def former_store(folder: Path) -> tuple[Path, list[str], Floats]:
    """A store as earlier versions wrote it: a CRC-32 for each vector."""
    texts, stored = ["a", "b", "c"], vectors(3, 8)
    digests = text_digests(texts)
    sums = [zlib.crc32(digests[row].tobytes() + stored[row].tobytes(), seed(KEY)) for row in range(3)]
    (folder / KEY).mkdir()
    name = folder / KEY / array_digest(digests)
    for end, array in ((".digests.npy", digests), (".sums.npy", np.array(sums, np.uint32)), (".npy", stored)):
        np.save(f"{name}{end}", array)
    return Path(f"{name}.npy"), texts, stored


def test_a_store_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    _, texts, stored = former_store(tmp_path)
    assert np.array_equal(VectorStore(tmp_path, KEY).gather(text_digests(texts)), stored)


def test_damage_in_a_store_of_an_earlier_version_is_noticed(tmp_path: Path) -> None:
    file, texts, _ = former_store(tmp_path)
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.warns(DamageWarning, match="a vector is not what was stored"), pytest.raises(DamagedVectors):
        VectorStore(tmp_path, KEY).gather(text_digests(texts))

"""Vectors cost hours: what was embedded once is found again, and what is damaged is never read as a vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import DataError, ModelError
from adapters.identity import Digests, text_digests
from adapters.protocols import Floats
from adapters.sums import DamageWarning
from adapters.vector_shard import shard_files
from adapters.vectors import DamagedVectors, VectorStore

KEY = "0" * 32


def vectors_of(digests: Digests, dim: int = 4) -> Floats:
    return np.stack([np.random.default_rng(int(row[0])).random(dim, dtype=np.float32) for row in digests])


def filled(folder: Path | None, *shards: list[str], dim: int = 4) -> VectorStore:
    store = VectorStore(folder, KEY)
    for texts in shards:
        digests = text_digests(texts)
        store.append(digests, vectors_of(digests, dim))
    return store


def vector_files(folder: Path) -> list[Path]:
    return list(shard_files(folder / KEY))


@settings(deadline=None)
@given(
    known=st.lists(st.lists(st.text(max_size=3), min_size=1, unique=True, max_size=5), max_size=4),
    asked=st.lists(st.text(max_size=3), max_size=12),
)
def test_what_is_missing_and_what_is_gathered_complete_each_other(known: list[list[str]], asked: list[str]) -> None:
    store = filled(None, *known)
    here = {text for shard in known for text in shard}
    digests = text_digests(asked)
    missing = store.missing(digests)
    assert [asked[row] for row in missing] == [t for t in dict.fromkeys(asked) if t not in here]
    if len(missing):
        store.append(digests[missing], vectors_of(digests[missing]))
    gathered = store.gather(digests)
    assert len(gathered) == len(asked)
    assert not asked or np.array_equal(gathered, vectors_of(digests))


def test_texts_whose_digests_share_their_first_word_are_told_apart() -> None:
    store = VectorStore(None, KEY)
    digests = np.array([[7, 3], [7, 1], [7, 2], [8, 0]], dtype="<u8")
    store.append(digests, np.eye(4, dtype=np.float32))
    assert np.array_equal(store.gather(digests), np.eye(4))
    assert store.locate(np.array([[7, 4], [9, 0], [6, 0]], dtype="<u8")).tolist() == [-1, -1, -1]


def test_a_second_opening_finds_every_vector(tmp_path: Path) -> None:
    filled(tmp_path, ["a", "b"], ["c"])
    store = VectorStore(tmp_path, KEY)
    digests = text_digests(["c", "a", "b", "a"])
    assert len(store) == 3
    assert not len(store.missing(digests))
    assert np.array_equal(store.gather(digests), vectors_of(digests))


def test_another_identity_does_not_see_the_vectors(tmp_path: Path) -> None:
    filled(tmp_path, ["a"])
    assert VectorStore(tmp_path, "1" * 32).missing(text_digests(["a"])).tolist() == [0]


def test_a_text_without_a_vector_is_refused_not_made_up(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 texts have no vector"):
        filled(tmp_path, ["a"]).gather(text_digests(["a", "b"]))


@pytest.mark.parametrize("keep", [0, 10, 100, 135])
def test_a_torn_shard_is_embedded_again(tmp_path: Path, keep: int) -> None:
    filled(tmp_path, ["a"])
    filled(tmp_path, ["b"])
    torn = vector_files(tmp_path)[0]
    torn.write_bytes(torn.read_bytes()[:keep])
    with pytest.warns(DamageWarning, match=f"{torn.name}: .* kept as {torn.name}.damaged, and its texts are embedded"):
        store = VectorStore(tmp_path, KEY)
    assert len(store.missing(text_digests(["a", "b"]))) == 1
    assert torn.with_name(f"{torn.name}.damaged").exists() and not torn.exists()


def test_a_kill_between_the_two_files_leaves_no_shard(tmp_path: Path) -> None:
    filled(tmp_path, ["a"])
    vector_files(tmp_path)[0].unlink()
    assert len(VectorStore(tmp_path, KEY)) == 0


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path, ["a"])
    (tmp_path / KEY / "notes.npy").write_bytes(b"not an array")
    assert len(VectorStore(tmp_path, KEY)) == 1
    assert (tmp_path / KEY / "notes.npy").read_bytes() == b"not an array"


TEXTS = ["a", "b", "c", "d"]


def refilled(store: VectorStore, texts: list[str] = TEXTS) -> Floats:
    """What an embedder does with a store: it embeds what is missing, then reads; once more if something was damaged."""
    digests = text_digests(texts)
    for _ in range(2):
        missing = store.missing(digests)
        if len(missing):
            store.append(digests[missing], vectors_of(digests[missing]))
        try:
            return store.gather(digests)
        except DamagedVectors:
            continue
    raise AssertionError("damaged twice")


@pytest.mark.filterwarnings("ignore::adapters.sums.DamageWarning")
@pytest.mark.parametrize("end", [".npy", ".digests.npy", ".sums.npy"])
def test_a_changed_byte_anywhere_in_a_shard_changes_no_vector(tmp_path: Path, end: str) -> None:
    filled(tmp_path, TEXTS)
    file = vector_files(tmp_path)[0].with_suffix(end)
    sound, expected = file.read_bytes(), vectors_of(text_digests(TEXTS))
    for place in range(3, len(sound), 11):
        for store in (tmp_path / KEY).glob("*"):
            store.unlink()
        filled(tmp_path, TEXTS)
        file.write_bytes(sound[:place] + bytes([sound[place] ^ 0x40]) + sound[place + 1 :])
        assert np.array_equal(refilled(VectorStore(tmp_path, KEY)), expected), place


def test_a_vector_that_changed_after_the_store_was_opened_is_not_read(tmp_path: Path) -> None:
    filled(tmp_path, ["a", "b"], ["c", "d"])
    store = VectorStore(tmp_path, KEY)
    for file in vector_files(tmp_path):
        content = bytearray(file.read_bytes())
        content[-4:] = np.float32(np.nan).tobytes()
        file.write_bytes(content)
    with pytest.warns(DamageWarning) as warned, pytest.raises(DamagedVectors, match="run again"):
        store.gather(text_digests(["b", "d"]))
    assert len(warned) == 2, "the whole store is verified at once"
    assert store.missing(text_digests(TEXTS)).tolist() == [0, 1, 2, 3]
    assert np.array_equal(refilled(store), vectors_of(text_digests(TEXTS)))


def test_a_shard_of_another_embedder_is_not_read(tmp_path: Path) -> None:
    filled(tmp_path, ["a"])
    other = VectorStore(tmp_path, "1" * 32)
    other.append(text_digests(["a"]), np.ones((1, 4), np.float32))
    for file in (tmp_path / KEY).iterdir():
        file.write_bytes((tmp_path / ("1" * 32) / file.name).read_bytes())
    with pytest.warns(DamageWarning, match="a vector is not what was stored"):
        assert np.array_equal(refilled(VectorStore(tmp_path, KEY), ["a"]), vectors_of(text_digests(["a"])))


def test_vectors_without_checksums_are_not_trusted(tmp_path: Path) -> None:
    filled(tmp_path, ["a"])
    vector_files(tmp_path)[0].with_suffix(".sums.npy").unlink()
    with pytest.warns(DamageWarning, match="an earlier version wrote no checksums; .* embedded again"):
        assert len(VectorStore(tmp_path, KEY)) == 0


def test_vectors_that_are_not_finite_are_not_stored(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not finite"):
        VectorStore(tmp_path, KEY).append(text_digests(["a"]), np.full((1, 4), np.nan, np.float32))


def test_verifying_a_store_sets_nothing_aside(tmp_path: Path) -> None:
    filled(tmp_path, ["a", "b"], ["c"])
    file = vector_files(tmp_path)[0]
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert [str(file) in line for line in VectorStore.damaged(tmp_path / KEY)] == [True]
    assert file.exists()


def test_digests_that_were_exchanged_do_not_hand_out_another_texts_vector(tmp_path: Path) -> None:
    filled(tmp_path, ["a"], ["b"])
    first, second = sorted((tmp_path / KEY).glob("*.digests.npy"))
    first.write_bytes(second.read_bytes())
    with pytest.warns(UserWarning, match="its digests are not those that its name says"):
        store = VectorStore(tmp_path, KEY)
    assert len(store.missing(text_digests(["a", "b"]))) == 1


def test_vectors_of_another_dimension_are_ignored(tmp_path: Path) -> None:
    filled(tmp_path, ["a", "b"])
    filled(tmp_path / "other", ["c"], dim=3)
    for file in (tmp_path / "other" / KEY).iterdir():
        file.rename(tmp_path / KEY / file.name)
    with pytest.warns(UserWarning, match="3 numbers, the others 4"):
        store = VectorStore(tmp_path, KEY)
    assert store.missing(text_digests(["a", "b", "c"])).tolist() == [2]


@pytest.mark.parametrize("vectors", [np.ones((1, 3), np.float32), np.ones((2, 4), np.float32)])
def test_vectors_that_do_not_fit_are_refused(tmp_path: Path, vectors: Floats) -> None:
    with pytest.raises(DataError, match="shape"):
        filled(tmp_path, ["a"]).append(text_digests(["b"]), vectors)


def test_no_half_written_file_has_a_final_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("adapters.atomic.os.fsync", kill)
    with pytest.raises(KeyboardInterrupt):
        filled(tmp_path, ["a"])
    assert not list((tmp_path / KEY).glob("[!.]*"))
    assert len(VectorStore(tmp_path, KEY)) == 0

"""A stored file is what was written under its name, or it is not used: no flipped bit becomes a number."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from adapters.sums import (
    DamagedFile,
    DamageWarning,
    NoChecksum,
    load_arrays,
    load_unproven,
    read_sealed,
    save_arrays,
    save_sealed,
    seed,
    set_aside,
)

ARRAYS = {"a": np.arange(40, dtype=np.int64), "b": np.array(["x", "yz"]), "c": np.empty((0, 3), np.float32)}


@dataclass(frozen=True)
class Note:
    """What a JSON file holds."""

    fingerprint: str
    words: tuple[str, ...] = ()


def saved(file: Path, key: str = "key", **more: np.ndarray) -> Path:
    save_arrays(file, key, {**ARRAYS, **more})
    return file


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    found = load_arrays(saved(tmp_path / "f.npz"), "key")
    assert found.keys() == ARRAYS.keys()
    assert all(np.array_equal(found[name], array) for name, array in ARRAYS.items())
    assert load_arrays(tmp_path / "f.npz", "key", ["b"]).keys() == {"b"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("bit", [1, 0x40])
def test_a_changed_byte_is_noticed_or_changes_nothing(tmp_path: Path, bit: int) -> None:
    file = saved(tmp_path / "f.npz")
    sound = file.read_bytes()
    noticed = 0
    for place in range(len(sound)):
        file.write_bytes(sound[:place] + bytes([sound[place] ^ bit]) + sound[place + 1 :])
        try:
            found = load_arrays(file, "key")
        except DamagedFile:
            noticed += 1
            continue
        assert found.keys() == ARRAYS.keys(), place
        assert all(np.array_equal(found[name], array) for name, array in ARRAYS.items()), place
    assert noticed > len(sound) / 2


@pytest.mark.parametrize("cut", [0, 1, 100, 300])
def test_a_truncated_file_is_noticed(tmp_path: Path, cut: int) -> None:
    file = saved(tmp_path / "f.npz")
    file.write_bytes(file.read_bytes()[: cut or 0])
    with pytest.raises(DamagedFile, match=r"f\.npz: it cannot be read"):
        load_arrays(file, "key")


def test_a_sound_file_of_another_key_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match="not what was written under this name"):
        load_arrays(saved(tmp_path / "f.npz", "other"), "key")


def test_an_array_that_was_added_left_out_or_exchanged_is_noticed(tmp_path: Path) -> None:
    written = dict(np.load(saved(tmp_path / "f.npz")))
    for changed in (
        {**written, "d": written["a"]},
        {name: array for name, array in written.items() if name != "c"},
        {**written, "a": written["a"][::-1]},
        {**written, "sums": np.zeros(3, np.uint8)},
    ):
        np.savez(tmp_path / "f.npz", **changed)
        with pytest.raises(DamagedFile):
            load_arrays(tmp_path / "f.npz", "key", ["a"])


def test_a_file_without_checksums_is_not_taken_for_a_sound_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", **ARRAYS)
    with pytest.raises(NoChecksum):
        load_arrays(tmp_path / "f.npz", "key")
    assert load_unproven(tmp_path / "f.npz").keys() == ARRAYS.keys()


def test_a_seed_is_made_of_words_that_stay_apart() -> None:
    assert seed("a", "b") != seed("ab")


def test_a_sealed_json_file_comes_back_proven(tmp_path: Path) -> None:
    save_sealed(tmp_path / "n.json", "k", {"fingerprint": "k", "words": ("ä", "b")})
    assert read_sealed(tmp_path / "n.json", Note) == (Note("k", ("ä", "b")), True)
    (tmp_path / "n.json").write_text(json.dumps({"fingerprint": "k", "words": ["ä"]}))
    assert read_sealed(tmp_path / "n.json", Note) == (Note("k", ("ä",)), False)


def test_a_changed_letter_of_a_sealed_json_file_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "n.json"
    save_sealed(file, "k", {"fingerprint": "k", "words": ["abc", "abd"]})
    sound = file.read_bytes()
    for place in range(len(sound)):
        if sound[place : place + 1].isspace():
            continue
        file.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        with pytest.raises(DamagedFile):
            read_sealed(file, Note, "k")


def test_a_sealed_json_file_of_another_key_is_noticed(tmp_path: Path) -> None:
    save_sealed(tmp_path / "n.json", "other", {"fingerprint": "k"})
    with pytest.raises(DamagedFile, match="not what was written under this name"):
        read_sealed(tmp_path / "n.json", Note, "k")


def test_what_is_set_aside_is_kept_once_and_named_in_one_line(tmp_path: Path) -> None:
    for content in ("one", "two"):
        (tmp_path / "f").write_text(content)
        with pytest.warns(DamageWarning) as warned:
            set_aside(tmp_path / "f", "it is torn", "it is made again")
    assert str(warned[0].message) == f"{tmp_path / 'f'}: it is torn; it is kept as f.damaged, and it is made again"
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("f.damaged", "two")]


def test_a_folder_is_set_aside_as_a_file_is(tmp_path: Path) -> None:
    for content in ("one", "two"):
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / "f").write_text(content)
        with pytest.warns(DamageWarning):
            set_aside(tmp_path / "d", "it is torn", "it is made again")
    assert (tmp_path / "d.damaged" / "f").read_text() == "two"


def test_a_pipe_in_the_place_of_a_file_is_noticed_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npz")
    with pytest.raises(DamagedFile, match="it is not a plain file"):
        load_arrays(tmp_path / "a.npz", "k")

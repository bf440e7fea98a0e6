"""Gigabytes of weights are not read by every command, and a changed file is never taken for what it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import known_digests
from adapters.identity import file_digest
from adapters.known_digests import ChangedFile, changed_files, keep_in, known_digest, read_again


@pytest.fixture(autouse=True)
def small_files_count(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(known_digests, "_LEAST", 4)
    monkeypatch.setattr(known_digests, "_SETTLED", 0)
    monkeypatch.setattr(known_digests, "_use", known_digests._Use())
    yield


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose bytes are read."""
    files: list[Path] = []

    def spied(file: Path) -> str:
        files.append(file)
        return file_digest(file)

    monkeypatch.setattr(known_digests, "file_digest", spied)
    return files


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"some weights")
    return file


def entries(folder: Path) -> list[Path]:
    return list((folder / known_digests.FOLDER).glob("*.json"))


def test_a_file_is_read_once(tmp_path: Path, weights: Path, read: list[Path]) -> None:
    keep_in(tmp_path)
    first = known_digest(weights)
    assert known_digest(weights) == first == file_digest(weights)
    assert read == [weights]


def test_a_link_to_the_file_has_the_same_entry(tmp_path: Path, weights: Path, read: list[Path]) -> None:
    keep_in(tmp_path)
    (tmp_path / "link").symlink_to(weights)
    assert known_digest(tmp_path / "link") == known_digest(weights)
    assert len(read) == 1


def test_without_a_workspace_every_file_is_read(weights: Path, read: list[Path]) -> None:
    assert known_digest(weights) == known_digest(weights)
    assert len(read) == 2


def test_a_small_file_is_always_read(tmp_path: Path, read: list[Path]) -> None:
    keep_in(tmp_path)
    (tmp_path / "tiny").write_bytes(b"abc")
    assert known_digest(tmp_path / "tiny") == known_digest(tmp_path / "tiny")
    assert len(read) == 2 and not entries(tmp_path)


def test_a_flipped_byte_is_noticed_though_size_and_mtime_are_restored(tmp_path: Path, weights: Path) -> None:
    keep_in(tmp_path)
    known_digest(weights)
    before = weights.stat()
    with weights.open("r+b") as file:
        file.write(b"S")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert weights.stat().st_mtime_ns == before.st_mtime_ns
    assert known_digest(weights) == file_digest(weights)


def test_a_file_in_the_place_of_another_one_is_read(tmp_path: Path, weights: Path) -> None:
    keep_in(tmp_path)
    known_digest(weights)
    (tmp_path / "other").write_bytes(b"Some weights")
    os.utime(tmp_path / "other", ns=(weights.stat().st_atime_ns, weights.stat().st_mtime_ns))
    (tmp_path / "other").replace(weights)
    assert known_digest(weights) == file_digest(weights)


def test_a_file_that_was_written_a_moment_ago_gets_no_entry(
    tmp_path: Path, weights: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_digests, "_SETTLED", 3 * 10**9)
    keep_in(tmp_path)
    known_digest(weights)
    known_digest(weights)
    assert len(read) == 2 and not entries(tmp_path)


def test_a_file_that_changes_while_it_is_read_gets_no_entry(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(file: Path) -> str:
        found = file_digest(file)
        file.write_bytes(b"other weights")
        return found

    monkeypatch.setattr(known_digests, "file_digest", slow)
    keep_in(tmp_path)
    known_digest(weights)
    assert not entries(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"digest": "0", "state": {}}'])
def test_a_damaged_entry_is_not_believed(tmp_path: Path, weights: Path, content: bytes) -> None:
    keep_in(tmp_path)
    known_digest(weights)
    entries(tmp_path)[0].write_bytes(content)
    assert known_digest(weights) == file_digest(weights)
    assert json.loads(entries(tmp_path)[0].read_bytes())["digest"] == file_digest(weights), "it is written again"


@pytest.mark.parametrize("seal", ["kept", "removed"])
def test_an_entry_with_another_digest_is_not_believed(tmp_path: Path, weights: Path, seal: str) -> None:
    keep_in(tmp_path)
    known_digest(weights)
    entry = json.loads(entries(tmp_path)[0].read_bytes())
    entry["digest"] = "0" * 32
    if seal == "removed":
        del entry["sum"]
    entries(tmp_path)[0].write_text(json.dumps(entry), "utf-8")
    assert known_digest(weights) == file_digest(weights)


def test_where_nothing_can_be_written_every_file_is_read(tmp_path: Path, weights: Path, read: list[Path]) -> None:
    (tmp_path / "cache").write_bytes(b"a file where the folder would be")
    keep_in(tmp_path / "cache")
    assert known_digest(weights) == known_digest(weights)
    assert len(read) == 2


def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk gives other bytes of every file."""
    monkeypatch.setattr(known_digests, "file_digest", lambda _: "f" * 32)


def test_reading_again_reads_each_file_once_and_agrees(tmp_path: Path, weights: Path, read: list[Path]) -> None:
    keep_in(tmp_path)
    known_digest(weights)
    with read_again(tmp_path):
        assert known_digest(weights) == known_digest(weights) == file_digest(weights)
        assert not list(changed_files(tmp_path))
    assert len(read) == 2
    known_digest(weights)
    assert len(read) == 2, "afterwards the entry is used again"


def test_a_disk_that_gives_other_bytes_is_noticed_when_the_file_is_read_again(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_in(tmp_path)
    sound = known_digest(weights)
    faulty(monkeypatch)
    assert known_digest(weights) == sound
    with read_again(tmp_path), pytest.raises(ChangedFile, match=f"{weights}: its bytes are not those .* copy the file"):
        known_digest(weights)
    assert not entries(tmp_path), "the entry is removed"
    assert known_digest(weights) == "f" * 32


def test_every_entry_is_compared(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_in(tmp_path)
    (tmp_path / "gone").write_bytes(b"deleted later")
    for file in (weights, tmp_path / "gone"):
        known_digest(file)
    (tmp_path / "gone").unlink()
    faulty(monkeypatch)
    with read_again(tmp_path):
        lines = list(changed_files(tmp_path))
    assert len(lines) == 1 and str(weights) in lines[0]


def test_another_workspace_does_not_replace_the_one_that_is_compared(tmp_path: Path, weights: Path) -> None:
    with read_again(tmp_path / "first"):
        keep_in(tmp_path / "second")
        known_digest(weights)
    assert entries(tmp_path / "first") and not entries(tmp_path / "second")

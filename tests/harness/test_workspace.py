"""A file in the workspace is a finished file, and a folder that cannot be one is refused at once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from adapters.errors import EnvironmentFailure, UsageError
from harness.workspace import Workspace, new_folder, replace_folder, write_atomically


def test_the_option_overrides_the_variable_and_the_variable_overrides_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_WORKSPACE", raising=False)
    assert Workspace.open().path == Path(".harness")
    monkeypatch.setenv("HARNESS_WORKSPACE", str(tmp_path / "variable"))
    assert Workspace.open().path == tmp_path / "variable"
    assert Workspace.open(tmp_path / "option").path == tmp_path / "option"


def test_opening_makes_the_folders_and_nothing_else(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "a" / "b")
    assert sorted(path.name for path in workspace.path.iterdir()) == ["cache", "collections", "runs", "scored"]
    assert workspace.ledger == tmp_path / "a" / "b" / "ledger.sqlite"
    assert workspace.results == tmp_path / "a" / "b" / "results.sqlite"


def test_a_file_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match=r"file' is a file; name a folder with --workspace or HARNESS_WORKSPACE$"):
        Workspace.open(tmp_path / "file")
    with pytest.raises(UsageError, match="cannot write in the workspace"):
        Workspace.open(tmp_path / "file" / "below")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(
        EnvironmentFailure, match=r"cannot write in the workspace '.*' \(Permission denied\); name another"
    ):
        Workspace.open(tmp_path)


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(RuntimeError), write_atomically(file) as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    with write_atomically(file) as unfinished:
        unfinished.write_text("new")
        assert unfinished.parent == tmp_path
        assert not file.exists()
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append((tmp_path / "file").exists()))
    with write_atomically(tmp_path / "file") as unfinished:
        unfinished.write_text("x")
    assert synced[-2:] == [False, True] and len(synced) > 2, "the folders above it are synchronised too"


def test_a_folder_is_exchanged_whole(tmp_path: Path) -> None:
    final = tmp_path / "store"
    for content in ("one", "two"):
        with new_folder(final) as unfinished:
            (unfinished / content).write_text(content)
            replace_folder(unfinished, final)
    assert [path.name for path in final.iterdir()] == ["two"]
    assert list(tmp_path.iterdir()) == [final]


def test_a_folder_that_fails_leaves_no_litter(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), new_folder(tmp_path / "store") as unfinished:
        (unfinished / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_left_behind_is_removed_after_a_day(tmp_path: Path) -> None:
    for name in (".unfinished-old", ".unfinished-new"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ".unfinished-old", (0, 0))
    with new_folder(tmp_path / "store"):
        assert not (tmp_path / ".unfinished-old").exists()
        assert (tmp_path / ".unfinished-new").exists()

"""A file is there whole or not at all: a user would lose the report of yesterday to a disk that is full today."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.atomic import sweep, write_atomically

ROOT = Path(__file__).parents[2]


def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(OSError, match="No space left"), write_atomically(file) as unfinished:
        unfinished.write_text("ha")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_synchronised_does_not_get_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"), write_atomically(tmp_path / "file") as unfinished:
        unfinished.write_text("new")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(mode)
    with write_atomically(file) as unfinished:
        unfinished.write_text("new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", mode)


def test_a_new_file_has_the_permissions_of_any_other_new_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x")
    with write_atomically(tmp_path / "file") as unfinished:
        unfinished.write_text("new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_link_stays_a_link_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "file", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with write_atomically(link) as unfinished:
        unfinished.write_text("new")
    assert link.is_symlink() and target.read_text() == "new"
    assert sorted(tmp_path.rglob("*")) == [target.parent, target, link]


def test_a_device_is_written_and_not_replaced() -> None:
    device = Path(os.devnull)
    with write_atomically(device) as handed:
        assert handed == device
    assert device.is_char_device()


def test_what_a_killed_program_left_is_removed_after_a_day(tmp_path: Path) -> None:
    old, new, folder = tmp_path / ".unfinished-a-1-x", tmp_path / ".unfinished-b-2-x", tmp_path / ".unfinished-c-3-x"
    folder.mkdir()
    (tmp_path / "kept").write_text("x")
    for path in (old, new):
        path.write_text("half")
    for path in (old, folder, tmp_path / "kept"):
        os.utime(path, (0, 0))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [new.name, "kept"]


def killed_while_writing(file: Path) -> int:
    """Write half of a file, and kill the process that does it; the process id."""
    program = (
        "import os, sys, signal; from pathlib import Path; from adapters.atomic import write_atomically\n"
        "with write_atomically(Path(sys.argv[1])) as unfinished:\n"
        "    unfinished.write_text('ha'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(file)], cwd=ROOT) as process:
        process.wait()
    return process.pid


def test_the_next_command_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    file = tmp_path / "run.trec"
    file.write_text("old")
    pid = killed_while_writing(file)
    left = [path.name for path in tmp_path.iterdir() if path != file]
    assert len(left) == 1 and f"-{pid}-" in left[0]
    assert file.read_text() == "old"
    with write_atomically(tmp_path / "another") as unfinished:
        unfinished.write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["another", "run.trec"]


def test_what_a_running_process_writes_is_left_alone(tmp_path: Path) -> None:
    with write_atomically(tmp_path / "file") as unfinished:
        unfinished.write_text("new")
        sweep(tmp_path)
        assert unfinished.exists()


def test_a_process_of_another_machine_is_not_taken_for_dead(tmp_path: Path) -> None:
    other = tmp_path / ".unfinished-file-0badf00d-999999999-abcd1234"
    other.write_text("half")
    sweep(tmp_path)
    assert other.exists()


def test_a_link_to_itself_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(link)
    with write_atomically(link) as unfinished:
        unfinished.write_text("new")
    assert link.read_text() == "new" and not link.is_symlink()

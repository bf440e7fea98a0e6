"""What nobody put in words still names the file: a user would lose time to an error that says only 'disk full'."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from harness.cli import machine_errors
from harness.cli.machine_errors import in_one_line
from harness.sqlite_file import connected

ADVICE = "finished work is kept; free some space on the disk of"


def test_a_full_database_is_named(tmp_path: Path) -> None:
    database = connected(tmp_path / "scores.sqlite")
    database.execute("create table filled (content)")
    database.execute(f"pragma max_page_count = {database.execute('pragma page_count').fetchone()[0]}")
    with pytest.raises(sqlite3.OperationalError) as caught:
        database.execute("insert into filled values (zeroblob(1000000))")
    database.close()
    assert in_one_line(caught.value).startswith(f"{tmp_path}/scores.sqlite: the disk is full (")


def test_a_file_that_the_system_names_is_named_with_its_disk(tmp_path: Path) -> None:
    said = in_one_line(OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "page.md")))
    assert said.startswith(f"{tmp_path}/page.md: the disk is full (No space left on device); {ADVICE} {tmp_path} and")


@pytest.mark.parametrize("option", ["{}", "--out={}", "{}/new"])
def test_without_a_name_the_folder_of_the_command_whose_disk_is_full_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr("sys.argv", ["harness", "run", option.format(tmp_path)])
    monkeypatch.setattr(machine_errors, "has_no_space", lambda folder: folder == tmp_path)
    said = in_one_line(OSError(errno.ENOSPC, "No space left on device"))
    assert said.startswith(f"{tmp_path}: the disk is full (No space left on device); {ADVICE} {tmp_path} and")


def test_other_failures_of_the_machine_are_quoted() -> None:
    assert in_one_line(OSError(errno.EIO, "Input/output error")).startswith("[Errno 5] Input/output error; finished")
    assert in_one_line(MemoryError()).startswith("there is not enough memory; finished work is kept")

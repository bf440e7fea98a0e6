"""A store that another process holds, or whose disk is full, is waited for or named; nobody is told to move it away."""

from __future__ import annotations

import errno
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from adapters.errors import DiskFull, EnvironmentFailure
from adapters.processes import started
from harness import holder as holders
from harness import sqlite_file
from harness.holder import Writer, holder, recorded
from harness.result.store import Results
from harness.scoring.ledger.store import Ledger
from harness.sqlite_file import Connection, StoreBusy, connected, error_of, in_words, writing
from tests.skips import OPTIONAL
from tests.tiny_collection import Place

HOLDING = """
import sqlite3, sys
from tests.skips import OPTIONAL
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("begin immediate")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "SILENT_SECONDS", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Results(tmp_path / "results.sqlite"):
        pass
    return tmp_path / "results.sqlite"


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, in a write transaction."""
    command = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        assert process.stdin is not None
        if not process.stdin.closed:
            process.stdin.close()


def released(process: subprocess.Popen[str]) -> threading.Timer:
    assert process.stdin is not None
    timer = threading.Timer(0.5, process.stdin.close)
    timer.start()
    return timer


def test_a_writer_waits_says_for_whom_and_goes_on(path: Path) -> None:
    with Results(path) as results, held(path) as other:
        released(other)
        with pytest.warns(
            StoreBusy, match=rf"results.sqlite is held by process {other.pid} .*; waiting until it is free"
        ):
            results.keep_noise("id", "nDCG@10", 0.1)
        assert results.rows("select difference from noise") == [(0.1,)]


def test_the_ledger_waits_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger, held(path) as other:
        released(other)
        with pytest.warns(StoreBusy, match=f"ledger.sqlite is held by process {other.pid}"):
            ledger.scorer({"name": "new"})


@pytest.mark.parametrize("file", ["results.sqlite", "ledger.sqlite"])
def test_who_waits_too_long_is_told_what_is_kept_and_not_to_move_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    path = tmp_path / file
    opened = Results if file == "results.sqlite" else Ledger
    with opened(path), held(path) as other, warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreBusy)
        monkeypatch.setattr(Connection, "patience", 0.2)
        with pytest.raises(EnvironmentFailure) as caught, opened(path) as store:
            store.keep_noise("id", "nDCG@10", 0.1) if isinstance(store, Results) else store.scorer({"name": "new"})
    message = str(caught.value)
    assert f"process {other.pid}" in message and "what was stored before is complete" in message
    assert "wait until that process ends" in message
    assert "move" not in message and "\n" not in message


def test_a_process_that_writes_is_named_with_its_command_and_leaves_nothing(path: Path) -> None:
    with closing(connected(path)) as database:
        with writing(database):
            assert holder(path).startswith(f"process {os.getpid()} (")
            assert (path.parent / "results.sqlite.writer").exists()
        assert [file.name for file in path.parent.glob("*.writer")] == []


def record(path: Path, **changed: object) -> None:
    with recorded(path):
        file = path.parent / "results.sqlite.writer"
        content = json.loads(file.read_text("utf-8")) | changed
    file.write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize("changed", [{"pid": 999999999}, {"started": "1"}])
def test_the_record_of_a_process_that_is_gone_is_not_believed(path: Path, changed: dict[str, object]) -> None:
    record(path, **changed)
    assert holder(path) == "another program"


def test_a_process_of_another_machine_is_named_with_it(path: Path) -> None:
    record(path, host="elsewhere", pid=7, command="harness run", since="2026-01-01T00:00:00+00:00")
    assert holder(path) == "process 7 on elsewhere (harness run), writing since 2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"host": 1}'])
def test_a_record_that_cannot_be_read_is_not_an_error(path: Path, content: str) -> None:
    (path.parent / "results.sqlite.writer").write_text(content)
    assert holder(path) == "another program"


def test_a_command_is_recorded_without_its_arguments(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/harness", "run", "--token", "secret"])
    with recorded(path):
        assert "(harness run)" in holder(path)
    assert holders._this_process() == Writer(
        socket.gethostname(), os.getpid(), "harness run", holders._this_process().since, started(os.getpid())
    )


def test_a_full_disk_while_results_are_stored_keeps_what_was_there(place: Place) -> None:
    (done,) = place.evaluations(measures=["nDCG@10"])
    path = place.workspace.results
    with pytest.raises(DiskFull) as caught, Results(path) as results:
        pages = results.rows("pragma page_count")[0][0]
        results.rows(f"pragma max_page_count = {pages}")
        for number in range(2000):
            results.keep_noise(f"{number}", "nDCG@10", 0.1)
    assert str(caught.value).startswith(
        f"{path}: the disk is full (database or disk is full); what was stored before is"
    )
    with Results(path) as results:
        assert [one.id for one in results.all()] == [done.id]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_for_files_too(path: Path, code: int) -> None:
    assert isinstance(error_of(path, OSError(code, os.strerror(code))), DiskFull)
    assert not isinstance(error_of(path, OSError(errno.EACCES, "no")), DiskFull)


@pytest.mark.parametrize(
    "code",
    [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT],
)
def test_no_message_advises_to_move_the_file_away(path: Path, code: int) -> None:
    error = sqlite3.OperationalError("in the words of SQLite")
    error.sqlite_errorcode = code
    message = in_words(path, error)
    assert "in the words of SQLite" in message and str(path) in message
    assert "move" not in message and "delete" not in message


@pytest.mark.skipif(os.geteuid() != 0, reason=f"{OPTIONAL}: only the superuser may mount a small disk")
def test_on_a_disk_that_is_really_full_the_store_stays_whole(place: Place, tmp_path: Path) -> None:
    (done,) = place.evaluations(measures=["nDCG@10"])
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], capture_output=True, check=False
    ).returncode:
        pytest.skip(f"{OPTIONAL}: a container that may mount")
    try:
        with Results(disk / "results.sqlite") as results:
            results.keep(done)
        with pytest.raises(DiskFull), Results(disk / "results.sqlite") as results:
            with pytest.raises(OSError, match="No space left"):
                (disk / "filler").write_bytes(b"x" * 400_000)
            for number in range(5000):
                results.keep_noise(f"{number}", "nDCG@10", 0.1)
        with pytest.raises(DiskFull):
            Ledger(disk / "ledger.sqlite")
        (disk / "filler").unlink()
        with Results(disk / "results.sqlite") as results:
            assert [one.id for one in results.all()] == [done.id]
    finally:
        subprocess.run(["umount", disk], check=False)

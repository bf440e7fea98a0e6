"""A workspace that may only be read is read by every command that needs no model: an artefact of a CI job, mounted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixtures import Command
from tests.read_only import read_only
from tests.skips import OPTIONAL
from tests.tiny_collection import FIRST, Place

A, B = "tests.fake_adapters:Streaming", "control:oracle"
VERBS = {
    "list": ["list"],
    "list systems": ["list", "systems"],
    "list looks": ["list", "looks"],
    "compare": ["compare", A, B],
    "report": ["report", "--out", "{out}"],
    "board": ["board", "--out", "{out}"],
    "why": ["why", A, B, "--out", "{out}/why.html"],
    "export": ["export", "--parquet", "{out}/results.parquet"],
    "history": ["history", A],
    "doctor": ["doctor"],
}


@pytest.fixture
def workspace(place: Place) -> Path:
    place.evaluations(rerankers=[A, B], measures=["nDCG@10"])
    return place.workspace.path


@pytest.fixture
def out() -> Iterator[Path]:
    """A folder that another user may write to, as the folders of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def state(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("verb", VERBS)
def test_it_is_read_and_stays_as_it_is(workspace: Path, command: Command, out: Path, verb: str) -> None:
    words = [word.format(out=out) for word in VERBS[verb]]
    command(*words, "--workspace", workspace)  # imports what another user may not be allowed to read
    for left in out.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    with read_only(workspace) as (made,):
        before = state(made)
        said = command(*words, "--workspace", made)
        assert state(made) == before
    assert (said.code, "Traceback" in said.err) == (0, False), said.err
    assert "orkspace" not in said.err


def test_show_prints_the_values_of_one_number(workspace: Path, command: Command) -> None:
    command("list", "--workspace", workspace)
    with read_only(workspace) as (made,):
        ids = [one["id"] for one in json.loads(command("list", "--json", "--workspace", made).out)]
        said = command("show", ids[0], "--json", "--workspace", made)
    assert json.loads(said.out)["per_query"]["nDCG@10"].keys() == {"q1", "q2", "q3", "q4"}


def test_what_a_killed_process_left_in_the_log_is_shown(workspace: Path, command: Command) -> None:
    program = (
        "import os, signal, sqlite3, sys; database = sqlite3.connect(sys.argv[1])\n"
        "database.execute(\"insert or replace into noise values ('x', 'nDCG@10', 0.5, 'lately')\")\n"
        "database.commit(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, workspace / "results.sqlite"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (workspace / "results.sqlite-wal").stat().st_size
    command("compare", A, B, "--workspace", workspace)
    with read_only(workspace) as (made,):
        assert command("list", "--workspace", made).code == 0
        assert command("compare", A, B, "--workspace", made).code == 0


def test_a_run_says_that_nothing_can_be_written_there(workspace: Path, command: Command) -> None:
    command("run", "demo/en", "--first-stage", FIRST, "--workspace", workspace)
    with read_only(workspace) as (made,):
        said = command("run", "demo/en", "--first-stage", FIRST, "--workspace", made)
    assert said.code == 6
    assert "cannot write in the workspace" in said.err.splitlines()[-1]


@pytest.mark.skipif(os.geteuid() != 0, reason=f"{OPTIONAL}: only the superuser may read what nobody may read")
def test_a_store_that_may_not_be_read_is_one_line(workspace: Path, command: Command) -> None:
    command("list", "--workspace", workspace)
    with read_only(workspace) as (made,):
        os.seteuid(0)
        (made / "results.sqlite").chmod(0o000)
        os.seteuid(65534)
        said = command("list", "--workspace", made)
    assert said.code == 6
    assert len(said.err.splitlines()) == 1 and "results.sqlite" in said.err


@pytest.mark.parametrize("verb", ["list", "compare", "report", "why", "board"])
def test_reading_does_not_wait_for_a_process_that_writes(
    workspace: Path, command: Command, out: Path, verb: str
) -> None:
    words = [word.format(out=out) for word in VERBS[verb]]
    with closing(sqlite3.connect(workspace / "results.sqlite", isolation_level=None)) as writer:
        writer.execute("begin immediate")
        writer.execute("update evaluation set command = 'half done'")
        said = command(*words, "--workspace", workspace)
        writer.execute("rollback")
    assert said.code == 0
    assert "is held by" not in said.err
    assert "half done" not in said.out

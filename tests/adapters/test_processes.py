"""A process counts as ended when it has ended: never for another one with its number, never because it is hidden."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import processes

OWN = os.getpid()


def until(holds: Callable[[], bool]) -> None:
    for _ in range(2000):
        if holds():
            return
        time.sleep(0.01)
    pytest.fail("it never happened")


@pytest.fixture(params=["with /proc", "without /proc"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without /proc":
        monkeypatch.setattr(processes, "_PROC", Path("/nowhere"))


@pytest.mark.usefixtures("system")
def test_a_process_runs_until_it_ends_even_if_nobody_waits_for_it() -> None:
    """In a container, nobody may ever wait for it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        start = processes.started(process.pid)
        assert start and processes.seen(process.pid, start) == "running"
        process.kill()
        until(lambda: processes.seen(process.pid, start) == "gone")
        assert process.returncode is None and processes.started(process.pid) is None
    assert processes.seen(process.pid, None) == "gone"


@pytest.mark.usefixtures("system")
def test_a_later_process_with_the_same_number_is_another_one() -> None:
    start = processes.started(OWN)
    assert start == processes.started(OWN) and processes.seen(OWN, start) == "running"
    assert processes.seen(OWN, "Thu Jan 1 00:00:00 1970") == "gone"


@pytest.mark.parametrize("start", [None, ""])
def test_a_process_whose_start_nobody_wrote_down_may_be_another_one(start: str | None) -> None:
    assert processes.seen(OWN, start) == "unknown"


def test_a_process_that_the_system_hides_is_not_taken_for_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some systems hide the processes of other users."""

    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(processes, "_listed", lambda _: None)
    monkeypatch.setattr(os, "kill", refused)
    assert processes.seen(OWN, "1") == "unknown"


def test_where_nothing_lists_processes_none_is_taken_for_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_PROC", Path("/nowhere"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert processes.started(OWN) is None and processes.seen(OWN, "1") == "unknown"


@pytest.mark.parametrize("pid", [999_999_999, 10**30])
def test_a_number_that_no_process_has_is_gone(pid: int) -> None:
    assert processes.seen(pid, None) == "gone"


def test_containers_and_boots_are_different_places(monkeypatch: pytest.MonkeyPatch) -> None:
    here = processes.place()
    assert here == processes.place.__wrapped__()
    monkeypatch.setattr(processes, "_PROC", Path("/nowhere"))
    assert processes.place.__wrapped__() not in {"", here}

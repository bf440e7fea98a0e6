"""A look is released when its process has ended, and at no other time: not for a process with the same number."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from adapters import processes
from harness.judging.gate.holders import STALE_SECONDS, Holder, this_process
from tests.harness.judging.gate.processes import until

NEVER = 10 * STALE_SECONDS


def of(process: subprocess.Popen[Any]) -> Holder:
    return replace(this_process(), pid=process.pid, started=processes.started(process.pid) or "")


def test_a_process_runs_until_it_ends_whenever_it_was_heard_of() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        one = of(process)
        assert one.is_running(one.beat) and one.is_running(one.beat + NEVER), "a stopped process may continue"
        process.kill()
        process.wait()
        assert not one.is_running(one.beat)


def test_a_killed_process_that_nobody_waited_for_has_ended() -> None:
    """In a container, nobody may ever wait for it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        one = of(process)
        process.kill()
        until(lambda: not one.is_running(one.beat))
        assert process.returncode is None


def test_a_process_of_another_place_runs_while_it_gives_signs_of_life() -> None:
    other = replace(this_process(), place="another container")
    assert other.is_elsewhere and other.is_running(other.beat + STALE_SECONDS - 1)
    assert not other.is_running(other.beat + STALE_SECONDS)
    assert not other.is_running(other.beat - STALE_SECONDS), "its clock is wrong"


def test_a_process_that_may_not_be_inspected_runs_while_it_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    own = this_process()
    monkeypatch.setattr(processes, "seen", lambda *_: "unknown")
    assert own.is_running(own.at) and not own.is_running(own.at + STALE_SECONDS)


def test_this_process_holds_what_it_reserved() -> None:
    own = this_process()
    assert own.is_running(own.at + NEVER) and not replace(own, started="1").is_running(own.at)
    assert own.started == processes.started(os.getpid())

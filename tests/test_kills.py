"""A user loses nothing to a kill: the same command, run again, ends as if it had never been killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill_cases import CASES, Case

TRIED = 3


@pytest.fixture(params=["gate", "fetch"])
def one(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    """`benchmarks/kills.py` tries every write, and an adaptation too."""
    made: Case = CASES[request.param](tmp_path)
    return made


def test_a_command_that_was_killed_at_a_write_leaves_the_same_bytes_when_it_is_run_again(one: Case) -> None:
    for number in range(1, TRIED + 1):
        assert one.at_write(number * one.writes // TRIED) == ""


def test_a_command_that_was_killed_in_the_middle_of_a_write_does_too(one: Case) -> None:
    assert one.at_size(20_000) == ""

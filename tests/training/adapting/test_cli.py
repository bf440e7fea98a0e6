"""`harness train adapt`: one command, and its exit code is the answer."""

from __future__ import annotations

import json

import pytest

from harness.result.adaptation.vocabulary import MACRO
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place
from tests.training.adapting import toy
from tests.training.adapting.toy import Honest
from tests.training.loop import HASH

GATE = f"""
first_stage = "{FIRST}"
depth = {toy.TEXTS}
margin = 2.0
min_queries = 15

[looks]
release = "1"

[splits]
dev = 0.25
gate = 0.5
final = 0.25
"""


def arguments(place: Place) -> list[object]:
    """The honest adaptation as a user writes it."""
    policy = place.path / "gate.toml"
    policy.write_text(GATE, "utf-8")
    return [
        "train", "adapt", "--corpus", place.path / "corpus", "--base", place.path / "base",
        "--teacher", f"{toy.TEACHER}?log={place.path / 'log'}", "--generator", toy.ASKS, "--profile", "generic/en",
        "--documents", 80, "--floor", 0, "--retriever", FIRST, "--retriever", HASH, "--pool-depth", toy.TEXTS,
        "--loss", "margin-mse", "--scale", 4, "--max-steps", 30, "--lr", 3e-3, "--dev", place.path / "target",
        "--gate", policy, "--out", place.path / "out", "--workspace", place.workspace.path,
    ]  # fmt: skip


def test_the_command_is_the_call_and_tells_what_came_of_it(honest: Honest, command: Command) -> None:
    """The same wishes are the same job, so the finished run is found, and nothing is made again."""
    place, record = honest
    said = command(*arguments(place))
    assert said.code == 0, said.err
    assert "adapted already" in said.err
    for arm in record.arms:
        assert arm.name in said.out
    final = record.scores_on("final")[record.accepted or "", MACRO]
    assert final.low is not None and f"{100 * final.value:.2f} [{100 * final.low:.2f}, " in said.out
    assert f"arms: {record.measure}" in said.out
    assert "accepted" in said.out and f"written: {place.path / 'out'}/model" in said.out
    assert "merging: " in said.out and "points" in said.out


def test_a_machine_gets_the_whole_record(honest: Honest, command: Command) -> None:
    place, record = honest
    said = command(*arguments(place), "--json")
    assert json.loads(said.out) == json.loads((place.path / "out" / "record.json").read_text("utf-8"))
    assert said.code == 0 and record.state == "accepted"


def test_the_cost_is_told_before_anything_is_paid(honest: Honest, command: Command) -> None:
    place, _ = honest
    without_out = arguments(place)[:-4]
    said = command(*without_out, "--workspace", place.workspace.path, "--print-cost")
    assert said.code == 0
    assert "240 queries wanted" in said.out and "60 of the singles" in said.out


@pytest.mark.parametrize(
    ("left_out", "told"), [("--corpus", "--corpus"), ("--dev", "--dev"), ("--gate", "--gate"), ("--out", "--out")]
)
def test_what_is_missing_is_named(place: Place, command: Command, left_out: str, told: str) -> None:
    given = arguments(place)
    at = given.index(left_out)
    said = command(*given[:at], *given[at + 2 :])
    assert said.code == 2 and f"harness train adapt needs {told}; see --help" in said.err


def test_another_command_into_the_folder_is_a_usage_error(honest: Honest, command: Command) -> None:
    said = command(*arguments(honest[0]), "--seeds", 3)
    assert said.code == 2 and "holds another job" in said.err


def test_a_release_on_the_command_line_is_over_the_policy(honest: Honest, command: Command) -> None:
    said = command(*arguments(honest[0]), "--release", "9")
    assert said.code == 2 and "holds another job" in said.err

"""`harness train adapt`: one command, and its exit code is the answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.train_adapt import arms_table
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place
from tests.training.adapting import toy
from tests.training.adapting.toy import Honest
from tests.training.loop import HASH
from training.adapting.record import read_record

EXAMPLE = Path(__file__).parent / "record.example.json"
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


def test_the_table_shows_every_arm_with_its_interval() -> None:
    record = read_record(EXAMPLE)
    table = arms_table(record)
    assert table.columns == ("arm", "kind", "dev", "gate", "final", "source")
    rows = {row[0].text: [cell.text for cell in row] for row in table.rows}
    assert set(rows) == {one.arm for one in record.scores} | {one.name for one in record.arms}
    final = record.score("slerp", "final")
    assert final is not None and final.low is not None
    assert rows["slerp"][4].startswith(f"{100 * final.value:.1f} [{100 * final.low:.1f}, ")
    assert rows["given-broken"][2:] == ["-", "-", "-", "-"]
    assert any("given-broken: refused" in note for note in table.notes)
    assert [row[0].text for row in table.rows if row[0].strong] == ["slerp"]
    bare = replace(record, scores=(), accepted=None)
    assert arms_table(bare).columns == ("arm", "kind")

"""`harness gate` as a job in CI sees it: exit codes, files, and one line for every mistake."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.fixtures import Command
from tests.harness.judging.gate.fakes import FAKE, readable
from tests.tiny_collection import FIRST, Place

READER = f"{FAKE}:Reader"
POLICY = f"""
anchor = "{READER}"
first_stage = "{FIRST}"
depth = 5
margin = 15
"""


@pytest.fixture
def ready(place: Place, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A folder with a collection and a policy, and the arguments that every call has."""
    readable(place)
    (place.path / "gate.toml").write_text(POLICY, "utf-8")
    monkeypatch.chdir(place.path)
    return ["gate", place.path / "coll", "--workspace", place.workspace.path]


@pytest.mark.parametrize(
    ("candidate", "more", "code", "word"),
    [
        (f"{READER}?wrong=0.02", [], 0, "PASS"),
        (f"{READER}?wrong=0.5", [], 1, "REFUSED"),
        (f"{READER}?wrong=0.5", ["--tier", "dev"], 0, "NO VERDICT"),
        (f"{READER}?wrong=0.02", ["--sample-queries", 20], 4, "INCONCLUSIVE"),
        (f"{FAKE}:Nothing", [], 3, "INVALID"),
    ],
)
def test_the_exit_code_is_the_verdict(  # noqa: PLR0917
    ready: list[object], command: Command, candidate: str, more: list[object], code: int, word: str
) -> None:
    said = command(*ready, "--candidate", candidate, *more)
    assert (said.code, said.out.split(":")[0].split(" (")[0]) == (code, word)
    assert "Traceback" not in said.err


def test_options_that_a_plan_cannot_follow_are_refused(ready: list[object], command: Command) -> None:
    said = command(*ready, "--plan", "--accept", "--workers", 2)
    assert (said.code, said.out) == (2, "")
    assert "--plan scores nothing and gives no verdict; leave out --accept, --workers" in said.err


def test_a_plan_is_printed_without_a_verdict(ready: list[object], command: Command, place: Place) -> None:
    said = command(*ready, "--plan")
    assert (said.code, said.out.splitlines()[0].split(":")[0]) == (0, "PLAN")
    document = json.loads(command(*ready, "--plan", "--json").out)
    assert (document["queries"], document["taken"], document["work"][0]["pairs"]) == (60, 0, 300)
    assert json.loads(command("list", "looks", "--workspace", place.workspace.path, "--json").out) == []


def test_the_chances_are_printed_before_the_verdict(ready: list[object], command: Command) -> None:
    said = command(*ready, "--candidate", f"{READER}?wrong=0.02")
    assert "chance that an equal candidate is shown not to lose 5 points" in said.err
    assert said.out.startswith("PASS: ") and "not claimed: coll (about" in said.out.splitlines()[0]


def test_files_for_ci_are_written(
    ready: list[object], command: Command, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = place.path / "step.md"
    job.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))
    said = command(*ready, "--candidate", f"{READER}?wrong=0.5", "--junit", place.path / "gate.xml", "--json")
    assert said.code == 1
    assert json.loads(said.out)["verdict"] == "refused"
    assert ElementTree.parse(place.path / "gate.xml").getroot().get("failures") == "2"
    assert job.read_text("utf-8").startswith("before\n## Gate: REFUSED")


@pytest.mark.parametrize("option", ["--junit", "--summary"])
@pytest.mark.parametrize("file", [".", "none/gate.xml"])
def test_a_file_that_cannot_be_written_costs_no_look(
    ready: list[object], command: Command, place: Place, option: str, file: str
) -> None:
    said = command(*ready, "--candidate", READER, option, place.path / file)
    assert said.code == 2 and "name a file" in said.err.splitlines()[-1], said.err
    assert json.loads(command("list", "looks", "--workspace", place.workspace.path, "--json").out) == []


def test_the_command_line_overrides_the_policy(ready: list[object], command: Command) -> None:
    said = command(*ready, "--candidate", READER, "--anchor", FIRST, "--measure", "AP@5", "--json")
    document = json.loads(said.out)
    assert (document["anchor"], document["measure"]) == (FIRST, "AP@5")


def test_looks_are_listed_and_shown(ready: list[object], command: Command, place: Place) -> None:
    look = json.loads(command(*ready, "--candidate", READER, "--anchor", FIRST, "--accept", "--json").out)["look"]
    table = command("list", "looks", "--workspace", place.workspace.path).out
    assert "looks at dev and at the gate in" in table, "the list has both"
    listed = command("list", "looks", "--workspace", place.workspace.path, "--json")
    assert [(one["id"], one["verdict"], one["accepted"]) for one in json.loads(listed.out)] == [(look, "pass", "yes")]
    shown = json.loads(command("show", look[:9], "--workspace", place.workspace.path, "--json").out)
    assert shown["candidate"]["name"] == READER
    (evaluation,) = shown["candidate"]["evaluations"]
    assert command("show", evaluation, "--workspace", place.workspace.path).code == 0


def test_an_empty_workspace_lists_no_looks(command: Command, tmp_path: Path) -> None:
    said = command("list", "looks", "--workspace", tmp_path / "none", "--json")
    assert (said.code, json.loads(said.out)) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the system to judge"),
        (["--candidate", READER, "--anchor", "best-accepted"], "name the first anchor with --anchor"),
        (["--candidate", READER, "--policy", "nope.toml"], "nope.toml: there is no such file"),
        (["--candidate", READER, "--measure", "nope"], "the arguments: measure"),
        (["--candidate", READER, "--tier", "last"], "'last' is not one of"),
        (["--candidate", "control:nope"], "unknown control 'nope'"),
        (["--candidate", READER, "--accept", "--tier", "dev"], "--accept needs the figures of all queries"),
    ],
)
def test_a_mistake_is_one_line_and_no_verdict(
    ready: list[object], command: Command, arguments: list[object], message: str
) -> None:
    said = command(*ready, *arguments)
    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.usefixtures("ready")
def test_a_policy_names_the_targets(command: Command, place: Place) -> None:
    file = place.path / "gate.toml"
    file.write_text(f"{POLICY}\ntargets = ['{place.path / 'coll'}']\n", "utf-8")
    said = command("gate", "--workspace", place.workspace.path, "--candidate", READER, "--anchor", FIRST)
    assert said.code == 0
    file.write_text(POLICY, "utf-8")
    said = command("gate", "--workspace", place.workspace.path, "--candidate", READER)
    assert (said.code, "name what to run on" in said.err) == (2, True)

"""A gate may hold a candidate against the stored results of another workspace, such as the artefact of main."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import harness
from adapters.errors import UsageError
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import LookBudget, Policy
from harness.result import database
from tests.fixtures import Command
from tests.harness.judging.gate.fakes import FAKE, readable
from tests.tiny_collection import FIRST, Place

READER = f"{FAKE}:Reader"
SLIGHTLY, BADLY = f"{READER}?wrong=0.02", f"{READER}?wrong=0.5"
Held = Callable[..., harness.Decision]


@pytest.fixture
def main(place: Place) -> Path:
    return place.path / "main"


@pytest.fixture
def held(place: Place) -> Held:
    """A gate over one readable collection, in this workspace or in another."""
    readable(place)
    policy = Policy(anchor=READER, depth=5, margin=0.15, targets=(str(place.path / "coll"),), first_stage=FIRST)

    def run(candidate: str, workspace: Path = place.workspace.path, **more: object) -> harness.Decision:
        changes = {key: more.pop(key) for key in ("anchor", "depth", "looks") if key in more}
        return harness.gate(candidate, replace(policy, **changes), workspace=workspace, **more)  # type: ignore[arg-type]

    return run


@pytest.mark.parametrize("sequential", [False, True])
def test_the_verdict_is_that_of_one_workspace_with_both(held: Held, main: Path, place: Place, sequential: bool) -> None:
    held(READER, main)
    apart = held(BADLY, against=main, sequential=sequential)
    assert (apart.verdict, apart.anchor) == ("refused", READER)
    assert apart.found.notes[0] == f"anchor {READER}: stored results of the workspace {main}"
    third = place.path / "third"
    held(READER, third)  # the anchor's scores are known there too
    assert apart.reasons == held(BADLY, third, sequential=sequential).reasons


def test_the_anchor_is_named_as_everywhere_and_is_not_opened(
    held: Held, main: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held(READER, main)
    monkeypatch.delattr(f"{FAKE}.Nothing")
    for name in ("*Reader", READER):
        assert held(SLIGHTLY, anchor=name, against=main).verdict == "pass"
    with pytest.raises(UsageError, match=r"the workspace '.*/main': no results of a system 'nobody'"):
        held(SLIGHTLY, anchor="nobody", against=main)


def test_the_best_accepted_system_is_that_of_the_other_workspace(held: Held, main: Path) -> None:
    with pytest.raises(UsageError, match=r"no results in '.*/main' yet; .* name another --against"):
        held(SLIGHTLY, anchor="best-accepted", against=main)
    held(READER, main)
    with pytest.raises(UsageError, match=r"no system has been accepted in the workspace '.*/main' yet"):
        held(SLIGHTLY, anchor="best-accepted", against=main)
    held(SLIGHTLY, main, accept=True)
    found = held(BADLY, anchor="best-accepted", against=main)
    assert (found.verdict, found.anchor) == ("refused", READER)


def test_an_anchor_on_other_queries_or_candidates_is_refused(held: Held, main: Path, place: Place) -> None:
    harness.run(str(place.path / "coll"), first_stage=FIRST, rerankers=[READER], depth=5, workspace=main)
    with pytest.raises(UsageError, match=r"has '.*Reader' on other queries or candidates than this gate: coll \("):
        held(SLIGHTLY, against=main)


def test_looks_of_the_other_workspace_count(held: Held, main: Path, place: Place) -> None:
    looks = LookBudget("2.1", 1)
    assert held(SLIGHTLY, main, looks=looks).found.taken == 1
    found = held(BADLY, looks=looks, against=main)
    assert found.verdict == "invalid"
    assert found.reasons[0].startswith("the gate split of release 2.1 is spent (1 of 1 looks)")
    assert held(BADLY, against=main).found.taken == 1, "another release"
    assert len(LookLog(main / "results.sqlite").all()) == 1, "the other workspace is only read"
    assert len(LookLog(place.workspace.results).all()) == 1


def test_the_same_workspace_is_none_other(held: Held, place: Place) -> None:
    found = held(SLIGHTLY, against=place.workspace.path / ".." / place.workspace.path.name)
    assert found.verdict == "pass" and not found.found.notes
    assert found.anchor == READER, "it is opened, for nothing is stored of it"


def test_the_other_workspace_may_be_read_only(held: Held, main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held(READER, main)
    before = sorted(file.name for file in main.iterdir())
    monkeypatch.setattr(database, "can_write", lambda path: main not in (path, path.parent))
    monkeypatch.setattr(Path, "mkdir", _not_in(main))
    assert held(BADLY, against=main).verdict == "refused"
    assert sorted(file.name for file in main.iterdir()) == before


def _not_in(folder: Path) -> Callable[..., None]:
    make = Path.mkdir

    def made(path: Path, *arguments: object, **more: object) -> None:
        assert folder not in (path, *path.parents), f"{path} is made in a folder that can only be read"
        make(path, *arguments, **more)  # type: ignore[arg-type]

    return made


def test_the_command_says_which_workspace_is_whose(held: Held, main: Path, place: Place, command: Command) -> None:
    held(READER, main)
    said = command(
        "gate", place.path / "coll", "--first-stage", FIRST, "--depth", 5, "--anchor", READER, "--candidate", SLIGHTLY,
        "--workspace", place.workspace.path, "--against", main,
    )  # fmt: skip
    assert said.code in (0, 4), said.err
    assert f"anchor {READER}: stored results of the workspace {main}" in said.out
    assert f"candidate {SLIGHTLY}: from the workspace {place.workspace.path}" in said.out

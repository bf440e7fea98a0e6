"""A checkpoint of this branch is compared with the artefact of another: each side is named in its own workspace."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import harness
from adapters.errors import DataError, UsageError
from harness.data.collection import sample_queries
from harness.judging.compare.comparison import ComparedSystems, compare
from harness.workspace import Workspace
from tests.fixtures import Command
from tests.read_only import read_only
from tests.tiny_collection import FIRST, QRELS, Place

PLAIN = "tests.fake_adapters:Plain"
BASE = f"{FIRST} (first stage)"


@pytest.fixture
def main(place: Place) -> Place:
    """Another workspace over the same folder of collections."""
    return replace(place, workspace=Workspace.open(place.path / "main"))


@pytest.fixture
def measured(place: Place, main: Place) -> None:
    """An older version in main, a newer one here, on the same collection."""
    place.beir()
    main.evaluations(main.load(), rerankers=[f"{PLAIN}?version=1"])
    place.evaluations(place.load(), rerankers=[f"{PLAIN}?version=2"])


def across(main: Place, place: Place, baseline: str, *candidates: str, **more: object) -> ComparedSystems:
    own, other = main.workspace.results, place.workspace.results
    return compare(own, baseline, candidates, against=other, **more)  # type: ignore[arg-type]


@pytest.mark.usefixtures("measured")
def test_each_side_is_looked_up_in_its_own_workspace(main: Place, place: Place) -> None:
    found = across(main, place, f"{PLAIN}*", f"{PLAIN}*")
    assert (found.baseline, found.measures[0].candidates[0].system) == (f"{PLAIN}?version=1", f"{PLAIN}?version=2")
    assert found.notes[:2] == (
        f"{PLAIN}?version=1: from the workspace {main.workspace.path}",
        f"{PLAIN}?version=2: from the workspace {place.workspace.path}",
    )
    with pytest.raises(UsageError, match=r"workspace '.*/workspace': no results of a system '.*version=1'"):
        across(main, place, f"{PLAIN}?version=1", f"{PLAIN}?version=1")


@pytest.mark.usefixtures("measured")
def test_the_figures_are_those_of_one_workspace_with_both(main: Place, place: Place) -> None:
    apart = across(main, place, f"{PLAIN}?version=1", f"{PLAIN}?version=2").measures
    place.evaluations(place.load(), rerankers=[f"{PLAIN}?version=1"])
    together = compare(place.workspace.results, f"{PLAIN}?version=1", [f"{PLAIN}?version=2"]).measures
    assert repr(apart) == repr(together)


@pytest.mark.usefixtures("measured")
def test_one_workspace_twice_is_one_workspace(place: Place) -> None:
    roundabout = place.workspace.path / ".." / place.workspace.path.name / "results.sqlite"
    names = (BASE, [f"{PLAIN}?version=2"])
    found = compare(place.workspace.results, *names, against=roundabout)
    assert repr(found) == repr(compare(place.workspace.results, *names)) and found.workspaces is None
    with pytest.raises(UsageError, match="on both sides is the same evaluation"):
        compare(place.workspace.results, BASE, [BASE], against=roundabout)


@pytest.mark.usefixtures("measured")
def test_a_system_that_did_not_change_differs_by_nothing(main: Place, place: Place) -> None:
    found = across(main, place, FIRST, FIRST)
    (candidate,) = found.measures[0].candidates
    assert found.baseline == f"{BASE} in {main.workspace.path}"
    assert candidate.system == f"{BASE} in {place.workspace.path}"
    assert candidate.macro.difference.value == 0


def test_two_workspaces_without_a_common_collection_are_refused(main: Place, place: Place) -> None:
    one, two = place.beir("one"), place.beir("two", qrels=QRELS[:3])
    main.evaluations(main.load(one))
    place.evaluations(place.load(two))
    with pytest.raises(DataError) as error:
        across(main, place, FIRST, FIRST)
    assert str(error.value) == (
        f"no collection that all were measured on: '{BASE}' in '{main.workspace.path}' has one; '{BASE}' in "
        f"'{place.workspace.path}' has two"
    )


def test_one_name_for_other_queries_is_refused_with_both_fingerprints(main: Place, place: Place) -> None:
    whole = place.load()
    part = sample_queries(main.load(), 2)
    place.evaluations(whole)
    main.evaluations(part)
    with pytest.raises(DataError, match=rf"coll: different queries.*{part.fingerprint[:12]}.*in '.*/workspace' has"):
        across(main, place, FIRST, FIRST)


def test_a_parallel_set_that_one_workspace_does_not_know_counts_as_one(main: Place, place: Place) -> None:
    """The values of two languages are drawn together, although main measured each language alone."""
    known = {"parallel": "towns", "parallel_by": "declared"}
    for name, judged in (("en", QRELS), ("sw", QRELS[:5])):
        folder = place.beir(name, qrels=judged)
        main.evaluations(main.load(folder))
        place.evaluations(replace(place.load(folder), **known), rerankers=[PLAIN])  # type: ignore[arg-type]
    (compared,) = across(main, place, FIRST, PLAIN).measures[0].candidates
    assert {part.questions.drawn_from for part in compared.macro.parts} == {"towns"}
    assert compared.macro.effect.questions == 4


@pytest.mark.usefixtures("measured")
def test_the_other_workspace_may_be_read_only(main: Place, place: Place) -> None:
    with read_only(main.workspace.path, place.workspace.path) as (here, artefact):
        found = harness.compare(FIRST, PLAIN + "*", workspace=here, against=artefact)
        again = harness.compare(FIRST, PLAIN + "*", workspace=artefact)
    assert np.isfinite(found.difference().value)
    assert repr(found.found.measures) == repr(again.found.measures)


@pytest.mark.usefixtures("measured")
def test_the_command_says_which_workspace_is_whose(main: Place, place: Place, command: Command) -> None:
    asked = ["compare", BASE, f"{PLAIN}?version=2", "--workspace", main.workspace.path, "--against"]
    said = command(*asked, place.workspace.path)
    assert (said.code, said.err) == (0, "")
    assert f"{PLAIN}?version=2: from the workspace {place.workspace.path}" in said.out
    found = json.loads(command(*asked, place.workspace.path, "--json").out)
    assert found["workspaces"] == {"baseline": str(main.workspace.path), "candidates": str(place.workspace.path)}


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("other", "answer"),
    [
        ("nowhere", "no results in '{}' yet; use `harness run`, or name another --against"),
        ("coll/corpus.jsonl", "the workspace '{}' is a file; name a folder with --against"),
    ],
)
def test_a_workspace_that_is_not_there_is_one_line(place: Place, command: Command, other: str, answer: str) -> None:
    path = Path(place.path, other)
    said = command("compare", BASE, PLAIN, "--workspace", place.workspace.path, "--against", path)
    assert (said.code, said.err) == (2, f"harness: {answer.format(path)} (exit 2)\n")
    assert other != "nowhere" or not path.exists()

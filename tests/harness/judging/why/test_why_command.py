"""`harness why` as a user runs it: texts and rankings come from the workspace, no model is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.errors import DataError, UsageError
from harness.judging.why.stored import find
from harness.workspace import Workspace
from tests import planted
from tests.fixtures import Command
from tests.tiny_collection import Place

READER = "tests.planted:Reader"
FAILING = f"{READER}?thai={planted.KEPT}"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both readers were measured."""
    folder = tmp_path_factory.mktemp("mine")
    place = Place(folder, Workspace.open(folder / "workspace"))
    loaded = [place.load(one) for one in planted.collections(place, 30)]
    place.evaluations(*loaded, rerankers=[READER, FAILING], depth=30)
    return place.workspace.path


def test_the_first_line_names_thai_and_truncation(workspace: Path, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "new" / "page.html"
    said = command("why", READER, FAILING, "--out", out, "--workspace", workspace)
    assert (said.code, said.err) == (0, "")
    assert "B loses" in said.out and "in Thai (th) with relevant documents truncated by B (20 of 60)" in said.out
    page = out.read_text("utf-8")
    first_heading = page[page.index("<h1") : page.index("</h1>")]
    assert "Thai" in first_heading and "truncated" in first_heading


def test_machines_get_the_figures(workspace: Path, command: Command, tmp_path: Path) -> None:
    said = command("why", READER, FAILING, "--out", tmp_path / "page.html", "--workspace", workspace, "--json")
    written = json.loads(said.out)
    assert written["figures"]["losses"] and written["groups"][0]["stands_out"] and "queries" not in written
    assert abs(sum(written["headroom"]["sides"][1]) - 1) < 1e-5


def test_a_measure_and_a_collection_can_be_chosen(workspace: Path, command: Command, tmp_path: Path) -> None:
    chosen = ("--measure", "rr@5", "--collection", "planted-en", "--queries", 3)
    said = command("why", READER, FAILING, "--out", tmp_path / "page.html", "--workspace", workspace, "--json", *chosen)
    data = json.loads(said.out)
    assert data["measures"] == ["RR@5"] and [one["name"] for one in data["collections"]] == ["planted-en"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody", FAILING), "no results of a system 'nobody'"),
        ((READER, READER), "name two systems"),
        ((READER, FAILING, "--measure", "nDCG@ten"), "the cutoff must be a positive number"),
        ((READER, FAILING, "--collection", "elsewhere"), "no results of a collection 'elsewhere'"),
        ((READER, FAILING, "--out", "/dev/null/page.html"), "no file can be written there"),
    ],
)
def test_what_cannot_be_is_one_line(
    workspace: Path, command: Command, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    said = command("why", "--out", tmp_path / "page.html", "--workspace", workspace, *arguments)
    assert said.code == UsageError.exit_code
    assert message in said.err and len(said.err.strip().splitlines()) == 1
    assert not (tmp_path / "page.html").exists()


def test_an_empty_workspace_says_what_to_do(place: Place) -> None:
    with pytest.raises(UsageError, match=r"no results in .* yet; use `harness run`"):
        find(place.workspace, "a", "b")


def test_texts_that_are_gone_are_named(place: Place) -> None:
    place.evaluations(rerankers=[READER, FAILING])
    for file in place.workspace.scored.iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"is no longer in .*; run again"):
        find(place.workspace, READER, FAILING)

"""A name means the same evaluations in every verb and in Python, and one that means nothing gets the same answer."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from leaderboards.board import board
from tests.fixtures import Command
from tests.tiny_collection import FIRST, QRELS, Place

PLAIN = "tests.fake_adapters:Plain"
ONE, TWO = f"{PLAIN}?version=1", f"{PLAIN}?version=2"
Asked = Callable[[Command, Path, list[object]], set[str]]


def _json(command: Command, *arguments: object) -> object:
    said = command(*arguments, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def _list(command: Command, workspace: Path, asked: list[object]) -> set[str]:
    rows = _json(command, "list", "results", *asked, "--workspace", workspace)
    return {row["id"] for row in rows}  # type: ignore[attr-defined]


def _report(command: Command, workspace: Path, asked: list[object]) -> set[str]:
    tables = _json(command, "report", *asked, "--workspace", workspace)["tables"]  # type: ignore[index]
    return {id for table in tables for row in table["rows"] for id in row["ids"] if row["system"].startswith(PLAIN)}


def _export(command: Command, workspace: Path, asked: list[object]) -> set[str]:
    file = workspace / "results.csv"
    assert command("export", *asked, "--csv", file, "--workspace", workspace).code == 0
    return {row["id"] for row in csv.DictReader(file.read_text("utf-8").splitlines()) if row["reranker"]}


def _history(command: Command, workspace: Path, asked: list[object]) -> set[str]:
    points = _json(command, "history", *asked, "--workspace", workspace)
    return {id for point in points for id in point["evaluations"]}  # type: ignore[attr-defined]


def _compare(command: Command, workspace: Path, asked: list[object]) -> set[str]:
    name, *more = asked
    group = ["--group", f"mine={name}"]
    found = _json(command, "compare", f"{FIRST} (first stage)", "mine", *group, *more, "--workspace", workspace)
    rows = found["measures"]["nDCG@10"]["mine"]["macro"]["evaluations"]  # type: ignore[index]
    return {id for row in rows for id in row["candidate"]}


def _board(_: Command, workspace: Path, asked: list[object]) -> set[str]:
    name, *more = map(str, asked)
    return {one.id for one in board(workspace, [name], more[1:]).results if one.system.reranker}


def _frame(_: Command, workspace: Path, asked: list[object]) -> set[str]:
    name, *more = map(str, asked)
    found = harness.results(workspace=workspace, systems=[name], collections=more[1:])
    return set(found[found.reranker.notna()].id)


VERBS = pytest.mark.parametrize("verb", [_list, _report, _export, _history, _compare, _board, _frame])


@pytest.fixture
def ids(place: Place) -> dict[tuple[str, str], str]:
    """Ids by system and collection."""
    collections = [place.load(place.beir("one")), place.load(place.beir("two", qrels=QRELS[:3]))]
    done = place.evaluations(*collections, rerankers=[ONE, TWO])
    return {(one.system.name, one.collection.name): one.id for one in done if one.system.reranker}


@VERBS
def test_a_system_is_the_same_in_every_verb(
    place: Place, command: Command, ids: dict[tuple[str, str], str], verb: Asked
) -> None:
    names = {ONE: {ONE}, ids[TWO, "two"][:8]: {TWO}, f"{PLAIN}?version=*": {ONE, TWO}, "*=[2]": {TWO}}
    for name, systems in names.items():
        wanted = {id for (system, _), id in ids.items() if system in systems}
        assert verb(command, place.workspace.path, [name]) == wanted, name


@VERBS
def test_a_collection_is_the_same_in_every_verb(
    place: Place, command: Command, ids: dict[tuple[str, str], str], verb: Asked
) -> None:
    for name in ("two", "t*", place.load(place.path / "two").fingerprint[:6]):
        assert verb(command, place.workspace.path, [ONE, "--collection", name]) == {ids[ONE, "two"]}, name


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("name", ["nobody", "nobody-*", "abcdef"])
def test_a_name_of_nothing_has_one_answer(place: Place, command: Command, name: str) -> None:
    where = ["--workspace", place.workspace.path]
    verbs: list[list[object]] = [
        ["list", "results", name], ["report", name], ["export", name, "--csv", place.path / "x.csv"], ["history", name],
        ["compare", ONE, name], ["why", ONE, name, "--out", place.path / "x.html"],
        ["board", name, "--out", place.path / "site"], ["show", name], ["reproduce", name],
    ]  # fmt: skip
    answers = {command(*verb, *where).err for verb in verbs}
    (answer,) = answers
    assert answer.startswith(f"harness: no results of a system '{name}'.") and ONE in answer


@pytest.mark.usefixtures("ids")
def test_a_collection_of_nothing_has_one_answer(place: Place, command: Command) -> None:
    where = ["--collection", "twoo", "--workspace", place.workspace.path]
    verbs: list[list[object]] = [
        ["list", "results"], ["report"], ["export", "--csv", place.path / "x.csv"], ["history", ONE],
        ["compare", ONE, TWO], ["why", ONE, TWO, "--out", place.path / "x.html"],
        ["board", "--out", place.path / "site"],
    ]  # fmt: skip
    answers = {command(*verb, *where).err for verb in verbs}
    assert answers == {"harness: no results of a collection 'twoo'. Did you mean two? Available: one, two. (exit 2)\n"}


@pytest.mark.parametrize("verb", ["show", "reproduce"])
def test_a_system_with_one_evaluation_names_it(place: Place, command: Command, verb: str) -> None:
    (_, done) = place.evaluations(place.load(place.beir("one")), rerankers=[ONE])
    where = ["--workspace", place.workspace.path]
    assert done.id in command(verb, ONE, *where).out
    place.evaluations(place.load(place.beir("two", qrels=QRELS[:3])), rerankers=[ONE])
    said = command(verb, ONE, *where)
    assert said.code == 2
    assert f"'{ONE}' could be " in said.err and f"{done.id} ('{ONE}', one over {FIRST} at depth 5" in said.err
    assert "give the id of one of them" in said.err

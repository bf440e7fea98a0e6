"""What is exported to be labelled moves the difference most, and tells an annotator nothing about the systems."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import pytest

import harness
from adapters.errors import DataError
from harness.judging.compare.to_label import as_csv, sheet
from harness.judging.compare.unjudged import UnjudgedPair, unjudged
from tests.fixtures import Command
from tests.harness.judging.compare.test_unjudged_pairs import REVERSE, measured
from tests.tiny_collection import FIRST, Place


def pair(place: Place) -> UnjudgedPair:
    measured(place, coll='main_measure = "nDCG@3"\ninstruction = "Find ferries"')
    return unjudged(place.workspace, FIRST, [REVERSE]).pairs[0]


def test_the_first_documents_are_those_of_the_order_in_which_to_judge(place: Place) -> None:
    found = pair(place)
    first = found.order[0]
    size = int(found.parts[0].unjudged[first.query])
    chosen = sheet(found, size)
    assert {one.query_id for one in chosen.items} == {found.parts[0].baseline.collection.queries.ids()[first.query]}
    assert len(sheet(found).items) == found.unjudged == sheet(found, 1).unjudged


def test_the_order_is_shuffled_and_always_the_same(place: Place) -> None:
    found = pair(place)
    items = sheet(found).items
    assert items == sheet(found).items
    queries = [one.query_id for one in items]
    in_order = [found.parts[0].baseline.collection.queries.ids()[one.query] for one in found.order]
    assert list(dict.fromkeys(queries)) != in_order
    assert sum(a != b for a, b in itertools.pairwise(queries)) == len(set(queries)) - 1


def test_the_texts_are_those_of_the_collection(place: Place) -> None:
    rows = list(csv.DictReader(as_csv(sheet(pair(place))).splitlines()))
    collection = place.load(place.path / "coll")
    texts = dict(zip(collection.corpus.ids(), collection.corpus, strict=True))
    assert all(row["document_text"] == texts[row["document_id"]] for row in rows)
    assert {row["instruction"] for row in rows} == {"Find ferries"} and {row["grade"] for row in rows} == {""}


def test_grades_are_those_of_the_judgments_and_zero(place: Place) -> None:
    assert sheet(pair(place)).grades == (0, 1, 2)


def test_nothing_to_label_is_said(place: Place) -> None:
    everything = [(query, document, 1) for query in ("q1", "q2") for document in ("d1", "d2", "d3", "d4")]
    corpus = {name: f"ferry {name}" for name in ("d1", "d2", "d3", "d4")}
    folder = place.beir("coll", corpus, {"q1": "ferry", "q2": "ferry d2"}, everything)
    place.evaluations(place.load(folder), rerankers=[REVERSE])
    with pytest.raises(DataError, match="every document in the top k"):
        sheet(unjudged(place.workspace, FIRST, [REVERSE]).pairs[0])


def test_what_is_exported_and_labelled_settles_the_sign(place: Place, command: Command) -> None:
    measured(place)
    at = ("--workspace", place.workspace.path)
    needed = unjudged(place.workspace, FIRST, [REVERSE]).pairs[0].optimistic
    out = place.path / "out"
    shown = command("judge", "export", FIRST, REVERSE, "--first", needed, "--out", out, *at)
    assert shown.code == 0 and f"{needed} of " in shown.out
    rows = list(csv.reader((out / "to-label.csv").read_text("utf-8").splitlines()))
    filled = [rows[0], *([*row[:3], "0", *row[4:]] for row in rows[1:])]
    with (out / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(filled)
    coll = place.path / "coll"
    assert command("judge", "import", out / "labels.csv", "--target", coll, "--name", "zero", *at).code == 0
    command("run", f"{coll}?labels=zero", "--first-stage", FIRST, "--reranker", REVERSE, "--depth", 8, *at)
    again = command("compare", FIRST, REVERSE, "--unjudged", "--collection", "coll?labels=zero", *at)
    assert again.out.startswith("The sign is settled: ")


def test_the_call_writes_both_files(place: Place, tmp_path: Path) -> None:
    measured(place)
    found = harness.judge_export(FIRST, REVERSE, tmp_path / "out", first=3, workspace=place.workspace.path)
    assert len(found.items) == 3
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["to-label.csv", "to-label.html"]

"""The report folder: everything that a number rests on, in files that others can read."""

from __future__ import annotations

import json

import pytest

from harness.api import Outcome
from harness.data.trec import read_run
from tests.tiny_collection import FIRST, Place

PLAIN = "tests.fake_adapters:Plain"


def test_the_folder_holds_the_story_the_tables_the_results_and_the_runs(place: Place) -> None:
    evaluations = place.evaluations(rerankers=[PLAIN], measures=["nDCG@10", "RR@10"])
    out = place.path / "out"
    Outcome(tuple(evaluations)).write(out, "harness run coll")
    story = (out / "report.md").read_text("utf-8")
    for part in ("`harness run coll`", "coll, split test: 8 documents", "## Alarms", "## Audit", evaluations[1].id):
        assert part in story
    assert (out / "tables" / "01.csv").read_text("utf-8").startswith("system,nDCG@10,")
    document = json.loads((out / "results.json").read_text("utf-8"))
    assert document["macro"][PLAIN]["RR@10"]["value"] == pytest.approx(evaluations[1].values[1].mean())


def test_a_written_run_gives_the_same_values_again(place: Place) -> None:
    evaluations = place.evaluations(rerankers=[PLAIN])
    out = place.path / "out"
    Outcome(tuple(evaluations)).write(out)
    (file,) = (out / "runs").glob(f"*.{evaluations[1].id}.trec")
    assert read_run(file, place.load()).digest == evaluations[1].run.digest
    again = place.evaluations(rerankers=[f"run:{file}"])[1]
    assert again.values.tolist() == evaluations[1].values.tolist()


def test_a_name_of_a_collection_cannot_bring_markup_into_the_report(place: Place) -> None:
    place.beir(rules='name = "<img src=x onerror=alert(1)>|"')
    out = place.path / "out"
    Outcome(tuple(place.evaluations())).write(out)
    assert "<img" not in (out / "report.md").read_text("utf-8")


def test_alarms_stand_in_the_story(place: Place) -> None:
    out = place.path / "out"
    Outcome(tuple(place.evaluations(rerankers=["tests.fake_adapters:Constant"]))).write(out)
    assert "every candidate got the same score" in (out / "report.md").read_text("utf-8")
    assert f"{FIRST} (first stage)" in (out / "report.md").read_text("utf-8")

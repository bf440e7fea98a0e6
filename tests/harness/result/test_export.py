"""Files for others: JSON that every parser reads, and run files that carry the same numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.api import Outcome
from harness.data.trec import read_run
from harness.measuring.judged import Judged
from harness.result.evaluation import Evaluation
from harness.result.export import write_runs
from reports.tables.run_values import as_dict
from tests.tiny_collection import FIRST, Place, results_in

FAKE = "tests.fake_adapters"


def strict(text: str) -> Any:
    """Parse JSON as strict parsers do: without NaN and Infinity."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def written(place: Place, evaluations: list[Evaluation]) -> Any:
    Outcome(tuple(evaluations)).write(place.path / "out")
    return strict((place.path / "out" / "results.json").read_text("utf-8"))


def test_the_document_says_what_the_evaluations_say(place: Place) -> None:
    done = place.evaluations(rerankers=[f"{FAKE}:Streaming"], measures=["nDCG@10", "R@2"])
    found = written(place, done)
    assert found["format"] == 1
    (collection,) = found["collections"]
    assert (collection["name"], collection["counts"]["queries"]) == ("coll", 4)
    assert [one["id"] for one in found["evaluations"]] == [one.id for one in done]
    one = found["evaluations"][1]
    assert one["collection"] == collection["fingerprint"]
    assert one["measures"]["R@2"]["value"] == pytest.approx(done[1].values[1].mean())
    assert one["pairs_scored_now"] == 18
    assert one["audit"]["tokens"]["truncated"] == 0
    assert one["made_of"]["reranker"] == {"adapter": "hash", "version": 1}
    assert found["macro"][f"{FAKE}:Streaming"] == one["measures"] | found["macro"][f"{FAKE}:Streaming"]


def test_what_cannot_be_known_is_null_and_never_nan(place: Place) -> None:
    collection = place.load(place.beir("single", queries={"q1": "ferry"}, qrels=[("q1", "d4", 1)]))
    found = written(place, place.evaluations(collection, rerankers=["control:oracle"]))
    figures = found["evaluations"][0]["measures"]["nDCG@10"]
    assert figures["interval"] is None and figures["delta"] is None
    assert found["evaluations"][0]["pairs_per_second"] is None


def test_the_macro_average_is_over_collections(place: Place) -> None:
    collections = [place.load(place.beir("one")), place.load(place.beir("two", qrels=[("q1", "d4", 1)]))]
    found = strict(json.dumps(as_dict(results_in(place.evaluations(*collections)))))
    means = [one["measures"]["nDCG@10"]["value"] for one in found["evaluations"]]
    assert found["macro"][f"{FIRST} (first stage)"]["nDCG@10"]["value"] == pytest.approx(sum(means) / 2)
    assert len(found["collections"]) == 2


def test_run_files_give_the_same_values_again(place: Place) -> None:
    collection = place.load()
    done = place.evaluations(collection, rerankers=[f"{FAKE}:Plain"], depth=8)
    write_runs(place.path / "out" / "runs", done)
    files = sorted((place.path / "out" / "runs").iterdir())
    assert len(files) == 2
    for one in done:
        (file,) = [file for file in files if one.id in file.name]
        run = read_run(file, collection)
        assert run.digest == one.run.digest
        assert (Judged(run, collection.qrels, 4).values(one.measures) == one.values).all()
        assert {line.split()[5] for line in file.read_text("utf-8").splitlines()} == {one.id}


@pytest.mark.parametrize("name", ["a/../b c", "ภาษาไทย" * 12, "..", "語" * 70])
def test_any_name_becomes_a_file_inside_the_folder(place: Place, name: str) -> None:
    collection = place.load(place.beir("named", rules=f"name = {json.dumps(name, ensure_ascii=False)}"))
    written(place, place.evaluations(collection, rerankers=[f"{FAKE}:Plain?log={place.log('記録' * 20)}"]))
    files = list((place.path / "out" / "runs").rglob("*"))
    assert len(files) == 2
    assert all(file.parent.name == "runs" and isinstance(file, Path) for file in files)

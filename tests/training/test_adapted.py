"""What a checkpoint was adapted on goes with it: what a user would lose is to know why its number is so good."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import tiny
from adapters.adapted import adapted_on
from adapters.cross_encoder import CrossEncoder
from adapters.errors import DataError, ModelError
from harness.data.collection import sample_queries
from harness.result.gathered import gathered
from reports import marks
from tests.tiny_collection import CORPUS, Place
from tests.training.fitting import QUICK, some_examples
from tests.training.loop import taught
from training.adapted import corpora_of
from training.fit import fit, job
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_options
from training.sources import read_examples

ONE_STEP = replace(QUICK, max_steps=1)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("base") / "bert")


def made(base: Path, out: Path, *corpora: str) -> Path:
    fit(job(str(base), some_examples(), ONE_STEP, adapted_on=corpora), out)
    return out


def test_a_model_is_marked_on_its_own_corpus_and_on_no_other(base: Path, place: Place) -> None:
    taught(place)
    examples = place.path / "ex" / "examples.jsonl"
    work = job(str(base), read_examples(examples), ONE_STEP, adapted_on=corpora_of([examples]))
    fit(work, place.path / "tuned")
    renamed = place.load(place.beir("another-name"))
    other = place.load(place.beir("other", {**CORPUS, "d9": "one more"}))
    place.evaluations(renamed, sample_queries(renamed, 2), other, rerankers=[str(place.path / "tuned")])
    found = [
        one for one in gathered(place.workspace.path, collections=["another-name", "other"]) if one.system.reranker
    ]
    adapted = {one.collection.name: marks.is_adapted(one) for one in found}
    assert adapted == {"another-name": True, "other": False}
    (part,) = [
        one
        for one in gathered(place.workspace.path, collections=[sample_queries(renamed, 2).fingerprint])
        if one.system.reranker
    ]
    assert marks.is_adapted(part), "also on some of its queries"


def test_examples_name_the_corpus_that_they_were_made_of(place: Place) -> None:
    manifest = taught(place)
    assert corpora_of([place.path / "ex" / "examples.jsonl"]) == tuple(sorted(["coll", manifest["corpus"]]))
    assert corpora_of([place.path / "coll"], place.workspace) == corpora_of([place.path / "ex" / "examples.jsonl"])
    (place.path / "elsewhere.jsonl").touch()
    assert corpora_of([place.path / "elsewhere.jsonl"]) == ()


def test_a_damaged_manifest_is_not_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(DataError, match=r"manifest\.json: not JSON"):
        corpora_of([tmp_path / "examples.jsonl"])
    with pytest.raises(ModelError, match=r"manifest\.json: not JSON"):
        adapted_on(tmp_path)


def test_what_is_made_of_an_adapted_base_stays_adapted(base: Path, tmp_path: Path) -> None:
    first = made(base, tmp_path / "first", "one")
    second = made(first, tmp_path / "second", "two")
    assert adapted_on(second) == ["one", "two"]
    assert CrossEncoder(str(second)).identity["adapted_on"] == ["one", "two"]


def test_a_merge_is_adapted_on_what_its_parts_were(base: Path, tmp_path: Path) -> None:
    parts = [str(made(base, tmp_path / name, name)) for name in ("one", "two")]
    merge(from_options("linear", parts), tmp_path / "soup")
    assert adapted_on(tmp_path / "soup") == ["one", "two"]
    assert not (tmp_path / "soup" / "manifest.json").exists(), "it was not fitted"


def test_no_steps_adapt_to_nothing(base: Path, tmp_path: Path) -> None:
    fit(job(str(base), some_examples(), replace(QUICK, max_steps=0), adapted_on=["one"]), tmp_path / "out")
    assert adapted_on(tmp_path / "out") == []
    assert "adapted_on" not in CrossEncoder(str(tmp_path / "out")).identity


def test_a_finished_run_learns_of_a_corpus_and_is_not_trained_again(base: Path, tmp_path: Path) -> None:
    made(base, tmp_path / "out", "one")
    written = (tmp_path / "out" / "model.safetensors").stat().st_mtime_ns
    made(base, tmp_path / "out", "two")
    assert adapted_on(tmp_path / "out") == ["one", "two"]
    made(base, tmp_path / "out")
    assert adapted_on(tmp_path / "out") == ["one", "two"], "and forgets none"
    assert (tmp_path / "out" / "model.safetensors").stat().st_mtime_ns == written


def test_a_manifest_of_another_program_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"made_by": "someone", "adapted_on": ["one"]}))
    assert adapted_on(tmp_path) == []
    (tmp_path / "manifest.json").write_text("[]")
    assert adapted_on(tmp_path) == []

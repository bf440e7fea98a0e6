"""Teachers score the pool. What a user would lose: scores that were paid for, and labels with an origin."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import DataError, ModelError, UsageError
from harness.cli.train_teach import _show
from tests.fake_adapters import asked, score_of
from tests.fixtures import Command
from tests.tiny_collection import CORPUS, Place
from tests.training.loop import TEACHER, mined, taught
from training.examples import example_of
from training.stages import Plan
from training.teaching.settings import TeachingSettings

FAKES = "tests.fake_adapters"


def rows(place: Place, name: str = "ex") -> list[dict[str, object]]:
    return [json.loads(line) for line in (place.path / name / "examples.jsonl").read_text("utf-8").splitlines()]


def test_examples_hold_the_teachers_raw_scores(place: Place) -> None:
    manifest = taught(place)
    examples = [example_of(row, "here") for row in rows(place)]
    assert len(examples) == manifest["examples"] > 0
    for one in examples:
        assert one.scores == tuple(score_of(one.query, text) for text in one.documents)
        assert one.ids is not None
        assert [CORPUS[name] for name in one.ids] == list(one.documents)
        assert one.source in one.ids
        assert (one.task, one.language) == ("coll", "en")


def test_the_source_is_never_forced_to_be_the_best(place: Place) -> None:
    manifest = taught(place)
    assert manifest["source_is_best"] < 1
    assert not manifest["above_source"]["dropped"]


def test_no_pair_is_scored_twice_whatever_is_drawn(place: Place) -> None:
    log = place.log()
    first = taught(place, [f"{TEACHER}?log={log}"])
    scored = asked(log)
    assert first["pairs"]["scored_now"] == len(scored) == len(set(scored))
    again = taught(place, [f"{TEACHER}?log={log}"], "top", TeachingSettings(Plan("top", 2)))
    assert (again["pairs"]["scored_now"], asked(log)) == (0, scored)


def test_a_teacher_that_dies_goes_on_where_it_was(place: Place) -> None:
    log = place.log()
    with pytest.raises(RuntimeError, match="the card fell off"):
        taught(place, [f"{FAKES}:Streaming?lives=3&log={log}"])
    assert not (place.path / "ex" / "manifest.json").exists()
    taught(place, [f"{FAKES}:Streaming?log={log}"])
    assert len(asked(log)) == len(set(asked(log)))
    taught(place, [f"{FAKES}:Streaming"], "whole")
    assert rows(place) == rows(place, "whole")


def test_a_teacher_with_nan_leaves_nothing_that_looks_finished(place: Place) -> None:
    with pytest.raises(ModelError, match="not finite"):
        taught(place, [f"{FAKES}:Overflowing"])
    assert not (place.path / "ex" / "examples.jsonl").exists()


def test_a_teacher_that_says_one_thing_is_refused(place: Place) -> None:
    with pytest.raises(ModelError, match="use another teacher"):
        taught(place, [f"{FAKES}:Constant"])


def test_several_teachers_are_blended_and_each_is_kept_raw(place: Place) -> None:
    manifest = taught(place, [TEACHER, f"{FAKES}:Short?words=2"], settings=TeachingSettings(weights=(3, 1)))
    assert [one["share"] for one in manifest["teachers"]] == [0.75, 0.25]
    with np.load(place.path / "ex" / "scores.npz") as kept:
        raw, label = kept["raw"].astype(np.float64), kept["label"]
    standard = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    assert label == pytest.approx(standard @ [0.75, 0.25])


def test_teacher_and_student_read_the_same_length(place: Place, tmp_path: Path) -> None:
    model = tiny.cross_encoder(tmp_path / "teacher")
    manifest = taught(place, [str(model)], settings=TeachingSettings(max_length=24))
    assert manifest["teachers"][0]["max_length"] == 24
    with pytest.raises(UsageError, match="reads 32 tokens and the student 24"):
        taught(place, [f"{model}?max_length=32"], "other", TeachingSettings(max_length=24))
    with pytest.raises(UsageError, match="read texts of different lengths"):
        taught(place, [f"{model}?max_length=32", f"{model}?max_length=24"], "third")


def test_an_embedder_teaches_with_its_cosines(place: Place, tmp_path: Path) -> None:
    model = tiny.bert_embedder(tmp_path / "embedder")
    (teacher,) = taught(place, [str(model)], settings=TeachingSettings(max_length=24))["teachers"]
    assert teacher["max_length"] == 24
    assert -1.001 <= teacher["calibration"]["smallest"] <= teacher["calibration"]["largest"] <= 1.001


def test_what_is_known_of_a_teacher_is_recorded_and_what_is_not_is_said(place: Place, command: Command) -> None:
    mined(place)
    facts = place.path / "facts.toml"
    facts.write_text(f"['{TEACHER}']\nlicence = 'CC-BY-NC-4.0'\ncommercial_use = false\ntraining_sets = ['MS MARCO']\n")
    options = ("--pool", place.path / "pool", "--teacher", TEACHER, "--workspace", place.workspace.path)
    said = command("train", "teach", *options, "--teacher-facts", facts, "--out", place.path / "ex")
    assert said.code == 0
    assert all(word in said.out for word in ("CC-BY-NC-4.0", "MS MARCO", "no commercial use"))
    said = command("train", "teach", *options, "--out", place.path / "other")
    assert "licence unknown" in said.out
    assert "training sets unknown" in said.out


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"['{TEACHER}']\nlicense = 'MIT'", "license: unknown key.*licence"),
        (f"['{TEACHER}']\ntraining_sets = 'MS MARCO'", "training_sets: 'MS MARCO' is not a list of texts"),
        ("x", "not TOML in line 1"),
        ("", rf"facts\.toml: no facts about a teacher; write a table for each, such as \['{TEACHER}'\]"),
    ],
)
def test_wrong_facts_are_refused(place: Place, text: str, answer: str) -> None:
    facts = place.path / "facts.toml"
    facts.write_text(text)
    with pytest.raises(UsageError, match=answer):
        taught(place, settings=TeachingSettings(facts=facts))


def test_another_corpus_than_the_pools_is_refused(place: Place) -> None:
    mined(place)
    with (place.path / "coll" / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "d9", "text": "a new document about the mill"}\n')
    with pytest.raises(DataError, match="mined from another corpus"):
        taught(place)


def test_of_documents_with_the_same_text_an_example_has_one_and_keeps_the_source(place: Place) -> None:
    taught(place, settings=TeachingSettings(replace(Plan(), per_query=8)))
    for row in rows(place):
        documents = row["documents"]
        assert isinstance(documents, list)
        assert len(set(documents)) == len(documents)
        assert row["source"] in row["ids"]  # type: ignore[operator]


def test_the_strata_are_counted(place: Place) -> None:
    bins = taught(place)["bins"]
    assert len(bins["pool"]) == 16
    assert all(few <= many for few, many in zip(bins["sample"], bins["pool"], strict=True))


def test_without_a_teacher_there_is_a_hint(place: Place, command: Command) -> None:
    mined(place)
    said = command("train", "teach", "--pool", place.path / "pool", "--out", place.path / "ex")
    assert said.code == 2
    assert "--teacher" in said.err


def test_finished_examples_of_an_earlier_version_are_shown(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """They have no entry about comparisons, and are the result of the same command."""
    taught(place)
    file = place.path / "ex" / "manifest.json"
    manifest = json.loads(file.read_text("utf-8"))
    del manifest["compared"]
    file.write_text(json.dumps(manifest), "utf-8")
    _show(taught(place), place.path / "ex")
    assert "written:" in capsys.readouterr().out

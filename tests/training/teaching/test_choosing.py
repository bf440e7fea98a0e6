"""Weights of teachers that are chosen on dev. What a user would lose: a choice by chance, on the test set, or one that
nobody recorded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from adapters.errors import UsageError
from adapters.protocols import Floats, Identity, IndexPairs
from harness.data.runs import build
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from tests.fake_adapters import score_of
from tests.fixtures import Command
from tests.tiny_collection import CORPUS, FIRST, QRELS, QUERIES, Place
from tests.training.loop import TEACHER, mined, taught
from training.teaching.blend import blended
from training.teaching.choosing import DevQueries, WeightChoice, choose, grid
from training.teaching.settings import TeachingSettings

GRADES = {(QUERIES[query], CORPUS[document]): grade for query, document, grade in QRELS if grade}


class Half:
    """Knows what is relevant for some of the queries, and guesses for the others."""

    def __init__(self, *, knows: str = "q1,q2", noise: float = 0.5) -> None:
        self.identity: Identity = {"adapter": "half", "knows": knows, "noise": noise}
        self._known = {QUERIES[name] for name in knows.split(",")}
        self._noise = noise

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        return np.array([self._value(queries[q], documents[d]) for q, d in pairs], np.float32)

    def _value(self, query: str, document: str) -> float:
        grade = GRADES.get((query, document), 0) if query in self._known else 0
        return 3.0 * grade + self._noise * score_of(query, document)


HERE = "tests.training.teaching.test_choosing"
EVERYTHING = f"{HERE}:Half?knows=q1,q2,q3,q4"
ONE, OTHER = f"{HERE}:Half?knows=q1,q2", f"{HERE}:Half?knows=q3,q4"


def chosen(place: Place, *teachers: str) -> WeightChoice:
    with place.session() as session:
        return choose([place.load()], teachers, None, session, stage=FIRST, depth=8)


def test_the_grid_has_steps_of_a_quarter_and_every_teacher_alone() -> None:
    assert grid(1) == [(1.0,)]
    assert grid(2) == [(1.0, 0.0), (0.75, 0.25), (0.5, 0.5), (0.25, 0.75), (0.0, 1.0)]
    assert len(grid(3)) == 15 and {sum(one) for one in grid(3)} == {1.0}


def test_teachers_that_know_different_things_are_blended(place: Place) -> None:
    choice = chosen(place, ONE, OTHER)
    assert choice.kept[0] == (ONE, OTHER) and choice.chosen.value == chosen(place, EVERYTHING).chosen.value
    assert max(one.value for one in choice.tried if one.teachers == 1) < choice.chosen.value
    assert "best single teacher" in str(choice) and "5 blends were tried" in str(choice)


def test_of_equal_blends_the_one_with_fewer_teachers_is_chosen(place: Place) -> None:
    assert chosen(place, EVERYTHING, f"{EVERYTHING}&noise=0.25").kept == ((EVERYTHING,), (1.0,))
    assert chosen(place, TEACHER, EVERYTHING).kept == ((EVERYTHING,), (1.0,))


def test_of_equal_blends_with_as_many_teachers_the_most_even_one_is_chosen(place: Place) -> None:
    assert chosen(place, ONE, OTHER).chosen.weights == (0.5, 0.5)


def test_the_value_of_a_blend_is_that_of_its_labels_as_a_ranking(place: Place) -> None:
    """Scores are standardised over the pairs of the collection and averaged, as in `train teach`."""
    choice, collection = chosen(place, ONE, OTHER), place.load()
    pairs = np.array([[q, d] for q in range(len(QUERIES)) for d in range(len(CORPUS))])
    texts = [*QUERIES.values()], [*collection.corpus]
    scores = [Half(knows=known).score(*texts, pairs) for known in ("q1,q2", "q3,q4")]
    run = build(np.arange(5) * 8, pairs[:, 1], np.zeros(len(pairs)), collection.corpus.ids)
    for one in choice.tried:
        used = [place for place, weight in enumerate(one.weights) if weight]
        labels = blended([scores[at] for at in used], [one.weights[at] for at in used], ["a"] * len(used))
        judged = Judged(run.rescored(labels.astype(np.float32)), collection.qrels, len(QUERIES))
        assert one.value == pytest.approx(float(judged.values([parse("nDCG@10")]).mean()))


@pytest.mark.parametrize("split", ["test", None])
def test_the_test_split_never_chooses(place: Place, split: str | None) -> None:
    place.beir()
    settings = TeachingSettings(choose_on=DevQueries(str(place.path / "coll"), split))
    with pytest.raises(UsageError, match=r"dev queries; name the split .* and not test"):
        taught(place, (ONE, OTHER), settings=settings)


def test_given_weights_are_not_chosen_again(place: Place) -> None:
    settings = TeachingSettings(weights=(1, 1), choose_on=DevQueries("x", "dev"))
    with pytest.raises(UsageError, match="leave out the given ones"):
        taught(place, (ONE, OTHER), settings=settings)


def test_the_command_shows_and_records_every_look_at_dev(place: Place, command: Command) -> None:
    mined(place)
    dev = place.beir("dev")
    shutil.move(dev / "qrels" / "test.tsv", dev / "qrels" / "dev.tsv")
    options = ("--pool", place.path / "pool", "--teacher", ONE, "--teacher", OTHER, "--out", place.path / "ex")
    said = command("train", "teach", *options, "--choose-on", dev, "--choose-split", "dev", "--workspace",
                   place.workspace.path)  # fmt: skip
    assert said.code == 0, said.err
    assert "5 looks at dev: dev (dev, 4 queries)" in said.out and "chosen" in said.out
    manifest: dict[str, Any] = json.loads((place.path / "ex" / "manifest.json").read_text("utf-8"))
    tried = manifest["chosen"]["tried"]
    assert len(tried) == manifest["chosen"]["looks"] == 5 and sum(one["chosen"] for one in tried) == 1
    assert all({"value", "low", "high"} <= one.keys() for one in tried)
    taken = next(one for one in tried if one["chosen"])
    assert manifest["shares"] == [weight for weight in taken["weights"] if weight]


def test_the_cost_has_the_dev_queries_and_calls_the_rest_a_bound(place: Place, command: Command) -> None:
    mined(place)
    shutil.copy(place.path / "coll" / "qrels" / "test.tsv", place.path / "coll" / "qrels" / "dev.tsv")
    options = ["--pool", place.path / "pool", "--teacher", ONE, "--teacher", OTHER, "--out", place.path / "ex"]
    options += ["--choose-on", place.path / "coll", "--choose-split", "dev", "--workspace", place.workspace.path]
    costs = json.loads(command("train", "teach", *options, "--print-cost", "--json").out)["teachers"]
    assert [(one["spec"], one["what"], one["is_bound"]) for one in costs] == [
        (ONE, "pairs of dev", False), (OTHER, "pairs of dev", False), (ONE, "pairs", True), (OTHER, "pairs", True),
    ]  # fmt: skip
    assert all(one["all"] >= one["new"] > 0 for one in costs[:2])
    assert command("train", "teach", *options).code == 0
    again = json.loads(command("train", "teach", *options, "--print-cost", "--json").out)["teachers"]
    assert [(one["all"], one["new"]) for one in again[:2]] == [(one["all"], 0) for one in costs[:2]]


def test_a_single_teacher_is_not_scored_on_dev_for_a_weight_that_can_only_be_1(place: Place) -> None:
    place.beir("dev")
    settings = TeachingSettings(choose_on=DevQueries(str(place.path / "dev"), "dev"))
    with pytest.raises(UsageError, match="a single teacher has no weight to choose"):
        taught(place, (ONE,), settings=settings)

"""Teachers that compare documents. What a user would lose: answers that were paid for, and labels that nobody gave."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import Message
from typing import Any

import numpy as np
import pytest

from adapters.errors import EnvironmentFailure, ModelError, UsageError
from harness.progress import Silent
from tests.chat_server import chat_server, completion
from tests.fake_adapters import score_of
from tests.fixtures import Command
from tests.tiny_collection import Place
from tests.training.loop import TEACHER, mined, taught
from training.sources.bradley_terry import PENALTY
from training.stages import Plan
from training.teaching.choosing import DevQueries
from training.teaching.settings import TeachingSettings
from training.teaching.teach import _mapped

PARTS = re.compile(r"Query: (.*?)\n\nPassage A: (.*?)\n\nPassage B: (.*?)\n\nAnswer", re.DOTALL)
TWO = TeachingSettings(pairwise=2)
Say = Callable[[str, str, str, int], str]


def honest(query: str, first: str, second: str, _: int) -> str:
    return "Passage A" if score_of(query, first) > score_of(query, second) else "Passage B"


class Asked:
    """A server that notes what it was asked."""

    def __init__(self, say: Say, lives: int | None = None) -> None:
        self.texts: list[tuple[str, ...]] = []
        self.lives = lives
        self._say = say

    def reply(self, body: dict[str, Any], headers: Message) -> tuple[int, bytes]:
        if self.lives is not None and len(self.texts) >= self.lives:
            return 500, b"gone"
        found = PARTS.search(body["messages"][0]["content"])
        assert found is not None
        self.texts.append(found.groups())
        return 200, completion(self._say(*found.groups(), len(self.texts)))


@pytest.fixture(name="serve")
def _serve() -> Iterator[Callable[..., tuple[str, Asked]]]:
    """Start a server that speaks as a test says; the teacher's spec and what it was asked."""
    opened = []

    def start(say: Say = honest, lives: int | None = None) -> tuple[str, Asked]:
        asked = Asked(say, lives)
        server = chat_server(asked.reply)
        opened.append(server)
        return f"chat:{server.__enter__()}?model=x&parallel=1&retries=0&timeout=20", asked

    yield start
    for one in opened:
        one.__exit__(None, None, None)


Serve = Callable[..., tuple[str, Asked]]


def examples(place: Place, name: str = "ex") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (place.path / name / "examples.jsonl").read_text("utf-8").splitlines()]


def test_the_labels_follow_the_answers(place: Place, serve: Serve) -> None:
    teacher, asked = serve()
    manifest = taught(place, [teacher], settings=replace(TWO, plan=Plan(per_query=4)))
    rows = examples(place)
    assert len(rows) == manifest["examples"] > 0
    for row in rows:
        true = [score_of(row["query"], text) for text in row["documents"]]
        best, worst = int(np.argmax(true)), int(np.argmin(true))
        assert max(row["scores"]) == row["scores"][best] > row["scores"][worst] == min(row["scores"])
        assert sum(row["scores"]) == pytest.approx(0, abs=1e-9)
    (orders,) = manifest["compared"]["teachers"]
    assert (orders["first"], orders["same"], orders["unread"]) == (0.5, 1.0, 0)
    assert orders["answers"] == 2 * manifest["compared"]["comparisons"] == len(asked.texts)


def test_every_two_documents_are_asked_in_both_orders_and_once(place: Place, serve: Serve) -> None:
    teacher, asked = serve()
    taught(place, [teacher], settings=TWO)
    assert len(set(asked.texts)) == len(asked.texts)
    assert {(query, b, a) for query, a, b in asked.texts} == set(asked.texts)


def test_the_labels_maximise_the_likelihood_of_the_kept_comparisons(place: Place, serve: Serve) -> None:
    """The gradient, by another formula than that of the fit, is zero."""
    teacher, _ = serve(lambda query, a, b, _: "A" if score_of(query, a + b) > 0.5 else "B")
    taught(place, [teacher], settings=TWO)
    with np.load(place.path / "ex" / "comparisons.npz") as kept, np.load(place.path / "ex" / "scores.npz") as scores:
        rows, better, label = kept["rows"], kept["preferences"][:, 0], scores["label"]
        assert scores["raw"].shape == (len(label), 0)
    slope = -2 * PENALTY * label
    for (a, b), wanted in zip(rows.tolist(), better.tolist(), strict=True):
        error = wanted - 1 / (1 + np.exp(label[b] - label[a]))
        slope[a] += error
        slope[b] -= error
    labelled = np.isfinite(label)
    assert labelled.sum() == len(np.unique(rows))
    assert slope[labelled] == pytest.approx(0, abs=1e-6)


def test_a_preference_for_the_first_text_is_averaged_out_and_reported(place: Place, serve: Serve) -> None:
    def biased(query: str, first: str, second: str, number: int) -> str:
        sure = abs(score_of(query, first) - score_of(query, second)) > 0.3
        return honest(query, first, second, number) if sure else "Passage A"

    teacher, _ = serve(biased)
    (orders,) = taught(place, [teacher], settings=TWO)["compared"]["teachers"]
    assert orders["first"] == pytest.approx(0.5 + (1 - orders["same"]) / 2)
    assert orders["same"] < 1
    with np.load(place.path / "ex" / "comparisons.npz") as kept:
        values = kept["preferences"]
    assert set(np.unique(values)) == {0.0, 0.5, 1.0}
    assert (values == 0.5).mean() == pytest.approx(1 - orders["same"])


def test_a_teacher_that_always_says_the_first_teaches_nothing(place: Place, serve: Serve) -> None:
    teacher, _ = serve(lambda *_: "A")
    with pytest.raises(ModelError, match="all labels are equal"):
        taught(place, [teacher], settings=TWO)
    assert not (place.path / "ex" / "examples.jsonl").exists()


def test_an_answer_that_cannot_be_read_is_counted_and_its_comparison_left_out(place: Place, serve: Serve) -> None:
    teacher, asked = serve(lambda q, a, b, number: "I am not sure" if number == 3 else honest(q, a, b, number))
    compared = taught(place, [teacher], settings=TWO)["compared"]
    assert (compared["teachers"][0]["unread"], compared["left_out"]) == (1, 1)
    assert compared["teachers"][0]["answers"] == len(asked.texts) - 1
    with np.load(place.path / "ex" / "comparisons.npz") as kept:
        assert np.isnan(kept["preferences"]).sum() == 1


def test_a_query_whose_documents_are_not_connected_any_more_is_left_out_and_counted(place: Place, serve: Serve) -> None:
    teacher, asked = serve()
    taught(place, [teacher], settings=TeachingSettings(pairwise=1))
    query, text, _ = asked.texts[0]
    other, _ = serve(lambda q, a, b, n: "?" if q == query and text in (a, b) else honest(q, a, b, n))
    manifest = taught(place, [f"{other}&seed=1"], "other", TeachingSettings(pairwise=1))
    assert manifest["left_out"]["comparisons that do not connect the documents"] == 1
    assert query not in [row["query"] for row in examples(place, "other")]


def test_a_teacher_that_talks_is_stopped_with_its_last_words(place: Place, serve: Serve) -> None:
    teacher, asked = serve(lambda *_: "Sure! Passage A is better, because")
    with pytest.raises(ModelError, match=r"answers cannot be read; the last was 'Sure! Passage A is better"):
        taught(place, [teacher], settings=TWO)
    assert len(asked.texts) <= 64


def test_a_server_that_dies_loses_no_answer(place: Place, serve: Serve) -> None:
    whole, _ = serve()
    taught(place, [whole], "whole", TWO)
    dying, before = serve(lives=7)
    dying += "&seed=1"  # not the answers that the ledger has
    with pytest.raises(EnvironmentFailure, match="500"):
        taught(place, [dying], settings=TWO)
    assert not (place.path / "ex" / "manifest.json").exists()
    before.lives = None
    taught(place, [dying], settings=TWO)
    assert len(before.texts) == len(set(before.texts))
    assert examples(place) == examples(place, "whole")


def test_the_few_answers_that_could_not_be_read_before_do_not_stop_a_second_run(place: Place, serve: Serve) -> None:
    teacher, asked = serve(lambda q, a, b, n: "?" if score_of(q, a + b) < 0.15 else honest(q, a, b, n))
    first = taught(place, [teacher], settings=TWO)
    before = len(asked.texts)
    again = taught(place, [teacher], "again", TWO)
    unread = first["compared"]["teachers"][0]["unread"]
    assert again["compared"]["teachers"] == [{**first["compared"]["teachers"][0], "asked_now": unread}]
    assert len(asked.texts) - before == unread > 0


def test_another_command_with_the_same_teacher_asks_nothing_again(place: Place, serve: Serve) -> None:
    teacher, asked = serve()
    taught(place, [teacher], settings=TWO)
    paid = len(asked.texts)
    manifest = taught(place, [teacher], "again", replace(TWO, map="unit"))
    assert (len(asked.texts), manifest["compared"]["teachers"][0]["asked_now"]) == (paid, 0)
    finite = [score for row in examples(place, "again") for score in row["scores"]]
    assert (min(finite), max(finite)) == (0, 1)


def test_scores_alone_keep_their_order(place: Place) -> None:
    manifest = taught(place, [TEACHER], settings=TWO)
    assert manifest["compared"]["teachers"] == [None]
    for row in examples(place):
        true = [score_of(row["query"], text) for text in row["documents"]]
        assert np.argsort(row["scores"]).tolist() == np.argsort(true).tolist()


def test_scores_and_answers_are_averaged_by_their_weights(place: Place, serve: Serve) -> None:
    teacher, _ = serve()
    settings = replace(TWO, weights=(3.0, 1.0))
    manifest = taught(place, [TEACHER, teacher], settings=settings)
    assert [one is None for one in manifest["compared"]["teachers"]] == [True, False]
    assert [one["calibration"] is None for one in manifest["teachers"]] == [False, True]
    with np.load(place.path / "ex" / "scores.npz") as kept:
        scores = kept["raw"][:, 0].astype(np.float64)
    standard = (scores - scores.mean()) / scores.std()
    with np.load(place.path / "ex" / "comparisons.npz") as kept:
        rows, values = kept["rows"], kept["preferences"]
    expected = 1 / (1 + np.exp(standard[rows[:, 1]] - standard[rows[:, 0]]))
    assert values[:, 0] == pytest.approx(expected)


def test_a_reranker_of_lists_is_a_teacher(place: Place) -> None:
    manifest = taught(place, ["tests.fake_rankers:Lists"], settings=TWO)
    assert manifest["compared"]["teachers"][0]["first"] == pytest.approx(0.5, abs=0.2)
    assert manifest["examples"] > 0


def test_without_scores_the_sample_is_drawn_by_the_ranks_of_the_retrievers(place: Place, serve: Serve) -> None:
    teacher, _ = serve()
    manifest = taught(place, [teacher], settings=replace(TWO, plan=Plan("top", 3)))
    assert manifest["above_source"] is None
    with pytest.raises(UsageError, match="leave out --drop-above"):
        taught(place, [teacher], "other", replace(TWO, plan=Plan(drop_above=0.9)))


def test_the_cost_is_counted_and_nothing_is_asked(place: Place, serve: Serve, command: Command) -> None:
    teacher, asked = serve()
    mined(place)
    options = ["--pool", place.path / "pool", "--teacher", teacher, "--workspace", place.workspace.path]
    options += ["--pairwise", "2", "--out", place.path / "ex"]
    said = command("train", "teach", *options, "--print-cost", "--json")
    assert (said.code, asked.texts, (place.path / "ex").exists()) == (0, [], False)
    (cost,) = json.loads(said.out)["teachers"]
    assert (cost["what"], cost["is_bound"], cost["new"]) == ("comparisons", False, cost["all"])
    said = command("train", "teach", *options)
    assert said.code == 0
    assert len(asked.texts) == cost["new"]
    assert cost["characters"] == sum(len(text) for texts in asked.texts for text in texts)
    assert "prefers the first" in said.out
    assert "drawn by their fused ranks" in said.out
    said = command("train", "teach", *options, "--print-cost")
    assert "not in the ledger" in said.out


def test_with_scores_the_cost_of_comparisons_is_a_bound(place: Place, serve: Serve, command: Command) -> None:
    teacher, asked = serve()
    mined(place)
    options = ["--pool", place.path / "pool", "--teacher", teacher, "--teacher", TEACHER, "--pairwise", "2"]
    options += ["--workspace", place.workspace.path, "--out", place.path / "ex"]
    costs = json.loads(command("train", "teach", *options, "--print-cost", "--json").out)["teachers"]
    assert [one["is_bound"] for one in costs] == [True, False]
    assert command("train", "teach", *options).code == 0
    assert 0 < len(asked.texts) <= costs[0]["new"]


def test_what_needs_scores_is_refused(place: Place, serve: Serve) -> None:
    with pytest.raises(UsageError, match="leave out --pairwise, or --choose-on"):
        TeachingSettings(pairwise=2, choose_on=DevQueries("x", "dev"))
    teacher, _ = serve()
    with pytest.raises(ModelError, match=r"cannot be a reranker; name it with .*--pairwise"):
        taught(place, [teacher])
    with pytest.raises(UsageError, match="named twice"):
        taught(place, [teacher, teacher.replace("timeout=20", "timeout=21")], settings=TWO)


def test_no_label_at_all_is_not_called_equal_labels() -> None:
    with pytest.raises(ModelError, match="no query has two different documents"):
        _mapped(np.full(3, np.nan), "none")


def test_a_number_format_that_comparisons_do_not_take_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    monkeypatch.setattr(Silent, "note", lambda _, text: notes.append(text))
    taught(place, ["tests.fake_rankers:Lists"], settings=replace(TWO, dtype="bfloat16"))
    assert notes == [
        "--dtype bfloat16 does not change teachers that compare (tests.fake_rankers:Lists); write ?dtype=bfloat16"
    ]

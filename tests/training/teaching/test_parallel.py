"""Labels from a parallel collection. What a user would lose: labels of other pairs than the ids say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.errors import DataError, UsageError
from tests.fake_adapters import asked, score_of
from tests.fixtures import Command
from tests.tiny_collection import CORPUS, FIRST, QUERIES, Place
from tests.training.loop import HASH, TEACHER
from training.corpus import corpus_of
from training.examples import example_of
from training.mining.mine import mine
from training.mining.questions import AskedQuestions, asked_by
from training.teaching.lesson import lesson_of
from training.teaching.settings import TeachingSettings
from training.teaching.teach import teach

TWIN = {name: f"die {text[::-1]}" for name, text in CORPUS.items()}
ASKED = {name: f"wann {text[::-1]}" for name, text in QUERIES.items()}


def pool(place: Place) -> Path:
    """The questions of the tiny collection, mined in the language that the teacher does not know."""
    if not (place.path / "pool").exists():
        place.beir()
        target = str(place.beir("twin", corpus=TWIN, queries=ASKED, rules='language = "de"\n'))
        corpus = corpus_of(target, place.workspace)
        with place.session() as session:
            queries = asked_by(AskedQuestions(target, "test"), corpus, place.workspace)
            mine(corpus, target, queries, (FIRST, HASH), 3, place.path / "pool", session)
    return place.path / "pool"


def taught(place: Place, out: str = "ex", score_as: str | None = "coll", teacher: str = TEACHER) -> dict[str, object]:
    lesson = lesson_of(pool(place), corpus_of(str(place.path / "twin"), place.workspace))
    named = None if score_as is None else str(place.path / score_as)
    with place.session() as session:
        return teach(lesson, [teacher], TeachingSettings(score_as=named), place.path / out, session)


def rows(place: Place, out: str = "ex") -> list[dict[str, object]]:
    return [json.loads(line) for line in (place.path / out / "examples.jsonl").read_text("utf-8").splitlines()]


def test_the_label_is_the_score_of_the_pair_with_the_same_ids(place: Place) -> None:
    manifest = taught(place)
    texts = {text: QUERIES[name] for name, text in ASKED.items()}
    examples = [example_of(row, "here") for row in rows(place)]
    assert len(examples) == manifest["examples"] > 0  # type: ignore[operator]
    for one in examples:
        assert one.ids is not None and one.language == "de"
        assert list(one.documents) == [TWIN[name] for name in one.ids]
        assert one.scores == tuple(score_of(texts[one.query], CORPUS[name]) for name in one.ids)


def test_the_manifest_names_the_parallel_collection_and_another_one_is_another_job(place: Place) -> None:
    scored = taught(place)["scored_as"]
    assert isinstance(scored, dict) and (scored["collection"], scored["language"]) == ("coll", None)
    assert "scored_as" not in taught(place, "own", None)
    with pytest.raises(UsageError, match="holds another job"):
        taught(place, score_as=None)


def test_the_ledger_holds_the_texts_that_were_scored(place: Place) -> None:
    log = place.log()
    first = taught(place, teacher=f"{TEACHER}?log={log}")
    paid = asked(log)
    assert all(any(text in pair for text in QUERIES.values()) for pair in paid)
    assert first["pairs"]["scored_now"] == len(paid)  # type: ignore[index]
    assert taught(place, "again", teacher=f"{TEACHER}?log={log}")["pairs"]["scored_now"] == 0  # type: ignore[index]
    assert taught(place, "own", None, f"{TEACHER}?log={log}")["pairs"]["scored_now"] > 0  # type: ignore[index]


def test_missing_ids_are_counted_and_named(place: Place) -> None:
    pool(place)
    some = {name: text for name, text in QUERIES.items() if name != "q2"}
    judged = [("q1", "d1", 1), ("q3", "d5", 1), ("q4", "d8", 1)]
    place.beir("fewer", queries=some, qrels=judged)
    with pytest.raises(DataError, match=r"fewer: 1 of the 4 queries of the pool are missing \('q2'\)"):
        taught(place, score_as="fewer")
    place.beir("short", corpus={name: text for name, text in CORPUS.items() if name in {"d1", "d3", "d5", "d8"}},
               qrels=[("q1", "d1", 1), ("q2", "d3", 1), ("q3", "d5", 1), ("q4", "d8", 1)])  # fmt: skip
    with pytest.raises(DataError, match=r"short: \d of the \d documents of the pool are missing \('d2'"):
        taught(place, score_as="short")


def test_the_command_says_what_was_scored(place: Place, command: Command) -> None:
    options = ("--pool", pool(place), "--teacher", TEACHER, "--workspace", place.workspace.path)
    said = command("train", "teach", *options, "--score-as", place.path / "coll", "--out", place.path / "ex")
    assert said.code == 0 and "scored as the parallel pairs of coll (language unknown)" in said.out
    assert rows(place) and json.loads((place.path / "ex" / "manifest.json").read_text("utf-8"))["scored_as"]

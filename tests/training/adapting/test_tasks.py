"""A corpus becomes examples in one call. What a user would lose: scores that were paid for, an evaluation that is worth
something, and an hour to a mistake that could have been reported at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import tiny
from adapters.causal_lm import CausalLMReranker
from adapters.errors import DataError, ModelError, UsageError
from tests.fake_adapters import asked, score_of
from tests.tiny_collection import CORPUS, QUERIES, Place
from tests.training.adapting.making import ECHO, prepared, settings_for
from tests.training.loop import TEACHER
from training.adapting.config import AdaptTask
from training.adapting.cost import cost_of
from training.adapting.settings import AdaptationSettings, Task, seeds_of, tasks_of
from training.adapting.tasks import student_length, trained_on
from training.adapting.watching import Finished
from training.examples import Examples
from training.settings import Settings
from training.stages import MixedSource
from training.validating.leak import KnownQueries, known_queries

FAKES = "tests.fake_adapters"
STAGES = ("synthesize", "clean", "mine", "teach")


def test_a_corpus_becomes_examples_with_their_counts_and_manifests(place: Place) -> None:
    one = prepared(place, settings_for(place))
    assert (one.task.name, one.corpus.name, one.corpus.documents, one.corpus.language) == ("coll", "coll", 8, "en")
    assert one.profile == "generic/en"
    assert tuple(one.manifests) == STAGES
    assert one.counts.examples == len(one.examples) > 0
    assert one.counts.queries == one.manifests["synthesize"]["queries"] and one.counts.removed_as_leak == 0
    assert one.counts.pairs == one.manifests["mine"]["pairs"]
    for row in one.examples.rows:
        assert row.scores == tuple(score_of(row.query, text) for text in row.documents) and row.task == "coll"


def test_a_second_call_pays_nothing(place: Place) -> None:
    log, events = place.log(), list[Finished]()
    settings = settings_for(place, teachers=(f"{TEACHER}?log={log}",), generator=f"{ECHO}?log={place.log('written')}")
    first = prepared(place, settings, watch=events.append)
    paid = asked(log), asked(place.path / "written")
    assert prepared(place, settings, watch=events.append) == first
    assert (asked(log), asked(place.path / "written")) == paid
    assert [(one.stage, one.state) for one in events] == [
        (name, state) for state in ("done", "known") for name in STAGES
    ]
    assert {one.name for one in events} == {"coll"} and all(one.detail for one in events)


@pytest.mark.parametrize("dies", [{"generator": f"{ECHO}?lives=3"}, {"teachers": (f"{FAKES}:Streaming?lives=3",)}])
def test_a_task_that_is_killed_goes_on_to_the_same_examples(
    place: Place, dies: dict[str, object], tmp_path: Path
) -> None:
    lives = {"teachers": (f"{FAKES}:Streaming",)} if "teachers" in dies else {}
    with pytest.raises(RuntimeError):
        prepared(place, settings_for(place, **dies))
    again = prepared(place, settings_for(place, **lives))
    other = Place(place.path, type(place.workspace).open(tmp_path / "another"))
    (place.path / "run").rename(place.path / "killed")
    assert prepared(other, settings_for(place, **lives)).examples.digest == again.examples.digest


def test_a_query_of_the_evaluation_is_removed_and_counted(place: Place) -> None:
    free = prepared(place, settings_for(place))
    leaked = free.examples.rows[0].query
    (place.path / "run").rename(place.path / "free")
    known = [KnownQueries("quiz", "test", [leaked.upper() + "?", "something else"])]
    one = prepared(place, settings_for(place), known=known)
    removed = place.path / "run" / "tasks" / "coll" / "clean" / "removed.jsonl"
    assert one.counts.removed_as_leak >= 1
    assert leaked in {json.loads(line)["query"] for line in removed.read_text("utf-8").splitlines()}
    assert leaked not in {row.query for row in one.examples.rows}
    assert one.counts.queries + one.counts.removed_as_leak == free.counts.queries


def test_a_task_of_leaks_alone_stops_before_a_teacher_is_paid(place: Place) -> None:
    log = place.log()
    prepared(place, settings_for(place))
    (place.path / "run").rename(place.path / "free")
    file = place.path / "free" / "tasks" / "coll" / "queries" / "queries.jsonl"
    queries = [json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()]
    with pytest.raises(DataError, match="are evaluation queries"):
        prepared(
            place, settings_for(place, teachers=(f"{TEACHER}?log={log}",)), known=[KnownQueries("q", "t", queries)]
        )
    assert not asked(log)


def test_the_teacher_reads_what_the_student_reads(place: Place) -> None:
    tiny.cross_encoder(place.path / "teacher", seed=3)
    settings = settings_for(place, teachers=(str(place.path / "teacher"),))
    assert student_length(settings) == 128
    short = settings_for(place, teachers=settings.teachers, max_length=48)
    assert prepared(place, short).manifests["teach"]["teachers"][0]["max_length"] == 48
    with pytest.raises(ModelError, match="positions"):
        student_length(settings_for(place, max_length=9999))


def test_a_student_that_answers_reads_as_much_as_its_adapter_does(place: Place) -> None:
    answering = tiny.causal_lm(place.path / "answering")
    for name, key in (("config.json", "max_position_embeddings"), ("tokenizer_config.json", "model_max_length")):
        content = json.loads((answering / name).read_text("utf-8"))
        (answering / name).write_text(json.dumps({**content, key: 32_768}), "utf-8")
    settings = settings_for(place, base=str(answering))
    assert student_length(settings) == CausalLMReranker(str(answering)).max_length == 8192
    assert student_length(replace(settings, max_length=96)) == 96


def test_an_empty_corpus_is_one_line(place: Place) -> None:
    settings = settings_for(place)
    (place.path / "coll" / "corpus.jsonl").write_text("", "utf-8")
    with pytest.raises(DataError) as refusal:
        prepared(place, settings)
    assert "\n" not in str(refusal.value) and "corpus.jsonl:1: empty" in str(refusal.value)


def test_a_generator_that_answers_garbage_stops_the_task(place: Place) -> None:
    log = place.log()
    settings = settings_for(
        place, generator="tests.training.fake_generators:Garbage", teachers=(f"{TEACHER}?log={log}",)
    )
    with pytest.raises(ModelError, match="garbage"):
        prepared(place, settings)
    assert not asked(log) and not (place.path / "run" / "tasks" / "coll" / "queries" / "manifest.json").exists()


def test_a_teacher_with_nan_leaves_no_examples(place: Place) -> None:
    with pytest.raises(ModelError, match="not finite"):
        prepared(place, settings_for(place, teachers=(f"{FAKES}:Overflowing",)))
    assert not (place.path / "run" / "tasks" / "coll" / "examples" / "manifest.json").exists()


def test_a_corpus_without_a_language_asks_for_a_profile(place: Place) -> None:
    place.beir("silent")
    task = Task("silent", str(place.path / "silent"), None)
    settings = settings_for(place)
    with pytest.raises(UsageError, match="name a profile"):
        prepared(place, settings, task)
    assert prepared(place, settings, Task("silent", task.corpus, "generic/en")).corpus.language == "en"


def test_every_profile_is_a_task_for_every_corpus() -> None:
    settings = AdaptationSettings(
        "b", ("t",), ("./one", "miracl/sw", "/elsewhere/one"), profiles=("claim-en", "./own.toml")
    )
    assert [(one.name, one.profile) for one in tasks_of(settings)] == [
        ("one-claim-en", "claim-en"), ("one-own", "./own.toml"),
        ("miracl-sw-claim-en", "claim-en"), ("miracl-sw-own", "./own.toml"),
        ("one-claim-en-2", "claim-en"), ("one-own-2", "./own.toml"),
    ]  # fmt: skip
    assert [one.name for one in tasks_of(AdaptationSettings("b", ("t",), ("./a/corpus.jsonl", "miracl/sw")))] == [
        "a",
        "miracl-sw",
    ]


def test_one_task_is_fitted_twice_and_several_once() -> None:
    assert seeds_of(AdaptationSettings("b", ("t",), ("one",))) == (0, 1)
    assert seeds_of(AdaptationSettings("b", ("t",), ("one", "two"))) == (0,)
    assert seeds_of(AdaptationSettings("b", ("t",), ("one", "two"), seeds=(3, 5))) == (3, 5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"corpora": ("c", "c")}, "c occurs twice"), ({"retrievers": ("bm25",)}, "name at least two"),
        ({"weights": (1.0, 2.0)}, "weight"), ({"seeds": (1, 1)}, "different numbers"),
        ({"adaptation": Settings(new_head=True)}, "whole adaptation"),
        ({"stage1": Settings(max_length=64)}, "whole adaptation"),
        ({"sources": (MixedSource("x", 1.0), MixedSource("x", 2.0))}, "general.source: x occurs twice"),
    ],
)  # fmt: skip
def test_impossible_settings_are_refused_when_they_are_made(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        AdaptationSettings(**{"base": "b", "teachers": ("t",), "corpora": ("c",), **wrong})  # type: ignore[arg-type]


def test_the_cost_is_never_less_than_what_is_paid(place: Place) -> None:
    settings = settings_for(place, documents=5, ingredients=("given",))
    cost = cost_of(settings, place.workspace)
    one = prepared(place, settings)
    (task,) = cost.tasks
    assert (task.documents, task.queries, task.pairs) == (5, 15, 15 * 7), "two retrievers give 3 each, and the source"
    assert one.counts.queries <= task.queries and one.counts.pairs <= task.pairs == cost.pairs
    assert task.steps >= -(-len(one.examples) // 4) * 2
    assert cost.single_steps == cost.union_steps == 2 * task.steps and cost.stage1_steps == 0
    assert cost.checkpoints == 1 + 3 + 1 + 4 + 3 + 2
    assert str(cost).splitlines()[0] == (
        f"coll: 5 documents, 15 queries requested, at most {task.pairs} pairs for 1 teacher"
    )


def test_a_task_of_its_own_has_its_documents_and_its_teacher(place: Place) -> None:
    log = place.log()
    own = AdaptTask(str(place.path / "coll"), "generic/en", 5, f"{TEACHER}?log={log}")
    settings = settings_for(place, corpora=(), tasks=(own,), teachers=(), documents=8)
    (cost,) = cost_of(settings, place.workspace).tasks
    one = prepared(place, settings)
    assert (cost.documents, cost.teachers) == (5, 1) and one.manifests["synthesize"]["documents"] == 5
    assert len(asked(log)) == one.counts.pairs


def test_the_cost_counts_the_teachers_of_every_task(place: Place) -> None:
    own = AdaptTask(str(place.path / "coll"), "generic/en", 5, TEACHER)
    more = AdaptTask(str(place.path / "coll"), "claim-en", 5)
    settings = settings_for(place, corpora=(), tasks=(own, more), teachers=("a", "b"))
    cost = cost_of(settings, place.workspace)
    assert [one.teachers for one in cost.tasks] == [1, 2] and cost.teachers == 3
    assert cost.pairs == cost.tasks[0].pairs + 2 * cost.tasks[1].pairs


def test_general_data_costs_its_steps(place: Place) -> None:
    general = Examples(prepared(place, settings_for(place)).examples.rows)
    settings = settings_for(place, general=("general.jsonl",))
    cost = cost_of(settings, place.workspace, general)
    assert cost.stage1_steps == -(-len(general) // 4) * 2
    assert cost.single_steps > cost_of(settings_for(place), place.workspace).single_steps, "the replayed ones"


def asking(place: Place, **more: object) -> AdaptTask:
    """A task that asks the questions of the tiny collection."""
    return AdaptTask(str(place.path / "coll"), queries=str(place.path / "coll"), queries_split="test", **more)  # type: ignore[arg-type]


def test_a_task_asks_real_questions_and_labels_them_with_the_teacher(place: Place) -> None:
    settings = settings_for(place, corpora=(), tasks=(asking(place),))
    one = prepared(place, settings)
    assert one.profile == f"{place.path / 'coll'} (test)" and one.corpus.language == "en"
    assert {row.query for row in one.examples.rows} <= set(QUERIES.values())
    assert all(row.scores == tuple(score_of(row.query, text) for text in row.documents) for row in one.examples.rows)
    (cost,) = cost_of(settings, place.workspace).tasks
    assert (cost.documents, cost.queries) == (0, 4) and one.counts.queries == 4
    assert str(cost_of(settings, place.workspace)).startswith("coll: 4 questions, at most 28 pairs for 1 teacher")


def test_a_task_labels_its_questions_with_the_parallel_pairs(place: Place) -> None:
    twin = {name: text[::-1] for name, text in CORPUS.items()}
    place.beir("twin", corpus=twin)
    settings = settings_for(place, corpora=(), tasks=(asking(place, score_as=str(place.path / "twin")),))
    one = prepared(place, settings)
    for row in one.examples.rows:
        assert row.ids is not None
        assert row.scores == tuple(score_of(row.query, twin[name]) for name in row.ids)
    assert one.manifests["teach"]["scored_as"]["collection"] == "twin"


def test_the_questions_that_are_trained_on_are_no_leaks_unless_they_judge(place: Place) -> None:
    settings = settings_for(place, corpora=(), tasks=(asking(place, score_as=str(place.path / "coll")),))
    trained = trained_on(tasks_of(settings), place.workspace)
    assert {one.name for one in trained} == {"coll"}
    assert len(known_queries(place.workspace)) == 1
    assert known_queries(place.workspace, (), trained) == []


def test_a_teacher_that_orders_lists_compares(place: Place) -> None:
    settings = settings_for(place, teachers=("tests.fake_rankers:Lists",), pairwise=2)
    one = prepared(place, settings)
    assert one.manifests["teach"]["compared"]["teachers"][0]["answers"] > 0
    (cost,) = cost_of(settings, place.workspace).tasks
    assert one.manifests["teach"]["compared"]["comparisons"] * 2 <= cost.comparisons
    assert "comparisons where it orders lists" in str(cost_of(settings, place.workspace))


def test_a_teacher_that_is_no_reranker_is_refused_before_anything_is_made(place: Place) -> None:
    with pytest.raises(UsageError, match="only compares two documents"):
        settings_for(place, teachers=("chat:http://127.0.0.1:1/v1?model=x",), pairwise=2)

"""The queries of the arms. What a user would lose: an unseen test, and sets that can be compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.errors import DataError, UsageError
from tests.tiny_collection import Place
from tests.training.utility.world import World
from training.utility.question import Question, ask
from training.utility.sets import first


def question(world: World) -> Question:
    return ask(world.given(), world.settings(Path("base")), world.place.workspace)


def trained_texts(found: Question) -> list[str]:
    return [query.text for one in found.sets.values() for query in one.queries]


def test_queries_of_the_test_and_their_like_never_train(place: Place) -> None:
    world = World(place, synthetic=5, real=5, tested=3)
    first_, second, third = world.topics["test"]
    document = f"{world.topics['real'][0]}-yes"
    world.ask(
        [("loud", f"WHAT of {first_}?"), ("long", f"what of {second} {second} {third} in the spring of that year")]
    )
    world.ask([("asked", f"what of {second} {second} {third} in the spring of the year")])
    rows = [(name, f"{name}-yes", 1) for name in world.topics["test"]]
    world.judge(
        [*((name, f"{name}-yes", 1) for name in world.topics["real"]), ("loud", document, 1), ("long", document, 1)]
    )
    qrels = world.path / "own" / "qrels" / "test.tsv"
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in [*rows, ("asked", document, 1)])]
    qrels.write_text("\n".join(lines) + "\n", "utf-8")
    world.write("queries.jsonl", [*_own(world), ("leak", f"what of {third}", document)])
    world.write("wrong.jsonl", [*_wrong(world), ("leak", f"what, of {third}", f"{world.topics['wrong'][0]}-no")])
    found = question(world)
    assert found.counts["real"]["removed"] == {"the same as a test query": 1, "nearly the same as a test query": 1}
    assert found.counts["synthetic"]["removed"] == {"the same as a test query": 1}
    assert found.counts["wrong"]["removed"] == {"the same as a test query": 1}
    assert not any(word in text.casefold() for text in trained_texts(found) for word in (first_, second, third))


def test_a_set_that_is_the_test_is_refused(place: Place) -> None:
    world = World(place, synthetic=5, real=5, tested=3)
    given = replace(world.given(), real_split="test")
    with pytest.raises(UsageError, match="--real and --test are the same queries"):
        ask(given, world.settings(Path("base")), place.workspace)


def test_the_sets_are_drawn_to_the_size_of_the_smallest_one(place: Place) -> None:
    world = World(place, synthetic=9, real=5, tested=3)
    found = question(world)
    assert {name: len(one) for name, one in found.sets.items()} == {"synthetic": 5, "real": 5, "wrong": 5}
    assert found.counts["synthetic"] == {"given": 9, "removed": {}, "left": 9}
    fewer = ask(world.given(), replace(world.settings(Path("base")), queries=3), place.workspace)
    assert {len(one) for one in fewer.sets.values()} == {3}


def test_the_order_of_a_file_decides_nothing(place: Place) -> None:
    world = World(place, synthetic=9, real=5, tested=3)
    before = question(world).sets["synthetic"]
    world.write("queries.jsonl", list(reversed(_own(world))))
    after = question(world).sets["synthetic"]
    assert before.digest == after.digest
    assert first(before, 3, seed=0).queries == first(after, 3, seed=0).queries
    assert first(before, 3, seed=0).queries != first(before, 3, seed=1).queries


def test_a_text_that_occurs_twice_is_one_query(place: Place) -> None:
    world = World(place, synthetic=5, real=5, tested=3)
    _, text, document = _own(world)[0]
    world.write("queries.jsonl", [*_own(world), ("again", text, document)])
    assert question(world).counts["synthetic"]["removed"] == {"repeated": 1}


def test_a_real_query_without_a_relevant_document_teaches_nothing(place: Place) -> None:
    world = World(place, synthetic=5, real=5, tested=3)
    topics = world.topics["real"]
    world.judge([(name, f"{name}-yes", int(name != topics[0])) for name in topics])
    assert question(world).counts["real"]["removed"] == {"without a relevant document": 1}


def test_arms_without_their_data_are_left_out_and_named(place: Place) -> None:
    world = World(place, synthetic=5, real=5, tested=3)
    world.write("queries.jsonl", [(name, text, None) for name, text, _ in _own(world)])
    found = ask(world.given(wrong=False), world.settings(Path("base")), place.workspace)
    assert [arm.name for arm in found.arms] == ["a", "b", "c", "f"]
    assert any("arm d is left out" in note for note in found.notes())
    assert any("arm e is left out" in note for note in found.notes())


def test_queries_without_a_source_are_left_out_if_others_have_one(place: Place) -> None:
    world = World(place, synthetic=5, real=5, tested=3)
    own = _own(world)
    world.write("queries.jsonl", [(*own[0][:2], None), *own[1:]])
    assert question(world).counts["synthetic"]["removed"] == {"without a source document": 1}


def test_a_set_of_which_nothing_is_left_is_refused_with_the_reasons(place: Place) -> None:
    world = World(place, synthetic=5, real=5, tested=3)
    world.write("queries.jsonl", [("leak", f"what of {world.topics['test'][0]}", f"{world.topics['test'][0]}-yes")])
    with pytest.raises(DataError, match=r"synthetic set: none of its 1 queries .*1 the same as a test query"):
        question(world)


def _own(world: World) -> list[tuple[str, str, str | None]]:
    return [(name, f"who has {name}", f"{name}-yes") for name in world.topics["synthetic"]]


def _wrong(world: World) -> list[tuple[str, str, str | None]]:
    return [(name, f"who has {name}", f"{name}-no") for name in world.topics["wrong"]]

"""A name means one evaluation on each collection, or the comparison is refused: what a user would lose is that both
columns are the systems that they named, on the same queries."""

from __future__ import annotations

import pytest

from adapters.errors import DataError, UsageError
from harness.judging.compare.selection import Chosen, StoredSelection, select
from harness.result.select import Wanted
from harness.result.stored import Stored
from tests.stored_evaluations import stored

FIRST = stored("f000", None)
ONE = stored("a001", "one")
TWO = stored("b002", "two")


def ids(chosen: Chosen) -> list[list[str]]:
    return [[one.id for one in member] for member in chosen.members]


def both(selection: StoredSelection) -> tuple[list[list[str]], ...]:
    return ids(selection.baseline), *map(ids, selection.candidates)


@pytest.mark.parametrize("name", ["bm25", "bm25 (first stage)", "f000"])
def test_a_first_stage_is_named_as_the_tables_do_or_by_its_spec_or_by_an_id(name: str) -> None:
    selection = select([FIRST, ONE], name, ["one"])
    assert both(selection) == ([["f000"]], [["a001"]])
    assert selection.baseline.label == "bm25 (first stage)"


def test_a_name_that_a_reranker_and_a_first_stage_share_is_the_rerankers() -> None:
    everything = [FIRST, stored("c003", "bm25"), ONE]
    assert both(select(everything, "bm25", ["one"])) == ([["c003"]], [["a001"]])
    assert both(select(everything, "bm25 (first stage)", ["bm25"])) == ([["f000"]], [["c003"]])


def test_an_unknown_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError, match=r"no results of a system 'oen'.*Did you mean one\?.*Available: .*two"):
        select([ONE, TWO], "oen", ["two"])


def test_an_id_means_the_same_system_on_its_other_collections() -> None:
    there = [stored("a004", "one", "other"), stored("b005", "two", "other")]
    newer = stored("a006", "one")
    assert both(select([ONE, TWO, *there, newer], "a001", ["two"])) == ([["a001", "a004"]], [["b002", "b005"]])


def test_an_id_does_not_reach_for_other_weights_depths_or_first_stages() -> None:
    mine = stored("a001", "./mine", weights="w1")
    others = [
        stored("a004", "./mine", "other", weights="w2"),
        stored("a005", "./mine", "third", weights="w1", depth=20),
        stored("a006", "./mine", "fourth", weights="w1", first_stage="e5"),
    ]
    rest = [stored(f"b00{i}", "two", name) for i, name in enumerate(("coll", "other", "third", "fourth"))]
    selection = select([mine, *others, *rest], "a001", ["two"])
    assert both(selection) == ([["a001"]], [["b000"]])


def test_digits_that_could_be_several_ids_are_refused() -> None:
    with pytest.raises(
        UsageError, match=r"'abcd' could be abcd1 \('one', coll over bm25 at depth 10\); abcd2 .*; give more digits"
    ):
        select([stored("abcd1", "one"), stored("abcd2", "two")], "abcd", ["two"])


def test_the_newest_of_several_evaluations_is_taken_and_the_note_says_so() -> None:
    selection = select([ONE, stored("a009", "one"), TWO], "one", ["two"])
    assert both(selection)[0] == [["a009"]]
    assert selection.notes == ("coll: the newest evaluation of one is used, a009; older: a001",)


def test_several_first_stages_or_depths_have_to_be_chosen_from() -> None:
    everything = [ONE, stored("a002", "one", first_stage="e5"), stored("a003", "one", depth=20), TWO]
    with pytest.raises(
        UsageError, match=r"'one' was measured on .*bm25 at depth 20.*e5 at depth 10; choose with --first"
    ):
        select(everything, "one", ["two"])
    chosen = select(everything, "one", ["two"], wanted=Wanted(first_stage="bm25", depth=10))
    assert both(chosen) == ([["a001"]], [["b002"]])


def test_the_depth_of_given_lists_says_nothing() -> None:
    given = [stored("a001", "one", first_stage="given", depth=10), stored("a002", "one", first_stage="given", depth=99)]
    assert both(select([*given, stored("b002", "two", first_stage="given")], "one", ["two"]))[0] == [["a002"]]


def test_a_system_that_was_measured_elsewhere_only_is_not_called_unknown() -> None:
    elsewhere = stored("b003", "two", "other", first_stage="e5")
    with pytest.raises(UsageError, match="'two' was measured only elsewhere: other over e5 at depth 10"):
        select([ONE, elsewhere], "one", ["two"], wanted=Wanted(first_stage="bm25"))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Wanted(collections=["col"]), "no results of a collection 'col'.*Did you mean coll"),
        (Wanted(first_stage="e5"), "a first stage 'e5'.*Available: bm25"),
        (Wanted(depth=3), "at depth 3; there are some at 10"),
    ],
)
def test_a_selection_that_matches_nothing_is_refused_with_what_there_is(wanted: Wanted, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        select([ONE, TWO], "one", ["two"], wanted=wanted)


def test_collections_that_one_side_lacks_are_left_out_with_a_note() -> None:
    selection = select([ONE, stored("a004", "one", "alone"), TWO], "one", ["two"])
    assert both(selection) == ([["a001"]], [["b002"]])
    assert selection.notes == ("left out: only one has alone",)


def test_a_suite_means_its_collections() -> None:
    there = [stored("a004", "one", "beir/x"), stored("b005", "two", "beir/x")]
    assert both(select([ONE, TWO, *there], "one", ["two"], wanted=Wanted(["beir"]))) == ([["a004"]], [["b005"]])


def test_without_a_common_collection_nothing_is_compared() -> None:
    with pytest.raises(DataError, match="no collection that all were measured on: 'one' has coll; 'two' has other"):
        select([ONE, stored("b003", "two", "other")], "one", ["two"])


def test_other_queries_under_the_same_name_are_refused() -> None:
    other = stored("b003", "two", fingerprint="finger-dev", split="dev", queries=7)
    with pytest.raises(DataError, match=r"coll: different queries.*split test, 4 queries.*split dev, 7 queries"):
        select([ONE, other], "one", ["two"])


def sampled(id: str, name: str, queries: int) -> Stored:
    return stored(
        id, name, fingerprint=f"sample-{queries}", queries=queries, sampled_from=4, part_of="finger-coll"
    )  # fmt: skip


def test_of_nested_samples_the_largest_that_all_have_is_used_with_a_note() -> None:
    everything = [ONE, TWO, sampled("a008", "one", 2), sampled("b008", "two", 2)]
    selection = select(everything, "one", ["two"])
    assert both(selection) == ([["a001"]], [["b002"]])
    assert selection.notes == (
        "coll: compared on split test, 4 queries (finger-coll), the largest that all systems have",
    )
    assert both(select([ONE, *everything[2:]], "one", ["two"])) == ([["a008"]], [["b008"]])


def test_several_splits_that_all_have_must_be_chosen_from() -> None:
    dev = [stored(id, name, fingerprint="fdev99", split="dev") for id, name in (("a007", "one"), ("b007", "two"))]
    with pytest.raises(DataError, match=r"split test.*split dev.*\(fdev99\); choose with --collection"):
        select([ONE, TWO, *dev], "one", ["two"])
    assert both(select([ONE, TWO, *dev], "one", ["two"], wanted=Wanted(["fdev99"]))) == ([["a007"]], [["b007"]])


@pytest.mark.parametrize(("baseline", "candidate"), [("one", "one"), ("one", "a001"), ("a001", "one")])
def test_a_system_is_not_compared_with_itself(baseline: str, candidate: str) -> None:
    with pytest.raises(UsageError, match="same evaluation"):
        select([ONE, TWO], baseline, [candidate])


def test_one_name_for_two_models_is_refused() -> None:
    mine = [stored("a001", "./mine", weights="w1"), stored("a004", "./mine", "other", weights="w2")]
    rest = [TWO, stored("b005", "two", "other")]
    with pytest.raises(
        DataError, match=r"'./mine' is one model on coll \(a001\) and another.*other \(a004\).*by its id"
    ):
        select([*mine, *rest], "./mine", ["two"])
    assert both(select([*mine, *rest], "a004", ["two"])) == ([["a004"]], [["b005"]])


SEEDS = [stored(f"5ee{i}", f"./seed-{i}") for i in range(3)]


@pytest.mark.parametrize("declared", ["mine=./seed-*", "mine=./seed-0,./seed-1,5ee2", "mine=./seed-?,./seed-1"])
def test_a_group_is_one_system_of_many_evaluations(declared: str) -> None:
    selection = select([ONE, *SEEDS], "one", ["mine"], [declared])
    assert both(selection) == ([["a001"]], [["5ee0"], ["5ee1"], ["5ee2"]])
    assert selection.candidates[0].label == "mine"


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (["mine"], "write NAME=SPEC,SPEC"),
        (["mine=./none-*"], r"no results of a system './none-\*'"),
        (["one=./seed-*"], "'one' is already a name"),
        (["mine=./seed-*", "mine=one"], "'mine' is already a name"),
        (["mine=./seed-*", "yours=./seed-*"], "'yours' is neither the baseline nor a candidate"),
        (["mine=./seed-*,one"], "same evaluation"),
    ],
)
def test_a_group_that_cannot_be_is_refused(groups: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        select([ONE, *SEEDS], "one", ["mine"], groups)


def test_two_systems_with_one_name_are_distinguished() -> None:
    elsewhere = stored("a002", "one", first_stage="e5")
    selection = select([ONE, elsewhere], "a001", ["a002"])
    assert selection.baseline.label == "one on bm25, depth 10 (a001)"
    assert selection.candidates[0].label == "one on e5, depth 10 (a002)"


def test_the_order_in_which_things_were_measured_does_not_matter() -> None:
    everything = [
        stored(f"{side}00{name}", system, name)
        for side, system in (("a", "one"), ("b", "two"))
        for name in ("2", "1", "3")
    ]
    forth, back = (select(order, "one", ["two"]) for order in (everything, everything[::-1]))
    assert both(forth) == both(back) == ([["a001", "a002", "a003"]], [["b001", "b002", "b003"]])

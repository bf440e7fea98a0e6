"""A view selects first and then decides what gives way: no system's results are hidden because of another's, and what
is hidden is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.result.gathered import SelectedResults, view
from harness.result.left_out import NOTHING
from tests.stored_board import MadeCollection, MadeSystem, store

WHOLE = MadeCollection("mine/one", queries=40)
PART = MadeCollection("mine/one", queries=10, sampled_from=40)
OTHER = MadeCollection("mine/two", queries=30)
OTHER_PART = MadeCollection("mine/two", queries=12, sampled_from=30)
FIRST, A, B = MadeSystem(None, 0.4), MadeSystem("a", 0.5), MadeSystem("b", 0.6)
BOTH_PARTS = [PART, OTHER_PART]


def shown(found: SelectedResults) -> set[tuple[str, int]]:
    """Systems and the queries that they are shown on."""
    return {(one.system.label, one.collection.queries) for one in found.results}


def counted(found: SelectedResults) -> tuple[int, int]:
    return len(found.left_out.older), len(found.left_out.parts)


def test_a_run_of_another_system_on_the_whole_hides_nobodys_samples(tmp_path: Path) -> None:
    store(tmp_path, [FIRST, A], BOTH_PARTS)
    before = view(tmp_path)
    store(tmp_path, [FIRST, B], [WHOLE])
    found = view(tmp_path)
    assert shown(found) == shown(before) | {("bm25 (first stage)", 40), ("b", 40)}
    assert counted(found) == (0, 0) and found.left_out == NOTHING
    assert shown(view(tmp_path, ["a"])) == shown(before), "what is not selected decides nothing"


def test_a_sample_gives_way_where_every_system_has_the_whole(tmp_path: Path) -> None:
    store(tmp_path, [FIRST, A, B], [WHOLE, PART])
    found = view(tmp_path)
    assert {queries for _, queries in shown(found)} == {40}
    (line,) = found.left_out.lines
    assert line.startswith(
        "left out: 3 results on samples or tiers of collections that the same systems were measured on"
    )
    assert "(mine/one); name one by its fingerprint" in line
    assert found.left_out.as_dict()["parts"] == 3
    assert len(view(tmp_path, collections=[PART.fingerprint[:8]]).results) == 3


def test_a_sample_stays_for_all_where_one_system_has_nothing_else(tmp_path: Path) -> None:
    store(tmp_path, [FIRST, A, B], [PART])
    store(tmp_path, [FIRST, A], [WHOLE])
    assert len(view(tmp_path).results) == 5
    assert shown(view(tmp_path, ["a"])) == {("bm25 (first stage)", 40), ("a", 40)}, "decided after the selection"
    assert shown(view(tmp_path, ["b"])) == {("bm25 (first stage)", 10), ("b", 10)}


def test_a_sample_of_new_weights_does_not_give_way_to_the_whole_of_old_ones(tmp_path: Path) -> None:
    store(tmp_path, [FIRST, A], [WHOLE])
    new = MadeSystem("a", 0.5, version=2)
    store(tmp_path, [FIRST, new], [PART])
    assert ("a", 10) in shown(view(tmp_path))
    store(tmp_path, [new], [WHOLE])
    assert ("a", 10) not in shown(view(tmp_path))


def test_a_sample_of_old_weights_gives_way_to_the_whole_of_new_ones_but_not_among_revisions(tmp_path: Path) -> None:
    store(tmp_path, [FIRST, A], [PART])
    store(tmp_path, [FIRST, MadeSystem("a", 0.5, version=2)], [WHOLE])
    assert shown(view(tmp_path)) == {("bm25 (first stage)", 40), ("a", 40)}
    assert ("a", 10) in shown(view(tmp_path, revisions=True))


@pytest.mark.parametrize("split", ["test", "dev"])
def test_a_sample_of_another_split_is_no_part_of_the_whole(tmp_path: Path, split: str) -> None:
    store(tmp_path, [A], [WHOLE, MadeCollection("mine/one", queries=10, sampled_from=40, split=split)])
    assert len(view(tmp_path).results) == (2 if split == "dev" else 1)


def test_an_older_result_is_counted_and_its_id_brings_it_back(tmp_path: Path) -> None:
    store(tmp_path, [A], [WHOLE, OTHER])
    (old, _) = (one.id for one in view(tmp_path).results)
    store(tmp_path, [MadeSystem("a", 0.5, version=2)], [WHOLE, OTHER])
    found = view(tmp_path)
    assert (len(found.results), *counted(found)) == (2, 2, 0)
    assert found.left_out.lines[0].startswith("left out: 2 results that a newer one of the same system replaces (a); ")
    assert old in found.left_out.as_dict()["ids"]
    again = view(tmp_path, [old])
    assert old in {one.id for one in again.results} and len(again.results) == 2
    assert counted(again) == (0, 0), "an id means the old weights, on every collection"


def test_what_is_shown_and_what_is_left_out_are_all_that_is_stored(tmp_path: Path) -> None:
    store(tmp_path, [FIRST, A, B], [WHOLE, PART, OTHER_PART])
    store(tmp_path, [MadeSystem("a", 0.7, version=2)], [WHOLE, OTHER])
    found = view(tmp_path)
    assert len(found.results) + sum(counted(found)) == 11

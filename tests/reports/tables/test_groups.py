"""The macro average gives every group one vote, and the table shows what was averaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.data.collection import Collection
from harness.measuring.measures import parse
from harness.numbers import points
from reports.table import Table
from reports.tables.run import collections_table, comparison_tables, controls_table, sheet_of, systems_table
from reports.tables.run_values import as_dict
from tests.tiny_collection import CORPUS, QRELS, QUERIES, Place, results_in

NDCG = parse("nDCG@10")
SUITE = "mteb-multilingual-v2-reranking"
FAKE = "tests.fake_adapters:Plain"


def three(place: Place, group: str | None = "forums") -> list[Collection]:
    """Two forums and a collection of its own, all with different values."""
    rules = f'group = "{group}"' if group else ""
    forum_a = place.load(place.beir("a", qrels=QRELS[:4], rules=rules))
    own = place.load(place.beir("own", corpus={**CORPUS, "d9": "the mill of the harbour master"}, qrels=QRELS[:2]))
    forum_b = place.load(place.beir("b", queries={"q1": QUERIES["q2"]}, qrels=[("q1", "d1", 1)], rules=rules))
    return [forum_a, own, forum_b]


def column(table: Table, name: str) -> list[str]:
    return [row[table.columns.index(name)].text for row in table.rows]


def test_a_group_has_a_row_after_its_members_and_one_vote_in_the_macro_average(place: Place) -> None:
    evaluations = place.evaluations(*three(place), rerankers=[FAKE], depth=8)
    table = collections_table(sheet_of(results_in(evaluations), "nDCG@10"))
    assert column(table, "collection") == ["a", "b", "forums, mean of 2", "own", "macro average"]
    mine = {done.collection.name: done.values[0].mean() for done in evaluations if done.system.reranker}
    group = (mine["a"] + mine["b"]) / 2
    shown = [mine["a"], mine["b"], group, mine["own"], (group + mine["own"]) / 2]
    assert column(table, FAKE) == [points(value) for value in shown]
    assert shown[-1] != pytest.approx(sum(mine.values()) / 3)
    assert "3 collections have 2 votes; averaged first and then counted as one: forums (2)" in table.notes


def test_the_table_of_systems_and_the_controls_give_the_same_votes(place: Place) -> None:
    evaluations = place.evaluations(*three(place), rerankers=["control:oracle"], depth=8)
    by_collection, by_system = (
        collections_table(sheet_of(results_in(evaluations), "nDCG@10")),
        systems_table(sheet_of(results_in(evaluations), "nDCG@10")),
    )
    assert by_system.title == "nDCG@10, macro average of 1 collection and 1 group"
    assert column(by_system, "nDCG@10")[1] == column(by_collection, "control:oracle")[-1]
    assert column(by_system, "ceiling")[0] == column(by_collection, "ceiling")[-1]
    controls = controls_table(results_in(evaluations))
    assert column(controls, "oracle") == column(by_system, "ceiling")[:1]
    assert column(controls, "identity") == column(by_system, "nDCG@10")[:1]
    assert f"has an expected value of {column(controls, 'chance')[0]}" in " ".join(by_system.notes)


def test_a_group_alone_is_named_and_needs_no_macro_average(place: Place) -> None:
    evaluations = place.evaluations(*[one for one in three(place) if one.group])
    systems, collections = comparison_tables(results_in(evaluations))
    assert systems.title == "nDCG@10, forums, mean of 2"
    assert column(collections, "collection") == ["a", "b", "forums, mean of 2"]
    assert not any("votes" in note for note in (*systems.notes, *collections.notes))


def test_one_member_of_a_group_is_shown_as_the_collection_that_it_is(place: Place) -> None:
    evaluations = place.evaluations(*three(place)[:2])
    table = collections_table(sheet_of(results_in(evaluations), "nDCG@10"))
    assert column(table, "collection") == ["a", "own", "macro average"]
    assert (
        systems_table(sheet_of(results_in(evaluations), "nDCG@10")).title == "nDCG@10, macro average of 2 collections"
    )


def test_without_groups_every_collection_has_a_vote(place: Place) -> None:
    evaluations = place.evaluations(*three(place, group=None))
    table = collections_table(sheet_of(results_in(evaluations), "nDCG@10"))
    assert column(table, "collection") == ["a", "own", "b", "macro average"]
    means = [done.values[0].mean() for done in evaluations]
    assert table.rows[-1][3].text == points(sum(means) / 3)
    assert not any("vote" in note for note in table.notes)


def test_collections_with_different_official_measures_have_one_mean_as_mteb_has(place: Place) -> None:
    ndcg, rr = (
        replace(
            place.load(place.beir(name, qrels=QRELS[:kept], rules=f'main_measure = "{main}"')), name=f"{SUITE}/{name}"
        )
        for name, kept, main in (("a", 4, "nDCG@10"), ("own", 2, "RR@10"))
    )
    evaluations = place.evaluations(ndcg, rr, rerankers=[FAKE], measures=[], depth=8)
    *_, table = comparison_tables(results_in(evaluations))
    mine = [done.values[0].mean() for done in evaluations if done.system.reranker]
    assert table.title == "official measures, macro average of 2 collections"
    assert column(table, "mean")[1] == points(sum(mine) / 2)
    assert "official measures: nDCG@10, RR@10" in table.notes
    exported: Any = as_dict(results_in(evaluations))
    assert exported["macro_official"][FAKE]["value"] == pytest.approx(sum(mine) / 2)


def test_one_official_measure_needs_no_mean_of_its_own(place: Place) -> None:
    evaluations = place.evaluations(*three(place), measures=["nDCG@10", "RR@10"])
    assert not any("official" in table.title for table in comparison_tables(results_in(evaluations)))
    assert "macro_official" not in as_dict(results_in(evaluations))

"""The tables of a run: which systems are distinguished, what is bold, what is marked, what is averaged."""

from __future__ import annotations

from collections.abc import Sequence

from harness.data.collection import sample_queries
from harness.measuring.measures import parse
from reports.columns import choose
from reports.table import Table
from reports.tables.run import (
    alarms,
    audit_table,
    collections_table,
    comparison_tables,
    controls_table,
    described,
    sheet_of,
    systems_table,
)
from reports.view import View
from tests.tiny_collection import CORPUS, FIRST, QRELS, QUERIES, Place, results_in

NDCG = parse("nDCG@10")
PLAIN = "tests.fake_adapters:Plain"


def column(table: Table, name: str) -> list[str]:
    return [row[table.columns.index(name)].text for row in table.rows]


def bold(table: Table) -> list[str]:
    return [cell.text for row in table.rows for cell in row if cell.strong]


def two(place: Place) -> Sequence[str]:
    place.beir("set/de", rules='note = "half of it is invented"')
    place.beir("set/sw", queries=dict(list(QUERIES.items())[:2]), qrels=QRELS[:4])
    return ["de", "sw"]


def test_a_first_stage_and_a_reranker_of_the_same_name_are_two_rows(place: Place) -> None:
    name = "tests.fake_adapters:Silent"
    found = systems_table(sheet_of(results_in(place.evaluations(first=name, rerankers=[name])), "nDCG@10"))
    assert column(found, "system") == [f"{name} (first stage)", name]


def test_the_first_stage_has_no_difference_to_itself_and_the_oracle_gains_all_headroom(place: Place) -> None:
    view = View(choose("delta,headroom"))
    found = systems_table(
        sheet_of(results_in(place.evaluations(rerankers=["control:oracle", "control:identity"])), "nDCG@10", view)
    )
    first, oracle, identity = column(found, "vs first stage")
    assert first == ""
    assert oracle.startswith("+")
    assert identity == "+0.00"
    assert column(found, "headroom") == ["", "+100 %", "+0 %"]


def test_the_best_value_is_bold(place: Place) -> None:
    found = systems_table(
        sheet_of(results_in(place.evaluations(rerankers=["control:oracle", "control:anti-oracle"])), "nDCG@10")
    )
    assert bold(found) == [column(found, "nDCG@10")[1]]


def test_one_query_has_no_interval(place: Place) -> None:
    collection = sample_queries(place.load(), 1)
    found = systems_table(sheet_of(results_in(place.evaluations(collection, rerankers=[PLAIN])), "nDCG@10"))
    assert column(found, "95 % interval") == ["-", "-"]


def test_a_sample_is_called_a_sample(place: Place) -> None:
    collection = sample_queries(place.load(), 2)
    assert "a sample of 2 of its 4 queries" in described(collection)
    assert any(
        "a sample of 2" in note
        for note in systems_table(sheet_of(results_in(place.evaluations(collection)), "nDCG@10")).notes
    )


def test_every_count_that_moves_a_number_is_told(place: Place) -> None:
    place.beir("dirty", corpus={**CORPUS, "d9": ""}, qrels=[*QRELS[:3], ("q2", "d1", 0)])
    text = described(place.load(place.path / "dirty"))
    for part in ("9 documents", "2 queries", "1 empty documents", "2 judged zero", "2 queries without judgments"):
        assert part in text
    assert "1 queries without a relevant document (they count as 0)" in text


def test_ranks_that_cannot_be_filled_are_told(place: Place) -> None:
    found = systems_table(sheet_of(results_in(place.evaluations(depth=3, measures=["nDCG@10"])), "nDCG@10"))
    assert any("depth 3, lower ranks are empty" in note for note in found.notes)


def test_a_set_has_a_row_per_collection_and_every_collection_weighs_the_same(place: Place) -> None:
    collections = [place.load(place.path / "set" / name) for name in two(place)]
    evaluations = place.evaluations(*collections, rerankers=["control:reverse"])
    found = collections_table(sheet_of(results_in(evaluations), "nDCG@10"))
    values = [float(text) for text in column(found, f"{FIRST} (first stage)")]
    assert column(found, "collection") == ["de", "sw", "macro average"]
    assert column(found, "queries") == ["4", "2", "6"]
    assert abs(values[2] - (values[0] + values[1]) / 2) < 0.006
    assert "half of it is invented" in found.notes
    assert [table.title for table in comparison_tables(results_in(evaluations))] == [
        "nDCG@10, macro average of 2 collections",
        "nDCG@10 by collection",
    ]


def test_every_measure_has_a_table_of_its_own(place: Place) -> None:
    found = comparison_tables(results_in(place.evaluations(measures=["RR@10", "P@1"])))
    assert [table.title for table in found] == ["RR@10, coll", "P@1, coll"]


def test_the_audit_has_a_row_per_result_with_its_id(place: Place) -> None:
    evaluations = place.evaluations(rerankers=["tests.fake_adapters:Short?words=2"])
    found = audit_table(results_in(evaluations))
    assert column(found, "id") == [evaluation.id for evaluation in evaluations]
    assert column(found, "truncated")[0] == "-"
    assert int(column(found, "truncated")[1]) > 0
    assert column(found, "membership") == ["kept", "kept"]


def test_the_controls_are_told_with_chance(place: Place) -> None:
    found = controls_table(results_in(place.evaluations()))
    assert found.columns == (
        "measure", "identity", "reverse", "constant", "random", "oracle", "anti-oracle", "chance",
    )  # fmt: skip
    assert float(column(found, "oracle")[0]) >= float(column(found, "identity")[0])


def test_collections_with_main_measures_of_their_own_are_never_averaged_together(place: Place) -> None:
    ranked = place.load(place.beir("ranked", rules='main_measure = "RR@10"'))
    evaluations = place.evaluations(place.load(), ranked, rerankers=[PLAIN])
    assert [table.title for table in comparison_tables(results_in(evaluations))] == ["nDCG@10, coll", "RR@10, ranked"]
    assert column(controls_table(results_in(evaluations)), "measure") == ["nDCG@10", "RR@10"]


def test_an_alarm_names_its_collection_and_system_once(place: Place) -> None:
    found = alarms(results_in(place.evaluations(rerankers=["tests.fake_adapters:Constant"])))
    assert len(found) == len(set(found))
    assert any(text.startswith("coll · tests.fake_adapters:Constant: every candidate") for text in found)

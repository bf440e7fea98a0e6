"""A results table may not claim what the store does not hold: no average over holes, no rank for what was not measured
here, no mark without its footnote."""

from __future__ import annotations

import numpy as np
import pytest

from harness.result.gathered import OFFICIAL, Grid
from harness.result.keys import CollectionKey
from harness.result.result import Result
from reports import marks
from reports.grid import collection_columns, language_columns, official_grids
from reports.table import Cell, Table
from reports.tables.report import PublishedRow, differences_table, overview_table, sheets_of, values_table
from tests.made_results import collection, grid, result, system

ONE, TWO = collection("mine/one"), collection("mine/two")
FIRST, GOOD, BAD = system(None), system("good"), system("bad")


def values(mean: float, count: int = 4) -> list[float]:
    return [mean] * count


def full(*more: Result) -> Grid:
    return grid(
        *(result(FIRST, key, values(0.5)) for key in (ONE, TWO)),
        *(result(GOOD, key, values(0.7)) for key in (ONE, TWO)),
        *(result(BAD, key, values(0.4)) for key in (ONE, TWO)),
        *more,
    )


def table(of: Grid, *published: PublishedRow, intervals: bool = False) -> Table:
    return values_table(sheets_of(of, published, intervals=intervals)[0])


def row(found: Table, name: str) -> dict[str, Cell]:
    (cells,) = [cells for cells in found.rows if cells[0].text.startswith(name)]
    return dict(zip(found.columns, cells, strict=True))


def test_the_first_stage_stands_on_top_with_ceiling_and_chance_below() -> None:
    found = table(full())
    assert [cells[0].text for cells in found.rows] == [
        "bm25 (first stage)", "good", "bad", "ceiling (perfect order)", "chance (random order)",
    ]  # fmt: skip
    assert found.kinds == ("first stage", "system", "system", "ceiling", "chance")
    assert row(found, "ceiling")["one"].text == "90.00"
    assert row(found, "chance")["macro average"].text == "10.00"


def test_best_is_bold_and_second_best_underlined() -> None:
    found = table(full())
    assert (row(found, "good")["one"].strong, row(found, "bm25")["one"].second) == (True, True)
    assert not row(found, "bad")["one"].strong and not row(found, "bad")["one"].second


def test_what_looks_equal_shares_the_place() -> None:
    found = table(full(result(system("tied"), ONE, values(0.700001)), result(system("tied"), TWO, values(0.7))))
    assert row(found, "tied")["one"].strong and row(found, "good")["one"].strong


def test_an_average_over_a_hole_is_a_dash_with_a_footnote() -> None:
    found = table(full(result(system("half"), ONE, values(0.9))))
    half = row(found, "half")
    assert half["two"] == Cell("-")
    assert half["macro average"] == Cell("-", marks=(marks.INCOMPLETE,))
    assert marks.INCOMPLETE in dict(found.footnotes)
    overview = overview_table(sheets_of(full(result(system("half"), ONE, values(0.9))))[0])
    assert row(overview, "half")["nDCG@10"] == Cell("-", marks=(marks.INCOMPLETE,))


def test_the_group_shares_one_vote_in_every_average() -> None:
    keys = [collection("mine/a", group="g"), collection("mine/b", group="g"), collection("mine/c")]
    found = table(grid(*(result(FIRST, key, values(v)) for key, v in zip(keys, (0.2, 0.4, 0.9), strict=True))))
    assert row(found, "bm25")["macro average"].text == "60.00"
    assert any("counted as one: g" in note for note in found.notes)


def test_differences_are_signed_and_only_of_rerankers() -> None:
    found = differences_table(sheets_of(full())[0])
    assert [cells[0].text for cells in found.rows] == ["good", "bad"]
    assert (row(found, "good")["one"].text, row(found, "bad")["one"].text) == ("+20.00", "-10.00")


def test_there_is_no_difference_to_a_first_stage_with_other_candidates() -> None:
    sheet = sheets_of(grid(result(FIRST, ONE, values(0.5)), result(GOOD, ONE, values(0.7), candidates="others")))[0]
    found = differences_table(sheet)
    assert row(found, "good")["one"] == Cell("-", marks=(marks.UNPAIRED,))
    assert sheet.figure(GOOD, 0).difference is None


def test_published_numbers_are_never_ranked() -> None:
    found = table(full(), PublishedRow("famous", {ONE: 0.99}, "by an unknown evaluator"))
    famous = row(found, "published: famous")
    assert famous["one"].text == "99.00" and not famous["one"].strong
    assert famous["macro average"].text == "-"
    assert row(found, "good")["one"].strong
    assert dict(found.footnotes)["[1]"] == "by an unknown evaluator"
    assert found.kinds[-1] == "published"


def test_training_data_samples_and_drift_are_marked_at_the_column() -> None:
    keys = [collection("beir/nq"), collection("beir/scifact", sampled_from=300), collection("beir/fiqa †")]
    found = table(grid(*(result(FIRST, key, values(0.5)) for key in keys)))
    assert dict(zip(found.columns, found.column_marks, strict=True)) == {
        "system": (), "macro average": (), "nq": (marks.TRAINING,), "scifact": (marks.SAMPLED,), "fiqa": ("†",),
    }  # fmt: skip
    assert found.groups == (("", 1), ("", 1), ("beir", 3))


@pytest.mark.parametrize("corpus", [True, "mine/one", ["other", "mine/one"]])
def test_a_system_adapted_on_the_corpus_is_marked(corpus: object) -> None:
    found = table(full(result(system("tuned"), ONE, values(0.8), reranker={"adapted_on": corpus})))
    assert row(found, "tuned")["system"].marks == (marks.ADAPTED,)
    other = table(full(result(system("tuned"), ONE, values(0.8), reranker={"adapted_on": ["other"]})))
    assert row(other, "tuned")["system"].marks == ()


def test_imported_rows_and_alarming_cells_are_marked() -> None:
    alarm = {"name": "tied-order", "message": "ties"}
    taken = result(system("taken"), ONE, values(0.8), imported=True, alarms=[alarm, {**alarm, "measure": "RR@10"}])
    found = table(full(taken))
    assert row(found, "taken")["system"].marks == (marks.IMPORTED,)
    assert marks.ALARM in row(found, "taken")["one"].marks
    assert marks.alarms_of(taken) == ["ties [tied-order]"]


def test_every_mark_has_its_footnote_and_no_footnote_is_idle() -> None:
    rng = np.random.default_rng(0)
    keys = [collection("beir/nq", 200), collection("mine/sample", 200, sampled_from=900)]
    base = {key: rng.uniform(0.3, 0.6, 200) for key in keys}
    results = [result(FIRST, key, base[key].tolist()) for key in keys]
    results += [result(GOOD, key, (base[key] + rng.normal(0.1, 0.1, 200)).tolist()) for key in keys]
    results += [result(BAD, keys[0], (base[keys[0]] - 0.2).tolist(), alarms=[{"name": "x", "message": "y"}])]
    sheet = sheets_of(grid(*results), [PublishedRow("p", {keys[0]: 0.5}, "source")])[0]
    for found in (values_table(sheet), differences_table(sheet), overview_table(sheet)):
        used = {sign for cells in found.rows for cell in cells for sign in cell.marks}
        used |= {sign for own in found.column_marks for sign in own}
        assert used == {sign for sign, _ in found.footnotes}
        assert {marks.BETTER, marks.WORSE} <= used or found.title.startswith("nDCG@10, macro")
    with pytest.raises(KeyError, match="no footnote"):
        marks.footnotes([[Cell("1", marks=("?",))]], [])


def test_two_editions_of_a_collection_have_columns_of_their_own_and_one_vote() -> None:
    keys = [collection("mine/one", 4, language="sw"), collection("mine/one", 3, sampled_from=4, language="sw")]
    keys.append(collection("mine/two", language="th"))
    of = grid(*(result(FIRST, key, values(0.5, key.queries)) for key in keys))
    found = table(of)
    assert len(found.columns) == len(set(found.columns)) == 5
    macro, *_ = collection_columns(of)
    mean, *_ = language_columns(of)
    assert macro.collections == mean.collections == (keys[0], keys[2])
    assert (
        "averages count a collection once, in the form that most systems have; left out: mine/one (3 queries)"
        in found.notes
    )
    sampled = grid(*(result(one, key, values(0.5, key.queries)) for key in keys for one in (FIRST, GOOD)
                     if key != keys[0] or one == FIRST))  # fmt: skip
    assert collection_columns(sampled)[0].collections == (keys[1], keys[2])


def test_several_first_stages_are_blocks_of_their_own() -> None:
    dense = [system(None, "dense"), system("good", "dense")]
    found = table(full(*(result(one, key, values(0.6)) for one in dense for key in (ONE, TWO))))
    assert found.columns[:2] == ("system", "first stage")
    assert [cells[1].text for cells in found.rows if cells[0].text == "good"] == ["bm25", "dense"]
    deeper = table(full(result(system("good", depth=200), ONE, values(0.6))))
    assert {cells[1].text for cells in deeper.rows} == {"bm25, top 100", "bm25, top 200"}


def test_languages_have_one_vote_each_whatever_they_are_made_of() -> None:
    keys = [collection(f"mine/{name}", language=name[:2]) for name in ("sw", "th-a", "th-b")]
    sheet = sheets_of(grid(*(result(FIRST, key, values(v)) for key, v in zip(keys, (0.2, 0.4, 0.8), strict=True))))[1]
    assert sheet is not None
    found = values_table(sheet, "language")
    assert {name: cell.text for name, cell in row(found, "bm25").items()} == {
        "system": "bm25 (first stage)", "mean of languages": "40.00", "sw": "20.00", "th (2)": "60.00",
    }  # fmt: skip
    assert language_columns(full()) == []


def test_a_suite_of_several_main_measures_has_the_mean_that_mteb_prints() -> None:
    name = "mteb-multilingual-v2-reranking"
    keys: list[CollectionKey] = [
        collection(f"{name}/a", measure="AP@1000"), collection(f"{name}/b", measure="RR@10"),
    ]  # fmt: skip
    results = [result(FIRST, key, values(v), measure=key.main_measure) for key, v in zip(keys, (0.2, 0.8), strict=True)]
    (official,) = official_grids(results)
    assert official.measure == OFFICIAL
    found = table(official)
    assert found.columns == ("system", "macro average", "a (AP@1000)", "b (RR@10)")
    assert row(found, "bm25")["macro average"].text == "50.00"
    assert row(found, "ceiling")["b (RR@10)"].text == "90.00"
    mine = [result(FIRST, collection(f"mine/{m}", measure=m), values(0.5), measure=m) for m in ("AP@1000", "RR@10")]
    assert official_grids(mine) == []


def test_cells_lead_to_the_evaluation_that_they_are_of() -> None:
    one = result(FIRST, ONE, values(0.5))
    assert row(table(grid(one)), "bm25")["one"].href == f"#e-{one.id}"
    assert row(table(full()), "good")["macro average"].href == ""


def test_suites_have_averages_of_their_own() -> None:
    keys = [collection("a/x"), collection("a/y"), collection("b/z")]
    columns = collection_columns(grid(*(result(FIRST, key, values(0.5)) for key in keys)))
    assert [(one.heading, one.title) for one in columns] == [
        ("", "macro average"), ("a", "average"), ("a", "x"), ("a", "y"), ("b", "z"),
    ]  # fmt: skip


def test_intervals_come_when_they_are_asked_for() -> None:
    rng = np.random.default_rng(1)
    of = grid(
        *(result(FIRST, key, rng.uniform(size=30).tolist()) for key in (collection("m/a", 30), collection("m/b", 30)))
    )
    plain, asked = row(table(of), "bm25"), row(table(of, intervals=True), "bm25")
    assert "[" not in plain["a"].text and "[" in asked["a"].text and "[" in asked["macro average"].text
    assert asked["a"].strong

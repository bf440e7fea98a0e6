"""A validation as people read it. What they would lose: the floor beside a figure, or the reason of a decision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reports.plots.plot import write
from reports.plots.validation import draw_calibration, draw_histograms, draw_ranks, draw_types, draw_validation
from reports.validation import decision_line, leak_table, measures_table, printed_tables, write_page

pytest.importorskip("matplotlib")


def row(id: str, name: str, **more: Any) -> dict[str, Any]:
    """A row as validation.json has it."""
    empty: dict[str, Any] = {
        "statistic": "W1", "unit": "words", "value": None, "interval": None, "floor": None, "floor_high": None,
        "scale": None, "levels": {}, "note": "", "parts": {}, "verdict": "unknown",
    }  # fmt: skip
    return {"id": id, "name": name} | empty | more


LENGTH = row(
    "V1", "length", value=2.51, interval=[2.2, 2.8], floor=0.31, floor_high=0.52, scale=4.0, verdict="differs",
    levels={"synthetic": 10.5, "real": 12.25}, note="levels are means",
    parts={"histogram": {"edges": [-0.5, 0.5, 1.5], "counts": {"synthetic": [1, 3], "real": [2, 2]}}},
)  # fmt: skip
TYPES = row(
    "V3", "query types",
    parts={"types": ["who", "when", "claim"], "shares": {"synthetic": [0.0, 0.25, 0.75], "real": [0.004, 0.496, 0.5]}},
)  # fmt: skip
RANKS = row(
    "V9", "rank of the source document, bm25", parts={"ranks": {"synthetic": [8, 1, 1], "real": [4, 4, 2]}, "depth": 2}
)
VECTORS = row("V5", "embedding distance", note="needs --real and --embedder; not measured: no embedder was named")
TEACHER = row(
    "V11", "teacher on judged queries", unit="share", statistic="nDCG@10", value=0.701, interval=[0.68, 0.72],
    levels={"teacher": 0.701, "first stage": 0.665}, note="300 judged queries", verdict="told",
)  # fmt: skip
BINS = row("V11", "relevance by teacher score", note="600 pairs", parts={"bins": [
    {"low": -8.0, "high": 0.0, "pairs": 500, "relevant": 5, "share": 0.01, "interval": [0.004, 0.023]},
    {"low": 0.0, "high": 8.0, "pairs": 100, "relevant": 80, "share": 0.8, "interval": [0.71, 0.87]},
]})  # fmt: skip
LEAK = row(
    "V13", "leak", unit="queries", value=0.0, verdict="told", note="2 of 90 taken out",
    parts={"collections": [{"collection": "nq (test)", "queries": 3452, "removed": 2, "exact": 1},
                           {"collection": "fiqa (test)", "queries": 648, "removed": 0, "exact": 0}]},
)  # fmt: skip
SHARED = row(
    "V13", "leak", unit="share", parts={"shared": [{"collection": "nq (test)", "documents": 9, "share": 0.25}]}
)
FOUND: dict[str, Any] = {
    "decision": {"state": "blocked", "reasons": ["V14: 90 %", "V1 differs"], "acceptance": "Only the gate accepts."},
    "remarks": ["no scale: 20 queries of another domain, and 45 are compared"],
    "sets": {"synthetic": 90, "real": 809}, "rows": [LENGTH, TYPES, VECTORS, RANKS, TEACHER, BINS, LEAK, SHARED],
}  # fmt: skip


def texts(place: int) -> list[str]:
    return [cell.text for cell in measures_table(FOUND).rows[place]]


def test_a_figure_stands_beside_its_interval_its_floor_and_its_scale() -> None:
    assert texts(0) == [
        "V1 length", "W1 (words)", "2.510", "[2.200, 2.800]", "0.310", "0.520", "4.000", "≠", "10.5", "12.2",
    ]  # fmt: skip
    table = measures_table(FOUND)
    assert table.columns[2:8] == ("synthetic to real", "95 %", "floor", "95th", "scale", "")
    assert table.title == "validation of synthetic queries: 90 synthetic, 809 real"


def test_shares_are_points_and_what_is_missing_is_a_dash_with_its_option() -> None:
    assert texts(4)[2:4] == ["70.1 %", "[68.0 %, 72.0 %]"]
    assert texts(2)[2] == ""
    assert texts(2)[7] == "–"
    assert "V5: needs --real and --embedder" in measures_table(FOUND).notes


def test_the_teachers_figures_are_told_though_they_are_of_no_set() -> None:
    assert any("teacher 70.1 %, first stage 66.5 %" in note for note in measures_table(FOUND).notes)


def test_a_scale_that_is_not_there_is_explained() -> None:
    assert "no scale: 20 queries of another domain, and 45 are compared" in measures_table(FOUND).notes


def test_every_note_is_on_the_page_and_only_needed_ones_in_the_terminal() -> None:
    assert not any("levels are means" in note for note in measures_table(FOUND).notes)
    assert any("levels are means" in note for note in measures_table(FOUND, notes=True).notes)


def test_a_terminal_shows_only_rows_and_columns_with_figures_and_says_what_is_missing() -> None:
    """Otherwise an ordinary terminal needs four parts of 50 rows, half of them empty."""
    conformance = row("V14", "conformance", unit="share", levels={"synthetic": 0.956}, verdict="told")
    compared, alone = printed_tables(FOUND | {"rows": [LENGTH, TYPES, VECTORS, LEAK, SHARED, conformance]})
    assert [cells[0].text for cells in compared.rows] == ["V1 length"]
    assert compared.notes == () and any(note.startswith("V5: needs --real") for note in alone.notes)
    assert [cells[0].text for cells in alone.rows] == ["V13 leak", "V14 conformance"]
    assert alone.columns == ("measure", "statistic", "synthetic to real", "synthetic")
    (only,) = printed_tables(FOUND | {"rows": [row("V1", "length", levels={"synthetic": 6.5}, note="needs --real")]})
    assert only.columns == ("measure", "statistic", "synthetic") and "V1: needs --real" in only.notes


def test_leaks_are_told_by_collection() -> None:
    table = leak_table(FOUND)
    assert table is not None
    assert [cell.text for cell in table.rows[0]] == ["nq (test)", "3,452", "2", "1", "25.0 %"]
    assert len(table.rows) == 1
    assert leak_table({"rows": [LENGTH]}) is None


def test_the_decision_says_its_reasons_and_who_accepts() -> None:
    assert decision_line(FOUND) == "blocked: V14: 90 %; V1 differs. Only the gate accepts."


def test_the_page_has_the_decision_the_tables_and_the_plots(tmp_path: Path) -> None:
    plots = draw_validation(FOUND, tmp_path / "plots")
    page = write_page(FOUND, plots, tmp_path).read_text("utf-8")
    assert [plot.png.name for plot in plots] == ["histograms.png", "types.png", "ranks.png", "calibration.png"]
    assert all(plot.png.stat().st_size and plot.svg.stat().st_size for plot in plots)
    for wanted in ("# Validation", "- V14: 90 %", "V1 length", "nq (test)", "](plots/ranks.png)"):
        assert wanted in page
    assert page.index("V14: 90 %") < page.index("V1 length")


def test_the_same_figures_draw_the_same_bytes(tmp_path: Path) -> None:
    drawings = [draw_types([TYPES]) for _ in range(2)]
    first, second = (write(one, tmp_path / str(place)) for place, one in enumerate(drawings) if one is not None)
    assert first.svg.read_bytes() == second.svg.read_bytes()
    assert first.png.read_bytes() == second.png.read_bytes()


def test_what_was_not_measured_is_not_drawn() -> None:
    assert draw_histograms([TYPES]) is None
    assert draw_types([LENGTH]) is None
    assert draw_ranks([row("V9", "rank of the source document, bm25")]) is None
    assert draw_calibration([TEACHER]) is None


def test_a_histogram_draws_every_set_as_shares_and_names_its_unit() -> None:
    drawing = draw_histograms([LENGTH])
    assert drawing is not None
    axis = drawing.figure.axes[0]
    lines = {patch.get_gid(): patch.get_data().values.tolist() for patch in axis.patches if patch.get_gid()}
    assert lines == {"synthetic": [25.0, 75.0], "real": [50.0, 50.0]}
    assert axis.get_title(loc="left") == "length, words"


def test_ranks_are_drawn_as_the_share_found_within_k() -> None:
    drawing = draw_ranks([RANKS])
    assert drawing is not None
    lines = {line.get_gid(): list(line.get_ydata()) for line in drawing.figure.axes[0].lines if line.get_gid()}
    assert lines["synthetic"] == [80.0, 90.0]
    assert lines["real"] == [40.0, 80.0]


def test_types_that_nobody_has_take_no_room() -> None:
    drawing = draw_types([TYPES])
    assert drawing is not None
    assert [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()] == ["when", "claim"]


def test_every_bin_of_the_teachers_scores_has_its_interval() -> None:
    drawing = draw_calibration([BINS])
    assert drawing is not None
    axis = drawing.figure.axes[0]
    assert [line.get_ydata()[0] for line in axis.lines if line.get_gid() == "bin"] == [1.0, 80.0]
    assert sum(one.get_gid() == "interval" for one in axis.collections) == 2


def test_a_figure_that_is_good_when_high_is_not_shown_as_the_share_of_a_fault() -> None:
    """A user would read that 88 % of the queries are random words."""
    fault = row("V15", "named fault", statistic="random words", unit="share", levels={"synthetic": 0.885})
    (table,) = printed_tables(FOUND | {"rows": [fault]})
    assert table.rows[0][1].text == "random words: in the language's order"

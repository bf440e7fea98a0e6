"""`harness history`: the table and the plot say the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.judging.history import Looked, Point
from reports.plots.checkpoints import draw_history, names
from reports.tables.history import history_table
from tests.fixtures import Command
from tests.reports.plots.artists import texts, with_gid
from tests.reports.plots.made import collection, system
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters:Plain"
ON = (collection("sw", 40, "sw"),)


def point(label: str, value: float, state: str = "", *, depth: int = 100, day: str = "2026-01-01") -> Point:
    looks = (Looked("refused", "dev", day), Looked(state, "gate", day)) if state else ()
    return Point(
        system(label, depth=depth), f"{label}{day}", day, day, ("id",), ON, 0, "nDCG@10", value,
        (value - 0.02, value + 0.03), 0.4, looks,
    )  # fmt: skip


POINTS = [
    point("./r/checkpoint-200", 0.5, "pass"),
    point("./r/checkpoint-400", 0.55, "refused"),
    point("./r/checkpoint-600", 0.52),
]


def test_every_checkpoint_has_its_value_interval_and_last_verdict() -> None:
    axis = draw_history(POINTS, "./r/checkpoint-*").figure.axes[0]
    marks = [with_gid(axis, gid)[0] for gid in ("pass", "refused", "no look")]
    assert [mark.get_ydata()[0] for mark in marks] == pytest.approx([50, 55, 52])
    assert len({(mark.get_marker(), mark.get_markerfacecolor()) for mark in marks}) == 3
    ends = [lines.get_segments()[0][:, 1].tolist() for lines in with_gid(axis, "interval")]
    assert ends == [pytest.approx([48, 53]), pytest.approx([53, 58]), pytest.approx([50, 55])]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["200", "400", "600"]
    assert with_gid(axis, "first stage")[0].get_ydata()[0] == 40 and "first stage" in texts(axis)
    assert axis.get_ylabel() == "nDCG@10, points"


def test_points_over_other_candidates_are_never_joined() -> None:
    shallow = [replace(one, system=system(one.system.label, depth=50)) for one in POINTS]
    axes = draw_history([*POINTS, *shallow], "*").figure.axes
    assert [axis.get_title(loc="left") for axis in axes] == ["over bm25, depth 100", "over bm25, depth 50"]


def test_revisions_of_one_name_are_told_apart_by_day_then_content() -> None:
    days = [point("m", 0.5, day="2026-01-01"), point("m", 0.5, day="2026-02-01")]
    assert names(days) == ["2026-01-01", "2026-02-01"]
    twice = [replace(one, first="2026-01-01", revision=name) for one, name in zip(days, ("abc", "def"), strict=True)]
    assert len(set(names(twice))) == 2
    assert names(days[:1]) == ["m"]


def test_the_table_says_what_the_plot_shows() -> None:
    table = history_table(POINTS, "./r/checkpoint-*")
    rows = [[cell.text for cell in row] for row in table.rows]
    assert [row[5:] for row in rows] == [
        ["50.00", "[48.00, 53.00]", "+10.00", "-", "refused (dev), pass (gate)"],
        ["55.00", "[53.00, 58.00]", "+15.00", "+5.00", "refused (dev), refused (gate)"],
        ["52.00", "[50.00, 55.00]", "+12.00", "-3.00", "-"],
    ]
    assert [row[5].strong for row in table.rows] == [False, True, False]


def test_the_verb_prints_a_table_and_writes_a_plot(place: Place, command: Command, tmp_path: Path) -> None:
    place.evaluations(rerankers=[f"{FAKE}?version={number}" for number in (10, 9)])
    where = ("--workspace", place.workspace.path)
    said = command("history", f"{FAKE}*", *where, "--out", tmp_path / "out")
    assert said.code == 0 and said.out.index("version=9") < said.out.index("version=10")
    assert sorted(file.suffix for file in (tmp_path / "out").iterdir()) == [".png", ".svg"]
    rows = json.loads(command("history", f"{FAKE}*", *where, "--json").out)
    assert [row["system"] for row in rows] == [f"{FAKE}?version=9", f"{FAKE}?version=10"]
    assert 0 <= rows[0]["interval"][0] <= rows[0]["value"] <= 1
    wrong = command("history", "nobody", *where)
    assert wrong.code == 2 and "no results of a system 'nobody'" in wrong.err

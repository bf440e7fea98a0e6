"""The curve of depths is made of what was scored: the last point is the stored value, the others what a shallower run
would have given."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.result.gathered import Grid, gathered, grids
from harness.workspace import Workspace
from reports.plots import depth as module
from reports.plots.depth import draw_depth, sweep
from reports.plots.paired import paired
from tests.reports.plots.artists import texts, with_gid
from tests.tiny_collection import Place

FAKE = "tests.fake_adapters:Plain"


def grid(place: Place, depth: int) -> Grid:
    found = [one for one in gathered(place.workspace.path) if one.system.depth == depth]
    return next(one for one in grids(found) if one.measure == "nDCG@10")


def test_each_point_is_what_a_run_at_that_depth_measures(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEPTHS", (2, 4))
    lines = [f"q{q} Q0 d{1 + (q + 3 * rank) % 8} {rank} {9 - rank} x" for q in (1, 2, 3, 4) for rank in range(6)]
    first = f"run:{place.run_file(lines)}"
    values = {depth: place.evaluations(rerankers=[FAKE], depth=depth, first=first) for depth in (2, 4, 6)}
    deepest = grid(place, 6)
    found = sweep(deepest, deepest.systems[1], place.workspace)
    assert found is not None and found.depths == (2, 4, 6)
    assert found.values == pytest.approx([values[depth][1].values[0].mean() for depth in (2, 4, 6)])
    assert len(set(found.values)) > 1
    ceilings = [values[depth][1].ground.means()["oracle"]["nDCG@10"] for depth in (2, 4, 6)]
    assert found.ceilings == pytest.approx(ceilings)
    assert found.first_stage == pytest.approx(values[6][0].values[0].mean())


def test_the_curve_shows_the_first_stage_the_ceiling_and_the_name(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DEPTHS", (2, 4))
    place.evaluations(rerankers=[FAKE], depth=6)
    drawing = draw_depth(paired(grid(place, 6)), place.workspace.path)
    assert drawing is not None
    axis = drawing.figure.axes[0]
    (line,), (ceiling,) = with_gid(axis, "line"), with_gid(axis, "ceiling")
    assert list(line.get_xdata()) == list(ceiling.get_xdata()) == [2, 4, 6]
    assert (ceiling.get_ydata() >= line.get_ydata()).all() if hasattr(ceiling.get_ydata(), "all") else True
    assert {FAKE, "first stage", "ceiling"} <= set(texts(axis))
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["2", "4", "6"]


def test_scores_that_are_gone_are_not_drawn_and_not_made_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEPTHS", (2, 4))
    place.evaluations(rerankers=[FAKE], depth=6)
    for file in place.workspace.scored.iterdir():
        file.unlink()
    assert draw_depth(paired(grid(place, 6)), place.workspace.path) is None


def test_lists_without_an_order_have_no_depth(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEPTHS", (2,))
    place.evaluations(place.load(place.reranking_rows()), rerankers=[FAKE], first="given", depth=4)
    found = grids(gathered(place.workspace.path))[0]
    assert sweep(found, found.systems[1], place.workspace) is None
    assert sweep(found, found.systems[1], Workspace(Path("nowhere"))) is None

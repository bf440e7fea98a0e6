"""Dumbbells, queries, ceilings, cost: what is drawn is what was stored, and what is lost is not drawn as a gain."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest

from harness.result.facts import Controls, Timing
from reports.plots.ceiling import draw_ceilings, mean_parts, parts
from reports.plots.cost import Spent, draw_cost, draw_waits, front, speeds, waits
from reports.plots.dumbbells import draw_dumbbells
from reports.plots.labels import collection_labels
from reports.plots.paired import MOST, paired
from reports.plots.queries import draw_queries, spread_of
from tests.reports.plots.artists import texts, with_gid
from tests.reports.plots.made import collection, grid, many, result, system

ONE, TWO = collection("one", 4), collection("two", 2)
A, B = system("a"), system("b")
FIRST = system(None)


def pairs_of(*rows: object):  # type: ignore[no-untyped-def]
    return paired(grid(list(rows)))  # type: ignore[arg-type]


def test_a_dumbbell_goes_from_the_first_stage_to_the_system_and_shows_the_ceiling() -> None:
    pairs = pairs_of(
        result(FIRST, ONE, [0.2] * 4), result(A, ONE, [0.5] * 4, ceiling=0.8),
        result(FIRST, TWO, [0.6] * 2), result(A, TWO, [0.4] * 2, ceiling=None),
    )  # fmt: skip
    drawing = draw_dumbbells(pairs)
    assert drawing is not None
    (axis,) = drawing.figure.axes
    ends = [tuple(way.get_xdata()) for way in with_gid(axis, "way")]
    assert ends == [(20, 50), (60, pytest.approx(40))]
    assert [mark.get_xdata()[0] for mark in with_gid(axis, "ceiling")] == [80]
    rose, fell = with_gid(axis, "after")
    assert rose.get_marker() != fell.get_marker()
    assert axis.get_xlabel() == "nDCG@10, points"


def test_collections_with_one_name_have_the_same_numbers_in_every_plot() -> None:
    one, two = (replace(collection("c", count), fingerprint=str(count)) for count in (4, 2))
    pairs = pairs_of(
        result(FIRST, one, [0.6] * 4),
        result(A, one, [0.2] * 4),
        result(FIRST, two, [0.2] * 2),
        result(A, two, [0.6] * 2),
    )
    drawing = draw_dumbbells(pairs)
    assert drawing is not None
    names = collection_labels(pairs.grid.collections)
    sorted_by_gain = sorted(names, key=lambda on: on.queries)
    assert [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()] == [
        names[on] for on in sorted_by_gain
    ]


def test_a_query_weighs_what_it_weighs_in_the_macro_average() -> None:
    pairs = pairs_of(
        result(FIRST, ONE, [0.0] * 4), result(A, ONE, [0.4, 0.0, 0.0, 0.1]),
        result(FIRST, TWO, [0.5] * 2), result(A, TWO, [0.0, 0.5]),
    )  # fmt: skip
    found = spread_of(pairs, A)
    assert found.mean == pytest.approx(pairs.macro(A)) == pytest.approx((0.125 - 0.25) / 2)
    assert (found.share(low=1e-9), found.share(high=-1e-9)) == (0.25, 0.25)
    assert found.deltas.tolist() == sorted(found.deltas, reverse=True)
    places, heights = found.outline()
    assert np.trapezoid(heights, places) / 100 == pytest.approx(100 * found.mean, abs=0.2)
    drawing = draw_queries(pairs)
    assert drawing is not None
    told = texts(drawing.figure.axes[0])
    assert "25 % gain, 12 % more than 20 points" in told and "25 % lose, 25 % more than 20 points" in told
    (mean,) = with_gid(drawing.figure.axes[0], "mean")
    assert mean.get_ydata()[0] == pytest.approx(100 * found.mean)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0.3, 0.5, (0.3, 0.2, 0.0, 0.3, 0.0, 0.2)),
        (0.5, 0.3, (0.3, 0.0, 0.2, 0.3, 0.0, 0.2)),
    ],
)
def test_the_parts_of_a_bar_make_one_and_a_loss_is_no_gain(
    before: float, after: float, expected: tuple[float, ...]
) -> None:
    pairs = pairs_of(result(FIRST, ONE, [before] * 4), result(A, ONE, [after] * 4, ceiling=0.8))
    found = parts(pairs.of[A, ONE])
    assert found is not None
    assert astuple(found) == pytest.approx(expected) and sum(astuple(found)) == pytest.approx(1)
    assert found.value == pytest.approx(after)


def test_bars_are_the_macro_average_and_touch() -> None:
    pairs = paired(grid(many(["a", "b"], [ONE, TWO])))
    systems, collections = draw_ceilings(pairs)
    axis = systems.figure.axes[0]
    ends = [[bar.get_x() + bar.get_width() for bar in bars] for bars in axis.containers]
    assert ends[-1] == pytest.approx([100, 100])
    starts = [[bar.get_x() for bar in bars] for bars in axis.containers]
    assert starts[1:] == [pytest.approx(one) for one in ends[:-1]]
    best = pairs.systems[0]
    row = pairs.row(best)
    found = mean_parts(pairs, row, [one for one in map(parts, row) if one])
    assert found.value == pytest.approx(pairs.macro(best) + np.mean([pair.before.value for pair in row]))
    assert len(collections.figure.axes[0].get_yticks()) == 2
    assert len({bars[0].get_hatch() for bars in axis.containers if bars.get_label() in ("gained", "misordered")}) == 2


def test_a_bar_without_a_stored_ceiling_is_not_made_up() -> None:
    assert draw_ceilings(pairs_of(result(FIRST, ONE, [0.1] * 4), result(A, ONE, [0.2] * 4, ceiling=None))) == []


def test_bars_of_very_many_systems_are_those_of_the_largest_gains() -> None:
    rows = many([f"m{place:02}" for place in range(MOST + 2)], [ONE, TWO])
    pairs = paired(grid(rows))
    best = pairs.systems[0]
    holed = [
        replace(one, stored=replace(one.stored, controls=Controls()))
        if one.system == best and one.collection == TWO
        else one
        for one in rows
    ]
    drawing = draw_ceilings(paired(grid(holed)))[0]
    shown = {tick.get_text() for tick in drawing.figure.axes[0].get_yticklabels()}
    assert shown == {one.label for one in pairs.systems[1 : MOST + 1]}
    assert "1 system with missing cells or ceilings left out." in drawing.caption
    assert f"The {MOST} with the largest gains are drawn; 1 more is in the table." in drawing.caption


def test_speed_is_pairs_over_seconds_of_all_collections() -> None:
    rows = [result(FIRST, on, [0.1] * on.queries) for on in (ONE, TWO)]
    rows += [result(A, ONE, [0.3] * 4, speed=100), result(A, TWO, [0.5] * 2, speed=50)]
    rows += [result(B, ONE, [0.3] * 4, speed=100), result(B, TWO, [0.5] * 2)]
    (found,) = speeds(grid(rows))  # half a speed is none
    assert found.system == A and found.value == pytest.approx(0.4)
    assert found.cost == pytest.approx(600 / (400 / 100 + 200 / 50))


def spent(name: str, value: float, cost: float) -> Spent:
    return Spent(system(name), value, (value - 0.01, value + 0.01), cost)


def test_the_front_holds_who_is_not_beaten_in_both() -> None:
    points = [spent("slow", 0.6, 10), spent("beaten", 0.5, 10), spent("fast", 0.5, 100), spent("worse", 0.4, 50)]
    assert {one.system.label for one in front(points, more_is_better=True)} == {"slow", "fast"}
    assert {one.system.label for one in front(points, more_is_better=False)} == {"slow"}
    twins = [spent("one", 0.5, 10), spent("other", 0.5, 10)]
    assert len(front(twins, more_is_better=True)) == 2


def test_quality_against_cost_names_every_system() -> None:
    few = draw_cost(grid(many(["a", "b", "c"], [ONE, TWO])))
    lots = draw_cost(grid(many([f"m{place:02}" for place in range(14)], [ONE, TWO], missing=[(3, 1)])))
    assert few is not None and lots is not None
    axis = few.figure.axes[0]
    assert set(texts(axis)) == {"a", "b", "c"} and axis.get_xscale() == "log"
    assert axis.get_xlabel() == "pairs scored per second on this machine (right is better)"
    assert len(with_gid(lots.figure.axes[0], "system")) == 13
    assert sum("m03" in text for text in texts(lots.figure.axes[0])) == 0
    assert sum("  m" in text for text in texts(lots.figure.axes[0])) == 13
    assert "Not drawn: 1 system without a stored time or with missing cells" in lots.caption


def test_quality_against_cost_of_very_many_systems_keeps_the_front_and_the_best() -> None:
    made = grid(many([f"m{place:02}" for place in range(MOST + 5)], [ONE, TWO]))
    drawing = draw_cost(made)
    assert drawing is not None
    points = speeds(made)
    best = {one.system.label for one in front(points, more_is_better=True)}
    named = {text.split("  ")[1] for text in texts(drawing.figure.axes[0]) if "  " in text}
    values = {one.system.label: one.value for one in points}
    assert len(named) == MOST and best <= named
    assert min(values[one] for one in named - best) >= max(values[one] for one in values.keys() - named)
    assert "5 more are in the table" in drawing.caption


def test_quality_stands_against_latency_and_memory_where_all_collections_were_timed() -> None:
    one, two = collection("a", 10), collection("b", 10)
    timed = [
        replace(found, timing=Timing(latency=(0.01 * speed, 0.02 * speed, 300.0)))
        for speed, found in enumerate(many(["x", "y"], [one, two]), 1)
        if found.system.reranker
    ]
    timed_grid = grid(timed)
    assert [round(spent.cost, 6) for spent in waits(timed_grid, 1)] == [100.0, 120.0], "the slower of its collections"
    assert [drawn.name for drawn in draw_waits(timed_grid)] == [
        "quality-latency-p50-ndcg-10", "quality-latency-p95-ndcg-10", "quality-memory-ndcg-10"
    ]  # fmt: skip
    half = grid([timed[0], replace(timed[1], timing=Timing()), *timed[2:]])
    assert [spent.system.label for spent in waits(half, 0)] == ["x"]

"""A plot is read without its table: every mark stands where the stored numbers put it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import difference
from harness.result.keys import CollectionKey
from reports.plots.gains import draw_gains, gains
from reports.plots.heat_map import differences, draw_heat_map
from reports.plots.paired import MOST, paired
from reports.story import report
from tests.reports.plots.artists import numbers, texts, with_gid
from tests.reports.plots.made import collection, grid, many, result, system

SW, TH, EN = collection("sw", 40, "sw"), collection("th", 30, "th"), collection("en", 20, "en")
A = system("org/a")


def three() -> list:  # type: ignore[type-arg]
    """One reranker: a sure gain on sw, a sure loss on th, nothing on en."""
    draw = np.random.default_rng(1)
    found = []
    for on, moved in ((SW, 0.1), (TH, -0.2), (EN, 0.0)):
        before = 0.4 + 0.2 * draw.random(on.queries)
        noise = draw.normal(0, 0.02, on.queries)
        found += [
            result(system(None), on, before),
            result(A, on, before + moved + noise - (noise.mean() if moved == 0 else 0)),
        ]
    return found


def test_a_gain_is_the_paired_mean_with_its_interval_over_queries() -> None:
    pairs = paired(grid(three()))
    found = {one.language: one for (one,) in gains(pairs, [A])[:-1]}
    after, before = (np.array(one.values) for one in three()[1::-1])
    asked = Questions("print of sw", tuple(f"q{place}" for place in range(40)))
    alone, drawn = difference(Design((asked,)), [after - before]), found["sw"].difference
    assert drawn is not None
    assert drawn.value == pytest.approx((after - before).mean())
    assert drawn.interval == pytest.approx(alone.interval)
    assert (drawn.p, drawn.family) == (alone.p, 3)
    assert {name: one.state for name, one in found.items()} == {"sw": "gain", "th": "loss", "en": "unsure"}


def test_rows_are_sorted_and_say_language_and_queries() -> None:
    drawing = draw_gains(paired(grid(three())))
    assert drawing is not None
    (axis,) = drawing.figure.axes
    labels = [tick.get_text() for tick in axis.get_yticklabels()]
    assert [label.split(",")[-1].strip() for label in labels] == ["n=40", "n=20", "n=30", "all collections"]
    places = [artist.get_xdata()[0] for artist in with_gid(axis, "gain")]
    assert places[:3] == sorted(places[:3], reverse=True) and places[0] == pytest.approx(10, abs=1)
    assert axis.get_xlabel() == "gain, points of nDCG@10"
    zero = [line for line in axis.lines if list(line.get_xdata()) == [0, 0]]
    assert len(zero) == 1


def test_gain_loss_and_unsure_differ_without_colour() -> None:
    drawing = draw_gains(paired(grid(three())))
    assert drawing is not None
    shapes = {artist.get_marker() for artist in with_gid(drawing.figure.axes[0], "gain")[:3]}
    assert len(shapes) == 3


def test_collections_of_a_language_are_averaged_as_the_macro_average_does() -> None:
    small, large = collection("one", 10, "sw"), collection("two", 1000, "sw")
    rows = [
        made
        for on, moved in ((small, 0.3), (large, 0.1), (TH, 0.0))
        for made in (
            result(system(None), on, np.full(on.queries, 0.2)),
            result(A, on, np.full(on.queries, 0.2 + moved)),
        )
    ]
    found = gains(paired(grid(rows)), [A])[0][0]
    assert found.difference is not None and found.difference.value == pytest.approx(0.2)
    assert found.queries == 1010 and found.collections == 2


def test_a_missing_language_is_a_dash_and_no_average_covers_for_it() -> None:
    rows = [one for one in three() if not (one.system == A and one.collection == TH)]
    pairs = paired(grid(rows))
    assert [one.difference is None for (one,) in gains(pairs, [A])] == [False, True, False, True]
    drawing = draw_gains(pairs)
    assert drawing is not None
    assert len(with_gid(drawing.figure.axes[0], "gain")) == 2
    assert texts(drawing.figure.axes[0]).count("–") == 2  # the language, and the row of all collections


def test_half_of_a_language_is_not_the_language() -> None:
    other = collection("other sw", 10, "sw")
    rows = [*three(), result(system(None), other, np.full(10, 0.5))]
    assert gains(paired(grid(rows)), [A])[0][0].difference is None


def test_few_easy_collections_do_not_put_a_system_first() -> None:
    rows = [*three(), result(system("easy"), SW, np.ones(SW.queries))]
    pairs = paired(grid(rows))
    assert [one.label for one in pairs.systems] == ["org/a", "easy"] and pairs.macro(pairs.systems[1]) > pairs.macro(A)


def test_a_result_on_other_candidates_is_not_a_gain() -> None:
    rows = three()
    rows[1] = result(A, SW, rows[1].values, candidates="others")
    assert (A, SW) not in paired(grid(rows)).of


def test_nothing_is_drawn_of_one_language_or_without_rerankers() -> None:
    assert draw_gains(paired(grid(three()[:2]))) is None
    assert draw_gains(paired(grid(three()[::2]))) is None


def test_more_systems_than_panels_are_named_as_left_out() -> None:
    drawing = draw_gains(paired(grid(many([f"m{place}" for place in range(7)], [SW, TH]))))
    assert drawing is not None and len(drawing.figure.axes) == 4
    assert "The 4 with the largest gains are drawn; 3 more are in the table." in drawing.caption


def test_the_heat_map_shows_every_difference_and_every_hole() -> None:
    pairs = paired(grid(many(["m0", "m1", "m2"], [SW, TH, EN], missing=[(1, 2)])))
    drawing = draw_heat_map(pairs)
    assert drawing is not None
    values, axis = differences(pairs, pairs.systems), drawing.figure.axes[0]
    assert pairs.systems[-1].label == "m1"  # a row with a hole is not ranked among the whole ones
    assert np.isnan(values[2, 2]) and np.isnan(values).sum() == 1
    shown = np.ma.filled(axis.collections[0].get_array(), np.nan)
    assert np.array_equal(shown, values, equal_nan=True)
    assert [artist.get_text() for artist in with_gid(axis, "missing")] == ["–"]
    assert numbers(axis) == pytest.approx(values[~np.isnan(values)].tolist(), abs=0.051)
    low, high = axis.collections[0].get_clim()
    assert low == -high  # zero is white
    assert "Hatched: 1 cell without a result" in drawing.caption


def test_a_heat_map_of_very_many_systems_shows_the_largest_gains_and_counts_the_rest() -> None:
    pairs = paired(grid(many([f"m{place:02}" for place in range(MOST + 3)], [SW, TH])))
    drawing = draw_heat_map(pairs)
    assert drawing is not None
    axis = drawing.figure.axes[0]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == [one.label for one in pairs.systems[:MOST]]
    assert axis.collections[0].get_array().shape == (2, MOST)
    assert f"The {MOST} with the largest gains are drawn; 3 more are in the table." in drawing.caption


NONE = collection("none", 25, None)
SHARED = [collection("one", 20, "sw", "group"), collection("two", 30, "sw", "group")]


@pytest.mark.parametrize(
    "collections",
    [[SW, TH, EN], [*SHARED, TH, NONE], [SW, NONE], SHARED, [SW], [SW, replace(SW, fingerprint="other"), TH]],
    ids=["languages", "groups", "undeclared", "one language", "one collection", "twice"],
)
def test_differences_taken_from_tables_are_those_that_plots_would_compute(collections: list[CollectionKey]) -> None:
    made = report(many(["m0", "m1", "m2"], collections, missing=[(1, 0)]))
    (sheet,) = made.sheets
    alone, taken = paired(sheet.grid), paired(sheet.grid, (*made.sheets, *made.languages))
    assert alone.averages == taken.averages
    assert alone.of.keys() == taken.of.keys() and len(alone.of) == 3 * len(collections) - 1
    assert all(one.difference == taken.of[key].difference for key, one in alone.of.items())


def test_bold_in_the_heat_map_is_significant() -> None:
    rows = three() + [result(system("b"), on, one.values) for on, one in zip((SW, TH, EN), three()[::2], strict=True)]
    pairs = paired(grid(rows))
    drawing = draw_heat_map(pairs)
    assert drawing is not None
    bold = {artist.get_text() for artist in drawing.figure.axes[0].texts if artist.get_fontweight() == "bold"}
    assert len(bold) == 2 and {text[0] for text in bold} == {"+", "−"}

"""The pictures of an adaptation are read without its tables: every mark stands where the record puts it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from reports.plots.arm_gains import draw_arm_gains, draw_language_gains
from reports.plots.forgetting import best, draw_forgetting, standings, target_tier
from reports.plots.loop_timeline import draw_timeline, summary
from reports.plots.plot import Drawing, Plot
from reports.plots.t_curve import draw_t_curve, tier_of, way
from reports.training.pictures import pictures
from tests.reports.plots.artists import numbers, texts, with_gid
from tests.reports.training.kept import kept
from tests.reports.training.made import EIGHTEEN, made, record
from tests.tiny_collection import Place


def score(values: dict[str, Any], arm: str, tier: str, collection: str) -> dict[str, Any]:
    (found,) = [
        one for one in values["scores"] if (one["arm"], one["tier"], one["collection"]) == (arm, tier, collection)
    ]
    return dict(found)


def test_every_event_is_a_bar_and_every_verdict_a_mark(tmp_path: Path) -> None:
    values = made()
    drawing = draw_timeline(record(tmp_path, values))
    assert drawing is not None
    axis = drawing.figure.axes[0]
    bars = with_gid(axis, "bar")
    assert len(bars) == len(values["timeline"])
    teach = [one for one in values["timeline"] if one["stage"] == "teach"]
    drawn = sorted(bar.get_x() * 60 for bar in bars if bar.get_width() * 60 == pytest.approx(96))
    assert len(teach) == 2
    assert drawn == pytest.approx([one["at"] for one in teach])
    assert [len(with_gid(axis, state)) for state in ("pass", "refused")] == [2, 1]
    assert len({mark.get_marker() for state in ("pass", "refused") for mark in with_gid(axis, state)}) == 2
    assert axis.get_xlabel() == "minutes since the start"


def test_no_verdict_hides_another(tmp_path: Path) -> None:
    states = ("refused", "inconclusive", "invalid", "pass")
    events = [{"at": 9000.0, "seconds": 0.1, "stage": "fit", "name": "union", "state": "done", "detail": ""}]
    events += [{**events[0], "at": 20.0 + place, "stage": "gate", "state": one} for place, one in enumerate(states)]
    drawing = draw_timeline(record(tmp_path, made(timeline=events)))
    assert drawing is not None
    axis = drawing.figure.axes[0]
    places = [with_gid(axis, state)[0].get_xdata()[0] for state in states]
    assert places == sorted(places)
    width = axis.get_xlim()[1] - axis.get_xlim()[0]
    assert min(after - before for before, after in pairwise(places)) > 0.015 * width


def test_rows_of_the_timeline_say_how_long_and_what_was_said(tmp_path: Path) -> None:
    read = record(tmp_path, made())
    own = {stage: [one for one in read.timeline if one.stage == stage] for stage in ("gate", "integrity", "merge")}
    assert summary(own["gate"]) == "9.0 s: slerp pass" and summary(own["merge"]) == "3.6 s, 2 times"
    assert summary(own["integrity"]) == "0.4 s: given-broken refused"
    assert summary([*own["gate"] * 2, *own["integrity"]]) == "18.4 s, 3 times: given-broken refused, 2 pass"
    assert len(summary(own["integrity"] * 40)) == 48


def test_a_loop_that_did_nothing_has_no_timeline(tmp_path: Path) -> None:
    assert draw_timeline(record(tmp_path, made() | {"timeline": []})) is None


def test_the_curve_goes_from_stage_1_to_the_single_in_the_order_of_t(tmp_path: Path) -> None:
    values = made(("de", "sw"))
    drawing = draw_t_curve(record(tmp_path, values))
    assert drawing is not None
    average, german, _ = drawing.figure.axes
    (line,) = with_gid(german, "line")
    arms = ("stage-1", "t-0.25", "t-0.5", "t-0.75", "single-a-s0")
    assert list(line.get_xdata()) == [0, 0.25, 0.5, 0.75, 1]
    assert list(line.get_ydata()) == pytest.approx(
        [100 * score(values, arm, "final", "miracl/de")["value"] for arm in arms]
    )
    assert (average.get_title(loc="left"), german.get_title(loc="left")) == ("macro average", "German (de)")
    marks = [mark.get_ydata()[0] for mark in with_gid(german, "reference")]
    wanted = [100 * score(values, arm, "final", "miracl/de")["value"] for arm in ("union", "linear", "slerp", "greedy")]
    assert marks == pytest.approx(wanted)
    assert all(mark.get_xdata()[0] > 1.1 for mark in with_gid(german, "reference")), "they have no t"


def test_the_merge_of_the_bags_has_a_mark_of_its_own_and_stands_in_the_key(tmp_path: Path) -> None:
    values = made()
    arm = next(one for one in values["arms"] if one["name"] == "slerp")
    values["arms"].append(arm | {"name": "bagged", "kind": "bagged"})
    values["scores"] += [one | {"arm": "bagged"} for one in values["scores"] if one["arm"] == "slerp"]
    drawing = draw_t_curve(record(tmp_path, values))
    assert drawing is not None
    marks = [(one.get_marker(), one.get_color()) for one in with_gid(drawing.figure.axes[0], "reference")]
    assert len(set(marks)) == len(marks) == 5
    (key,) = drawing.figure.legends
    assert [one.get_text() for one in key.get_texts()][1:] == ["union", "linear", "slerp", "greedy", "bagged", "base"]


def test_bands_are_the_intervals_of_the_record(tmp_path: Path) -> None:
    values = made(("de", "sw"))
    drawing = draw_t_curve(record(tmp_path, values))
    assert drawing is not None
    (band,) = drawing.figure.axes[1].collections[:1]
    heights = band.get_paths()[0].vertices[:, 1]
    one = score(values, "t-0.5", "final", "miracl/de")
    for bound in ("low", "high"):
        assert any(height == pytest.approx(100 * one[bound]) for height in heights)


def test_panels_have_one_scale(tmp_path: Path) -> None:
    drawing = draw_t_curve(record(tmp_path, made(EIGHTEEN)))
    assert drawing is not None
    shown = [axis for axis in drawing.figure.axes if axis.get_visible()]
    assert len(shown) == 19
    assert len({round(high - low, 6) for low, high in (axis.get_ylim() for axis in shown)}) == 1
    for axis in shown:
        low, high = axis.get_ylim()
        assert all(low < point < high for line in with_gid(axis, "line") for point in line.get_ydata())


def test_a_curve_that_was_measured_in_part_is_not_drawn(tmp_path: Path) -> None:
    values = made()
    values["scores"] = [one for one in values["scores"] if one["arm"] != "t-0.5"]
    assert draw_t_curve(record(tmp_path, values)) is None
    values = made()
    values["scores"] = [one for one in values["scores"] if (one["arm"], one["tier"]) != ("t-0.5", "final")]
    read = record(tmp_path, values)
    along = way(read)
    assert along is not None and tier_of(read, along) == "dev"
    values["arms"] = [one for one in values["arms"] if one["kind"] != "curve"]
    values["scores"] = [one for one in values["scores"] if not one["arm"].startswith("t-")]
    assert draw_t_curve(record(tmp_path, values)) is None


def test_the_front_holds_the_arms_that_no_other_beats_in_both(tmp_path: Path) -> None:
    read = record(tmp_path, made())
    points = standings(read, "final")
    front = {one.name for one in best(points, read)}
    for one in points:
        beaten = any(
            (other.target, other.source) != (one.target, one.source)
            and other.target >= one.target
            and other.source >= one.source
            for other in points
        )
        assert (one.name in front) == (not beaten)


def test_every_arm_is_a_point_at_target_and_source(tmp_path: Path) -> None:
    values = made()
    drawing = draw_forgetting(record(tmp_path, values))
    assert drawing is not None
    axis = drawing.figure.axes[0]
    points = {(round(mark.get_xdata()[0], 6), round(mark.get_ydata()[0], 6)) for mark in with_gid(axis, "arm")}
    assert len(with_gid(axis, "arm")) == len(values["arms"]) - 1, "one was refused"
    target, source = score(values, "union", "final", "macro average"), score(values, "union", "source", "msmarco")
    assert (round(100 * target["value"], 6), round(100 * source["value"], 6)) in points
    assert "slerp (accepted)" in texts(axis) and "teacher" not in texts(axis)


def test_of_many_arms_those_that_decide_have_a_name(tmp_path: Path) -> None:
    drawing = draw_forgetting(record(tmp_path, made(singles=24)))
    assert drawing is not None
    named = texts(drawing.figure.axes[0])
    assert {"base", "stage-1", "union", "linear", "slerp (accepted)", "greedy"} <= set(named) and len(named) < 25


def quickly(drawing: Drawing, out: Path) -> Plot:
    """The files of a plot, with nothing in them."""
    plot = Plot(drawing.title, out / f"{drawing.name}.png", out / f"{drawing.name}.svg", drawing.caption)
    for file in (plot.png, plot.svg):
        out.mkdir(parents=True, exist_ok=True)
        file.touch()
    return plot


def test_without_a_source_there_is_a_sentence_in_place_of_the_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.training.pictures.write", quickly)
    read = record(tmp_path, made(source=False))
    assert target_tier(read) is None and draw_forgetting(read) is None
    images, missing = pictures(read, tmp_path / "plots")
    assert len(images) == 4 and [one for one in missing if "source" in one] == missing


def test_pictures_of_an_earlier_state_do_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.training.pictures.write", quickly)
    out = tmp_path / "plots"
    images, _ = pictures(record(tmp_path, made()), out)
    assert {file.name for file in out.iterdir()} == {file.name for one in images for file in (one.png, one.svg)}
    (out / "mine.png").touch()
    pictures(record(tmp_path, made(source=False)), out)
    left = {file.name for file in out.iterdir()}
    assert "adaptation-forgetting.png" not in left and {"mine.png", "adaptation-timeline.png"} <= left


def test_any_name_can_be_drawn(tmp_path: Path) -> None:
    values = made(("de", "sw"), name='org/$a_b$^{x} <b>&"c" 数据')
    text = json.dumps(values).replace("single-a-s0", "$\\u957f_" + "long-" * 20).replace("miracl/sw", "a\\u0000b")
    images, missing = pictures(record(tmp_path, json.loads(text)), tmp_path / "plots")
    assert missing == [] and all(one.png.stat().st_size > 5000 and one.svg.is_file() for one in images)


def test_gains_by_language_are_sorted_with_the_average_last(tmp_path: Path) -> None:
    values = made(EIGHTEEN)
    drawing = draw_language_gains(record(tmp_path, values))
    assert drawing is not None
    axis = drawing.figure.axes[0]
    labels = [tick.get_text() for tick in axis.get_yticklabels()]
    assert len(labels) == 19 and labels[-1] == "all collections" and "Swahili (sw), n=240" in labels
    found = numbers(axis)
    assert found[:-1] == sorted(found[:-1], reverse=True)
    gained = (
        score(values, "slerp", "final", "miracl/sw")["value"] - score(values, "base", "final", "miracl/sw")["value"]
    )
    assert found[labels.index("Swahili (sw), n=240")] == pytest.approx(100 * gained, abs=0.051)
    assert len(with_gid(axis, "untested")) == 19 and "19 rows not tested" in drawing.caption


def test_gains_have_paired_intervals_where_the_values_of_queries_are_kept(place: Place, tmp_path: Path) -> None:
    values, _ = kept(place)
    read = record(tmp_path, values)
    for drawing in (draw_language_gains(read, place.workspace.path), draw_arm_gains(read, place.workspace.path)):
        assert drawing is not None
        axis = drawing.figure.axes[0]
        assert len(with_gid(axis, "gain")) == len(axis.get_yticks())
        assert with_gid(axis, "interval"), "the average has one; a collection of four queries has none"
        assert not with_gid(axis, "untested") and "step-down MaxT" in drawing.caption


def test_an_arm_that_was_not_accepted_is_not_called_so(tmp_path: Path) -> None:
    drawing = draw_language_gains(record(tmp_path, made(state="refused", accepted=None)))
    assert drawing is not None and "the best on dev, not accepted" in drawing.caption


def test_one_collection_has_no_plot_by_language_but_one_of_arms(tmp_path: Path) -> None:
    read = record(tmp_path, made(("en",)))
    assert draw_language_gains(read) is None
    drawing = draw_arm_gains(read)
    assert drawing is not None
    assert [tick.get_text() for tick in drawing.figure.axes[0].get_yticklabels()][:2] == ["first stage", "teacher"]

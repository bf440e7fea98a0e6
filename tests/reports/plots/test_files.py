"""Names that break labels, fonts that lack letters, settings of the user: none of them breaks a report."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Text

from reports.plots import write_plots
from reports.plots.curves import draw_curves
from reports.plots.dumbbells import draw_dumbbells
from reports.plots.fonts import drawable, families, shown
from reports.plots.labels import collection_labels, signed, spread, system_labels
from reports.plots.lines import PlotLine
from reports.plots.paired import paired
from reports.plots.plot import write
from tests.reports.plots.artists import texts, with_gid
from tests.reports.plots.made import collection, grid, many, system

NASTY = ["org/$a_b$^{x}", 'a/<b>&"c"', "./" + "very-long-" * 30 + "step-1000", "数据/重排\n器", "a\x00b"]
COLLECTIONS = [collection("数据集", 30, "zh"), collection("พจน์", 20, "th"), collection("a\tb", 10, "en")]


def settings() -> dict[str, object]:
    """The settings of matplotlib, without asking it to choose a backend."""
    names = [name for name in matplotlib.rcParams if name != "backend"]
    return {name: matplotlib.rcParams[name] for name in names} | {"backend": matplotlib.get_backend(auto_select=False)}


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def test_any_name_can_be_drawn(tmp_path: Path) -> None:
    plots = write_plots(many(NASTY, COLLECTIONS, missing=[(0, 1)]), tmp_path / "out", tmp_path / "no workspace")
    assert all(plot.png.is_file() and plot.svg.is_file() and plot.title and plot.caption for plot in plots)
    assert len({plot.png for plot in plots}) == len(plots) == 7


def test_the_same_results_give_the_same_bytes_whatever_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = many(["a"], COLLECTIONS[:1])
    write_plots(results, tmp_path / "one", tmp_path / "no workspace")
    for key, value in {"font.size": 31.0, "svg.hashsalt": "other", "text.parse_math": True, "axes.grid": True}.items():
        monkeypatch.setitem(matplotlib.rcParams, key, value)
    before = settings()
    write_plots(results, tmp_path / "two", tmp_path / "no workspace")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert settings() == before
    assert "matplotlib.pyplot" not in sys.modules


def test_a_name_with_dollars_is_a_name_and_no_formula() -> None:
    drawing = draw_dumbbells(paired(grid(many(["org/$a_b$"], COLLECTIONS))))
    assert drawing is not None
    (title,) = drawing.figure.findobj(lambda one: isinstance(one, Text) and one.get_text() == "$a_b$")
    assert not title.get_parse_math()


def test_plots_of_stored_results_alone_make_no_store(tmp_path: Path) -> None:
    write_plots(many(["a"], COLLECTIONS[:1]), tmp_path / "out", tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_letter_that_no_font_has_is_spelt_and_the_language_follows() -> None:
    missing = next(chr(code) for code in (0x1BC00, 0x12000, 0xE000, 0x10FFFD) if not drawable(chr(code)))
    assert shown(f"a{missing}", "sw") == f"a\\u{ord(missing):04x} (sw)"
    assert shown("a\nb\x00") == "a b "
    assert shown("Ünïcödé Ж λ") == "Ünïcödé Ж λ"
    assert families()[0] == "DejaVu Sans"


def test_short_labels_still_tell_systems_apart() -> None:
    systems = [system("./x/checkpoint-100"), system("./y/checkpoint-100"), system("BAAI/bge-reranker-v2-m3")]
    systems += [system("p" * 60 + "1" + "q" * 60), system("p" * 60 + "2" + "q" * 60)]
    labels = system_labels(systems)
    assert labels[systems[2]] == "bge-reranker-v2-m3"
    assert [labels[one] for one in systems[:2]] == ["./x/checkpoint-100", "./y/checkpoint-100"]
    assert len(set(labels.values())) == len(systems) and max(map(len, labels.values())) <= 41
    over = system_labels([system("a"), system("a", first_stage="dense"), system("a", depth=50)])
    assert list(over.values()) == ["a over bm25 @100", "a over dense @100", "a over bm25 @50"]


def test_collections_of_one_suite_lose_its_name() -> None:
    labels = collection_labels([collection("beir/scifact", 1), collection("beir/fiqa", 1)])
    assert list(labels.values()) == ["scifact", "fiqa"]
    languages = collection_labels([collection("demo/sw", 1, "sw"), collection("demo/x", 1, "th")])
    assert list(languages.values()) == ["Swahili (sw)", "x"]
    mixed = collection_labels([collection("beir/scifact", 1), collection("miracl/sw", 1, "sw")])
    assert list(mixed.values()) == ["beir/scifact", "miracl/sw"]


def test_figures_have_a_sign_and_zero_has_none() -> None:
    assert [signed(value) for value in (1.26, -0.3, 0.04, -0.04)] == ["+1.3", "−0.3", "0.0", "0.0"]


def test_labels_at_the_ends_of_lines_do_not_meet() -> None:
    moved = spread([1.0, 1.1, 5.0, 1.05], 1.0)
    assert moved == pytest.approx([0.05, 2.05, 5.0, 1.05])
    assert np.diff(sorted(moved)).min() >= 1.0 - 1e-9


def test_a_curve_has_its_points_its_band_and_its_name(tmp_path: Path) -> None:
    x = [0.0, 0.5, 1.0]
    line = PlotLine("Thai (th)", x, [0.5, 0.6, 0.55], [0.45, 0.55, 0.5], [0.55, 0.65, 0.6])
    drawing = draw_curves([line], title="merge", x_title="t, the share of B", measure="nDCG@10", start=0.5)
    axis = drawing.figure.axes[0]
    (drawn,) = with_gid(axis, "line")
    assert drawn.get_ydata() == pytest.approx([50, 60, 55]) and list(drawn.get_xdata()) == x
    assert axis.collections[0].get_datalim(axis.transData).height == pytest.approx(20)
    assert "Thai (th)" in texts(axis) and axis.get_xlabel() == "t, the share of B"
    assert write(drawing, tmp_path).svg.read_text("utf-8").startswith("<?xml")

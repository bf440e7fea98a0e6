"""How every plot looks: colours that the colour-blind tell apart, shapes and hatches that survive a photocopy."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapters.errors import need
from reports.plots.fonts import families

INK, MUTED, LINE = "#1b1f24", "#57606a", "#d5d9de"
GAIN, LOSS = "#0a58a8", "#a03c00"
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito 2008, without the colours that vanish on white. Each has a marker and a dash of its own."""
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))
ROW = 0.27
"""Inches of one row of labels."""

_SETTINGS: dict[str, Any] = {
    "figure.dpi": 150, "savefig.dpi": 150, "figure.facecolor": "white", "savefig.facecolor": "white",
    "font.size": 9, "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.titlepad": 8, "axes.labelsize": 9, "axes.labelcolor": MUTED, "axes.edgecolor": LINE, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.unicode_minus": True, "text.color": INK,
    "xtick.color": MUTED, "ytick.color": INK, "xtick.major.size": 0, "ytick.major.size": 0, "xtick.minor.size": 0,
    "grid.color": LINE,
    "grid.linewidth": 0.6, "hatch.linewidth": 0.7, "hatch.color": "white", "legend.frameon": False,
    "legend.fontsize": 8, "lines.solid_capstyle": "butt", "figure.constrained_layout.h_pad": 0.06,
    "figure.constrained_layout.w_pad": 0.08, "text.parse_math": False, "svg.hashsalt": "rerank-harness",
    "svg.fonttype": "path",
}  # fmt: skip


@contextmanager
def style() -> Iterator[None]:
    """Draw and save inside: the settings of the user are put aside and come back, and no backend is chosen.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    matplotlib = need("matplotlib", "reports", "a plot")
    ours = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own remarks on fonts and layout are not for our users
        matplotlib.rcParams.update(ours | _SETTINGS | {"font.family": families()})
        yield


def sheet(width: float, height: float) -> Any:
    """An empty figure of that many inches that lays itself out. It belongs to nobody but the caller."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def panels(count: int, rows: int, *, width: float, labels: float, shared: bool = True) -> tuple[Any, list[Any]]:
    """A figure with panels side by side that share their rows, from the top. `labels`: inches for the row labels."""
    figure = sheet(labels + width * count, 1.4 + ROW * rows)
    axes = figure.subplots(1, count, sharey=True, sharex=shared, squeeze=False)[0]
    for axis in axes:
        axis.set_ylim(rows - 0.4, -0.6)
        axis.grid(axis="x")
        axis.spines["left"].set_visible(False)
    return figure, list(axes)


def headed(figure: Any, title: str) -> Any:
    """The figure under its title, for those who meet it alone."""
    figure.suptitle(title, x=0.006, ha="left", fontsize=11, fontweight="bold", color=INK)
    return figure


def key_below(figure: Any, handles: list[Any], columns: int = 4) -> None:
    """A legend under everything, of what stands in no direct label."""
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=min(columns, len(handles)))

"""The look of all plots: colours for colour-blind readers, and shapes and hatches that work without colour."""

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
"""The colours of Okabe and Ito (2008) that are visible on white. Each has its own marker and dash."""
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)))
ROW = 0.27
"""The height of a row of labels in inches."""

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
    """A context in which to draw and save. It restores the user's settings at the end and chooses no backend.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    matplotlib = need("matplotlib", "reports", "a plot")
    ours = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith("backend")}
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # users cannot act on matplotlib's warnings about fonts and layout
        matplotlib.rcParams.update(ours | _SETTINGS | {"font.family": families()})
        yield


def sheet(width: float, height: float) -> Any:
    """An empty figure with constrained layout, independent of pyplot. Sizes are in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def panels(count: int, rows: int, *, width: float, labels: float, shared: bool = True) -> tuple[Any, list[Any]]:
    """A figure with panels side by side that share their rows.

    Args:
        count: the number of panels.
        rows: the number of rows.
        width: the width of a panel in inches.
        labels: the width of the row labels in inches.
        shared: whether the panels share the x axis. Default: True.
    """
    figure = sheet(labels + width * count, 1.4 + ROW * rows)
    axes = figure.subplots(1, count, sharey=True, sharex=shared, squeeze=False)[0]
    for axis in axes:
        axis.set_ylim(rows - 0.4, -0.6)
        axis.grid(axis="x")
        axis.spines["left"].set_visible(False)
    return figure, list(axes)


def headed(figure: Any, title: str) -> Any:
    """Add a title to the figure and return it."""
    figure.suptitle(title, x=0.006, ha="left", fontsize=11, fontweight="bold", color=INK)
    return figure


def key_below(figure: Any, handles: list[Any], columns: int = 4) -> None:
    """Add a legend below the panels."""
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=min(columns, len(handles)))

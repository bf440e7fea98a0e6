"""The plots of an adaptation, and a sentence for each that cannot be drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.errors import MissingExtra
from harness.result.adaptation.record import AdaptationRecord
from reports.document import Image
from reports.plots.arm_gains import draw_arm_gains, draw_language_gains
from reports.plots.forgetting import draw_forgetting
from reports.plots.loop_timeline import draw_timeline
from reports.plots.plot import Drawing, write
from reports.plots.t_curve import draw_t_curve

_MISSING = (
    "No timeline: nothing was done yet.",
    "No plot of arms: fewer than two were measured in addition to the base.",
    "No plot by language: fewer than two collections were measured.",
    "No curve along t: its merges were not made or not all were measured.",
    "No plot of source against target: no collection of the source domain was measured (`--source` names one).",
)


def pictures(record: AdaptationRecord, out: Path, workspace: Path | None = None) -> tuple[list[Image], list[str]]:
    """Write the plots into `out` as PNG and SVG, and remove those of an earlier state of the record.

    Returns:
        The plots, and a sentence for each plot that cannot be drawn.
    """
    images, missing = [], []
    wanted = set()
    try:
        for drawing, why in zip(_drawings(record, workspace), _MISSING, strict=True):
            if drawing is None:
                missing.append(why)
                continue
            plot = write(drawing, out)
            wanted |= {plot.png, plot.svg}
            images.append(Image(plot.title, plot.png, plot.svg, plot.caption))
    except MissingExtra as error:
        return [], [f"No plots: {error}."]
    for stale in out.glob("adaptation-*"):
        if stale not in wanted:
            stale.unlink()
    return images, missing


def _drawings(record: AdaptationRecord, workspace: Path | None) -> Iterator[Drawing | None]:
    yield draw_timeline(record)
    yield draw_arm_gains(record, workspace)
    yield draw_language_gains(record, workspace)
    yield draw_t_curve(record)
    yield draw_forgetting(record)

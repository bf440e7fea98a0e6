"""A drawing, and the two files that it becomes: PNG for pages that want pixels, SVG for pages that want lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.workspace import write_atomically
from reports.plots.style import style

_PNG = {"Software": None}
_SVG = {"Date": None, "Creator": None}
"""Neither a time nor a version: the same results give the same bytes."""


@dataclass(frozen=True)
class Drawing:
    """A figure that is not written yet."""

    name: str
    """Of the files, without an ending."""
    title: str
    caption: str
    """What is drawn, on what, and what was left out."""
    figure: Any


@dataclass(frozen=True)
class Plot:
    """A figure as two files."""

    title: str
    png: Path
    svg: Path
    caption: str


def write(drawing: Drawing, out: Path) -> Plot:
    """Write a drawing as `NAME.png` and `NAME.svg` into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    png, svg = (out / f"{drawing.name}.{ending}" for ending in ("png", "svg"))
    with style():
        for file, kind, metadata in ((png, "png", _PNG), (svg, "svg", _SVG)):
            with write_atomically(file) as temporary:
                drawing.figure.savefig(temporary, format=kind, metadata=metadata)
    return Plot(drawing.title, png, svg, drawing.caption)


def file_name(*parts: str) -> str:
    """Parts joined to the name of a file: `gains`, `nDCG@10` give `gains-ndcg-10`."""
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)

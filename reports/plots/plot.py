"""A drawing, and its two files: PNG and SVG."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.workspace import write_atomically
from reports.plots.style import style

_PNG = {"Software": None}
_SVG = {"Date": None, "Creator": None}
"""Files have no date and no version, so that the same results give the same bytes."""


@dataclass(frozen=True)
class Drawing:
    """A figure that is not written yet."""

    name: str
    """The name of the files without suffix."""
    title: str
    caption: str
    """A description of what is drawn and what was left out."""
    figure: Any


@dataclass(frozen=True)
class Plot:
    """A figure that was written as two files."""

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
    """The parts joined to a file name: `gains` and `nDCG@10` give `gains-ndcg-10`."""
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)

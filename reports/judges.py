"""The folder of `harness judge calibrate --out`: a page, the reliability plot, JSON and calibration files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from adapters.errors import MissingExtra
from harness.labelling.calibrate import Calibrated
from harness.labelling.labelled import Labelled
from harness.workspace import write_atomically
from reports.document import Heading, Image, Part, as_html
from reports.plots.plot import write
from reports.tables.judges import judge_tables, judges_dict


def write_judges(labelled: Labelled, found: Sequence[Calibrated], files: Sequence[str], out: Path) -> None:
    """Write `judges.json`, a calibration file for each judge, `plots/reliability.*` and `index.html`.

    Raises:
        MissingExtra: matplotlib is not installed. All files but the plot are written.
    """
    _write(out / "judges.json", _json(judges_dict(labelled, found)))
    for one, file in zip(found, files, strict=True):
        _write(out / file, _json(asdict(one.calibration)))
    parts: list[Part] = [Heading("Judges and people", 1), *judge_tables(labelled, found)]
    try:
        from reports.plots.reliability import draw_reliability

        plot = write(draw_reliability(found), out / "plots")
        parts.append(Image(plot.title, plot.png, plot.svg, plot.caption))
    except MissingExtra:
        _write(out / "index.html", as_html(parts, "Judges and people"))
        raise
    _write(out / "index.html", as_html(parts, "Judges and people"))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(file) as unfinished:
        unfinished.write_text(text, "utf-8")


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"

"""The page of an adaptation as Markdown and as one HTML file, and its plots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.result.adaptation.record import AdaptationRecord
from harness.workspace import write_atomically
from reports.document import Image, as_html, as_markdown
from reports.training.pictures import pictures
from reports.training.story import story


@dataclass(frozen=True)
class Page:
    """The files that were written."""

    markdown: Path
    html: Path
    images: tuple[Image, ...]


def write(record: AdaptationRecord, out: Path, workspace: Path | None = None) -> Page:
    """Write adaptation.md, adaptation.html and plots/adaptation-*.{png,svg}. Existing files are replaced.

    Args:
        record: the record of the adaptation.
        out: the folder.
        workspace: the workspace with the values of queries. Default: None, so that differences by language have no
            interval.

    Raises:
        OSError: the folder cannot be written.
    """
    plots = out / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    images, missing = pictures(record, plots, workspace)
    parts = list(story(record, workspace, images, missing))
    page = Page(out / "adaptation.md", out / "adaptation.html", tuple(images))
    _write(page.markdown, as_markdown(parts, out))
    _write(page.html, as_html(parts, f"Adaptation: {record.name}"))
    return page


def _write(file: Path, text: str) -> None:
    with write_atomically(file) as temporary:
        temporary.write_text(text, "utf-8")

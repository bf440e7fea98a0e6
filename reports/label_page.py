"""The page for labelling documents: one HTML file that needs no server and no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.errors import UsageError, class_of
from harness.judging.compare.to_label import LabelSheet, as_csv
from harness.workspace import write_atomically
from reports.one_file import filled

CSV, PAGE = "to-label.csv", "to-label.html"


def label_page(found: LabelSheet) -> str:
    """The page as HTML."""
    return filled("label", page_data(found), title=f"Label {len(found.items):,} documents")


def page_data(found: LabelSheet) -> dict[str, Any]:
    """The content of the page as plain JSON: every query and document once. It names no system and no rank."""
    queries: dict[tuple[str, str], int] = {}
    documents: dict[str, int] = {}
    items = [
        {
            "query": queries.setdefault((one.collection, one.query_id), len(queries)),
            "document": documents.setdefault(one.document, len(documents)),
            "id": one.document_id,
        }
        for one in found.items
    ]
    about = {(one.collection, one.query_id): one for one in found.items}
    shown = [
        {"collection": one.collection, "id": one.query_id, "instruction": one.instruction, "text": one.query}
        for one in about.values()
    ]
    return {
        "key": found.key,
        "grades": list(found.grades),
        "queries": shown,
        "documents": list(documents),
        "items": items,
    }


def write_sheet(found: LabelSheet, out: Path) -> None:
    """Write `to-label.csv` and `to-label.html` into a folder, each atomically.

    Raises:
        UsageError: they cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in ((CSV, as_csv(found)), (PAGE, label_page(found))):
            with write_atomically(out / name) as unfinished:
                unfinished.write_text(text, "utf-8", "replace", newline="")
    except OSError as error:
        raise class_of(error, UsageError)(f"--out {out}: no file can be written there ({error.strerror})") from None

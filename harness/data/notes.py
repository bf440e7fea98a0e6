"""Notes that are printed with the numbers of a collection: its declared note, and documents that its corpus lacks."""

from __future__ import annotations

from collections.abc import Mapping

from harness.data.collection import Collection
from harness.data.qrels import missing_note


def notes_of(collection: Collection) -> list[str]:
    """The notes of a collection; [] if there are none."""
    counts = collection.counts
    missing = counts.missing_documents, counts.missing_judgments
    return notes_about(collection.name, collection.rules.note, *missing, counts.let_through)


def notes_about(
    name: str,
    declared: str | None,
    missing_documents: int | None,
    missing_judgments: int | None,
    let_through: Mapping[str, int] | None,
) -> list[str]:
    """As `notes_of`, from the counts of a collection. A count that an earlier version did not store is None."""
    missing = missing_note(missing_documents, missing_judgments) or _left_out(missing_judgments, let_through or {})
    return [*([declared] if declared else []), *([f"{name}: {missing}"] if missing else [])]


def _left_out(missing_judgments: int | None, let_through: Mapping[str, int]) -> str | None:
    """The note for results from before judgments of missing documents were kept; these results lack the counts."""
    count = let_through.get("unknown-documents")
    if not count or missing_judgments is not None:
        return None
    return f"{count:,} judgments or candidates of missing documents were left out by an earlier version; run it again"

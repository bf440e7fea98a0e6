"""Notes that are printed with the numbers of a collection: its declared note, and documents that its corpus lacks."""

from __future__ import annotations

from collections.abc import Mapping

from harness.data.qrels import missing_note


def notes_about(
    name: str,
    declared: str | None,
    missing_documents: int | None,
    missing_judgments: int | None,
    let_through: Mapping[str, int] | None,
) -> list[str]:
    """Return the notes of a collection; [] if there are none.

    Args:
        declared: its declared note.
        missing_documents, missing_judgments, let_through: counts of the collection; None if an earlier version did not
            store them.
    """
    missing = missing_note(missing_documents, missing_judgments) or _left_out(missing_judgments, let_through or {})
    return [*([declared] if declared else []), *([f"{name}: {missing}"] if missing else [])]


def _left_out(missing_judgments: int | None, let_through: Mapping[str, int]) -> str | None:
    """The note for results from before judgments of missing documents were kept; these results lack the counts."""
    count = let_through.get("unknown-documents")
    if not count or missing_judgments is not None:
        return None
    return f"{count:,} judgments or candidates of missing documents were left out by an earlier version; run it again"

"""What a reader has to know of a collection wherever its numbers stand: what is declared, and what its corpus lacks."""

from __future__ import annotations

from collections.abc import Mapping

from harness.data.collection import Collection
from harness.data.qrels import missing_note


def notes_of(collection: Collection) -> list[str]:
    """The notes of a collection; none where there is nothing to know."""
    counts = collection.counts
    known = counts.missing_documents, counts.missing_judgments
    return notes_about(collection.name, collection.rules.note, *known, counts.let_through)


def notes_about(
    name: str,
    declared: str | None,
    missing_documents: int | None,
    missing_judgments: int | None,
    let_through: Mapping[str, int] | None,
) -> list[str]:
    """The same from the counts of a collection; a count that an earlier version did not make is None."""
    missing = missing_note(missing_documents, missing_judgments) or _left_out(missing_judgments, let_through or {})
    return [*([declared] if declared else []), *([f"{name}: {missing}"] if missing else [])]


def _left_out(missing_judgments: int | None, let_through: Mapping[str, int]) -> str | None:
    """Of a result from before judgments of missing documents were kept: they are not even counted there."""
    count = let_through.get("unknown-documents")
    if not count or missing_judgments is not None:
        return None
    return f"{count:,} judgments or candidates of missing documents were left out by an earlier version; run it again"

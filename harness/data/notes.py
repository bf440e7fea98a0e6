"""What a reader has to know of a collection wherever its numbers stand: what is declared, and what its corpus lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from harness.data.collection import Collection
from harness.data.qrels import missing_note


def notes_of(collection: Collection) -> list[str]:
    """The notes of a collection; none where there is nothing to know."""
    return _notes(collection.name, asdict(collection.rules), asdict(collection.counts))


def stored_notes(collection: Mapping[str, object]) -> list[str]:
    """The notes of a collection as the results store has it."""
    return _notes(str(collection.get("name")), collection.get("rules"), collection.get("counts"))


def _notes(name: str, rules: object, counts: object) -> list[str]:
    declared = str(rules.get("note") or "") if isinstance(rules, Mapping) else ""
    known: Mapping[object, object] = counts if isinstance(counts, Mapping) else {}
    missing = missing_note(known.get("missing_documents"), known.get("missing_judgments")) or _left_out(known)
    return [*([declared] if declared else []), *([f"{name}: {missing}"] if missing else [])]


def _left_out(counts: Mapping[object, object]) -> str | None:
    """Of a result from before judgments of missing documents were kept: they are not even counted there."""
    let_through = counts.get("let_through")
    count = let_through.get("unknown-documents") if isinstance(let_through, Mapping) else None
    if not count or "missing_judgments" in counts:
        return None
    return f"{count:,} judgments or candidates of missing documents were left out by an earlier version; run it again"

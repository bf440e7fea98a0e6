"""What `harness forget` removes, as a table and as JSON."""

from __future__ import annotations

from typing import Any

from harness.result.forgetting.plan import Removal
from harness.workspace import readable_size
from reports.table import Cell, Table


def removed_table(plan: Removal, *, removed: bool) -> Table:
    """One row per kind of content, with about how many bytes it needs."""
    counts = {
        "results": str(len(plan.results)),
        "scored pairs": f"of {len(plan.rerankers)} systems",
        "collections": ", ".join(plan.names) or "0",
    }
    rows = [(kind, counts.get(kind, ""), readable_size(size)) for kind, size in plan.freed.items() if size]
    systems = dict.fromkeys(f"{one.key.label} on {one.collection.name} ({one.id})" for one in plan.results)
    kept = [f"kept: {one.key.label} on {one.collection.name} ({one.id}): {why}" for one, why in plan.kept]
    notes = (*systems, *kept, *(["--cited removes what is kept"] if kept else []))
    title = "removed" if removed else "would be removed"
    return Table(title, ("what", "number", "size"), tuple(tuple(map(Cell, row)) for row in rows), notes, left=2)


def last_line(plan: Removal, freed: int | None) -> str:
    """What was freed, or how to remove it.

    Args:
        freed: bytes; None if nothing was removed.
    """
    if plan.is_empty:
        return "there is nothing to remove"
    if freed is None:
        about = readable_size(sum(plan.freed.values()))
        return f"nothing is removed yet; --yes removes this and frees about {about}"
    return f"freed {readable_size(max(freed, 0))}"


def as_dict(plan: Removal, freed: int | None) -> dict[str, Any]:
    """The plan as plain values. `freed` is null if nothing was removed; `bytes` is about what it needs."""
    return {
        "removed": freed is not None,
        "freed": freed,
        "bytes": dict(plan.freed),
        "results": [one.id for one in plan.results],
        "collections": list(plan.names),
        "kept": [{"id": one.id, "why": why} for one, why in plan.kept],
    }

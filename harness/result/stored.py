"""One evaluation as the store has it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.result.known_wrong import note_among


@dataclass(frozen=True)
class Stored:
    """One evaluation as the store has it."""

    id: str
    collection: dict[str, object]
    first_stage: str
    reranker: str | None
    depth: int
    candidates: str
    identity: dict[str, object]
    audit: dict[str, object]
    controls: dict[str, object]
    environment: dict[str, object]
    command: str
    created: str
    updated: str
    means: dict[str, float]

    @property
    def system(self) -> str:
        """The reranker's name, or the first stage's where there is none."""
        return self.reranker or self.first_stage

    @property
    def parallel(self) -> str | None:
        """The parallel set that the collection is known to belong to, by name; see `Collection.parallel`."""
        found = self.collection.parallel
        return None if found is None else str(found)

    @property
    def wrong(self) -> str | None:
        """What is known against an imported value; None for everything else."""
        return note_among(self.audit.get("alarms"))

"""One evaluation as the store has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.alarms.alarm import merged
from harness.result.facts import AuditFacts, CollectionFacts, Controls, Environment
from harness.result.keys import SystemKey, system_key
from harness.result.known_wrong import note_among
from harness.result.origin import KEY


@dataclass(frozen=True)
class Stored:
    """One evaluation as the store has it: a system on a collection, without its values per query."""

    id: str
    collection: CollectionFacts
    first_stage: str
    reranker: str | None
    depth: int
    candidates: str
    """What identifies the frozen candidates."""
    identity: Mapping[str, object]
    """Everything that can change a score, as plain values."""
    audit: AuditFacts
    controls: Controls
    environment: Environment
    command: str
    created: str
    updated: str
    means: Mapping[str, float]
    """Fractions, by measure; without the measures that have no values."""

    @property
    def key(self) -> SystemKey:
        """The row of a table that its values belong to."""
        return system_key(self.first_stage, self.depth, self.reranker)

    @property
    def system(self) -> str:
        """The reranker's name, or the first stage's where there is none."""
        return self.reranker or self.first_stage

    @property
    def imported(self) -> bool:
        """Whether somebody else computed it, and this store only took it in."""
        return KEY in self.identity

    @property
    def wrong(self) -> str | None:
        """What is known against an imported value; None for everything else."""
        return note_among(self.audit.alarms)

    def after(self, before: Stored | None) -> Stored:
        """With the measures of an earlier evaluation of the same content, which keeps its day, command and versions."""
        if before is None:
            return self
        alarms = merged(before.audit.alarms, self.audit.alarms, (*self.means, PAIRED_MEASURE))
        return replace(
            before,
            collection=self.collection,
            audit=replace(self.audit, ties={**before.audit.ties, **self.audit.ties}, alarms=alarms),
            controls=self.controls.after(before.controls),
            means={**before.means, **self.means},
            updated=self.updated,
        )

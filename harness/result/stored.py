"""An evaluation as it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from adapters.precision import dtype_in
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.alarms.alarm import merged
from harness.result.facts import AuditFacts, CollectionFacts, Controls, Environment
from harness.result.keys import SystemKey, system_key
from harness.result.known_wrong import note_among
from harness.result.origin import KEY


@dataclass(frozen=True)
class Stored:
    """A stored evaluation: a system on a collection, without values per query."""

    id: str
    collection: CollectionFacts
    first_stage: str
    reranker: str | None
    depth: int
    candidates: str
    """The id of the frozen candidates."""
    identity: Mapping[str, object]
    """Everything that can change a score, as plain values."""
    audit: AuditFacts
    controls: Controls
    environment: Environment
    command: str
    created: str
    updated: str
    means: Mapping[str, float]
    """Fractions, by measure; without measures that have no values."""

    @property
    def key(self) -> SystemKey:
        """The key of the system's row in tables."""
        return system_key(self.first_stage, self.depth, self.reranker)

    @property
    def system(self) -> str:
        """The name of the reranker, or of the first stage if there is no reranker."""
        return self.reranker or self.first_stage

    @property
    def dtype(self) -> str | None:
        """The number format that the system computed in; None for what has none, such as BM25 and imported values."""
        return dtype_in({"system": self.identity.get("reranker") or self.identity.get("retriever")})

    @property
    def imported(self) -> bool:
        """Whether the evaluation was imported."""
        return KEY in self.identity

    @property
    def wrong(self) -> str | None:
        """Why an imported value is known to be wrong; None for all other values."""
        return note_among(self.audit.alarms)

    def after(self, before: Stored | None) -> Stored:
        """Return a copy with the measures of an earlier evaluation of the same content. Date, command and versions of
        the earlier one are kept."""
        if before is None:
            return self
        alarms = merged(before.audit.alarms, self.audit.alarms, (*self.means, PAIRED_MEASURE))
        noise = before.audit.noise if self.audit.noise is None else self.audit.noise.after(before.audit.noise)
        return replace(
            before,
            collection=self.collection,
            audit=replace(
                self.audit,
                ties={**before.audit.ties, **self.audit.ties},
                alarms=alarms,
                noise=noise,
                calls={**before.audit.calls, **self.audit.calls},
            ),
            controls=self.controls.after(before.controls),
            means={**before.means, **self.means},
            updated=self.updated,
        )

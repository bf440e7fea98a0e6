"""What a gate is held on: the queries of one tier, under one policy, with one first stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from harness.data.collection import Collection, sample_queries, with_queries
from harness.data.suites.table import PAIRED_MEASURE
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.splits import part
from harness.measuring.measures import parse
from harness.result.evaluation import Evaluation
from harness.running.experiment import experiment
from harness.scoring.ground import is_paired
from harness.scoring.session import Session
from harness.scoring.system import System, systems
from harness.workspace import Workspace

MIXED = "main measures"
"""What the primary endpoint is called where collections have different ones."""


@dataclass(frozen=True)
class Stage:
    """Collections of one tier, and how they are searched and measured."""

    collections: tuple[Collection, ...]
    policy: Policy
    tier: Tier
    first_stage: str
    session: Session
    cautions: tuple[str, ...]
    against: Workspace | None = None
    """Another workspace, which has the anchor's stored results; None where the session's has them."""

    @property
    def reference(self) -> Workspace:
        """The workspace that stored anchors and what was accepted are looked up in."""
        return self.against or self.session.workspace

    @property
    def whole(self) -> tuple[str, ...]:
        """Fingerprints of the whole collections."""
        return tuple(sorted({one.part_of or one.fingerprint for one in self.collections}))

    def measures_of(self, collections: Sequence[Collection]) -> dict[str, str]:
        """The primary measure of each collection in its canonical spelling, by fingerprint."""
        named = {one.fingerprint: self.policy.measure or one.rules.main_measure for one in collections}
        return {key: PAIRED_MEASURE if is_paired(name) else str(parse(name)) for key, name in named.items()}

    @property
    def measure(self) -> str:
        """The name of the primary endpoint."""
        found = sorted(set(self.measures_of(self.collections).values()))
        return found[0] if len(found) == 1 else f"{MIXED} ({', '.join(found)})"

    def system(self, spec: str) -> System:
        """The system that a spec names: a reranker, or the first stage itself.

        Raises:
            HarnessError: it cannot be opened.
        """
        reranker = [] if spec == self.first_stage else [spec]
        return systems(self.first_stage, reranker, self.policy.depth, self.session.workspace)[-1]

    def run(self, system: System) -> list[Evaluation]:
        """Evaluate a system; what is known costs nothing."""
        measures = [self.policy.measure] if self.policy.measure else []
        return list(experiment(self.collections, [system], measures, self.session))


def staged(
    collections: Sequence[Collection],
    policy: Policy,
    first_stage: str,
    session: Session,
    *,
    tier: Tier = "gate",
    sample: int | None = None,
    without: frozenset[str] = frozenset(),
    against: Workspace | None = None,
) -> Stage:
    """Take the tier's part of whole collections, then a sample of the part: a query has its tier for good, whatever the
    size of a sample.

    Args:
        without: texts of queries that are left out, because another tier has them from another collection.
        against: another workspace, which has the anchor's stored results.

    Raises:
        UsageError: no collections, or the policy gives the tier nothing.
        DataError: a collection has too few queries.
    """
    if not collections:
        raise UsageError("name what to run on, as targets or in the policy: targets = [...]")
    taken, cautions = [], []
    for whole in collections:
        found, assignment = part(whole, tier, policy.splits, collections)
        found = leave_out(found, without)
        taken.append(sample_queries(found, sample) if sample else found)
        if not assignment.clustered:
            cautions.append(
                f"{whole.name}: queries of different tiers share relevant documents; too many do to part them"
            )
    return Stage(tuple(taken), policy, tier, first_stage, session, tuple(cautions), against)


def leave_out(collection: Collection, texts: frozenset[str]) -> Collection:
    """The collection without the queries of these texts; it is still a part of the same whole."""
    kept = [row for row, text in enumerate(collection.queries) if text not in texts]
    return with_queries(collection, np.array(kept, np.int64))


def split_of(candidates: Mapping[str, str]) -> str:
    """12 hex digits over queries and candidates: digests of candidates by the fingerprint of their collection."""
    return digest(candidates)[:12]

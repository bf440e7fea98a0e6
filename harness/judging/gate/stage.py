"""The setting of a gate: the queries of one tier, a policy and a first stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from harness.checks.robustness import Battery
from harness.data.collection import Collection, sample_queries, with_queries
from harness.data.suites.table import PAIRED_MEASURE
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.splits import part
from harness.measuring.measures import parse
from harness.result.evaluation import Evaluation
from harness.result.facts import CollectionFacts
from harness.running.experiment import experiment
from harness.scoring.ground import is_paired
from harness.scoring.session import Session
from harness.scoring.system import System, systems
from harness.workspace import Workspace

MIXED = "main measures"
"""The name of the primary endpoint if collections have different main measures."""


@dataclass(frozen=True)
class Stage:
    """The collections of one tier, and how they are searched and measured."""

    collections: tuple[Collection, ...]
    policy: Policy
    tier: Tier
    first_stage: str
    session: Session
    cautions: tuple[str, ...]
    against: Workspace | None = None
    """Another workspace with the anchor's stored results; None if the session's workspace has them."""

    @property
    def reference(self) -> Workspace:
        """The workspace with the stored anchors and accepted systems."""
        return self.against or self.session.workspace

    @property
    def whole(self) -> tuple[str, ...]:
        """The fingerprints of the whole collections, and of the published ones that label versions belong to. Looks
        count together if they share one: a label version has the same queries."""
        own = {one.part_of or one.fingerprint for one in self.collections}
        return tuple(sorted(own | {one.labels_of for one in self.collections if one.labels_of}))

    def measures_of(self, collections: Sequence[Collection | CollectionFacts]) -> dict[str, str]:
        """Return the canonical name of the primary measure of each collection, by fingerprint."""
        named = {one.fingerprint: self.policy.measure or one.rules.main_measure for one in collections}
        return {key: PAIRED_MEASURE if is_paired(name) else str(parse(name)) for key, name in named.items()}

    @property
    def measure(self) -> str:
        """The name of the primary endpoint."""
        found = sorted(set(self.measures_of(self.collections).values()))
        return found[0] if len(found) == 1 else f"{MIXED} ({', '.join(found)})"

    def system(self, spec: str) -> System:
        """Return the system that a spec names: a reranker, or the first stage itself.

        Raises:
            HarnessError: the model cannot be opened.
        """
        reranker = [] if spec == self.first_stage else [spec]
        return systems(self.first_stage, reranker, self.policy.depth, self.session.workspace)[-1]

    def run(self, system: System) -> list[Evaluation]:
        """Evaluate a system, and store the results. Pairs in the ledger cost nothing."""
        return list(experiment(self.collections, [system], self._measures, self.session))

    def measured(self, system: System, battery: Battery | None = None) -> list[Evaluation]:
        """Evaluate a system without storing its values. They can only be seen once their look is counted.

        Args:
            battery: the attacks to try. Default: none.
        """
        running = experiment(self.collections, [system], self._measures, self.session, store=False, battery=battery)
        return list(running)

    @property
    def _measures(self) -> list[str]:
        return [self.policy.measure] if self.policy.measure else []


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
    """Return the tier's part of whole collections, or a sample of that part. The tier of a query does not depend on the
    size of the sample.

    Args:
        without: texts of queries to leave out, because another tier has them from another collection. Default: none.
        against: another workspace with the anchor's stored results. Default: the workspace of the session.

    Raises:
        UsageError: there are no collections, or the policy gives the tier no queries.
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
                f"{whole.name}: queries of different tiers share relevant documents; too many do to separate them"
            )
    return Stage(tuple(taken), policy, tier, first_stage, session, tuple(cautions), against)


def leave_out(collection: Collection, texts: frozenset[str]) -> Collection:
    """Return the collection without the queries with these texts. It is still a part of the same whole collection."""
    kept = [row for row, text in enumerate(collection.queries) if text not in texts]
    return with_queries(collection, np.array(kept, np.int64))


def split_of(candidates: Mapping[str, str]) -> str:
    """Return 12 hex digits over queries and candidates.

    Args:
        candidates: digests of the candidates, by fingerprint of the collection.
    """
    return digest(candidates)[:12]

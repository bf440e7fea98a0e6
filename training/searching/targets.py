"""The queries of a search: dev, and the gate's if there is a policy. Never a split that judges."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness.api import collections_of, first_stage_of
from harness.data.collection import Collection
from harness.judging.gate.policy import Policy, read_policy
from harness.judging.gate.stage import Stage
from harness.scoring.session import Session
from training.adapting.deciding import check_stage
from training.adapting.targets import AdaptTargets, Tiers, refuse_judging, tiers_of
from training.searching.config import SearchConfig
from training.validating.leak import KnownQueries

_CHOSEN = "a merge"


@dataclass(frozen=True)
class SearchTargets:
    """Where merges are chosen, and where the winner is judged."""

    dev: Stage
    tiers: Tiers | None
    """None without a policy."""

    @property
    def known(self) -> list[KnownQueries]:
        """The queries that no ingredient may have been trained on: those of dev and of the gate."""
        parts: list[Collection] = [*self.dev.collections, *(self.tiers.gate.collections if self.tiers else ())]
        return [KnownQueries(one.name, one.split, list(one.queries)) for one in parts]

    def describe(self) -> dict[str, object]:
        """Everything about the queries that the result depends on, as plain values."""
        dev, policy = self.dev, asdict(self.tiers.gate.policy) if self.tiers else None
        gate = [one.fingerprint for one in self.tiers.gate.collections] if self.tiers else []
        return {
            "dev": [one.fingerprint for one in dev.collections], "gate": gate, "first_stage": dev.first_stage,
            "depth": dev.policy.depth, "measure": dev.measure, "policy": policy,
        }  # fmt: skip


def targets_of(config: SearchConfig, out: Path, session: Session) -> SearchTargets:
    """Load the queries of a search. `dev.collection` must be set.

    Raises:
        UsageError: a target is unknown, dev judges, dev and gate share too many queries, or the gate's queries
            are too few or spent.
        DataError: a collection has errors or too few queries.
    """
    wanted, places = config.dev, AdaptTargets(str(config.dev.collection), config.dev.split, config.gate.split)
    policy = _policy(config)
    if config.gate.policy is None:
        loaded = collections_of(
            [places.dev], session.workspace, split=wanted.split, languages=policy.languages, parallel=wanted.parallel,
            tell=session.reporter.note,
        )  # fmt: skip
        first = policy.first_stage or first_stage_of(loaded)
        stage = Stage(tuple(loaded), policy, "dev", first, session, ())
        refuse_judging(stage, _CHOSEN, with_policy=False)
        return SearchTargets(stage, None)
    tiers = tiers_of(replace(places, parallel=wanted.parallel), policy, session)
    refuse_judging(tiers.dev, _CHOSEN, with_policy=True)
    check_stage(tiers.gate, out)
    return SearchTargets(tiers.dev, tiers)


def _policy(config: SearchConfig) -> Policy:
    wanted = config.dev
    policy = (Policy() if config.gate.policy is None else read_policy(config.gate.policy)).overridden(
        first_stage=wanted.first_stage, depth=wanted.depth, measure=wanted.measure, languages=wanted.languages
    )
    return replace(policy, looks=replace(policy.looks, release=config.gate.release)) if config.gate.release else policy

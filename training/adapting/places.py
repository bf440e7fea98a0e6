"""Where an adaptation is measured: which queries are dev, gate, final and source, and that nothing is chosen on the
queries that judge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from adapters.errors import UsageError
from harness.api import collections_of, first_stage_of
from harness.bench import Bench
from harness.collection import Collection
from harness.gate.policy import Policy, Splits
from harness.gate.splits import part
from harness.gate.stage import Stage, staged

_SHOWN = 60
"""Characters of a query that a message quotes."""


@dataclass(frozen=True)
class Places:
    """Targets as the user names them; what the gate is held on, the policy names."""

    dev: str
    dev_split: str | None = None
    gate_split: str | None = None
    """None: the split of dev where the gate's target is the target of dev."""
    final: str | None = None
    """None: the final tier of the gate's targets."""
    final_split: str | None = None
    source: str | None = None
    """The domain that the base comes from, to see what was forgotten."""


@dataclass(frozen=True)
class Tiers:
    """The queries of every tier. `dev`, `gate` and `final` have no query text in common."""

    dev: Stage
    gate: Stage
    final: Stage
    source: Stage | None
    gate_whole: tuple[Collection, ...]
    """As `harness.gate.gate.gate` takes them, with the policy of `gate`."""
    final_whole: tuple[Collection, ...]
    """The same for the policy of `final`."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All of them."""
        return (self.dev, self.gate, self.final, *((self.source,) if self.source else ()))

    def describe(self) -> dict[str, object]:
        """What the numbers depend on, as plain values."""
        named = {"dev": self.dev, "gate": self.gate, "final": self.final, "source": self.source}
        prints = {key: [one.fingerprint for one in stage.collections] if stage else [] for key, stage in named.items()}
        return {"queries": prints, "first_stage": self.gate.first_stage, "depth": self.gate.policy.depth}


def tiers_of(places: Places, policy: Policy, bench: Bench) -> Tiers:
    """Load every target and deal out its queries.

    A dev collection that is also the gate's is used in its tier dev, any other one whole. A final target of its own is
    used whole.

    Raises:
        UsageError: a target is unknown, the policy gives a tier nothing, or a query text stands in two tiers.
        DataError: a collection cannot be trusted or has too few queries.
    """
    dev = _loaded([places.dev], places.dev_split, policy, bench)
    gate = _gate(places, policy, bench)
    final = gate if places.final is None else _loaded([places.final], places.final_split, policy, bench)
    final_policy = policy if places.final is None else replace(policy, splits=Splits(0.0, 0.0, 1.0))
    source = _loaded([places.source], None, replace(policy, languages=()), bench) if places.source else []
    first = policy.first_stage or first_stage_of([*dev, *gate, *final, *source])
    found = Tiers(
        dev=Stage(tuple(_dev_part(one, gate, policy) for one in dev), policy, "dev", first, bench, ()),
        gate=staged(gate, policy, first, bench, tier="gate"),
        final=staged(final, final_policy, first, bench, tier="final"),
        source=Stage(tuple(source), policy, "dev", first, bench, ()) if source else None,
        gate_whole=tuple(gate),
        final_whole=tuple(final),
    )
    refuse_shared_queries(found)
    return found


def refuse_shared_queries(tiers: Tiers) -> None:
    """What is chosen on a query must not be judged on it, under whatever id it stands.

    Raises:
        UsageError: a text stands in two of dev, gate and final.
    """
    named = {"dev": _texts(tiers.dev), "gate": _texts(tiers.gate), "final": _texts(tiers.final)}
    for one, other in (("dev", "gate"), ("dev", "final"), ("gate", "final")):
        shared = sorted(named[one] & named[other])
        if shared:
            raise UsageError(
                f"{one} and {other} have {len(shared):,} of their queries in common, such as '{shared[0][:_SHOWN]}': "
                "what is chosen on a query cannot be judged on it; name other collections or splits, or deal the "
                "queries out anew with another salt in the policy's [splits]"
            )


def _texts(stage: Stage) -> set[str]:
    return {plain(text) for one in stage.collections for text in one.queries}


def plain(text: str) -> str:
    """A query without what does not make it another one: case and white space."""
    return " ".join(text.casefold().split())


def _gate(places: Places, policy: Policy, bench: Bench) -> list[Collection]:
    if not policy.targets:
        return _loaded([places.dev], places.gate_split or places.dev_split, policy, bench)
    found: list[Collection] = []
    for target in policy.targets:
        own = places.dev_split if target == places.dev else None
        found += _loaded([target], places.gate_split or own, policy, bench)
    return _each_once(found)


def _loaded(targets: Sequence[str], split: str | None, policy: Policy, bench: Bench) -> list[Collection]:
    return collections_of(targets, bench.workspace, split=split, languages=policy.languages)


def _each_once(collections: Iterable[Collection]) -> list[Collection]:
    return list({one.fingerprint: one for one in collections}.values())


def _dev_part(collection: Collection, gate: Sequence[Collection], policy: Policy) -> Collection:
    if collection.fingerprint not in {one.fingerprint for one in gate}:
        return collection
    return part(collection, "dev", policy.splits)[0]

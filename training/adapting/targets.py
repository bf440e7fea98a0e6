"""Where an adaptation is measured: which queries are dev, gate, final and source, and that nothing is chosen on the
queries that judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from adapters.errors import UsageError
from harness.api import collections_of, first_stage_of
from harness.data.collection import Collection
from harness.judging.gate.policy import Policy, Splits
from harness.judging.gate.splits import part
from harness.judging.gate.stage import Stage, leave_out, staged
from harness.scoring.session import Session
from training.adapting.config import AdaptEvaluation

_SHOWN = 60
"""Characters of a query that a message quotes."""
_MOST_SHARED = 0.1
"""Of a collection's queries that another tier may have too; with more the tiers are not different ones."""


@dataclass(frozen=True)
class AdaptTargets:
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
    parallel: bool | None = None
    """Whether the collections of a set ask the same questions, whatever is declared; see `harness.data.parallel`."""


def places_of(evaluation: AdaptEvaluation) -> AdaptTargets:
    """What a configuration says of the targets. Its dev collection is set."""
    return AdaptTargets(**{one.name: getattr(evaluation, one.name) for one in fields(evaluation)})


@dataclass(frozen=True)
class Tiers:
    """The queries of every tier. `dev`, `gate` and `final` have no query text in common."""

    dev: Stage
    gate: Stage
    final: Stage
    source: Stage | None
    gate_whole: tuple[Collection, ...]
    """As `harness.judging.gate.gate.gate` takes them, with the policy of `gate`."""
    final_whole: tuple[Collection, ...]
    """The same for the policy of `final`."""
    left_out: frozenset[str] = frozenset()
    """Texts of queries of the gate's part that the final split has too. The gate is held without them."""
    told: tuple[str, ...] = ()
    """How many queries were left out of which tier."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All of them."""
        return (self.dev, self.gate, self.final, *((self.source,) if self.source else ()))

    def describe(self) -> dict[str, object]:
        """What the numbers depend on, as plain values."""
        named = {"dev": self.dev, "gate": self.gate, "final": self.final, "source": self.source}
        prints = {key: [one.fingerprint for one in stage.collections] if stage else [] for key, stage in named.items()}
        return {"queries": prints, "first_stage": self.gate.first_stage, "depth": self.gate.policy.depth}


def tiers_of(places: AdaptTargets, policy: Policy, session: Session) -> Tiers:
    """Load every target and deal out its queries.

    A dev collection that is also the gate's is used in its tier dev, any other one whole. A final target of its own is
    used whole.

    Raises:
        UsageError: a target is unknown, the policy gives a tier nothing, or two tiers share too many query texts.
        DataError: a collection cannot be trusted or has too few queries.
    """
    dev = _loaded([places.dev], places.dev_split, policy, session, places.parallel)
    gate = _gate(places, policy, session)
    final = (
        gate if places.final is None else _loaded([places.final], places.final_split, policy, session, places.parallel)
    )
    final_policy = policy if places.final is None else replace(policy, splits=Splits(0.0, 0.0, 1.0))
    anywhere = replace(policy, languages=())
    source = _loaded([places.source], None, anywhere, session, places.parallel) if places.source else []
    first = policy.first_stage or first_stage_of([*dev, *gate, *final, *source])
    found = Tiers(
        dev=Stage(tuple(_dev_part(one, gate, policy) for one in dev), policy, "dev", first, session, ()),
        gate=staged(gate, policy, first, session, tier="gate"),
        final=staged(final, final_policy, first, session, tier="final"),
        source=Stage(tuple(source), policy, "dev", first, session, ()) if source else None,
        gate_whole=tuple(gate),
        final_whole=tuple(final),
    )
    return parted(found)


def parted(tiers: Tiers) -> Tiers:
    """What is chosen on a query must not be judged on it, under whatever id it stands: what the final split has is left
    out of the gate, and what either has is left out of dev. The final split stays whole.

    Raises:
        UsageError: a collection shares more than a tenth of its queries with a later tier.
    """
    gate, left_out, of_gate = _without(tiers.gate, {"final": tiers.final})
    dev, _, of_dev = _without(tiers.dev, {"gate": gate, "final": tiers.final})
    return replace(tiers, dev=dev, gate=gate, left_out=left_out, told=(*of_gate, *of_dev))


def _without(stage: Stage, later: Mapping[str, Stage]) -> tuple[Stage, frozenset[str], list[str]]:
    """The stage without what later ones have, the texts that went, and what has to be told of it."""
    known = {plain(text): tier for tier, other in later.items() for one in other.collections for text in one.queries}
    left_out, told = set[str](), []
    for one in stage.collections:
        shared = [text for text in one.queries if plain(text) in known]
        if len(shared) > _MOST_SHARED * len(one.queries):
            raise UsageError(
                f"{one.name}: {len(shared):,} of the {len(one.queries):,} queries of {stage.tier} stand in "
                f"{known[plain(shared[0])]} too, such as '{shared[0][:_SHOWN]}': what is chosen on a query cannot be "
                "judged on it; name other collections or splits"
            )
        if shared:
            told.append(
                f"{one.name}: {len(shared):,} of {len(one.queries):,} queries of {stage.tier} stand in "
                f"{' or '.join(later)} too and were left out"
            )
        left_out.update(shared)
    texts = frozenset(left_out)
    return replace(stage, collections=tuple(leave_out(one, texts) for one in stage.collections)), texts, told


def plain(text: str) -> str:
    """A query without what does not make it another one: case and white space."""
    return " ".join(text.casefold().split())


def _gate(places: AdaptTargets, policy: Policy, session: Session) -> list[Collection]:
    if not policy.targets:
        return _loaded([places.dev], places.gate_split or places.dev_split, policy, session, places.parallel)
    by_split: dict[str | None, list[str]] = {}
    for target in policy.targets:
        own = places.dev_split if target == places.dev else None
        by_split.setdefault(places.gate_split or own, []).append(target)
    loaded = (_loaded(named, split, policy, session, places.parallel) for split, named in by_split.items())
    return _each_once(one for all_of in loaded for one in all_of)


def _loaded(
    targets: Sequence[str], split: str | None, policy: Policy, session: Session, parallel: bool | None
) -> list[Collection]:
    tell, languages = session.reporter.note, policy.languages
    return collections_of(targets, session.workspace, split=split, languages=languages, parallel=parallel, tell=tell)


def _each_once(collections: Iterable[Collection]) -> list[Collection]:
    return list({one.fingerprint: one for one in collections}.values())


def _dev_part(collection: Collection, gate: Sequence[Collection], policy: Policy) -> Collection:
    if collection.fingerprint not in {one.fingerprint for one in gate}:
        return collection
    return part(collection, "dev", policy.splits, gate)[0]

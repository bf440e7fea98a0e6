"""The queries that an adaptation is measured on: dev, gate, final and source. Checkpoints are never chosen on queries
that judge them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from adapters.errors import UsageError
from harness.api import collections_of, first_stage_of
from harness.data.collection import Collection
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import Policy, Splits
from harness.judging.gate.splits import part
from harness.judging.gate.stage import Stage, leave_out, staged
from harness.scoring.session import Session
from training.adapting.config import AdaptEvaluation

JUDGING_SPLITS = ("test", "final")
"""The splits that judge checkpoints."""
_SHOWN = 60
"""The number of characters of a query in a message."""
_MOST_SHARED = 0.1
"""The largest share of a collection's queries that may also be in another tier."""


@dataclass(frozen=True)
class AdaptTargets:
    """The targets that the user names. The policy names the targets of the gate."""

    dev: str
    dev_split: str | None = None
    gate_split: str | None = None
    """None for the split of dev, if the gate's target is that of dev."""
    final: str | None = None
    """None for the final tier of the gate's targets."""
    final_split: str | None = None
    source: str | None = None
    """A collection of the base's own domain, to measure how much it forgets."""
    parallel: bool | None = None
    """Whether the collections of a set ask the same questions; None as declared or detected, see
    `harness.data.parallel`."""


def places_of(evaluation: AdaptEvaluation) -> AdaptTargets:
    """The targets of a configuration. `dev` must be set."""
    return AdaptTargets(**{one.name: getattr(evaluation, one.name) for one in fields(evaluation)})


@dataclass(frozen=True)
class Tiers:
    """The queries of each tier. `dev`, `gate` and `final` have no query text in common."""

    dev: Stage
    gate: Stage
    final: Stage
    source: Stage | None
    gate_whole: tuple[Collection, ...]
    """The whole collections for `harness.judging.gate.gate.gate`, with the policy of `gate`."""
    final_whole: tuple[Collection, ...]
    """The same with the policy of `final`."""
    left_out: frozenset[str] = frozenset()
    """Texts of the gate's queries that are also in the final split. The gate does not use them."""
    notes: tuple[str, ...] = ()
    """Remarks about queries that were left out of a tier."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All tiers."""
        return (self.dev, self.gate, self.final, *((self.source,) if self.source else ()))

    def describe(self) -> dict[str, object]:
        """Everything about the tiers that the results depend on, as plain values."""
        named = {"dev": self.dev, "gate": self.gate, "final": self.final, "source": self.source}
        prints = {key: [one.fingerprint for one in stage.collections] if stage else [] for key, stage in named.items()}
        return {"queries": prints, "first_stage": self.gate.first_stage, "depth": self.gate.policy.depth}


def tiers_of(places: AdaptTargets, policy: Policy, session: Session) -> Tiers:
    """Load all targets and assign their queries to tiers.

    If a dev collection is also the gate's, its dev tier is used; otherwise the whole collection. A separate final
    target is used whole.

    Raises:
        UsageError: a target is unknown, a tier of the policy is empty, or two tiers share too many query texts.
        DataError: a collection has errors or too few queries.
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
    tiers = Tiers(
        dev=Stage(tuple(_dev_part(one, gate, policy) for one in dev), policy, "dev", first, session, ()),
        gate=staged(gate, policy, first, session, tier="gate"),
        final=staged(final, final_policy, first, session, tier="final"),
        source=Stage(tuple(source), policy, "dev", first, session, ()) if source else None,
        gate_whole=tuple(gate),
        final_whole=tuple(final),
    )
    return parted(tiers)


def parted(tiers: Tiers) -> Tiers:
    """Remove repeated query texts, under any id, so that no query both chooses and judges: texts of the final split are
    left out of the gate, and texts of both are left out of dev. The final split does not change.

    Raises:
        UsageError: a collection shares more than a tenth of its queries with a later tier.
    """
    gate, left_out, of_gate = _without(tiers.gate, {"final": tiers.final})
    dev, _, of_dev = _without(tiers.dev, {"gate": gate, "final": tiers.final})
    return replace(tiers, dev=dev, gate=gate, left_out=left_out, notes=(*of_gate, *of_dev))


def _without(stage: Stage, later: Mapping[str, Stage]) -> tuple[Stage, frozenset[str], list[str]]:
    """The stage without the queries of later stages, the removed texts, and remarks about them."""
    tier_by_text = {
        plain(text): tier for tier, other in later.items() for one in other.collections for text in one.queries
    }
    left_out, notes = set[str](), []
    for one in stage.collections:
        shared = [text for text in one.queries if plain(text) in tier_by_text]
        if len(shared) > _MOST_SHARED * len(one.queries):
            raise UsageError(
                f"{one.name}: {len(shared):,} of the {len(one.queries):,} queries of {stage.tier} occur in "
                f"{tier_by_text[plain(shared[0])]} too, such as '{shared[0][:_SHOWN]}': queries that choose cannot "
                "judge; name other collections or splits"
            )
        if shared:
            notes.append(
                f"{one.name}: {len(shared):,} of {len(one.queries):,} queries of {stage.tier} occur in "
                f"{' or '.join(later)} too and were left out"
            )
        left_out.update(shared)
    texts = frozenset(left_out)
    return replace(stage, collections=tuple(leave_out(one, texts) for one in stage.collections)), texts, notes


def plain(text: str) -> str:
    """A query without differences in case and white space."""
    return " ".join(text.casefold().split())


def _gate(places: AdaptTargets, policy: Policy, session: Session) -> list[Collection]:
    if not policy.targets:
        return _loaded([places.dev], places.gate_split or places.dev_split, policy, session, places.parallel)
    by_split: dict[str | None, list[str]] = {}
    for target in policy.targets:
        split = places.dev_split if target == places.dev else None
        by_split.setdefault(places.gate_split or split, []).append(target)
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


def refuse_judging(dev: Stage, chosen: str, *, with_policy: bool) -> None:
    """Refuse dev queries that judge a checkpoint: those of the splits test and final, and those that a gate has judged
    checkpoints on. A part that a policy's [splits] keep as dev is not refused.

    Args:
        chosen: what is chosen on dev, in words.
        with_policy: whether dev is the dev tier of a policy, so that a gate may have judged on other parts.

    Raises:
        UsageError: a collection judges.
    """
    for one in dev.collections:
        if one.part_of is None and one.split in JUDGING_SPLITS:
            raise UsageError(
                f"{one.name}: the split '{one.split}' judges a checkpoint and cannot choose {chosen}; name another "
                "split with --dev-split, or a policy with --policy, whose [splits] keep a part of these queries as dev"
            )
    for look in () if with_policy else LookLog(dev.session.workspace.results).all():
        if look.tier != "dev" and set(look.collections) & set(dev.whole):
            raise UsageError(
                f"a gate has judged checkpoints on these queries ({look.id}); name its policy with --policy, to use "
                "only its dev tier"
            )

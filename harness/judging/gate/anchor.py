"""The anchor: the system that a candidate is compared with. It is the best accepted system or a fixed release, not the
previous checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.errors import HarnessError, UsageError
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import BEST_ACCEPTED
from harness.judging.gate.restemmed import refuse_accepted, refuse_named
from harness.judging.gate.robust import battery
from harness.judging.gate.stage import Stage, split_of
from harness.result.evaluation import Evaluation
from harness.result.places import some
from harness.result.select import Named, system_named
from harness.result.store import Results
from harness.result.stored import Stored
from harness.scoring.system import System
from harness.workspace import Workspace


@dataclass(frozen=True)
class Anchor:
    """The anchor's evaluations, from the store or of this gate."""

    name: str
    stored: Mapping[str, Stored]
    """By fingerprint of the collection; empty if the anchor was evaluated by this gate."""
    caution: tuple[str, ...] = ()
    fresh: tuple[Evaluation, ...] = ()
    """The evaluations of this gate, which are not stored yet."""


@dataclass(frozen=True)
class NamedAnchor:
    """The named anchor, before anything is scored."""

    name: str
    system: System | None
    """None if the anchor is looked up in the store."""
    refusal: HarnessError | None = None
    """Why it could not be opened."""


def wanted(stage: Stage, looks: LookLog) -> NamedAnchor:
    """Open the anchor before scoring, so that a gate without an anchor costs nothing. An anchor in another workspace is
    not opened; its stored results are used.

    Args:
        looks: the looks of the workspace that has the anchor.

    Raises:
        UsageError: the best accepted system is wanted and none was accepted; the other workspace does not have the
            anchor; or its stored results are on candidates of a BM25 with another language.
        HarnessError: the anchor cannot be opened and is not in the store.
    """
    name = stage.policy.anchor
    if name == BEST_ACCEPTED:
        if not looks.accepted():
            raise UsageError(
                f"no system has been accepted in {_there(stage)} yet; name the first anchor with --anchor, and use "
                "--accept to accept a pass"
            )
        refuse_accepted(stage, looks)
        return NamedAnchor(name, None)
    if stage.against is not None:
        refuse_named(stage, name, _named(stage, name).evaluations)
        return NamedAnchor(name, None)
    try:
        return NamedAnchor(name, stage.system(name))
    except HarnessError as refusal:
        try:
            known = _named(stage, name)
        except UsageError:
            raise refusal from None
        refuse_named(stage, name, known.evaluations)
        return NamedAnchor(name, None, refusal)


def found(stage: Stage, anchor: NamedAnchor, candidates: Mapping[str, str], looks: LookLog) -> Anchor:
    """Return the anchor's evaluations on these candidates, from a run or from the store; see `stored`.

    Raises:
        UsageError: no accepted system was measured on these queries.
        HarnessError: the anchor cannot be opened, and the store does not have it on these queries.
    """
    if anchor.system is not None:
        tried = battery(stage.policy.robustness, anchor=True)
        return _warned(stage, Anchor(anchor.name, {}, fresh=tuple(stage.measured(anchor.system, tried))))
    return stored(stage, anchor, candidates, looks)


def stored(stage: Stage, anchor: NamedAnchor, candidates: Mapping[str, str], looks: LookLog) -> Anchor:
    """Return the anchor from the store, on these candidates.

    Args:
        candidates: digests of the candidates, by fingerprint of the collection.

    Raises:
        UsageError: no accepted system was measured on these queries, or the other workspace does not have the anchor on
            them.
        HarnessError: the anchor cannot be opened, and the store does not have it on these queries.
    """
    if anchor.name != BEST_ACCEPTED:
        return _warned(stage, _newest(stage, anchor, candidates))
    best = looks.best(split_of(candidates), stage.measure)
    if best is None:
        raise UsageError(
            f"no accepted system was measured by {stage.measure} on these queries and candidates; name one with "
            f"--anchor: {', '.join(looks.accepted())}"
        )
    found = by_collection(stage.reference, best.evaluations)
    refuse_named(stage, best.name, found.values())
    return _warned(stage, Anchor(best.name, found))


def by_collection(workspace: Workspace, ids: Sequence[str]) -> dict[str, Stored]:
    """Return stored evaluations by fingerprint of the collection."""
    with Results(workspace.results) as results:
        return {one.collection.fingerprint: one for one in map(results.find, ids)}


def _warned(stage: Stage, anchor: Anchor) -> Anchor:
    """Return the anchor with cautions about imported values that are known to be wrong, on any collection, because a
    tier has only parts of collections."""
    with Results(stage.reference.results) as results:
        known = [f"the anchor on {one.collection.name}: {one.wrong}" for one in results.all() if _is_wrong(one, anchor)]
    return replace(anchor, caution=(*anchor.caution, *dict.fromkeys(known)))


def _is_wrong(stored: Stored, anchor: Anchor) -> bool:
    return stored.system == anchor.name and stored.wrong is not None


def _named(stage: Stage, name: str) -> Named:
    """Return the anchor among the stored systems over the gate's first stage."""
    with Results(stage.reference.results) as results:
        everything = list(results.all())
    try:
        return system_named(name, everything)
    except UsageError as error:
        raise UsageError(f"{_there(stage)}: {error}" if stage.against else str(error)) from None


def _newest(stage: Stage, anchor: NamedAnchor, candidates: Mapping[str, str]) -> Anchor:
    """Return the newest evaluations with the name. Missing collections are found by the integrity check."""
    named = _named(stage, anchor.name)
    kept = {
        one.collection.fingerprint: one
        for one in named.evaluations
        if candidates.get(one.collection.fingerprint) == one.candidates
    }
    if kept:
        name = next(iter(kept.values())).system
        why = f"the anchor cannot be opened ({anchor.refusal}); its stored numbers are used"
        return Anchor(name, kept, () if anchor.refusal is None else (why,))
    if anchor.refusal is not None:
        raise anchor.refusal
    has = dict.fromkeys(_described(one) for one in named.evaluations)
    raise UsageError(
        f"{_there(stage)} has '{named.label}' on other queries or candidates than this gate: {some(list(has))}; run "
        "the gate there with the same targets, first stage, depth and tier"
    )


def _described(stored: Stored) -> str:
    place = stored.collection.key.place
    return f"{place.name} ({place.fingerprint[:12]}) over {stored.first_stage} at depth {stored.depth}"


def _there(stage: Stage) -> str:
    return "this workspace" if stage.against is None else f"the workspace '{stage.against.path}'"

"""The anchor: what a candidate is held against. The best that was accepted or a fixed release, never the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.errors import HarnessError, UsageError
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import BEST_ACCEPTED
from harness.judging.gate.restemmed import refuse_accepted, refuse_named
from harness.judging.gate.stage import Stage, split_of
from harness.result.evaluation import Evaluation
from harness.result.store import Results
from harness.result.stored import Stored
from harness.scoring.system import System


@dataclass(frozen=True)
class Anchor:
    """The anchor's evaluations, by the fingerprint of their collection."""

    name: str
    stored: Mapping[str, Stored]
    caution: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """An anchor that was named, before anything is scored."""

    name: str
    system: System | None
    """None where it is looked up in the store."""
    refusal: HarnessError | None = None
    """Why it could not be opened."""


def wanted(stage: Stage, looks: LookLog) -> Wanted:
    """Open the anchor early, so that a gate without one costs nothing.

    Raises:
        UsageError: the best accepted system is wanted, and none was ever accepted; or what is stored of the anchor
            rests on candidates of a BM25 with another language.
        HarnessError: the anchor cannot be opened, and the store does not have it either.
    """
    name = stage.policy.anchor
    if name == BEST_ACCEPTED:
        if not looks.accepted():
            raise UsageError(
                "no system has been accepted in this workspace yet; name the first anchor with --anchor, and give "
                "--accept to keep a pass"
            )
        refuse_accepted(stage, looks)
        return Wanted(name, None)
    try:
        return Wanted(name, stage.system(name))
    except HarnessError as refusal:
        with Results(stage.bench.workspace.results) as results:
            known = [one for one in results.all() if one.system == name]
        if not known:
            raise
        refuse_named(stage, name, known)
        return Wanted(name, None, refusal)


def found(stage: Stage, anchor: Wanted, ours: Sequence[Evaluation], looks: LookLog) -> Anchor:
    """The anchor's evaluations on the candidate's queries and candidates: of a run, or of the store.

    Raises:
        UsageError: no accepted system was measured on these queries.
        HarnessError: the anchor cannot be opened, and the store does not have it on these queries.
    """
    if anchor.system is not None:
        return _warned(stage, Anchor(anchor.name, by_collection(stage, [one.id for one in stage.run(anchor.system)])))
    return stored(stage, anchor, {one.collection.fingerprint: one.run.candidates for one in ours}, looks)


def stored(stage: Stage, anchor: Wanted, candidates: Mapping[str, str], looks: LookLog) -> Anchor:
    """The anchor of the store, on these candidates (digests, by the fingerprint of their collection).

    Raises:
        UsageError: no accepted system was measured on these queries.
        HarnessError: the anchor cannot be opened, and the store does not have it on these queries.
    """
    if anchor.refusal is not None:
        return _warned(stage, _newest(stage, anchor.name, anchor.refusal, candidates))
    best = looks.best(split_of(candidates), stage.measure)
    if best is None:
        raise UsageError(
            f"no accepted system was measured by {stage.measure} on these queries and candidates; name one with "
            f"--anchor: {', '.join(looks.accepted())}"
        )
    found = by_collection(stage, best.evaluations)
    refuse_named(stage, best.name, found.values())
    return _warned(stage, Anchor(best.name, found))


def _warned(stage: Stage, anchor: Anchor) -> Anchor:
    """With what is known against imported values of the anchor, on whichever collection: a tier has parts of them."""
    with Results(stage.bench.workspace.results) as results:
        known = [f"the anchor on {one.collection.name}: {one.wrong}" for one in results.all() if _is_wrong(one, anchor)]
    return replace(anchor, caution=(*anchor.caution, *dict.fromkeys(known)))


def _is_wrong(stored: Stored, anchor: Anchor) -> bool:
    return stored.system == anchor.name and stored.wrong is not None


def by_collection(stage: Stage, ids: Sequence[str]) -> dict[str, Stored]:
    """Stored evaluations by the fingerprint of their collection."""
    with Results(stage.bench.workspace.results) as results:
        return {one.collection.fingerprint: one for one in map(results.find, ids)}


def _newest(stage: Stage, name: str, refusal: HarnessError, candidates: Mapping[str, str]) -> Anchor:
    """The newest evaluations of that name; collections that are missing are the integrity check's to find."""
    with Results(stage.bench.workspace.results) as results:
        kept = {
            one.collection.fingerprint: one
            for one in results.all()
            if one.system == name and candidates.get(one.collection.fingerprint) == one.candidates
        }
    if not kept:
        raise refusal
    return Anchor(name, kept, (f"the anchor cannot be opened ({refusal}); its stored numbers are used",))

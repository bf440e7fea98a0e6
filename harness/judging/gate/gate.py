"""The steps of a gate: the queries of a tier, candidate, anchor, differences, the rule, and the stored look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from adapters.errors import ModelError, UsageError
from adapters.known_digests import read_again
from adapters.lineage import folders_of
from harness.checks import seen
from harness.checks.memory import watched
from harness.data.collection import Collection
from harness.judging.compare.paired import weights
from harness.judging.gate import anchor as anchors
from harness.judging.gate.blockwise import Stopped
from harness.judging.gate.claims import PartClaim
from harness.judging.gate.early import judge_early, stopped
from harness.judging.gate.expected import chances
from harness.judging.gate.formats import refuse_formats
from harness.judging.gate.looks import Look, LookLog, SystemRecord
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.remembered import remembered
from harness.judging.gate.reservations import LookRequest, NoLookLeft, Reservation
from harness.judging.gate.robust import battery, limits_of
from harness.judging.gate.rule import judge
from harness.judging.gate.sides import Sides, sides_of
from harness.judging.gate.spread import earlier_spreads, planned_claims
from harness.judging.gate.stage import Stage, split_of, staged
from harness.judging.gate.verdict import MEMORY, TIME, CheckpointCost, Findings, Verdict
from harness.result.evaluation import Evaluation
from harness.result.gathered import speed_of
from harness.result.opening import stored_in
from harness.result.result import Result, results_of
from harness.result.stemming import notes, of_stored
from harness.result.store import Results
from harness.scoring.ground import prepare
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker, System
from harness.workspace import Workspace

_UNKNOWN = Verdict("invalid", ())
"""The verdict before there is one. The id of a look does not depend on it."""


@dataclass(frozen=True)
class Gated:
    """The result of a gate."""

    verdict: Verdict
    tier: Tier
    anchor: str
    candidate: str
    measure: str
    policy: Policy
    taken: int = 0
    """The number of looks of the release at these queries, including this one."""
    look: Look | None = None
    """None on the tier dev, which stores no looks, and if nothing was measured."""
    notes: tuple[str, ...] = ()
    """Lines about the workspaces, if there are two, and about how BM25 stems."""
    reserved: bool = False
    """Whether nothing was scored because running gates have reserved the looks that are left."""

    @property
    def state(self) -> str | None:
        """The verdict; None on the tier dev, which gives none."""
        return None if self.tier == "dev" else self.verdict.state


@dataclass(frozen=True)
class _Scored:
    """Both sides, measured on the same queries."""

    anchor: anchors.Anchor
    ours: Sequence[Evaluation]
    candidates: Mapping[str, str]
    """Digests of the candidates of all queries, scored or not, by fingerprint."""
    megabytes: float | None
    claims: tuple[PartClaim, ...] = ()
    """The parts, as planned before anything was scored."""
    stopped: Stopped | None = None


def gate(
    collections: Sequence[Collection],
    policy: Policy,
    candidate: str,
    first_stage: str,
    session: Session,
    *,
    tier: Tier = "gate",
    sample: int | None = None,
    without: frozenset[str] = frozenset(),
    accept: bool = False,
    sequential: bool = False,
    against: Workspace | None = None,
) -> Gated:
    """Judge a candidate against the policy's anchor on the queries of one tier.

    Pairs in the ledger cost nothing. Looks of all tiers except dev are kept in the results store.

    Args:
        collections: whole collections. The tier's part of each is used, or `sample` queries of that part.
        tier: the queries to use. Default: gate.
        without: texts of queries to leave out; see `staged`. Default: none.
        accept: mark a pass as accepted, so that it can be the anchor of later candidates. Default: False.
        sequential: score random blocks of queries, and stop when the answer is certain. Default: False.
        against: another workspace with the anchor's stored results. It is only read, and its looks also count. Default:
            the workspace of the session.

    Raises:
        UsageError: the anchor is not known, or the policy lacks what the tier needs.
        ChangedFile: a file of a model has other bytes, although nothing wrote it; see `adapters.known_digests`.
        HarnessError: a model or a collection cannot be used.
    """
    if tier == "final" and policy.looks.release is None:
        raise UsageError("the tier 'final' has one look per release; name it in the policy: [looks] release = '...'")
    if accept and (sequential or tier == "dev"):
        raise UsageError("--accept needs the figures of all queries of a gate: leave out --sequential and --tier dev")
    if sequential and policy.robustness.rates:
        raise UsageError("[robustness] needs all queries of a gate: leave out --sequential")
    stage = staged(
        collections, policy, first_stage, session, tier=tier, sample=sample, without=without, against=against
    )
    looks, known = LookLog(session.workspace.results), _log_of_the_anchor(stage)
    asked = _Asked(stage, LookRequest.of(policy, tier, stage.whole, candidate), candidate, looks, known)
    result = Gated(Verdict("invalid", ()), tier, policy.anchor, candidate, stage.measure, policy, asked.taken)
    try:
        with (
            looks.reserved(asked.request, known) as reserved,  # before anything is scored
            read_again(session.workspace.cache),
        ):
            return _judged(asked, result, reserved, accept=accept, sequential=sequential)
    except NoLookLeft as refusal:
        return replace(_invalid(result, str(refusal)), taken=asked.taken, reserved=refusal.reserved)


@dataclass(frozen=True)
class _Asked:
    """A gate with the logs that count its look."""

    stage: Stage
    request: LookRequest
    candidate: str
    looks: LookLog
    known: LookLog
    """The log of the workspace that has the anchor."""

    @property
    def taken(self) -> int:
        """The number of looks of the release at these queries, in both workspaces."""
        if self.stage.tier == "dev":
            return 0
        own = (self.stage.policy, self.stage.tier, self.stage.whole)
        return len({look.id for log in (self.looks, self.known) for look in log.spent(*own)})

    @property
    def every(self) -> list[Look]:
        """The looks of both workspaces, by time."""
        found = {look.id: look for log in (self.looks, self.known) for look in log.all()}
        return sorted(found.values(), key=lambda look: (look.at, look.id))

    def planned(self) -> tuple[PartClaim, ...]:
        """Plan what a pass claims, and show the chances, before anything is scored."""
        spreads = earlier_spreads(self.stage, self.every)
        claims = planned_claims(self.stage, spreads)
        for line in () if self.stage.tier == "dev" else chances(claims, self.stage.policy, self.stage.tier, spreads):
            self.stage.session.reporter.note(line)
        return claims


def _judged(asked: _Asked, result: Gated, reserved: Reservation | None, *, accept: bool, sequential: bool) -> Gated:
    """Score both sides, and count the look before its figures are returned."""
    stage, candidate = asked.stage, asked.candidate
    wanted, system = anchors.wanted(stage, asked.known), stage.system(candidate)
    try:
        if wanted.system is not None:
            refuse_formats(wanted.system, system, stage.collections[0])
        if leaks := _trained_on(stage, system):
            return _invalid(result, f"{candidate} {leaks[0]}; take a checkpoint or queries without this leak")
        claims = asked.planned()
        scored = (_in_blocks if sequential else _whole)(stage, wanted, system, asked, claims)
    except ModelError as error:
        return _invalid(result, str(error))
    sides = sides_of(stage, scored.anchor, scored.ours)
    scored = replace(scored, claims=asked.looks.claims(_look(asked, scored, sides, _UNKNOWN).id) or claims)
    verdict = _verdict(stage, scored, sides)
    present = (results_of(one)[0].stored for one in scored.ours)  # the store may know equal content by another name
    stemming = [*of_stored(present), *of_stored(sides.anchor.values())]
    lines = (*_origins(stage, scored.anchor.name, candidate), *notes(dict.fromkeys(stemming)))
    result = replace(result, verdict=verdict, anchor=scored.anchor.name, notes=lines)
    if stage.tier == "dev":
        with Results(stage.session.workspace.results) as results:
            results.write(sides.unkept)
        return result
    look = replace(_look(asked, scored, sides, verdict), accepted=accept and verdict.state == "pass")
    figures = sides.unkept if verdict.macro else ()  # figures that cannot be trusted are not shown by any command
    kept = asked.looks.take(look, asked.request, asked.known, reserved, figures)
    return replace(result, look=kept, taken=asked.taken)


def _trained_on(stage: Stage, system: System) -> list[seen.Seen]:
    """The collections whose queries the candidate was trained on, by the sketches in its manifests. No look is taken
    for it."""
    if not isinstance(system.reranker, ModelReranker):
        return []
    folders = folders_of(system.reranker.on(stage.collections[0]))
    trained = seen.queries_of(folder.path for folder in folders)
    return seen.leaks(trained, ((one.name, list(one.queries)) for one in stage.collections))


def _log_of_the_anchor(stage: Stage) -> LookLog:
    """Return the looks of the workspace that has the anchor."""
    if stage.against is not None:
        with stored_in(stage.against.results, "--against"):  # LookLog would create a missing store
            pass
    return LookLog(stage.reference.results)


def _origins(stage: Stage, anchor: str, candidate: str) -> list[str]:
    """Return lines about the workspace of each side, if there are two."""
    if stage.against is None:
        return []
    return [
        f"anchor {anchor}: stored results of the workspace {stage.against.path}",
        f"candidate {candidate}: from the workspace {stage.session.workspace.path}",
    ]


def _whole(
    stage: Stage, wanted: anchors.NamedAnchor, system: System, asked: _Asked, claims: tuple[PartClaim, ...]
) -> _Scored:  # fmt: skip
    """Score all queries. The candidate comes first, so that its peak memory does not include the anchor."""
    with watched() as peak:
        ours = stage.measured(system, battery(stage.policy.robustness))
    candidates = {one.collection.fingerprint: one.run.candidates for one in ours}
    anchor = anchors.found(stage, wanted, candidates, asked.known)
    measured = peak.megabytes if stage.session.engine.in_process else None
    megabytes = measured if any(one.fresh for one in ours) else asked.looks.memory([one.id for one in ours])
    return _Scored(anchor, ours, candidates, megabytes, claims)


def _in_blocks(
    stage: Stage, wanted: anchors.NamedAnchor, system: System, asked: _Asked, claims: tuple[PartClaim, ...]
) -> _Scored:  # fmt: skip
    """Score blocks of queries. The scores of a stored anchor are looked up."""
    measures = [stage.policy.measure] if stage.policy.measure else []
    first, depth = system.first_stage, system.depth
    grounds = [prepare(one, first, depth, measures, stage.session) for one in stage.collections]
    candidates = {one.collection.fingerprint: one.candidates.candidates for one in grounds}
    name, theirs = wanted.name, wanted.system
    caution: tuple[str, ...] = ()
    if theirs is None:
        kept = anchors.stored(stage, wanted, candidates, asked.known)
        theirs = remembered(kept.name, kept.stored, stage.reference, first, depth)
        name, caution = kept.name, kept.caution
    with watched() as peak:
        found = stopped(stage, grounds, theirs, system, claims)
    anchor = anchors.Anchor(name, {}, caution, fresh=found.anchor)
    measured = peak.megabytes if stage.session.engine.in_process else None
    ids = [one.id for one in found.candidate]
    megabytes = measured if found.candidate_pairs.fresh else asked.looks.memory(ids)
    return _Scored(anchor, found.candidate, candidates, megabytes, claims, found)


def _verdict(stage: Stage, scored: _Scored, sides: Sides) -> Verdict:
    costs = costs_of(sides.results, stage.policy, scored.megabytes)
    alpha = stage.policy.alpha_of(stage.tier)
    attacks = limits_of(stage.policy, alpha, sides.results, sides.anchor_results)
    whole = partial(judge, attacks=attacks)
    rule = whole if scored.stopped is None or sides.findings.hard else partial(judge_early, scored.stopped)
    return rule(
        sides.pairs, weights(sides.pairs), stage.policy,
        tier=stage.tier, findings=sides.findings, costs=costs, claims=scored.claims,
    )  # fmt: skip


def costs_of(ours: Iterable[Result], policy: Policy, megabytes: float | None) -> tuple[CheckpointCost, ...]:
    """Return the cost of the candidate on this machine: model time over all occasions on which these pairs were scored
    here, and peak memory."""
    speed = speed_of({one.id: one for one in ours}.values())
    seconds = None if speed is None else 1000 / speed
    return (
        CheckpointCost(TIME, "s per 1,000 pairs", seconds, policy.cost.max_seconds_per_1000_pairs),
        CheckpointCost(MEMORY, "MB at its peak", megabytes, policy.cost.max_memory_mb),
    )


def _look(asked: _Asked, scored: _Scored, sides: Sides, verdict: Verdict) -> Look:
    stage, macro = asked.stage, verdict.macro
    theirs, ours = (tuple(one.id for one in side.values()) for side in (sides.anchor, sides.ours))
    return Look(
        release=asked.request.release,
        tier=stage.tier,
        split=split_of(scored.candidates),
        collections=stage.whole,
        measure=stage.measure,
        anchor=SystemRecord(scored.anchor.name, theirs, macro.baseline if macro else None),
        candidate=SystemRecord(asked.candidate, ours, macro.candidate if macro else None),
        policy=stage.policy.digest + ("-sequential" if scored.stopped else ""),
        verdict=verdict.state,
        alpha=stage.policy.alpha_of(stage.tier) if macro and set(theirs) != set(ours) else 0.0,
        figures=verdict.as_dict(),
    )


def _invalid(result: Gated, line: str) -> Gated:
    return replace(result, verdict=Verdict("invalid", (line,), findings=Findings((line,))))

"""The steps of a gate: the queries of a tier, candidate, anchor, differences, the rule, and the stored look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from adapters.errors import ModelError, UsageError
from harness.checks.memory import watched
from harness.data.collection import Collection
from harness.judging.compare.paired import joined, weights
from harness.judging.compare.side import stored_side
from harness.judging.gate import anchor as anchors
from harness.judging.gate.blockwise import Stopped
from harness.judging.gate.early import judge_early, stopped
from harness.judging.gate.integrity import findings
from harness.judging.gate.looks import UNNAMED, Look, LookLog, SystemRecord, is_spent, limit
from harness.judging.gate.policy import Policy, Tier
from harness.judging.gate.remembered import remembered
from harness.judging.gate.rule import judge
from harness.judging.gate.stage import Stage, split_of, staged
from harness.judging.gate.verdict import MEMORY, TIME, CheckpointCost, Findings, Verdict
from harness.result.evaluation import Evaluation
from harness.result.opening import stored_in
from harness.result.secrets import without_secrets
from harness.result.stemming import notes, of_evaluations, of_stored
from harness.result.store import Results
from harness.scoring.ground import prepare
from harness.scoring.session import Session
from harness.scoring.system import System
from harness.workspace import Workspace


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
        HarnessError: a model or a collection cannot be used.
    """
    if tier == "final" and policy.looks.release is None:
        raise UsageError("the tier 'final' has one look per release; name it in the policy: [looks] release = '...'")
    if accept and (sequential or tier == "dev"):
        raise UsageError("--accept needs the figures of all queries of a gate: leave out --sequential and --tier dev")
    stage = staged(
        collections, policy, first_stage, session, tier=tier, sample=sample, without=without, against=against
    )
    looks, known = LookLog(session.workspace.results), _log_of_the_anchor(stage)
    before = _spent_by(stage, looks, known)
    result = Gated(Verdict("invalid", ()), tier, policy.anchor, candidate, stage.measure, policy, len(before))
    if is_spent(policy, tier, before) and all(look.candidate.name != without_secrets(candidate) for look in before):
        return _spent(result)  # before anything is scored
    wanted, system = anchors.wanted(stage, known), stage.system(candidate)
    try:
        scored = (_in_blocks if sequential else _whole)(stage, wanted, system, looks, known)
    except ModelError as error:
        return _invalid(result, str(error))
    verdict = _verdict(stage, scored)
    stemming = [*of_evaluations(scored.ours), *of_stored(scored.anchor.stored.values())]
    lines = (*_origins(stage, scored.anchor.name, candidate), *notes(dict.fromkeys(stemming)))
    result = replace(result, verdict=verdict, anchor=scored.anchor.name, notes=lines)
    if tier == "dev":
        return replace(result, taken=0)
    look = _look(stage, scored, candidate, verdict)
    if is_spent(policy, tier, before) and look.id not in {one.id for one in before}:
        return _spent(result)
    kept = looks.keep(replace(look, accepted=accept and verdict.state == "pass"))
    return replace(result, look=kept, taken=len(_spent_by(stage, looks, known)))


def _log_of_the_anchor(stage: Stage) -> LookLog:
    """Return the looks of the workspace that has the anchor."""
    if stage.against is not None:
        with stored_in(stage.against.results, "--against"):  # LookLog would create a missing store
            pass
    return LookLog(stage.reference.results)


def _spent_by(stage: Stage, *logs: LookLog) -> list[Look]:
    """Return the looks that were spent on these queries in either workspace: a new workspace does not make them new."""
    spent = [look for log in logs for look in log.spent(stage.policy, stage.tier, stage.whole)]
    return list({look.id: look for look in spent}.values())


def _origins(stage: Stage, anchor: str, candidate: str) -> list[str]:
    """Return lines about the workspace of each side, if there are two."""
    if stage.against is None:
        return []
    return [
        f"anchor {anchor}: stored results of the workspace {stage.against.path}",
        f"candidate {candidate}: from the workspace {stage.session.workspace.path}",
    ]


def _whole(stage: Stage, wanted: anchors.NamedAnchor, system: System, looks: LookLog, known: LookLog) -> _Scored:
    """Score all queries. The candidate comes first, so that its peak memory does not include the anchor."""
    with watched() as peak:
        ours = stage.run(system)
    anchor = anchors.found(stage, wanted, ours, known)
    measured = peak.megabytes if stage.session.engine.in_process else None
    megabytes = measured if any(one.fresh for one in ours) else looks.memory([one.id for one in ours])
    return _Scored(anchor, ours, {one.collection.fingerprint: one.run.candidates for one in ours}, megabytes)


def _in_blocks(stage: Stage, wanted: anchors.NamedAnchor, system: System, looks: LookLog, known: LookLog) -> _Scored:
    """Score blocks of queries. The scores of a stored anchor are looked up."""
    measures = [stage.policy.measure] if stage.policy.measure else []
    first, depth = system.first_stage, system.depth
    grounds = [prepare(one, first, depth, measures, stage.session) for one in stage.collections]
    candidates = {one.collection.fingerprint: one.candidates.candidates for one in grounds}
    name, theirs = wanted.name, wanted.system
    caution: tuple[str, ...] = ()
    if theirs is None:
        kept = anchors.stored(stage, wanted, candidates, known)
        theirs = remembered(kept.name, kept.stored, stage.reference, first, depth)
        name, caution = kept.name, kept.caution
    with watched() as peak:
        found = stopped(stage, grounds, theirs, system)
    scored = anchors.by_collection(stage.session.workspace, [one.id for one in found.anchor])
    anchor = anchors.Anchor(name, scored, caution)
    measured = peak.megabytes if stage.session.engine.in_process else None
    megabytes = measured if found.candidate_pairs.fresh else looks.memory([one.id for one in found.candidate])
    return _Scored(anchor, found.candidate, candidates, megabytes, found)


def _verdict(stage: Stage, scored: _Scored) -> Verdict:
    costs = costs_of(scored.ours, stage.policy, scored.megabytes)
    names = {one.collection.fingerprint: one.collection.name for one in scored.ours}
    measures = stage.measures_of([one.collection for one in scored.ours])
    here = stage.session.workspace
    there = stage.reference if scored.stopped is None else here  # blocks are stored in the workspace that scores them
    with Results(here.results) as results, Results(there.results) as reference:
        stored = {one.collection.fingerprint: results.find(one.id) for one in scored.ours}
        known = [*scored.anchor.caution, *stage.cautions]
        found = findings(names, scored.anchor.stored, stored, measures, known)
        if found.hard:
            return judge((), weights(()), stage.policy, tier=stage.tier, findings=found, costs=costs)
        sides = ((reference, scored.anchor.stored), (results, stored))
        pairs = [
            joined(*(stored_side(store, side[key], measure) for store, side in sides))
            for key, measure in measures.items()
        ]
    rule = judge if scored.stopped is None else partial(judge_early, scored.stopped)
    return rule(pairs, weights(pairs), stage.policy, tier=stage.tier, findings=found, costs=costs)


def costs_of(ours: Sequence[Evaluation], policy: Policy, megabytes: float | None) -> tuple[CheckpointCost, ...]:
    """Return the cost of the candidate on this machine: model time over all occasions on which these pairs were scored
    here, and peak memory."""
    pairs = sum(len(one.run) for one in ours)
    timed = [len(one.run) / one.pairs_per_second for one in ours if one.pairs_per_second]
    seconds = 1000 * sum(timed) / pairs if pairs and len(timed) == len(ours) else None
    return (
        CheckpointCost(TIME, "s per 1,000 pairs", seconds, policy.cost.max_seconds_per_1000_pairs),
        CheckpointCost(MEMORY, "MB at its peak", megabytes, policy.cost.max_memory_mb),
    )


def _look(stage: Stage, scored: _Scored, candidate: str, verdict: Verdict) -> Look:
    macro = verdict.macro
    theirs, ours = tuple(one.id for one in scored.anchor.stored.values()), tuple(one.id for one in scored.ours)
    return Look(
        release=stage.policy.looks.release or UNNAMED,
        tier=stage.tier,
        split=split_of(scored.candidates),
        collections=stage.whole,
        measure=stage.measure,
        anchor=SystemRecord(scored.anchor.name, theirs, macro.baseline if macro else None),
        candidate=SystemRecord(candidate, ours, macro.candidate if macro else None),
        policy=stage.policy.digest + ("-sequential" if scored.stopped else ""),
        verdict=verdict.state,
        alpha=stage.policy.alpha_of(stage.tier) if macro and set(theirs) != set(ours) else 0.0,
        figures=verdict.as_dict(),
    )


def _spent(result: Gated) -> Gated:
    policy, tier = result.policy, result.tier
    return _invalid(
        result,
        f"the {tier} split of release {policy.looks.release} is spent ({result.taken} of {limit(policy, tier)} looks); "
        "start a release with new queries",
    )


def _invalid(result: Gated, line: str) -> Gated:
    return replace(result, verdict=Verdict("invalid", (line,), findings=Findings((line,))))

"""The way of a gate: queries of one tier, candidate, anchor, differences, the rule, and the look that is kept."""

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
    """What a gate gives back."""

    verdict: Verdict
    tier: Tier
    anchor: str
    candidate: str
    measure: str
    policy: Policy
    taken: int = 0
    """Looks that the release has taken at these queries, with this one."""
    look: Look | None = None
    """None on the tier dev, which keeps none, and where nothing was looked at."""
    notes: tuple[str, ...] = ()
    """How BM25 stems, where it is one side or what both stand on."""

    @property
    def state(self) -> str | None:
        """The verdict; None on the tier dev, which never gives one."""
        return None if self.tier == "dev" else self.verdict.state


@dataclass(frozen=True)
class _Scored:
    """Both sides, measured on the same queries."""

    anchor: anchors.Anchor
    ours: Sequence[Evaluation]
    candidates: Mapping[str, str]
    """Digests of the candidates of all queries of the stage, by fingerprint, whether they were scored or not."""
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

    Known pairs cost nothing. Every look but those of the tier dev is kept in the results store.

    Args:
        collections: whole ones; the tier's part of each is taken here, then `sample` queries of the part.
        without: texts of queries that are left out; see `staged`.
        accept: mark a pass as accepted, so that it can be the anchor of later candidates.
        sequential: score random blocks of queries, and stop when the answer is certain.
        against: another workspace, which has the anchor's stored results. It is only read; its looks count as well.

    Raises:
        UsageError: no anchor can be told, or the policy lacks what the tier needs.
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
    told = Gated(Verdict("invalid", ()), tier, policy.anchor, candidate, stage.measure, policy, len(before))
    if is_spent(policy, tier, before) and all(look.candidate.name != without_secrets(candidate) for look in before):
        return _spent(told)  # before anything is scored
    wanted, system = anchors.wanted(stage, known), stage.system(candidate)
    try:
        scored = (_in_blocks if sequential else _whole)(stage, wanted, system, looks, known)
    except ModelError as error:
        return _invalid(told, str(error))
    verdict = _verdict(stage, scored)
    stemming = [*of_evaluations(scored.ours), *of_stored(scored.anchor.stored.values())]
    lines = (*_origins(stage, scored.anchor.name, candidate), *notes(dict.fromkeys(stemming)))
    told = replace(told, verdict=verdict, anchor=scored.anchor.name, notes=lines)
    if tier == "dev":
        return replace(told, taken=0)
    look = _look(stage, scored, candidate, verdict)
    if is_spent(policy, tier, before) and look.id not in {one.id for one in before}:
        return _spent(told)
    kept = looks.keep(replace(look, accepted=accept and verdict.state == "pass"))
    return replace(told, look=kept, taken=len(_spent_by(stage, looks, known)))


def _log_of_the_anchor(stage: Stage) -> LookLog:
    """The looks of the workspace that has the anchor."""
    if stage.against is not None:
        with stored_in(stage.against.results, "--against"):  # a log would make a store that is not there
            pass
    return LookLog(stage.reference.results)


def _spent_by(stage: Stage, *logs: LookLog) -> list[Look]:
    """What was spent of these queries, in either workspace: a fresh workspace does not make them unseen."""
    spent = [look for log in logs for look in log.spent(stage.policy, stage.tier, stage.whole)]
    return list({look.id: look for look in spent}.values())


def _origins(stage: Stage, anchor: str, candidate: str) -> list[str]:
    """Which workspace each side is from, where there are two."""
    if stage.against is None:
        return []
    return [
        f"anchor {anchor}: stored results of the workspace {stage.against.path}",
        f"candidate {candidate}: from the workspace {stage.session.workspace.path}",
    ]


def _whole(stage: Stage, wanted: anchors.NamedAnchor, system: System, looks: LookLog, known: LookLog) -> _Scored:
    """All queries. The candidate is scored first, so that the memory it takes is its own."""
    with watched() as peak:
        ours = stage.run(system)
    anchor = anchors.found(stage, wanted, ours, known)
    megabytes = peak.megabytes if any(one.fresh for one in ours) else looks.memory([one.id for one in ours])
    return _Scored(anchor, ours, {one.collection.fingerprint: one.run.candidates for one in ours}, megabytes)


def _in_blocks(stage: Stage, wanted: anchors.NamedAnchor, system: System, looks: LookLog, known: LookLog) -> _Scored:
    """Blocks of queries. An anchor of the store looks its scores up."""
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
    megabytes = peak.megabytes if found.candidate_pairs.fresh else looks.memory([one.id for one in found.candidate])
    return _Scored(anchor, found.candidate, candidates, megabytes, found)


def _verdict(stage: Stage, scored: _Scored) -> Verdict:
    costs = costs_of(scored.ours, stage.policy, scored.megabytes)
    names = {one.collection.fingerprint: one.collection.name for one in scored.ours}
    measures = stage.measures_of([one.collection for one in scored.ours])
    here = stage.session.workspace
    there = stage.reference if scored.stopped is None else here  # blocks are kept where they are scored
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
    """What the candidate costs on this machine: model time over every time that these pairs were scored here, and the
    most memory that this took."""
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


def _spent(told: Gated) -> Gated:
    policy, tier = told.policy, told.tier
    return _invalid(
        told,
        f"the {tier} split of release {policy.looks.release} is spent ({told.taken} of {limit(policy, tier)} looks); "
        "begin a release with queries that nobody has looked at",
    )


def _invalid(told: Gated, line: str) -> Gated:
    return replace(told, verdict=Verdict("invalid", (line,), findings=Findings((line,))))

"""The looks of an adaptation: at dev, a few times at the gate, and once at the final split.

Each look is recorded in the ledger of looks before its verdict is used, and no look is taken twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from adapters.errors import DataError, UsageError
from adapters.typed_file import read_json
from harness.judging.compare.paired import PairedValues, weights
from harness.judging.gate.budget import is_spent
from harness.judging.gate.gate import gate
from harness.judging.gate.looks import Look, LookLog
from harness.judging.gate.looks import SystemRecord as Seen
from harness.judging.gate.reservations import UNNAMED, NoLookLeft
from harness.judging.gate.rule import judge
from harness.judging.gate.stage import Stage, split_of
from harness.judging.gate.verdict import State
from harness.measuring.statistics.design import Floats64
from harness.result.adaptation.record import ArmRecord, LookRow
from training.adapting.anchor import FILE as ANCHOR
from training.adapting.anchor import TierAnchor
from training.adapting.scoring import ArmScores, paired, spec_of
from training.adapting.targets import Tiers
from training.job import write_json

LOOKS = "looks"
_Judging = Literal["gate", "final"]


@dataclass(frozen=True)
class LookVerdict:
    """The verdict of a look."""

    arm: str
    state: State
    better: bool
    delta: float | None
    reasons: tuple[str, ...]
    row: LookRow | None
    """The row of the record; None if no look was taken."""

    @property
    def promotes(self) -> bool:
        """At the gate: whether the arm passes and is significantly ahead of the anchor."""
        return self.state == "pass" and self.better

    @property
    def confirms(self) -> bool:
        """On the final split: whether the arm passes and is ahead of the anchor, on queries that nothing was chosen
        on."""
        return self.state == "pass" and self.delta is not None and self.delta > 0


@dataclass(frozen=True)
class Deciding:
    """Takes the looks of one run."""

    tiers: Tiers
    anchor: TierAnchor
    out: Path

    @property
    def looks(self) -> LookLog:
        """The ledger of looks."""
        return LookLog(self.tiers.gate.session.workspace.results)

    def on_dev(self, anchor: ArmScores, one: ArmScores) -> LookRow:
        """Record a look at dev. It is not counted against the budget, and its verdict is not used."""
        return _row(self.looks.keep(dev_look(self.tiers.dev, anchor, one)), one.arm, self.anchor.name)

    def blend_on_dev(self, anchor: ArmScores, like: ArmScores, name: str, values: Sequence[Floats64]) -> LookRow:
        """Record a look at dev at a blend of teachers.

        Args:
            like: one of the teachers, measured on the same queries and candidates.
            values: float64 [queries] for each collection.
        """
        rows = zip(paired(anchor, like), values, strict=True)
        pairs = [replace(one, candidate=own, candidate_id=f"{one.candidate_id}:{name}") for one, own in rows]
        seen = replace(like, arm=name, spec=name)
        return _row(self.looks.keep(dev_look(self.tiers.dev, anchor, seen, pairs)), name, self.anchor.name)

    def at(self, tier: _Judging, arm: ArmRecord) -> LookVerdict:
        """Look at the gate or at the final queries. If this run took this look already, it is read from the log.

        Raises:
            NoLookLeft: running gates have reserved the looks that are left. The run can be continued later.
        """
        file = self.out / LOOKS / f"{tier}-{arm.name}.json"
        if file.exists():
            return _of_look(self.looks.find(_id_in(file)), arm.name, self.anchor.name)
        stage, whole = self._stage(tier)
        policy = replace(stage.policy, anchor=self.anchor.gate if tier == "gate" else self.anchor.final)
        without = self.tiers.left_out if tier == "gate" else frozenset[str]()
        judged = gate(whole, policy, spec_of(arm.path), stage.first_stage, stage.session, tier=tier, without=without)
        if judged.reserved:
            raise NoLookLeft(judged.verdict.reasons[0], reserved=True)
        if judged.look is None:  # the split is spent, or the model failed
            return LookVerdict(arm.name, judged.verdict.state, False, None, judged.verdict.reasons, None)
        file.parent.mkdir(exist_ok=True)
        write_json(file, {"look": judged.look.id})
        return _of_look(judged.look, arm.name, self.anchor.name)

    def accept(self, verdicts: Sequence[LookVerdict]) -> None:
        """Mark looks as accepted. Later adaptations in this workspace are compared with this arm."""
        for one in verdicts:
            if one.row is not None:
                self.looks.keep(replace(self.looks.find(one.row.id), accepted=True))

    def _stage(self, tier: _Judging) -> tuple[Stage, Sequence[Any]]:
        tiers = self.tiers
        return (tiers.gate, tiers.gate_whole) if tier == "gate" else (tiers.final, tiers.final_whole)


def dev_look(
    stage: Stage, anchor: ArmScores, one: ArmScores, pairs: Sequence[PairedValues] | None = None
) -> Look:  # fmt: skip
    """A look at dev: it spends nothing, and its verdict is not used.

    Args:
        pairs: the values of a candidate that is no model of its own, such as a blend. Default: those of `one`.
    """
    found = paired(anchor, one) if pairs is None else pairs
    ids = one.ids if pairs is None else tuple(f"{id_}:{one.arm}" for id_ in one.ids)
    verdict = judge(found, weights(found), stage.policy, tier="dev")
    macro = verdict.macro
    return Look(
        release=stage.policy.looks.release or UNNAMED, tier="dev",
        split=split_of({side.collection.fingerprint: side.stored.candidates for side in one.sides}),
        collections=stage.whole, measure=stage.measure,
        anchor=Seen(anchor.spec, anchor.ids, macro.baseline if macro else None),
        candidate=Seen(one.spec, ids, macro.candidate if macro else None), policy=stage.policy.digest,
        verdict=verdict.state, alpha=0.0, figures=verdict.as_dict(),
    )  # fmt: skip


def check_policy(tiers: Tiers, out: Path) -> None:
    """Refuse a run that could never be judged, before it starts.

    Raises:
        UsageError: the policy names no release, or the gate or the final split has too few queries or is spent.
    """
    policy = tiers.gate.policy
    if policy.looks.release is None:
        raise UsageError(
            "an adaptation ends with one look at the final queries; name its release in the policy: "
            "[looks] release = '...'"
        )
    for stage in (tiers.gate, tiers.final):
        check_stage(stage, out)


def check_stage(stage: Stage, out: Path) -> None:
    """Refuse a tier on which a run could never be judged.

    Raises:
        UsageError: it has too few queries or is spent.
    """
    queries, policy = sum(len(one.queries) for one in stage.collections), stage.policy
    if queries < policy.min_queries:
        raise UsageError(
            f"the tier '{stage.tier}' has {queries} queries, but the policy needs at least "
            f"{policy.min_queries}; name more collections, change [splits], or lower min_queries"
        )
    others = _others(stage, out)
    if is_spent(policy, stage.tier, others):
        raise UsageError(
            f"the {stage.tier} split of release {policy.looks.release} is spent ({len(others)} looks); begin a "
            "release with new queries"
        )


def looks_left(tiers: Tiers, out: Path) -> int:
    """The number of proposals that may go to the gate: the budget of the policy without the looks of other runs; 1
    without a budget."""
    budget = tiers.gate.policy.looks.budget
    return 1 if budget is None else max(0, budget - len(_others(tiers.gate, out)))


def outcome(verdicts: Sequence[LookVerdict]) -> Literal["refused", "inconclusive", "invalid"]:
    """The state of a run in which no look promoted an arm: invalid if all are, inconclusive if one is, otherwise
    refused."""
    states = [one.state for one in verdicts]
    if states and all(state == "invalid" for state in states):
        return "invalid"
    return "inconclusive" if "inconclusive" in states else "refused"


def _others(stage: Stage, out: Path) -> list[Look]:
    """Looks at the same queries by other runs. A run's own looks are recognised by the folder of their candidate.
    Before a run has begun, all looks belong to others, even those of an earlier run in a folder of the same name."""
    spent = LookLog(stage.session.workspace.results).spent(stage.policy, stage.tier, stage.whole)
    if not (out / ANCHOR).exists():
        return spent
    return [look for look in spent if not look.candidate.name.partition(":")[2].startswith(f"{out}/")]


def _of_look(look: Look, arm: str, anchor: str) -> LookVerdict:
    row = _row(look, arm, anchor)
    reasons = tuple(map(str, look.figures.get("reasons", ())))
    state: State = look.verdict  # type: ignore[assignment]
    return LookVerdict(arm, state, row.better, row.delta, reasons, row)


def _row(look: Look, arm: str, anchor: str) -> LookRow:
    macro: Mapping[str, Any] = look.figures.get("macro") or {}
    low, high = macro.get("interval") or (None, None)
    tier: Any = look.tier
    return LookRow(
        id=look.id, tier=tier, candidate=arm, anchor=anchor, verdict=look.verdict,
        better=bool(look.figures.get("better")), delta=macro.get("delta"), low=low, high=high, alpha=look.alpha,
    )  # fmt: skip


@dataclass(frozen=True)
class _Taken:
    """The file that points to a look of this run."""

    look: str
    """The id in the ledger of looks."""


def _id_in(file: Path) -> str:
    return read_json(file, _Taken, error=DataError, advice="damaged; delete the file and run again").look

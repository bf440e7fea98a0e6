"""The looks of an adaptation: figures on dev, a few looks at the gate, one touch of the final split, and what follows.

Every look is in the ledger of looks before its verdict is used, and a look that was taken is never taken again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from adapters.errors import DataError, UsageError
from adapters.typed_file import read_json
from harness.judging.compare.paired import weights
from harness.judging.gate.gate import gate
from harness.judging.gate.looks import UNNAMED, Look, LookLog, is_spent
from harness.judging.gate.looks import SystemRecord as Seen
from harness.judging.gate.rule import judge
from harness.judging.gate.stage import Stage, split_of
from harness.judging.gate.verdict import State
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
    """What a look said."""

    arm: str
    state: State
    better: bool
    delta: float | None
    reasons: tuple[str, ...]
    row: LookRow | None
    """None where nothing was looked at."""

    @property
    def promotes(self) -> bool:
        """At the gate: no loss of the margin, and ahead of the anchor beyond chance."""
        return self.state == "pass" and self.better

    @property
    def confirms(self) -> bool:
        """At the end: no loss of the margin on queries that nothing was chosen on, and ahead of the anchor."""
        return self.state == "pass" and self.delta is not None and self.delta > 0


@dataclass(frozen=True)
class Deciding:
    """The looks of one run."""

    tiers: Tiers
    anchor: TierAnchor
    out: Path

    @property
    def looks(self) -> LookLog:
        """The ledger of looks."""
        return LookLog(self.tiers.gate.session.workspace.results)

    def on_dev(self, anchor: ArmScores, one: ArmScores) -> LookRow:
        """Write down a look at dev, which costs nothing and decides nothing."""
        stage = self.tiers.dev
        pairs = paired(anchor, one)
        verdict = judge(pairs, weights(pairs), stage.policy, tier="dev")
        macro = verdict.macro
        look = Look(
            release=stage.policy.looks.release or UNNAMED, tier="dev",
            split=split_of({side.fingerprint: side.candidates for side in one.sides}), collections=stage.whole,
            measure=stage.measure, anchor=Seen(anchor.spec, anchor.ids, macro.baseline if macro else None),
            candidate=Seen(one.spec, one.ids, macro.candidate if macro else None), policy=stage.policy.digest,
            verdict=verdict.state, alpha=0.0, figures=verdict.as_dict(),
        )  # fmt: skip
        return _row(self.looks.keep(look), one.arm, self.anchor.name)

    def at(self, tier: _Judging, arm: ArmRecord) -> LookVerdict:
        """Look at the gate or at the final queries: from the ledger if this run took that look already."""
        file = self.out / LOOKS / f"{tier}-{arm.name}.json"
        if file.exists():
            return _of_look(self.looks.find(_id_in(file)), arm.name, self.anchor.name)
        stage, whole = self._stage(tier)
        policy = replace(stage.policy, anchor=self.anchor.gate if tier == "gate" else self.anchor.final)
        without = self.tiers.left_out if tier == "gate" else frozenset[str]()
        found = gate(whole, policy, spec_of(arm.path), stage.first_stage, stage.session, tier=tier, without=without)
        if found.look is None:  # the split is spent, or the model failed before there was a figure
            return LookVerdict(arm.name, found.verdict.state, False, None, found.verdict.reasons, None)
        file.parent.mkdir(exist_ok=True)
        write_json(file, {"look": found.look.id})
        return _of_look(found.look, arm.name, self.anchor.name)

    def accept(self, verdicts: Sequence[LookVerdict]) -> None:
        """Mark looks as accepted: the next adaptation in this workspace is held against this one."""
        for one in verdicts:
            if one.row is not None:
                self.looks.keep(replace(self.looks.find(one.row.id), accepted=True))

    def _stage(self, tier: _Judging) -> tuple[Stage, Sequence[Any]]:
        tiers = self.tiers
        return (tiers.gate, tiers.gate_whole) if tier == "gate" else (tiers.final, tiers.final_whole)


def check_policy(tiers: Tiers, out: Path) -> None:
    """Refuse before anything is paid what could never be judged.

    Raises:
        UsageError: the policy names no release, the gate or the final split has too few queries to pass, or is spent.
    """
    policy = tiers.gate.policy
    if policy.looks.release is None:
        raise UsageError(
            "an adaptation ends with one look at the final queries; name its release in the policy: "
            "[looks] release = '...'"
        )
    for stage in (tiers.gate, tiers.final):
        queries = sum(len(one.queries) for one in stage.collections)
        if queries < policy.min_queries:
            raise UsageError(
                f"the tier '{stage.tier}' has {queries} queries, and the policy lets nothing pass with fewer than "
                f"{policy.min_queries}: name more collections, change [splits], or lower min_queries"
            )
        others = _others(stage, out)
        if is_spent(stage.policy, stage.tier, others):
            raise UsageError(
                f"the {stage.tier} split of release {policy.looks.release} is spent ({len(others)} looks); begin a "
                "release with queries that nobody has looked at"
            )


def looks_left(tiers: Tiers, out: Path) -> int:
    """How many proposals may ask the gate: what others left of the declared budget; 1 where none is declared."""
    budget = tiers.gate.policy.looks.budget
    return 1 if budget is None else max(0, budget - len(_others(tiers.gate, out)))


def outcome(verdicts: Sequence[LookVerdict]) -> Literal["refused", "inconclusive", "invalid"]:
    """What looks say together of which none promoted: invalid if all are, inconclusive if one might have been."""
    states = [one.state for one in verdicts]
    if states and all(state == "invalid" for state in states):
        return "invalid"
    return "inconclusive" if "inconclusive" in states else "refused"


def _others(stage: Stage, out: Path) -> list[Look]:
    """Looks at the same queries that are not this run's own; those are known by the folder of their candidate. A run
    that has not begun has none, whatever an earlier one in a folder of that name did."""
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
    """The file of a look that this run took."""

    look: str
    """Its id in the ledger of looks."""


def _id_in(file: Path) -> str:
    return read_json(file, _Taken, error=DataError, advice="damaged; delete the file and run again").look

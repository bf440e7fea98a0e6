"""From measured arms to the verdict: proposals go to the gate, one is confirmed on the final queries, claims are
tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.numbers import DASH, points, signed, signed_interval
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import ANCHOR, MERGED, Kind, State
from training.adapting.arms import Arms
from training.adapting.choice import best_of, proposals
from training.adapting.claims import claims_of
from training.adapting.closing import Ended
from training.adapting.deciding import LookVerdict, looks_left, outcome
from training.adapting.scoring import spec_of


@dataclass(frozen=True)
class Accepted:
    """The checkpoint that may replace the anchor, and the two looks that decided it."""

    checkpoint: ArmRecord
    gate: LookVerdict
    final: LookVerdict
    reason: str


@dataclass(frozen=True)
class Judging:
    """Judges the measured arms of a run."""

    arms: Arms

    def judged(self, made: Sequence[ArmRecord]) -> Accepted:
        """The accepted arm.

        Raises:
            Ended: no arm is accepted.
        """
        proposed = self._proposed(made)
        gate = self._promoted(proposed)
        chosen = next(one for one in proposed if one.name == gate.arm)
        final = self._confirmed(chosen, made)
        passed = f"{chosen.name} passed the gate against {self.arms.deciding.anchor.name}"
        return Accepted(chosen, gate, final, f"{passed}, and the final split confirmed it: {_figures(final)}")

    def _proposed(self, made: Sequence[ArmRecord]) -> list[ArmRecord]:
        anchor, answers = self.arms.anchor, {name: one.answers for name, one in self.arms.dev.items()}
        proposed = proposals(made, self.arms.values, answers, anchor.value)
        if not proposed:
            name = self.arms.deciding.anchor.name
            reason = (
                f"no checkpoint was better on dev than {name} ({points(anchor.value, 1)}), so none went to the gate"
            )
            raise Ended("refused", [reason])
        return proposed

    def _promoted(self, proposed: Sequence[ArmRecord]) -> LookVerdict:
        taken: list[LookVerdict] = []
        for one in proposed[: looks_left(self.arms.tiers, self.arms.deciding.out)]:
            with self.arms.journal.step("gate", one.name) as step:
                verdict = self.arms.deciding.at("gate", one)
                step.state, step.detail = verdict.state, verdict.reasons[0]
                self._show(verdict, one)
            taken.append(verdict)
            if verdict.promotes:
                return verdict
        raise Ended(outcome(taken), [_of_gate(one) for one in taken])

    def _show(self, verdict: LookVerdict, one: ArmRecord) -> None:
        """Add the look, and the scores unless its verdict is invalid."""
        if verdict.row is None:
            return
        self.arms.journal.add_look(verdict.row)
        base = self.arms.dev["base"].spec
        if verdict.state != "invalid":
            self.arms.at("gate", one.name, spec_of(one.path))
            if self.arms.deciding.anchor.gate == base:
                self.arms.at("gate", "base", base)

    def _confirmed(self, chosen: ArmRecord, made: Sequence[ArmRecord]) -> LookVerdict:
        """The only look at the final queries: the verdict on the chosen arm, and the scores of all arms."""
        with self.arms.journal.step("final", chosen.name) as step:
            last = self.arms.deciding.at("final", chosen)
            step.state, step.detail = last.state, last.reasons[0]
            if last.row is not None:
                self.arms.journal.add_look(last.row)
            if last.state != "invalid":
                self._all_on_final(chosen, made)
        if not last.confirms:
            state: State = "refused" if last.state == "pass" else last.state
            passed = f"{chosen.name} passed the gate, but the final split did not confirm it ({last.state})"
            raise Ended(state, [f"{passed}: {last.reasons[0]}"])
        return last

    def _all_on_final(self, chosen: ArmRecord, made: Sequence[ArmRecord]) -> None:
        measured = {name: one.spec for name, one in self.arms.dev.items() if name != ANCHOR}
        specs = {**self.arms.references, **measured}
        final = {name: self.arms.at("final", name, spec) for name, spec in specs.items()}
        alpha = self.arms.tiers.final.policy.alpha
        self.arms.journal.add_claims(claims_of(final, chosen.name, self._merges(made), alpha))

    def _merges(self, made: Sequence[ArmRecord]) -> list[str]:
        """The merges to claim something about: the best on dev, the best chain of slerps, and the merge of the bags. An
        arm of one part, or with the weights of another arm, is no merge.
        """
        merges, kinds = [one for one in made if one.is_merge], list[Sequence[Kind]]([MERGED, ("slerp",), ("bagged",)])
        return [best.name for some in kinds if (best := best_of(merges, some, self.arms.values)) is not None]


def _figures(one: LookVerdict) -> str:
    within = DASH if one.row is None else signed_interval((one.row.low, one.row.high), 1)
    return f"{signed(one.delta or 0.0, 1)} points" + ("" if within == DASH else f", 95 % interval {within}")


def _of_gate(one: LookVerdict) -> str:
    if one.state == "pass":
        return f"{one.arm} at the gate: no loss, but not significantly better ({one.reasons[0]})"
    return f"{one.arm} at the gate: {one.state}: {one.reasons[0]}"

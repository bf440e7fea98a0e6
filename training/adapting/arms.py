"""The arms of an adaptation, measured: on dev and the source domain as they are made, on the final queries at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adapters.errors import ModelError
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import ANCHOR, FIRST_STAGE, Tier, teacher_arms
from training.adapting.deciding import Deciding
from training.adapting.journal import Journal
from training.adapting.scoring import ArmScores, measure, rows, spec_of
from training.adapting.targets import Tiers


@dataclass
class Arms:
    """What is measured, by the name of the arm. Every look at dev is written down."""

    tiers: Tiers
    journal: Journal
    deciding: Deciding
    teachers: Sequence[str]
    """Specs, cut where the student is."""
    dev: dict[str, ArmScores] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, float]:
        """The primary endpoint on dev."""
        return {name: one.value for name, one in self.dev.items()}

    @property
    def anchor(self) -> ArmScores:
        """What the proposals are held against, on dev."""
        return self.dev.get(ANCHOR) or self.dev["base"]

    @property
    def references(self) -> dict[str, str]:
        """Arms that are no checkpoints, with their specs."""
        teachers = dict(zip(teacher_arms(len(self.teachers)), self.teachers, strict=True))
        return {FIRST_STAGE: self.tiers.dev.first_stage, **teachers}

    def add(self, arms: Sequence[ArmRecord]) -> list[ArmRecord]:
        """Measure checkpoints on dev and source, those that were refused excepted, and keep them as arms.

        One whose scores cannot be used (NaN, or the wrong way round) is refused for it.
        """
        self.journal.add_arms(arms)
        found = [one if one.refused else self._measured(one) for one in arms]
        self.journal.add_arms(found)
        return found

    def refer(self, name: str, spec: str) -> ArmScores:
        """Measure what is no checkpoint of this run: the first stage, a teacher, the anchor."""
        with self.journal.step("dev", name) as said:
            found = self._on_dev(name, spec)
            said.detail = points(found.value)
        return found

    def trial(self, one: ArmRecord) -> float:
        """The dev value of a soup that is only tried."""
        with self.journal.step("dev", one.name) as said:
            found = measure(one.name, spec_of(one.path), self.tiers.dev)
            said.detail = points(found.value)
        self._look(found)
        return found.value

    def at(self, tier: Tier, name: str, spec: str) -> ArmScores:
        """Measure an arm on the queries of a tier that has been looked at."""
        stages = {"gate": self.tiers.gate, "final": self.tiers.final}
        found = measure(name, spec, stages[tier])
        self.journal.add_scores(rows(found, tier))
        return found

    def _measured(self, one: ArmRecord) -> ArmRecord:
        with self.journal.step("dev", one.name) as said:
            try:
                found = self._on_dev(one.name, spec_of(one.path))
            except ModelError as error:
                said.state, said.detail = "invalid", str(error)
                return replace(one, refused=(str(error),))
            said.detail = points(found.value)
            if one.kind != "base":  # it is measured before the anchor
                self._look(found)
        return one

    def _on_dev(self, name: str, spec: str) -> ArmScores:
        found = measure(name, spec, self.tiers.dev)
        self.dev[name] = found
        self.journal.add_scores(rows(found, "dev"))
        if self.tiers.source is not None:
            self.journal.add_scores(rows(measure(name, spec, self.tiers.source), "source"))
        return found

    def _look(self, found: ArmScores) -> None:
        if found.ids != self.anchor.ids:
            self.journal.add_look(self.deciding.on_dev(self.anchor, found))


def points(value: float) -> str:
    """A fraction as points."""
    return f"{100 * value:.1f}"

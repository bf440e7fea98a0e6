"""Measure the arms of an adaptation: on dev and the source domain as they are made, on the final queries all
together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adapters.contents import Contents
from adapters.errors import ModelError
from adapters.models import open_folder
from harness.numbers import points
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import ANCHOR, FIRST_STAGE, Tier, teacher_arms
from training.adapting.deciding import Deciding
from training.adapting.journal import Journal
from training.adapting.scoring import ArmScores, measure, rows, spec_of
from training.adapting.targets import Tiers


@dataclass
class Arms:
    """Measures arms and keeps their scores by name. Every look at dev is recorded."""

    tiers: Tiers
    journal: Journal
    deciding: Deciding
    teachers: Sequence[str]
    """Specs with the student's maximum length."""
    dev: dict[str, ArmScores] = field(default_factory=dict)
    weights: dict[str, object] = field(default_factory=dict)
    """The digests of the measured checkpoints' weights by arm, in the order in which they were measured."""

    @property
    def values(self) -> dict[str, float]:
        """The primary endpoint on dev by arm, a fraction."""
        return {name: one.value for name, one in self.dev.items()}

    @property
    def anchor(self) -> ArmScores:
        """The scores on dev of the anchor that proposals are compared with."""
        return self.dev.get(ANCHOR) or self.dev["base"]

    @property
    def references(self) -> dict[str, str]:
        """The specs of arms that are not checkpoints."""
        teachers = dict(zip(teacher_arms(len(self.teachers)), self.teachers, strict=True))
        return {FIRST_STAGE: self.tiers.dev.first_stage, **teachers}

    def add(self, arms: Sequence[ArmRecord]) -> list[ArmRecord]:
        """Measure checkpoints that are not refused on dev and source, and keep all as arms. A checkpoint whose scores
        cannot be used (NaN, or a reversed order) is refused.
        """
        self.journal.add_arms(arms)
        measured = [one if one.refused else self._measured(one) for one in arms]
        self.journal.add_arms(measured)
        return measured

    def refer(self, name: str, spec: str) -> ArmScores:
        """Measure a system that is not a checkpoint of this run: the first stage, a teacher, the anchor."""
        with self.journal.step("dev", name) as step:
            scores = self._on_dev(name, spec)
            step.detail = points(scores.value, 1)
        return scores

    def trial(self, one: ArmRecord) -> float:
        """The dev value of a trial soup."""
        with self.journal.step("dev", one.name) as step:
            scores = measure(one.name, spec_of(one.path), self.tiers.dev)
            step.detail = points(scores.value, 1)
        self._look(scores)
        return scores.value

    def at(self, tier: Tier, name: str, spec: str) -> ArmScores:
        """Measure an arm on the queries of a tier after the tier's look."""
        stages = {"gate": self.tiers.gate, "final": self.tiers.final}
        scores = measure(name, spec, stages[tier])
        self.journal.add_scores(rows(scores, tier))
        return scores

    def _measured(self, one: ArmRecord) -> ArmRecord:
        with self.journal.step("dev", one.name) as step:
            try:
                scores = self._on_dev(one.name, spec_of(one.path))
            except ModelError as error:
                step.state, step.detail = "invalid", str(error)
                return replace(one, refused=(str(error),))
            step.detail = points(scores.value, 1)
            if one.kind != "base":  # the base is measured before the anchor
                self._look(scores)
        return replace(one, same_as=self._twin(one))

    def _twin(self, one: ArmRecord) -> str | None:
        """The first measured arm with the same weights; None if there is none."""
        own = Contents(open_folder(one.path)).identity()["weights"]
        twin = next((name for name, weights in self.weights.items() if weights == own and name != one.name), None)
        self.weights[one.name] = own
        return twin

    def _on_dev(self, name: str, spec: str) -> ArmScores:
        scores = measure(name, spec, self.tiers.dev)
        self.dev[name] = scores
        self.journal.add_scores(rows(scores, "dev"))
        if self.tiers.source is not None:
            self.journal.add_scores(rows(measure(name, spec, self.tiers.source), "source"))
        return scores

    def _look(self, scores: ArmScores) -> None:
        if scores.ids != self.anchor.ids:
            self.journal.add_look(self.deciding.on_dev(self.anchor, scores))

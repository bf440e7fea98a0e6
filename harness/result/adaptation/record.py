"""The record of an adaptation as values: what was done, measured, looked at, claimed and decided.

Scores and differences are fractions, times seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from adapters.typed_values import LATER, Count
from harness.result.adaptation.vocabulary import (
    ANCHOR,
    FIRST_STAGE,
    MACRO,
    UNKNOWN,
    VERSION,
    EventState,
    Kind,
    Stage,
    State,
    Tier,
    Validity,
    teacher_arms,
)


@dataclass(frozen=True)
class TeacherFacts:
    """Who labelled; its licence and what it was trained on are its users' concern too."""

    spec: str
    licence: str | None
    training_sets: tuple[str, ...] | None
    """None where nobody stated them; empty where there are none."""

    @property
    def stated_licence(self) -> str | None:
        """None where nobody stated it."""
        return None if self.licence == UNKNOWN else self.licence


@dataclass(frozen=True)
class CorpusFacts:
    """A target corpus."""

    name: str
    fingerprint: str
    documents: Count
    language: str | None


@dataclass(frozen=True)
class Event:
    """Something that was done. `name` is a checkpoint, a task or a collection."""

    at: float
    """Seconds since the start."""
    seconds: float
    stage: Stage
    name: str
    state: EventState
    detail: str = ""


@dataclass(frozen=True)
class TaskRow:
    """What a task gave: queries that are left, queries that were removed as leaks, scored pairs, examples."""

    name: str
    corpus: str
    profile: str
    queries: Count
    removed_as_leak: Count
    pairs: Count
    examples: Count
    validation: str | None = field(default=None, metadata=LATER)
    """The path of its validation.json."""
    validated: Validity | None = field(default=None, metadata=LATER)
    """What that file says; None where nothing was validated."""


@dataclass(frozen=True)
class ArmRecord:
    """An arm: a model that was proposed, or that others are compared with.

    `name` is unique in a run; `path` is what `adapters.models.open_folder` takes. `parts`: the names of the checkpoints
    that were merged, in order; empty for a trained one. `t`: the place on the curve between two checkpoints, in 0..1.
    `refused`: why: its training diverged, or it is broken; such a checkpoint is never evaluated and never merged.
    """

    name: str
    kind: Kind
    path: str
    parts: tuple[str, ...] = ()
    t: float | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """One arm on one collection of one tier."""

    arm: str
    tier: Tier
    collection: str
    language: str | None
    measure: str
    value: float
    low: float | None
    """95 % bootstrap interval over questions; None with fewer than two queries."""
    high: float | None
    queries: Count
    evaluation: str | None
    """The evaluation's id; None for a macro average."""


@dataclass(frozen=True)
class LookRow:
    """A look that was taken, as the ledger of looks has it."""

    id: str
    tier: Literal["dev", "gate", "final"]
    candidate: str
    anchor: str
    verdict: str
    better: bool
    delta: float | None
    low: float | None
    high: float | None
    alpha: float
    """What it spent."""


@dataclass(frozen=True)
class Claim:
    """A difference on the final split that was tested by the rule of `harness.measuring.statistics.difference`."""

    claim: Literal["adaptation", "merging"]
    against: str
    winner: str
    delta: float
    low: float | None
    high: float | None
    """95 %; None with fewer than six questions."""
    p: float | None
    """Not corrected; None in a record of version 1, which kept the corrected one alone."""
    adjusted_p: float | None
    """Corrected over all claims; in a record of version 1 by Holm."""
    family: Count
    """How many claims it was corrected over."""
    holds: bool
    told: str


@dataclass(frozen=True)
class SettingRow:
    """A key of the configuration that was set. Every other key had its default."""

    key: str
    """As in `training.epochs`."""
    value: str
    """As a TOML file has it."""
    origin: str
    """The file, the command line, a variable, or Python."""


@dataclass(frozen=True)
class AdaptationRecord:
    """An adaptation as far as it got."""

    run: str
    name: str
    started: str
    seconds: float
    base: Mapping[str, Any]
    """Its `name`, and its identity."""
    teachers: tuple[TeacherFacts, ...]
    generator: str
    corpora: tuple[CorpusFacts, ...]
    first_stage: str
    depth: Count
    measure: str
    policy: Mapping[str, Any]
    state: State = "running"
    accepted: str | None = None
    reasons: tuple[str, ...] = ()
    timeline: tuple[Event, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    arms: tuple[ArmRecord, ...] = ()
    scores: tuple[Score, ...] = ()
    looks: tuple[LookRow, ...] = ()
    claims: tuple[Claim, ...] = ()
    settings: tuple[SettingRow, ...] = field(default=(), metadata=LATER)
    version: int = VERSION

    @property
    def base_name(self) -> str:
        """The base as it was named."""
        return str(self.base["name"])

    def arm(self, name: str) -> ArmRecord:
        """The checkpoint of that name.

        Raises:
            KeyError: there is none.
        """
        return {one.name: one for one in self.arms}[name]

    def of_kind(self, kind: Kind) -> tuple[ArmRecord, ...]:
        """Arms in the order of the record."""
        return tuple(one for one in self.arms if one.kind == kind)

    @property
    def teacher_arms(self) -> dict[str, TeacherFacts]:
        """The teachers by what they are called among the arms of scores."""
        return dict(zip(teacher_arms(len(self.teachers)), self.teachers, strict=True))

    @property
    def outsiders(self) -> tuple[str, ...]:
        """Who was measured and is no checkpoint: the first stage, the teachers, the anchor."""
        measured = {one.arm for one in self.scores}
        return tuple(one for one in (FIRST_STAGE, *self.teacher_arms, ANCHOR) if one in measured)

    def scores_on(self, tier: Tier) -> dict[tuple[str, str], Score]:
        """The scores of a tier by arm and collection. Where it has one collection, that is its macro average too."""
        found = {(one.arm, one.collection): one for one in self.scores if one.tier == tier}
        if len({name for _, name in found} - {MACRO}) == 1:
            found |= {(arm, MACRO): replace(one, collection=MACRO) for (arm, _), one in found.items()}
        return found

    def value(self, arm: str, tier: Tier) -> float | None:
        """The primary endpoint of an arm on a tier: of its one collection, or the macro average; None if unmeasured."""
        found = self.scores_on(tier).get((arm, MACRO))
        return None if found is None else found.value

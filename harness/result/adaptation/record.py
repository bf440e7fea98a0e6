"""The record of an adaptation: steps, scores, looks of the gate, claims and the decision.

Scores and differences are fractions; times are in seconds.
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
    """A teacher, with its licence and training data, which also matter to users of the adapted model."""

    spec: str
    licence: str | None
    training_sets: tuple[str, ...] | None
    """None if they are not stated; empty if there are none."""

    @property
    def stated_licence(self) -> str | None:
        """The licence; None if it is not stated."""
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
    """A step of the run. `name` is a checkpoint, a task or a collection."""

    at: float
    """Seconds since the start."""
    seconds: float
    stage: Stage
    name: str
    state: EventState
    detail: str = ""


@dataclass(frozen=True)
class TaskRow:
    """A task: the number of its queries, of queries that were removed as leaks, of scored pairs and of examples."""

    name: str
    corpus: str
    profile: str
    queries: Count
    removed_as_leak: Count
    pairs: Count
    examples: Count
    validation: str | None = field(default=None, metadata=LATER)
    """The path of the task's validation.json."""
    validated: Validity | None = field(default=None, metadata=LATER)
    """The decision in that file; None if the task was not validated."""
    leaks_by: str | None = field(default=None, metadata=LATER)
    """How leaks were searched: `letters only`, or by which vectors too; None in a record of before."""
    left_out: bool | None = field(default=None, metadata=LATER)
    """Whether nothing was trained on it, because its validation blocks it; None in a record of before."""


@dataclass(frozen=True)
class ArmRecord:
    """An arm: a proposed model, or a model that others are compared with.

    `name` is unique in a run; `path` is what `adapters.models.open_folder` takes. `parts`: the names of the merged
    checkpoints, in order; empty for a trained checkpoint. `t`: the position on the curve between two checkpoints, in
    0..1. `refused`: the reasons why the checkpoint is neither evaluated nor merged: its training diverged, or it is
    broken. `same_as`: the earlier arm with the same weights. `queries_known`: for a given checkpoint, whether its
    manifest shows which queries it was trained on, so that they were compared with those of the evaluation.
    """

    name: str
    kind: Kind
    path: str
    parts: tuple[str, ...] = ()
    t: float | None = None
    refused: tuple[str, ...] = ()
    same_as: str | None = field(default=None, metadata=LATER)
    queries_known: bool | None = field(default=None, metadata=LATER)

    @property
    def twin(self) -> str | None:
        """The arm whose weights this one has: an earlier arm, or the only part of a merge; None if there is none."""
        return self.same_as or (self.parts[0] if len(self.parts) == 1 else None)

    @property
    def is_merge(self) -> bool:
        """Whether it was merged from several checkpoints and differs from every earlier arm."""
        return bool(self.parts) and self.twin is None


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
    """The id of the evaluation; None for a macro average."""


@dataclass(frozen=True)
class LookRow:
    """A look of the gate, as the log of looks has it."""

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
    """The alpha that the look spent."""


@dataclass(frozen=True)
class Claim:
    """A difference on the final split, tested as in `harness.measuring.statistics.difference`."""

    claim: Literal["adaptation", "merging"]
    against: str
    winner: str
    delta: float
    low: float | None
    high: float | None
    """95 % interval; None with fewer than six questions."""
    p: float | None
    """Not corrected; None in a record of version 1, which has only the corrected value."""
    adjusted_p: float | None
    """Corrected over all claims; in a record of version 1, by Holm's method."""
    family: Count
    """The number of claims that p is corrected over."""
    holds: bool
    told: str


@dataclass(frozen=True)
class SettingRow:
    """A key of the configuration that was set. All other keys had their defaults."""

    key: str
    """The full key, such as `training.epochs`."""
    value: str
    """The value as TOML."""
    origin: str
    """Where it was set: the file, the command line, an environment variable, or Python."""


@dataclass(frozen=True)
class AdaptationRecord:
    """An adaptation, finished or not."""

    run: str
    name: str
    started: str
    seconds: float
    base: Mapping[str, Any]
    """The `name` and the identity of the base."""
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
        """The base as the user named it."""
        return str(self.base["name"])

    def arm(self, name: str) -> ArmRecord:
        """Return the arm with a name.

        Raises:
            KeyError: no arm has this name.
        """
        return {one.name: one for one in self.arms}[name]

    def of_kind(self, kind: Kind) -> tuple[ArmRecord, ...]:
        """Return the arms of a kind, in the order of the record."""
        return tuple(one for one in self.arms if one.kind == kind)

    @property
    def teacher_arms(self) -> dict[str, TeacherFacts]:
        """The teachers, by their names among the arms of scores."""
        return dict(zip(teacher_arms(len(self.teachers)), self.teachers, strict=True))

    @property
    def outsiders(self) -> tuple[str, ...]:
        """The measured arms that are not checkpoints: the first stage, the teachers, the anchor."""
        measured = {one.arm for one in self.scores}
        return tuple(one for one in (FIRST_STAGE, *self.teacher_arms, ANCHOR) if one in measured)

    def scores_on(self, tier: Tier) -> dict[tuple[str, str], Score]:
        """Return the scores of a tier by arm and collection. A single collection also counts as the macro average."""
        found = {(one.arm, one.collection): one for one in self.scores if one.tier == tier}
        if len({name for _, name in found} - {MACRO}) == 1:
            found |= {(arm, MACRO): replace(one, collection=MACRO) for (arm, _), one in found.items()}
        return found

    def value(self, arm: str, tier: Tier) -> float | None:
        """Return the primary endpoint of an arm on a tier: the macro average, or the value on its single collection;
        None if it was not measured."""
        found = self.scores_on(tier).get((arm, MACRO))
        return None if found is None else found.value

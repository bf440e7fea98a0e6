"""What an adaptation will cost, counted before anything is paid."""

from __future__ import annotations

from dataclasses import dataclass

from harness.workspace import Workspace
from training.adapting.settings import AdaptationSettings, Task, seeds_of, tasks_of
from training.batches import Batches
from training.corpus import corpus_of
from training.examples import Examples
from training.mining.mine import RETRIEVERS
from training.settings import Settings
from training.synthesis.profiles import load_profile, profile_for
from training.synthesis.synthesize import SynthesisSettings, chosen

_CURVE, _SOUPS, _UNION = 3, 2, 1


@dataclass(frozen=True)
class TaskCost:
    """One task."""

    name: str
    documents: int
    """That are asked about."""
    queries: int
    """That are wanted of the generator; fewer will be left."""
    pairs: int
    """For each teacher, at most."""
    steps: int
    """Of one single, at most."""


@dataclass(frozen=True)
class MakingCost:
    """The making half of a run. What depends on the generator is an upper bound."""

    tasks: tuple[TaskCost, ...]
    teachers: int
    stage1_steps: int
    single_steps: int
    """Of all trained singles, at most."""
    checkpoints: int
    """To evaluate on dev: base, stage 1, singles, union, linear, slerp, curve, and the trials of the greedy soup."""

    @property
    def union_steps(self) -> int:
        """As many as all singles together."""
        return self.single_steps

    @property
    def pairs(self) -> int:
        """For all teachers."""
        return self.teachers * sum(one.pairs for one in self.tasks)

    def lines(self) -> list[str]:
        """One for each task, then training and checkpoints."""
        told = [
            f"{one.name}: {one.documents:,} documents, {one.queries:,} queries wanted, at most {one.pairs:,} pairs for "
            f"{self.teachers} teacher{'s' if self.teachers > 1 else ''}"
            for one in self.tasks
        ]
        return [
            *told,
            f"training: {self.stage1_steps:,} steps of stage 1, at most {self.single_steps:,} of the singles, and "
            f"as many of the union",
            f"to measure: {self.checkpoints} checkpoints on dev",
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines())


def cost_of(wishes: AdaptationSettings, workspace: Workspace, general: Examples | None = None) -> MakingCost:
    """Count. Corpora are read; no model is opened.

    Raises:
        UsageError: a corpus or profile is unknown.
        DataError: a corpus has no documents, or none that is long enough.
    """
    tasks = tuple(_task(task, wishes, workspace, general) for task in tasks_of(wishes))
    seeds = len(seeds_of(wishes))
    ingredients = len(tasks) * seeds + len(wishes.ingredients)
    trials = max(0, ingredients - 1)
    return MakingCost(
        tasks, len(wishes.teachers),
        0 if general is None else _steps(wishes.stage1, len(general), 0),
        seeds * sum(one.steps for one in tasks),
        (2 if general is not None else 1) + ingredients + _UNION + _SOUPS + _CURVE + trials,
    )  # fmt: skip


def _task(task: Task, wishes: AdaptationSettings, workspace: Workspace, general: Examples | None) -> TaskCost:
    corpus = corpus_of(task.corpus, workspace)
    profile = load_profile(task.profile) if task.profile else profile_for(corpus.language)
    documents = len(chosen(corpus, SynthesisSettings(wishes.documents, wishes.seed, wishes.floor)))
    queries = documents * profile.count
    pool = min(len(corpus.corpus), wishes.depth * len(wishes.retrievers or RETRIEVERS) + 1)
    steps = _steps(wishes.adaptation, queries, len(general) if general else 0)
    return TaskCost(task.name, documents, queries, queries * pool, steps)


def _steps(settings: Settings, own: int, replayed: int) -> int:
    share = settings.replay_share if replayed else 0.0
    whole = Batches(own, replayed, share, settings.queries, settings.window).per_epoch * settings.epochs
    return whole if settings.max_steps is None else min(whole, settings.max_steps)

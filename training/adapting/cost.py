"""The cost of an adaptation, counted before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from harness.data.collection import Collection
from harness.workspace import Workspace
from training.adapting.settings import AdaptationSettings, Task, bag_steps, seeds_of, tasks_of
from training.batches import Batches
from training.corpus import corpus_of
from training.examples import Examples
from training.mining.mine import RETRIEVERS
from training.mining.questions import asked_by
from training.settings import Settings
from training.synthesis.profiles import load_profile, profile_for
from training.synthesis.synthesize import SynthesisSettings, chosen
from training.teaching.cycles import most

_CURVE, _UNION = 3, 1
_SOUPS = 4
"""linear and slerp of all ingredients, and of those that dev finds no worse than stage 1."""


@dataclass(frozen=True)
class TaskCost:
    """The cost of one task."""

    name: str
    documents: int
    """Documents that queries are written for; 0 for real questions."""
    queries: int
    """Queries requested from the generator, some of which will be rejected; or real questions."""
    pairs: int
    """The largest number of pairs for each teacher."""
    steps: int
    """The largest number of steps of one single."""
    teachers: int
    """The number of teachers that score its pairs."""
    comparisons: int = 0
    """The largest number of comparisons, in both orders, of each teacher that orders lists."""


@dataclass(frozen=True)
class MakingCost:
    """The cost of making the checkpoints of a run. Numbers that depend on the generator are upper bounds."""

    tasks: tuple[TaskCost, ...]
    teachers: int
    """Different teachers of all tasks."""
    stage1_steps: int
    single_steps: int
    """The largest number of steps of all trained singles."""
    checkpoints: int
    """The largest number of checkpoints to measure on dev: base, stage 1, singles, union, linear and slerp of all and
    of the sound ingredients, curve, trials of the greedy soup, and the bags with their merge."""
    inside: int = 0
    """The largest number of evaluations on dev inside the trainings."""
    bag_steps: int = 0
    """The largest number of steps of all bags."""

    @property
    def union_steps(self) -> int:
        """Steps of the union, as many as all singles have together."""
        return self.single_steps

    @property
    def pairs(self) -> int:
        """The largest number of pairs for all teachers."""
        return sum(one.pairs * one.teachers for one in self.tasks)

    def lines(self) -> list[str]:
        """One line for each task, then training and checkpoints."""
        tasks = [
            f"{one.name}: {_asked(one)}, at most {one.pairs:,} pairs "
            f"for {one.teachers} teacher{'s' if one.teachers > 1 else ''}{_comparisons(one)}"
            for one in self.tasks
        ]
        return [
            *tasks,
            f"training: {self.stage1_steps:,} steps of stage 1, at most {self.single_steps:,} of the singles, "
            f"{self._union_and_bags}",
            f"to measure: at most {self.checkpoints} checkpoints on dev{self._inside}",
        ]

    @property
    def _union_and_bags(self) -> str:
        bags = f", and {self.bag_steps:,} of the bags" if self.bag_steps else ""
        return f"{'' if bags else 'and '}as many of the union{bags}"

    @property
    def _inside(self) -> str:
        return f", and {self.inside:,} steps inside the trainings" if self.inside else ""

    def __str__(self) -> str:
        return "\n".join(self.lines())


def cost_of(settings: AdaptationSettings, workspace: Workspace, general: Examples | None = None) -> MakingCost:
    """Count the cost. Corpora are read, but no model is opened.

    Raises:
        UsageError: a corpus or profile is unknown.
        DataError: a corpus has no documents that are long enough.
    """
    tasks = tuple(_task(task, settings, workspace, general) for task in tasks_of(settings))
    seeds = len(seeds_of(settings))
    ingredients = len(tasks) * seeds + len(settings.ingredients)
    trials = max(0, ingredients - 1)
    stage1 = 0 if general is None else _steps(settings.stage1, len(general), 0)
    singles = [one.steps for one in tasks for _ in range(seeds)]
    bags = [bag_steps(share, sum(singles)) for share in settings.trained_bags.values()]
    bagging = len(bags) + 1 if settings.bags else 0
    return MakingCost(
        tasks, len(settings.all_teachers), stage1, sum(singles),
        (2 if general is not None else 1) + ingredients + _UNION + _SOUPS + _CURVE + trials + bagging,
        sum(_looks(steps, settings.evaluate_every) for steps in (stage1, *singles, sum(singles), *bags)), sum(bags),
    )  # fmt: skip


def _task(task: Task, settings: AdaptationSettings, workspace: Workspace, general: Examples | None) -> TaskCost:
    corpus = corpus_of(task.corpus, workspace)
    documents, queries = _requested(task, corpus, settings, workspace)
    pool = min(len(corpus.corpus), settings.depth * len(settings.retrievers or RETRIEVERS) + 1)
    steps = _steps(settings.adaptation, queries, len(general) if general else 0)
    teachers = 1 if task.teacher else len(settings.teachers)
    compared = most(min(pool, settings.plan.per_query), settings.pairwise) if settings.pairwise else 0
    return TaskCost(task.name, documents, queries, queries * pool, steps, teachers, 2 * queries * compared)


def _requested(task: Task, corpus: Collection, settings: AdaptationSettings, workspace: Workspace) -> tuple[int, int]:
    """The number of documents to write queries for, and the number of queries."""
    if task.questions is not None:
        return 0, len(asked_by(task.questions, corpus, workspace).ids)
    profile = load_profile(task.profile) if task.profile else profile_for(corpus.language)
    wanted = SynthesisSettings(task.documents or settings.documents, settings.seed, settings.floor)
    documents = len(chosen(corpus, wanted))
    return documents, documents * profile.count


def _asked(one: TaskCost) -> str:
    if not one.documents:
        return f"{one.queries:,} questions"
    return f"{one.documents:,} documents, {one.queries:,} queries requested"


def _comparisons(one: TaskCost) -> str:
    return f", or {one.comparisons:,} comparisons where it orders lists" if one.comparisons else ""


def _looks(steps: int, every: int | None) -> int:
    """The evaluations of one training: the start, every so often, and the last step."""
    return -(-steps // every) + 1 if every and steps else 0


def _steps(settings: Settings, own: int, replayed: int) -> int:
    share = settings.replay_share if replayed else 0.0
    whole = Batches(own, replayed, share, settings.queries, settings.window).per_epoch * settings.epochs
    return whole if settings.max_steps is None else min(whole, settings.max_steps)

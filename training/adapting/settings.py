"""The settings that decide the result of an adaptation, and the tasks that follow from them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from adapters.comparing import only_compares
from adapters.errors import UsageError
from adapters.paths import user_path
from training.adapting.config import AdaptConfig, AdaptSynthesis, AdaptTask, AdaptTeaching
from training.augmentation import Augmentation
from training.configuration import require
from training.mining.questions import AskedQuestions
from training.mixing import Mix
from training.settings import SEED, Loss, Settings, settings_of
from training.stages import General, Map, Mining, MixedSource, Plan, Teaching, plan_of
from training.teaching.blend import shares_of

NEEDED = {"base": "--base", "corpora": "--corpus", "teaching.teachers": "--teacher"}
"""The keys that every adaptation needs, and the options that set them."""
_LATER = (
    "tasks", "score_as", "choose", "pairwise", "sources", "temperature", "evaluate_every", "patience", "bags",
)  # fmt: skip
_LATER_IN_TASKS = ("queries", "queries_split", "sample_queries", "score_as")
_LIKE_A_PATH = ("/", "./", "../", "~")


@dataclass(frozen=True)
class AdaptationSettings:
    """The settings of an adaptation. Those that only change its speed are in `training.settings.Machine`.

    Raises:
        UsageError: a name occurs twice, or two values contradict each other.
    """

    base: str
    teachers: tuple[str, ...]
    corpora: tuple[str, ...]
    """Targets for `training.corpus.corpus_of`."""
    weights: tuple[float, ...] = ()
    """The weights of the teachers. Empty: equal weights."""
    choose: bool = AdaptTeaching.choose
    """Choose the weights on dev."""
    teacher_facts: Path | None = None
    score_map: Map = Teaching.map
    pairwise: int | None = Teaching.pairwise
    """The number of random cycles of comparisons; None for scores."""
    score_as: str | None = Teaching.score_as
    """The parallel collection whose texts the teachers read, for tasks with queries that name none."""
    generator: str = AdaptSynthesis.generator
    profiles: tuple[str, ...] = ()
    """The profiles to use for each corpus. Empty: the generic profile of the corpus's language."""
    documents: int | None = None
    """The number of documents of each corpus to write queries for; None for all."""
    floor: float = AdaptSynthesis.floor
    """The smallest share of queries that keep to the profile."""
    retrievers: tuple[str, ...] = ()
    """Empty: the default of `training.mining.mine`."""
    depth: int = Mining.depth
    """Candidates from each retriever."""
    plan: Plan = field(default_factory=Plan)
    general: tuple[str, ...] = ()
    """Files and folders of general ranking data. Stage 1 is trained on them, and they are replayed later. Empty: stage
    1 is the base."""
    sources: tuple[MixedSource, ...] = ()
    """The same, one by one with weights, in place of `general`."""
    temperature: float | None = General.temperature
    """How the sources of general data are mixed; see `training.mixing.Mix`."""
    negatives: str = General.negatives
    """The source of negatives for BEIR folders in `general`."""
    stage1: Settings = field(default_factory=Settings)
    adaptation: Settings = field(default_factory=Settings)
    """The settings of each single. `replay_share` is the share of general examples; `seed` is replaced by each of
    `seeds`."""
    evaluate_every: int | None = None
    """The number of steps between two evaluations on dev inside a training; None to keep the last step."""
    patience: int | None = None
    """The number of evaluations without a better one after which a training stops; None for no limit."""
    seeds: tuple[int, ...] = ()
    """Each task is trained once with each seed. Empty: 0 and 1 with one task, 0 with several."""
    ingredients: tuple[str, ...] = ()
    """Given checkpoints that are treated like singles."""
    bags: tuple[float, ...] = ()
    """The shares of the examples that the merged checkpoints of the bagged arm are trained on; 1 is the union."""
    new_head: bool = False
    max_length: int | None = None
    """The maximum length of a whole input in tokens, for student and teachers; None for the length that the base
    declares."""
    leak_threshold: float = AdaptSynthesis.leak_threshold
    """Queries whose similarity to an evaluation query is at least this are removed."""
    seed: int = SEED
    """The seed for drawing documents and negatives."""
    tasks: tuple[AdaptTask, ...] = ()
    """The tasks one by one, in place of every profile for every corpus."""

    def __post_init__(self) -> None:
        self._check_names()
        if len(set(self.tasks)) < len(self.tasks):
            raise UsageError("task: two tasks are equal; name each once, with the weight that it should have")
        if self.teachers or self.weights:
            shares_of(self.weights, len(self.teachers))
        if len(set(self.seeds)) < len(self.seeds) or any(seed < 0 for seed in self.seeds):
            raise UsageError("seeds must be different numbers from 0 on, because equal seeds give equal checkpoints")
        for one in (self.stage1, self.adaptation):
            if one.new_head or one.max_length not in {None, self.max_length}:
                raise UsageError("set new_head and max_length for the whole adaptation, not for one training")

    def _check_names(self) -> None:
        for key, values in (
            ("teaching.teachers", self.teachers), ("corpora", self.corpora), ("synthesis.profiles", self.profiles),
            ("mining.retrievers", self.retrievers), ("general.data", self.general),
            ("general.source", tuple(map(_named, self.sources))), ("merge.ingredients", self.ingredients),
        ):  # fmt: skip
            if twice := _repeated(values):
                raise UsageError(f"{key}: {twice} occurs twice; name it once")
        for teacher in self.all_teachers:
            if only_compares(teacher):
                raise UsageError(
                    f"the teacher {teacher} only compares two documents, and an adaptation first measures its teachers "
                    "on dev as rerankers; label the examples with train teach --pairwise and fit on them"
                )
        if len(self.retrievers) == 1:
            raise UsageError("mining.retrievers: name at least two, such as bm25 and a dense one")

    @property
    def all_teachers(self) -> tuple[str, ...]:
        """The teachers of all tasks, each once."""
        own = (task.teacher for task in self.tasks if task.teacher)
        return tuple(dict.fromkeys((*self.teachers, *own)))

    @property
    def trained_bags(self) -> dict[str, float]:
        """The shares of the bags by name, without the union, which is trained in any case."""
        shares = [share for share in self.bags if share < 1]
        return dict(zip(_unique(f"bag-{share:g}" for share in shares), shares, strict=True))

    @property
    def mix(self) -> Mix:
        """The sources of general data; empty if there are none."""
        return Mix(self.sources or tuple(MixedSource(one) for one in self.general), self.temperature)

    @property
    def stage1_settings(self) -> Settings:
        """The settings of stage 1. A new head is added before stage 1."""
        return replace(self.stage1, max_length=self.max_length)

    def fit_settings(self, seed: int) -> Settings:
        """The settings of a single with this seed."""
        return replace(self.adaptation, max_length=self.max_length, seed=seed)

    def describe(self) -> dict[str, object]:
        """The settings as plain values."""
        facts = None if self.teacher_facts is None else str(self.teacher_facts)
        trained = {"stage1": self.stage1.describe(), "adaptation": self.adaptation.describe()}
        described = {**asdict(self), **trained, "teacher_facts": facts}
        # Later keys that are not set are left out, so a run of an earlier version keeps its identity.
        tasks = tuple(_without_unset(task, _LATER_IN_TASKS) for task in described["tasks"])
        return _without_unset({**described, "tasks": tasks}, _LATER)


def _named(one: MixedSource) -> str:
    """The data of a source. They may be named again with another instruction."""
    return one.data if one.instruction is None else f"{one.data} with the instruction '{one.instruction}'"


def wishes_of(config: AdaptConfig) -> AdaptationSettings:
    """The settings of a configuration.

    Raises:
        UsageError: base, corpora or teachers are missing, a name occurs twice, or two values contradict each other.
    """
    require(config, needed(config))
    synthesis, teaching, training = config.synthesis, config.teaching, config.training
    fit = settings_of(training, max_length=None, new_head=False, seed=config.seed)
    stage1 = replace(
        fit, loss=Loss(config.general.loss), epochs=config.general.epochs, max_steps=None, augmentation=Augmentation()
    )
    return AdaptationSettings(
        base=str(config.base), teachers=teaching.teachers, corpora=config.corpora, weights=teaching.weights,
        choose=teaching.choose, teacher_facts=teaching.facts, score_map=teaching.map, score_as=teaching.score_as,
        pairwise=teaching.pairwise, generator=synthesis.generator,
        profiles=synthesis.profiles, documents=synthesis.documents, floor=synthesis.floor,
        retrievers=config.mining.retrievers, depth=config.mining.depth, plan=plan_of(config.sampling, config.seed),
        general=config.general.data, sources=config.general.source, temperature=config.general.temperature,
        evaluate_every=training.evaluate_every, patience=training.patience,
        negatives=config.general.negatives, stage1=stage1, adaptation=fit,
        seeds=tuple(range(training.seeds or 0)), ingredients=config.merge.ingredients, bags=config.merge.bags,
        new_head=training.new_head,
        max_length=training.max_length, leak_threshold=synthesis.leak_threshold, seed=config.seed, tasks=config.task,
    )  # fmt: skip


def needed(config: AdaptConfig) -> dict[str, str]:
    """The keys that this adaptation needs, and the options that set them. Tasks name their corpora and may name their
    teachers."""
    own = {"corpora"} if config.task else set[str]()
    own |= {"teaching.teachers"} if config.task and all(one.teacher for one in config.task) else set()
    return {key: option for key, option in NEEDED.items() if key not in own}


@dataclass(frozen=True)
class Task:
    """A corpus to adapt to, with a profile for its queries."""

    name: str
    """Unique in a run, and usable as the name of a folder."""
    corpus: str
    """The target that the user named."""
    profile: str | None
    """None for the generic profile of the corpus's language."""
    documents: int | None = None
    """The number of documents to write queries for; None for that of the settings."""
    teacher: str | None = None
    """None for the teachers of the settings."""
    weight: float = 1.0
    """How much it counts in the union and in merges, against the other tasks."""
    questions: AskedQuestions | None = None
    """What is asked in place of written queries; None for written ones."""
    score_as: str | None = None
    """The parallel collection whose texts the teachers read; None for the texts of the task."""


def tasks_of(settings: AdaptationSettings) -> list[Task]:
    """The tasks that were named one by one, or each profile for each corpus, in their order.

    Raises:
        UsageError: the labels are those of a parallel collection, but no task has queries with ids in it.
    """
    if settings.score_as and not any(one.queries for one in settings.tasks):
        raise UsageError("teaching.score_as needs a [[task]] with queries, whose ids are in the parallel collection")
    if settings.tasks:
        return _named_tasks(settings.tasks, settings)
    pairs = [(corpus, profile) for corpus in settings.corpora for profile in settings.profiles or (None,)]
    names = _unique(_name(corpus, profile if len(settings.profiles) > 1 else None) for corpus, profile in pairs)
    return [Task(name, corpus, profile) for name, (corpus, profile) in zip(names, pairs, strict=True)]


def _named_tasks(tasks: tuple[AdaptTask, ...], settings: AdaptationSettings) -> list[Task]:
    """Tasks on one corpus have the profile, or what they ask, in their names."""
    times = Counter(one.corpus for one in tasks)
    kinds = [one.profile or (one.queries and last_part(one.queries)) for one in tasks]
    named = zip(tasks, kinds, strict=True)
    names = _unique(_name(one.corpus, kind if times[one.corpus] > 1 else None) for one, kind in named)
    return [_task(name, one, settings) for name, one in zip(names, tasks, strict=True)]


def _task(name: str, one: AdaptTask, settings: AdaptationSettings) -> Task:
    asked = one.queries and AskedQuestions(one.queries, one.queries_split, one.sample_queries, settings.seed)
    read = (one.score_as or settings.score_as) if asked else None
    return Task(name, one.corpus, one.profile, one.documents, one.teacher, one.weight, asked or None, read)


def seeds_of(settings: AdaptationSettings) -> tuple[int, ...]:
    """The seeds that each task is trained with. A single checkpoint cannot be merged, so one task has two seeds."""
    return settings.seeds or ((0, 1) if len(tasks_of(settings)) == 1 else (0,))


def bag_steps(share: float, union: int) -> int:
    """The steps of a bag: its share of those of the union, and at least one if the union has any."""
    return min(union, max(1, round(share * union)))


def slug(text: str) -> str:
    """A text as a part of a folder's name, with letters and digits of any script, dots and dashes."""
    return re.sub(r"[^\w.]+", "-", text).strip("-._") or "unnamed"


def last_part(target: str) -> str:
    """The readable part of a target: the name of a folder without its parents, or the whole name of a collection."""
    path = user_path(target)
    if not target.startswith(_LIKE_A_PATH) and not path.exists():
        return target
    resolved = path.resolve()
    return resolved.parent.name if resolved.name.startswith("corpus.jsonl") else resolved.name


def _name(corpus: str, profile: str | None) -> str:
    return slug(last_part(corpus)) if profile is None else f"{slug(last_part(corpus))}-{slug(Path(profile).stem)}"


def _unique(names: Iterable[str]) -> list[str]:
    unique: list[str] = []
    for name in names:
        number, free = 1, name
        while free.casefold() in {one.casefold() for one in unique}:
            number += 1
            free = f"{name}-{number}"
        unique.append(free)
    return unique


def _without_unset(values: Mapping[str, object], names: tuple[str, ...]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value or name not in names}


def _repeated(values: tuple[str, ...]) -> str | None:
    return next((value for place, value in enumerate(values) if value in values[:place]), None)

"""What a user may choose of an adaptation and that decides its result, and the tasks that follow from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from adapters.errors import UsageError
from training.adapting.config import AdaptConfig, AdaptSynthesis
from training.configuration import require
from training.settings import SEED, Loss, Settings, settings_of
from training.stages import General, Map, Mining, Plan, Teaching, plan_of
from training.teaching.blend import shares_of

NEEDED = {"base": "--base", "corpora": "--corpus", "teaching.teachers": "--teacher"}
"""The keys that every adaptation needs, and the options that set them."""
_LIKE_A_PATH = ("/", "./", "../", "~")


@dataclass(frozen=True)
class AdaptationSettings:
    """An adaptation, declared. How fast it is made (`training.settings.Machine`) is no part of it.

    Raises:
        UsageError: when made, if a name occurs twice or two values do not go together.
    """

    base: str
    teachers: tuple[str, ...]
    corpora: tuple[str, ...]
    """Targets, as `training.corpus.corpus_of` takes them."""
    weights: tuple[float, ...] = ()
    """Of the teachers; none: equal ones."""
    teacher_facts: Path | None = None
    score_map: Map = Teaching.map
    generator: str = AdaptSynthesis.generator
    profiles: tuple[str, ...] = ()
    """Each for every corpus; none: the generic one of the corpus's language."""
    documents: int | None = None
    """Asked about in each corpus; None: all."""
    floor: float = AdaptSynthesis.floor
    """The share of queries that have to keep to the profile."""
    retrievers: tuple[str, ...] = ()
    """None: those of `training.mining.mine`."""
    depth: int = Mining.depth
    """Of every retriever in the pool."""
    plan: Plan = field(default_factory=Plan)
    general: tuple[str, ...] = ()
    """Files and folders of general ranking data: stage 1 is trained on them, and they are replayed. None: stage 1 is
    the base."""
    negatives: str = General.negatives
    """Where a BEIR folder among them gets unjudged documents from."""
    stage1: Settings = field(default_factory=Settings)
    adaptation: Settings = field(default_factory=Settings)
    """Its `replay_share` is the share of general examples; its `seed` is replaced by each of `seeds`."""
    seeds: tuple[int, ...] = ()
    """Every task is fitted once with each; none: 0 and 1 with one task, 0 with several."""
    ingredients: tuple[str, ...] = ()
    """Given checkpoints that join the singles."""
    new_head: bool = False
    max_length: int | None = None
    """Tokens of a whole input, of student and teachers; None: what the base declares."""
    leak_threshold: float = AdaptSynthesis.leak_threshold
    """Queries that resemble an evaluation query more than this are removed."""
    seed: int = SEED
    """Of the documents that are drawn, and of drawn negatives."""

    def __post_init__(self) -> None:
        self._check_names()
        shares_of(self.weights, len(self.teachers))
        if len(set(self.seeds)) < len(self.seeds) or any(seed < 0 for seed in self.seeds):
            raise UsageError("seeds are different numbers from 0 on; one twice gives the same checkpoint twice")
        for one in (self.stage1, self.adaptation):
            if one.new_head or one.max_length not in {None, self.max_length}:
                raise UsageError("a new head and the length are for the whole adaptation, not for one training")

    def _check_names(self) -> None:
        for key, values in (
            ("teaching.teachers", self.teachers), ("corpora", self.corpora), ("synthesis.profiles", self.profiles),
            ("mining.retrievers", self.retrievers), ("general.data", self.general),
            ("merge.ingredients", self.ingredients),
        ):  # fmt: skip
            if twice := _repeated(values):
                raise UsageError(f"{key}: {twice} occurs twice; name it once")
        if len(self.retrievers) == 1:
            raise UsageError("mining.retrievers: name at least two, such as bm25 and a dense one")

    @property
    def stage1_settings(self) -> Settings:
        """Of stage 1. The head has grown before."""
        return replace(self.stage1, max_length=self.max_length)

    def fit_settings(self, seed: int) -> Settings:
        """Of an adaptation."""
        return replace(self.adaptation, max_length=self.max_length, seed=seed)

    def describe(self) -> dict[str, object]:
        """As plain values."""
        facts = None if self.teacher_facts is None else str(self.teacher_facts)
        return {**asdict(self), "teacher_facts": facts}


def wishes_of(config: AdaptConfig) -> AdaptationSettings:
    """What a configuration says of the making half.

    Raises:
        UsageError: base, corpora or teachers are missing, a name occurs twice, or two values do not go together.
    """
    require(config, NEEDED)
    synthesis, teaching, training = config.synthesis, config.teaching, config.training
    settings = settings_of(training, max_length=None, new_head=False, seed=config.seed)
    stage1 = replace(settings, loss=Loss(config.general.loss), epochs=config.general.epochs, max_steps=None)
    return AdaptationSettings(
        base=str(config.base), teachers=teaching.teachers, corpora=config.corpora, weights=teaching.weights,
        teacher_facts=teaching.facts, score_map=teaching.map, generator=synthesis.generator,
        profiles=synthesis.profiles, documents=synthesis.documents, floor=synthesis.floor,
        retrievers=config.mining.retrievers, depth=config.mining.depth, plan=plan_of(config.sampling, config.seed),
        general=config.general.data, negatives=config.general.negatives, stage1=stage1, adaptation=settings,
        seeds=tuple(range(training.seeds or 0)), ingredients=config.merge.ingredients, new_head=training.new_head,
        max_length=training.max_length, leak_threshold=synthesis.leak_threshold, seed=config.seed,
    )  # fmt: skip


@dataclass(frozen=True)
class Task:
    """A corpus that is adapted to, with a way of asking."""

    name: str
    """Unique in a run, and fit for the name of a folder."""
    corpus: str
    """The target, as the user named it."""
    profile: str | None
    """None: the generic profile of the corpus's language."""


def tasks_of(wishes: AdaptationSettings) -> list[Task]:
    """Every profile for every corpus, in the order in which they were named."""
    pairs = [(corpus, profile) for corpus in wishes.corpora for profile in wishes.profiles or (None,)]
    names = _unique(_name(corpus, profile if len(wishes.profiles) > 1 else None) for corpus, profile in pairs)
    return [Task(name, corpus, profile) for name, (corpus, profile) in zip(names, pairs, strict=True)]


def seeds_of(wishes: AdaptationSettings) -> tuple[int, ...]:
    """The seeds that every task is fitted with. One checkpoint alone cannot be merged, so one task has two."""
    return wishes.seeds or ((0, 1) if len(tasks_of(wishes)) == 1 else (0,))


def slug(text: str) -> str:
    """A text as a part of a folder's name: letters and digits of any script, dots and dashes."""
    return re.sub(r"[^\w.]+", "-", text).strip("-._") or "unnamed"


def last_part(target: str) -> str:
    """The readable part of a path or a name: the folder's own name, or the whole name of a collection."""
    path = Path(target).expanduser()
    if not target.startswith(_LIKE_A_PATH) and not path.exists():
        return target
    resolved = path.resolve()
    return resolved.parent.name if resolved.name.startswith("corpus.jsonl") else resolved.name


def _name(corpus: str, profile: str | None) -> str:
    return slug(last_part(corpus)) if profile is None else f"{slug(last_part(corpus))}-{slug(Path(profile).stem)}"


def _unique(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        number, free = 1, name
        while free.casefold() in {one.casefold() for one in found}:
            number += 1
            free = f"{name}-{number}"
        found.append(free)
    return found


def _repeated(values: tuple[str, ...]) -> str | None:
    return next((value for place, value in enumerate(values) if value in values[:place]), None)

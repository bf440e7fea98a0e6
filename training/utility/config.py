"""The configuration of the experiment that measures what synthetic queries are worth: every key of its TOML file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adapters.typed_values import Count, Positive
from training.keys import check
from training.settings import SEED, Hardware, Loss, TrainingRecipe
from training.stages import Mining, Strata


@dataclass(frozen=True)
class Synthetic:
    """The synthetic queries."""

    corpus: str | None = None
    """The corpus that the synthetic queries were written from. Needed."""
    queries: Path | None = None
    """Synthetic queries: a folder of train synthesize, or a JSONL file. Needed."""


@dataclass(frozen=True)
class Real:
    """The real annotations."""

    collection: str | None = None
    """A collection with human judgments to train on. Needed."""
    split: str = "train"
    """The split of the judgments."""


@dataclass(frozen=True)
class Wrong:
    """Synthetic queries of another domain, for arm e."""

    corpus: str | None = None
    """The corpus that these queries were written from. Default: there is no arm e."""
    queries: Path | None = None
    """Synthetic queries of another domain: a folder of train synthesize, or a JSONL file."""

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if (self.corpus is None) == (self.queries is None):
            return None
        return "wrong.corpus and wrong.queries belong together; set both or neither"


@dataclass(frozen=True)
class Test:
    """How every checkpoint is measured."""

    collection: str | None = None
    """The judged collection that every checkpoint is measured on. Needed."""
    split: str | None = None
    """The split of the judgments. Default: test."""
    first_stage: str = "bm25"
    """The first stage whose candidates are reranked: a spec, given, or run:FILE."""
    depth: Positive = 100
    """Candidates per query."""
    measure: str | None = None
    """A measure such as nDCG@10. Default: the main measure of the collection."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class OneTeacher:
    """The teacher, whose scores are the labels of arms a, c and e."""

    teacher: str | None = None
    """A reranker or an embedder. Needed."""
    facts: Path | None = None
    """A TOML file with the licence and the training sets of the teacher. Default: none is known."""


@dataclass(frozen=True)
class UtilityTraining(TrainingRecipe):
    """How the students of every arm are trained. Labels run from 0 to 1 in every arm."""

    loss: Loss = field(default_factory=lambda: Loss(scale=10.0))
    seeds: Positive = 3
    """The number of trainings of every arm."""


@dataclass(frozen=True)
class UtilityConfig:
    """An experiment: students trained on synthetic queries and on real annotations, with equal numbers and steps.

    Paths are relative to the current folder.
    """

    base: str | None = None
    """The student: a folder or a hub name of a cross-encoder, an embedder or a language model. Needed."""
    seed: Count = SEED
    """The first random seed of the students, and the seed of the queries and documents that are drawn."""
    queries_each: Positive | None = None
    """Use at most this number of queries of every set. Default: all."""
    synthetic: Synthetic = field(default_factory=Synthetic)
    real: Real = field(default_factory=Real)
    wrong: Wrong = field(default_factory=Wrong)
    test: Test = field(default_factory=Test)
    mining: Mining = field(default_factory=Mining)
    teaching: OneTeacher = field(default_factory=OneTeacher)
    sampling: Strata = field(default_factory=Strata)
    training: UtilityTraining = field(default_factory=UtilityTraining)
    machine: Hardware = field(default_factory=Hardware)

    def __post_init__(self) -> None:
        check(self)

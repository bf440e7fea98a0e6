"""The ablation before it runs: the sets, the test collection, the arms, and the cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

from adapters.contents import Contents
from adapters.errors import DataError, UsageError
from adapters.models import open_folder
from harness.data.collection import Collection
from harness.data.sources import load
from harness.measuring.measures import parse
from harness.scoring.ground import is_paired
from harness.scoring.retrieve import first_stage
from harness.scoring.session import Session
from harness.workspace import Workspace
from training.corpus import corpus_of
from training.mining.mine import RETRIEVERS, read_queries
from training.teaching.teachers import open_teachers
from training.utility.arms import Arm, arms_with
from training.utility.sets import CorpusQueries, drawn, real_set, synthetic_set, without_test_queries
from training.utility.settings import UtilityInputs, UtilitySettings


@dataclass(frozen=True)
class Question:
    """An ablation that is ready to run."""

    sets: Mapping[str, CorpusQueries]
    """The sets of queries, all of the same size."""
    counts: Mapping[str, Mapping[str, object]]
    """What was removed from each set before the draw."""
    test: Collection
    arms: tuple[Arm, ...]
    left_out: Mapping[str, str]
    """Arms that cannot be trained, with the reason."""
    settings: UtilitySettings

    @property
    def size(self) -> int:
        """The number of queries in each set."""
        return len(next(iter(self.sets.values())))

    @cached_property
    def measure(self) -> str:
        """The name of the measure."""
        return str(parse(self.settings.measure or self.test.rules.main_measure))

    def notes(self) -> list[str]:
        """Warnings for readers of the results."""
        notes = [f"arm {name} is left out: {why}" for name, why in self.left_out.items()]
        if self.sets["real"].corpus.fingerprint != self.sets["synthetic"].corpus.fingerprint:
            notes.append("real and synthetic queries belong to different corpora: a - c is a shift of both")
        if self.settings.seeds < 3:
            notes.append("fewer than 3 seeds: the spread between seeds is hardly known")
        notes.append(
            "in arm b a judged document has its grade and any other candidate 0, although some of these may be relevant"
        )
        return notes

    def about(self, session: Session) -> dict[str, object]:
        """Identities of everything that decides the result."""
        settings, synthetic = self.settings, self.sets["synthetic"]
        (teacher,) = open_teachers(
            [settings.teacher], synthetic.corpus, settings.training.max_length, settings.facts, session
        )
        stages = [first_stage(name, session.workspace) for name in settings.retrievers or RETRIEVERS]
        return {
            "sets": {name: one.digest for name, one in self.sets.items()},
            "test": self.test.fingerprint,
            "base": Contents(open_folder(settings.base)).identity(),
            "teacher": {"identity": dict(teacher.identity), "origin": asdict(teacher.origin)},
            "retrievers": [dict(stage.identity(synthetic.corpus)) for stage in stages],
            "first_stage": dict(first_stage(settings.first_stage, session.workspace).identity(self.test)),
            **settings.describe(),
            "measure": self.measure,
        }


@dataclass(frozen=True)
class AblationCost:
    """The highest cost of an ablation. Pairs in the ledger are not scored again."""

    queries: int
    """Queries in each set."""
    teacher_pairs: int
    students: int
    steps: int
    """Steps of each student."""
    evaluations: int
    evaluation_pairs: int

    def as_dict(self) -> dict[str, int]:
        """As plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{self.queries:,} queries in each set; at most {self.teacher_pairs:,} pairs for the teacher; "
            f"{self.students} students of {self.steps:,} steps; {self.evaluations} evaluations, at most "
            f"{self.evaluation_pairs:,} pairs"
        )


def ask(given: UtilityInputs, settings: UtilitySettings, workspace: Workspace) -> Question:
    """Read the data and draw the sets.

    Raises:
        UsageError: real and test have the same queries, or the measure is not defined for single queries.
        DataError: a file has errors, or a set has no usable query.
    """
    test = _one(given.test, given.test_split, workspace, "--test")
    real = _one(given.real, given.real_split, workspace, "--real")
    if real.fingerprint == test.fingerprint:
        raise UsageError("--real and --test are the same queries; set another split with real.split or test.split")
    _check_test(test, settings)
    sets = [_synthetic("synthetic", given.corpus, given, workspace), real_set(real, given.real)]
    if given.wrong is not None:
        sets.append(_synthetic("wrong", str(given.wrong_corpus), given, workspace))
    sets = [without_test_queries(one, test) for one in sets]
    counts: dict[str, Mapping[str, object]] = {one.name: one.counts() for one in sets}
    chosen: dict[str, CorpusQueries] = {one.name: one for one in drawn(sets, settings.queries, settings.plan.seed)}
    sources = all(one.document for one in chosen["synthetic"].queries)
    arms, left_out = arms_with(set(chosen), sources=sources)
    return Question(chosen, counts, test, arms, left_out, settings)


def cost(question: Question) -> AblationCost:
    """The cost of an ablation, counted without opening a model."""
    settings, size = question.settings, question.size
    training = settings.training
    retrievers = len(settings.retrievers or RETRIEVERS)
    pairs = sum(
        sum(
            min(retrievers * settings.pool_depth + len(one.grades) + 1, len(found.corpus.corpus))
            for one in found.queries
        )
        for found in question.sets.values()
    )
    steps = -(-size // training.queries) * training.epochs
    students = len(question.arms) * settings.seeds
    evaluations = students + (settings.seeds if training.new_head else 1)
    tested = len(question.test.queries) * min(settings.depth, len(question.test.corpus))
    steps = steps if training.max_steps is None else min(steps, training.max_steps)
    return AblationCost(size, pairs, students, steps, evaluations, evaluations * tested)


def _synthetic(name: str, target: str, given: UtilityInputs, workspace: Workspace) -> CorpusQueries:
    corpus = corpus_of(target, workspace)
    if name == "wrong":
        return synthetic_set("wrong", corpus, target, read_queries(given.wrong or given.queries, corpus))
    return synthetic_set("synthetic", corpus, target, read_queries(given.queries, corpus))


def _one(target: str, split: str | None, workspace: Workspace, option: str) -> Collection:
    collections = load(target, workspace, split=split)
    if len(collections) != 1:
        names = ", ".join(one.name for one in collections[:4])
        raise UsageError(f"{option} {target}: {len(collections)} collections; name one of them, such as {names}")
    return collections[0]


def _check_test(test: Collection, settings: UtilitySettings) -> None:
    if is_paired(settings.measure or test.rules.main_measure):
        raise UsageError("the ablation needs a measure of single queries; set test.measure, such as nDCG@10")
    if len(test.queries) < 2:
        raise DataError(f"{test.name}: the test has {len(test.queries)} queries; an interval needs at least 2")

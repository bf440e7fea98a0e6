"""Everything that is known before anything is paid for: the sets, the test, the arms, and what they will cost."""

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
    """An ablation that can be run."""

    sets: Mapping[str, CorpusQueries]
    """As many queries in each."""
    counts: Mapping[str, Mapping[str, object]]
    """What was removed of each before the draw."""
    test: Collection
    arms: tuple[Arm, ...]
    left_out: Mapping[str, str]
    """Arms that cannot be trained, and why."""
    wishes: UtilitySettings

    @property
    def size(self) -> int:
        """Queries of each set."""
        return len(next(iter(self.sets.values())))

    @cached_property
    def measure(self) -> str:
        """What is measured."""
        return str(parse(self.wishes.measure or self.test.rules.main_measure))

    def notes(self) -> list[str]:
        """What a reader has to know."""
        found = [f"arm {name} is left out: {why}" for name, why in self.left_out.items()]
        if self.sets["real"].corpus.fingerprint != self.sets["synthetic"].corpus.fingerprint:
            found.append("real and synthetic queries are asked of different corpora: a - c is a shift of both")
        if self.wishes.seeds < 3:
            found.append("fewer than 3 seeds: the spread between trainings is hardly known")
        found.append(
            "a judged document has its grade and any other candidate 0 in arm b: relevant ones among them are part of "
            "its labels"
        )
        return found

    def about(self, session: Session) -> dict[str, object]:
        """Identities of everything that decides the result."""
        wishes, synthetic = self.wishes, self.sets["synthetic"]
        (teacher,) = open_teachers(
            [wishes.teacher], synthetic.corpus, wishes.settings.max_length, wishes.facts, session
        )
        stages = [first_stage(name, session.workspace) for name in wishes.retrievers or RETRIEVERS]
        return {
            "sets": {name: one.digest for name, one in self.sets.items()},
            "test": self.test.fingerprint,
            "base": Contents(open_folder(wishes.base)).identity(),
            "teacher": {"identity": dict(teacher.identity), "origin": asdict(teacher.origin)},
            "retrievers": [dict(stage.identity(synthetic.corpus)) for stage in stages],
            "first_stage": dict(first_stage(wishes.first_stage, session.workspace).identity(self.test)),
            **wishes.describe(),
            "measure": self.measure,
        }


@dataclass(frozen=True)
class AblationCost:
    """What an ablation costs at most; what the ledger knows is not paid again."""

    queries: int
    """Of each set."""
    teacher_pairs: int
    students: int
    steps: int
    """Of each student."""
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


def ask(given: UtilityInputs, wishes: UtilitySettings, workspace: Workspace) -> Question:
    """Read the data and draw the sets.

    Raises:
        UsageError: real and test are the same queries, or the measure is not one of single queries.
        DataError: a file cannot be trusted, or a set has no query that can be used.
    """
    test = _one(given.test, given.test_split, workspace, "--test")
    real = _one(given.real, given.real_split, workspace, "--real")
    if real.fingerprint == test.fingerprint:
        raise UsageError("--real and --test are the same queries; set another split with real.split or test.split")
    _check_test(test, wishes)
    sets = [_synthetic("synthetic", given.corpus, given, workspace), real_set(real, given.real)]
    if given.wrong is not None:
        sets.append(_synthetic("wrong", str(given.wrong_corpus), given, workspace))
    sets = [without_test_queries(one, test) for one in sets]
    counts: dict[str, Mapping[str, object]] = {one.name: one.counts() for one in sets}
    chosen: dict[str, CorpusQueries] = {one.name: one for one in drawn(sets, wishes.queries, wishes.plan.seed)}
    sources = all(one.document for one in chosen["synthetic"].queries)
    arms, left_out = arms_with(set(chosen), sources=sources)
    return Question(chosen, counts, test, arms, left_out, wishes)


def cost(question: Question) -> AblationCost:
    """Counted from what is given; no model is opened."""
    wishes, size = question.wishes, question.size
    settings = wishes.settings
    retrievers = len(wishes.retrievers or RETRIEVERS)
    pairs = sum(
        sum(
            min(retrievers * wishes.pool_depth + len(one.grades) + 1, len(found.corpus.corpus)) for one in found.queries
        )
        for found in question.sets.values()
    )
    steps = -(-size // settings.queries) * settings.epochs
    students = len(question.arms) * wishes.seeds
    evaluations = students + (wishes.seeds if settings.new_head else 1)
    tested = len(question.test.queries) * min(wishes.depth, len(question.test.corpus))
    steps = steps if settings.max_steps is None else min(steps, settings.max_steps)
    return AblationCost(size, pairs, students, steps, evaluations, evaluations * tested)


def _synthetic(name: str, target: str, given: UtilityInputs, workspace: Workspace) -> CorpusQueries:
    corpus = corpus_of(target, workspace)
    if name == "wrong":
        return synthetic_set("wrong", corpus, target, read_queries(given.wrong or given.queries, corpus))
    return synthetic_set("synthetic", corpus, target, read_queries(given.queries, corpus))


def _one(target: str, split: str | None, workspace: Workspace, option: str) -> Collection:
    found = load(target, workspace, split=split)
    if len(found) != 1:
        names = ", ".join(one.name for one in found[:4])
        raise UsageError(f"{option} {target}: {len(found)} collections; name one of them, such as {names}")
    return found[0]


def _check_test(test: Collection, wishes: UtilitySettings) -> None:
    if is_paired(wishes.measure or test.rules.main_measure):
        raise UsageError("the ablation needs a measure of single queries; set test.measure, such as nDCG@10")
    if len(test.queries) < 2:
        raise DataError(f"{test.name}: the test has {len(test.queries)} queries; an interval needs 2 at least")

"""The configuration of an adaptation: every key of its TOML file, with its default and its meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from adapters.typed_values import Count, Positive
from training.keys import check
from training.settings import SEED, AboveZero, Hardware, MixedRecipe
from training.stages import LEAK_THRESHOLD, General, Mining, Part, Sampling, Synthesis, Teaching

Weight = Annotated[float, Meta(gt=0, description="a number above 0")]


@dataclass(frozen=True)
class AdaptSynthesis(Synthesis):
    """The queries that are written for the documents of every corpus."""

    profiles: tuple[str, ...] = ()
    """The kinds of queries to write for every corpus: web-zh, claim-en, generic/sw, ... or TOML files. Default: generic
    in the language of the corpus."""
    leak_threshold: Part = LEAK_THRESHOLD
    """Remove queries that share at least this part of their trigrams with an evaluation query."""
    despite_validation: bool = False
    """Train on the queries of a task although their validation blocks them."""


@dataclass(frozen=True)
class AdaptTask:
    """One task: a corpus with its own queries, its own teacher and its own weight."""

    corpus: str
    """A folder with corpus.jsonl, or the documents of any collection."""
    profile: str | None = None
    """The kind of queries to write. Default: generic in the language of the corpus."""
    documents: Positive | None = None
    """Write queries for this number of documents. Default: synthesis.documents."""
    teacher: str | None = None
    """The teacher of this task. Default: teaching.teachers."""
    weight: Weight = 1.0
    """How much the task counts, against the others: how often the union sees its examples, and the weight of its
    checkpoints in the soups and the chain of slerps."""
    queries: str | None = None
    """A collection whose real questions are asked, or a JSONL file of queries. Default: queries are written."""
    queries_split: str | None = None
    """The split whose questions are asked, such as train. Needed if queries is a collection."""
    sample_queries: Positive | None = None
    """Ask this number of the collection's questions, always the same ones. Default: all."""
    score_as: str | None = None
    """A parallel collection for the labels of these questions; see teaching.score_as. Default: teaching.score_as."""

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        written = {"profile": self.profile, "documents": self.documents}
        asked = {"queries_split": self.queries_split, "sample_queries": self.sample_queries, "score_as": self.score_as}
        if self.queries is not None and (mixed := [key for key, value in written.items() if value is not None]):
            return f"a task with queries writes none; leave out {' and '.join(mixed)}"
        if self.queries is None and (alone := [key for key, value in asked.items() if value is not None]):
            return (
                f"{' and '.join(alone)} is only for a task with queries, because written queries have ids of their own"
            )
        return None


@dataclass(frozen=True)
class AdaptTeaching(Teaching):
    """The teachers, and how their scores become labels."""

    choose: bool = False
    """Choose the weights of teaching.teachers on dev, from a grid with steps of a quarter, in place of
    teaching.weights."""
    despite_teacher: bool = False
    """Continue with a teacher that is not better than its student on dev."""

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if self.choose and self.pairwise is not None:
            return "teaching.choose = true chooses weights from scores; leave out teaching.pairwise"
        if self.choose and self.weights:
            return "teaching.choose = true chooses the weights on dev; leave out teaching.weights"
        return None


@dataclass(frozen=True)
class AdaptTraining(MixedRecipe):
    """How the checkpoints of the tasks are trained. Stage 1 is trained in the same way, with the loss and the epochs of
    [general]."""

    seeds: Positive | None = None
    """The number of trainings of every task. Default: 2 with one task, 1 with several."""
    evaluate_every: Positive | None = None
    """Evaluate every training on evaluation.dev after every N steps, and keep the best step, step 0 included. The start
    and the last step are always evaluated. Default: the last step is kept."""
    patience: Positive | None = None
    """Stop a training after this number of evaluations in a row without a better one. Default: never."""

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if self.patience is not None and self.evaluate_every is None:
            return "training.patience counts evaluations; set training.evaluate_every"
        return super().problem()


@dataclass(frozen=True)
class Merge:
    """The checkpoints that are merged."""

    ingredients: tuple[str, ...] = ()
    """Checkpoints that are added to every merge of singles."""
    bags: tuple[Part, ...] = ()
    """Bagging (BOOM, arXiv 2602.05787): for each number, train a checkpoint on this share of the examples of every
    task, and merge these checkpoints. 1 is the union, which is trained in any case: [0.8, 1] trains one more
    checkpoint. Default: no bagging."""

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if len(self.bags) == 1:
            return "merge.bags has one share, and one checkpoint cannot be merged; name two or more, such as [0.8, 1]"
        if self.bags.count(1) > 1:
            return "merge.bags names 1 twice, which are equal checkpoints; name it once"
        return None


@dataclass(frozen=True)
class AdaptEvaluation:
    """The collections that the checkpoints are measured on. A split that is not set is test, or the only one."""

    dev: str | None = None
    """The collection that checkpoints are chosen on. Needed."""
    dev_split: str | None = None
    """The split of the judgments of dev. Default: test, or the only split."""
    gate_split: str | None = None
    """The split of the judgments of the gate's targets. Default: the split of dev, if they are the same collection."""
    final: str | None = None
    """The collection of the last look. Default: the final tier of the gate's targets."""
    final_split: str | None = None
    """The split of the judgments of final. Default: test, or the only split."""
    source: str | None = None
    """A collection of the base's own domain, to measure how much it forgets. Default: not measured."""
    parallel: bool | None = None
    """Whether queries with the same id in the collections of a set are one question in several languages. Default: as
    declared, otherwise as detected."""


@dataclass(frozen=True)
class Gate:
    """The gate. Its policy is in a separate file; the other keys override values of this file."""

    policy: Path | None = None
    """The policy, a TOML file. If it names no targets, the dev collection is used. Needed."""
    release: str | None = None
    """The release whose looks are counted. Default: the policy's."""
    anchor: str | None = None
    """The system that checkpoints are compared with: a spec, or best-accepted. Default: the policy's."""
    first_stage: str | None = None
    """The first stage: a spec, given, or run:FILE. Default: the policy's, otherwise as in harness run."""
    depth: Positive | None = None
    """Candidates per query. Default: the policy's, otherwise 100."""
    measure: str | None = None
    """The measure that decides. Default: the policy's, otherwise the main measure of the collection."""
    languages: tuple[str, ...] = ()
    """Evaluate only these languages. For a target that declares no language, this declares it. Default: the
    policy's."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class CostFacts:
    """What --print-cost needs for GPU-hours. Nothing here changes a result."""

    student_parameters: AboveZero | None = None
    """Parameters of the base that are active for a token. Default: no GPU-hours are estimated."""
    teacher_parameters: AboveZero | None = None
    """Active parameters of the teachers together. Needed with cost.student_parameters."""
    teacher_reads: Literal["pairs", "texts"] = "pairs"
    """Whether the teacher reads every pair, or every text once, as an embedder does."""
    generator_parameters: AboveZero | None = None
    """Active parameters of the generator. Default: it costs nothing."""
    general_examples: Count | None = None
    """The number of general examples. Default: general.data is read and counted."""
    tokens_per_pair: Positive = 512
    """Tokens of a pair, and of a document that queries are written for."""
    answer_tokens: Positive = 500
    """Tokens that the generator writes for a document, with its thoughts."""
    peak_tflops: AboveZero = 989.0
    """Dense bfloat16 operations of a GPU, in TFLOP/s. The default is that of an H100 SXM."""
    utilisation: Part = 0.4
    """The share of these operations that is used."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class AdaptConfig:
    """An adaptation of a reranker to corpora without labels.

    Paths are relative to the current folder. Keys without a default are needed.
    """

    base: str | None = None
    """The cross-encoder, embedder or language model to adapt: a folder or a hub name. Needed."""
    corpora: tuple[str, ...] = ()
    """The corpora to adapt to: folders with corpus.jsonl, or the documents of any collections. Needed without
    [[task]]."""
    task: tuple[AdaptTask, ...] = ()
    """The tasks one by one, as [[task]] tables, in place of corpora and synthesis.profiles: corpus, profile, documents,
    teacher and weight, or real questions with queries, queries_split, sample_queries and score_as. Default: every
    profile for every corpus."""
    seed: Count = SEED
    """The random seed of documents, queries, order, dropout and new tensors."""
    synthesis: AdaptSynthesis = field(default_factory=AdaptSynthesis)
    mining: Mining = field(default_factory=Mining)
    teaching: AdaptTeaching = field(default_factory=AdaptTeaching)
    sampling: Sampling = field(default_factory=Sampling)
    general: General = field(default_factory=General)
    training: AdaptTraining = field(default_factory=AdaptTraining)
    merge: Merge = field(default_factory=Merge)
    evaluation: AdaptEvaluation = field(default_factory=AdaptEvaluation)
    gate: Gate = field(default_factory=Gate)
    machine: Hardware = field(default_factory=Hardware)
    cost: CostFacts = field(default_factory=CostFacts)

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if not self.task:
            return None
        named = {"corpora": self.corpora, "synthesis.profiles": self.synthesis.profiles}
        if mixed := [key for key, value in named.items() if value]:
            return f"[[task]] names corpora and profiles one by one; leave out {' and '.join(mixed)}"
        if self.teaching.teachers and all(one.teacher for one in self.task):
            return "every [[task]] names its teacher; leave out teaching.teachers, which no task would use"
        return None

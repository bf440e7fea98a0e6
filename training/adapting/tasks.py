"""Make a task's training examples: write queries, remove leaks, mine candidates, and let teachers score them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.errors import ModelError
from adapters.kinds import kind_of
from adapters.lengths import length_of
from adapters.models import ModelFolder, open_folder
from adapters.spec import open_generator
from harness.data.collection import Collection
from harness.data.sources import load
from harness.result.adaptation.record import CorpusFacts
from harness.result.adaptation.vocabulary import Stage
from harness.scoring.session import Session
from harness.workspace import Workspace
from training.adapting.dense import embedder_of, searched_by
from training.adapting.settings import AdaptationSettings, Task
from training.adapting.watching import Watch, unwatched, watched
from training.corpus import corpus_of
from training.examples import Examples
from training.mining.mine import RETRIEVERS, mine, read_queries
from training.mining.questions import AskedQuestions, collect, question_collection
from training.sources import read_examples
from training.synthesis.profiles import Profile, load_profile, profile_for
from training.synthesis.synthesize import SynthesisSettings, synthesize
from training.teaching import teach as teaching
from training.teaching.lesson import lesson_of
from training.teaching.settings import TeachingSettings
from training.validating.embedder import KeptVectors
from training.validating.leak import KnownQueries, clean
from training.yes_no import adapter_of

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class TaskCounts:
    """The counts of a task."""

    queries: int
    """Queries that are left after cleaning."""
    removed_as_leak: int
    pairs: int = 0
    """Pairs that the teachers scored; 0 before they did."""
    examples: int = 0
    """Queries that have documents with different scores; 0 before the teachers scored them."""


@dataclass(frozen=True)
class Asked:
    """A task with its queries. Nothing was mined and scored for it yet."""

    task: Task
    corpus: CorpusFacts
    profile: str
    counts: TaskCounts
    manifests: Mapping[str, Manifest]
    """The manifests by stage: synthesize, clean; of a prepared task mine and teach too."""
    leaks_by: str
    """How leaks were searched: by letters only, or also by the vectors of a named embedder."""


@dataclass(frozen=True)
class Prepared(Asked):
    """A task with its examples."""

    examples: Examples


def ask(  # noqa: PLR0917
    task: Task,
    settings: AdaptationSettings,
    folder: Path,
    session: Session,
    known: Sequence[KnownQueries],
    watch: Watch = unwatched,
    *,
    first_stages: Sequence[str] = (),
) -> Asked:
    """Write the queries of a task and remove leaks, in `folder/{queries,clean}`. Finished stages are not repeated.

    Args:
        known: the evaluation queries that must not be trained on.
        first_stages: first stages whose vectors find leaks if no retriever of the mining makes vectors.

    Raises:
        DataError: the corpus has no documents, or every query resembles an evaluation query.
        ModelError: too few of the generator's queries keep to the profile.
        UsageError: the corpus has no language and no profile is named.
    """
    corpus = corpus_of(task.corpus, session.workspace)
    making = _Making(task, settings, folder, session, corpus, watch)
    named, language, written = making.queries()
    embedder = embedder_of((*(settings.retrievers or RETRIEVERS), *first_stages), corpus, session)
    cleaned = making.clean(known, embedder)
    return Asked(
        task,
        CorpusFacts(corpus.name, corpus.fingerprint, len(corpus.corpus), corpus.language or language),
        named,
        TaskCounts(cleaned["queries"], cleaned["removed"]),
        {"synthesize": written, "clean": cleaned},
        searched_by(embedder),
    )


def prepare(
    asked: Asked, settings: AdaptationSettings, folder: Path, session: Session, watch: Watch = unwatched
) -> Prepared:
    """Mine candidates for the queries of a task and let the teachers score them, in `folder/{pool,examples}`. Finished
    stages are not repeated.

    Args:
        folder: the folder of the task, filled by `ask`.

    Raises:
        ModelError: a teacher's scores cannot be used.
        UsageError: the teachers have other maximum lengths.
    """
    corpus = corpus_of(asked.task.corpus, session.workspace)
    making = _Making(asked.task, settings, folder, session, corpus, watch)
    mined = making.mine(asked.manifests["synthesize"].get("asked_in"))
    taught = making.teach()
    examples = read_examples(folder / "examples" / teaching.EXAMPLES)
    return Prepared(
        asked.task,
        asked.corpus,
        asked.profile,
        replace(asked.counts, pairs=taught["pairs"]["pool"], examples=len(examples)),
        {**asked.manifests, "mine": mined, "teach": taught},
        asked.leaks_by,
        examples,
    )


def trained_on(tasks: Iterable[Task], workspace: Workspace) -> list[Collection]:
    """The collections whose questions the tasks ask, and the parallel ones that their teachers read.

    Raises:
        UsageError: a target is unknown, or names several collections.
    """
    found: list[Collection] = []
    for task in tasks:
        if task.questions is not None and not task.questions.are_a_file:
            found.append(question_collection(task.questions, workspace))
            if task.score_as:
                found += load(task.score_as, workspace, split=task.questions.split)
    return found


def student_length(settings: AdaptationSettings) -> int:
    """The student's maximum length of a whole input in tokens, which the teachers use too.

    Raises:
        ModelError: the base has fewer positions, or its files declare no length.
    """
    folder = open_folder(settings.base)
    if _answers(folder) and not settings.new_head:
        return adapter_of(folder, settings.max_length).max_length
    return length_of(folder, settings.max_length)


def _answers(folder: ModelFolder) -> bool:
    """Whether the base is a language model, which scores with yes and no and has the length of its adapter."""
    try:
        return kind_of(folder) == "causal-lm"
    except ModelError:  # an encoder without a head
        return False


def _asked_now(made: Manifest) -> str:
    """What the teachers were asked in this run."""
    pairs = f"{made['pairs']['scored_now']:,} pairs were scored"
    orders = [one for one in (made.get("compared") or {}).get("teachers", ()) if one is not None]
    return f"{pairs} and {sum(one['asked_now'] for one in orders):,} comparisons were asked" if orders else pairs


@dataclass(frozen=True)
class _Making:
    task: Task
    settings: AdaptationSettings
    folder: Path
    session: Session
    corpus: Collection
    watch: Watch

    def queries(self) -> tuple[str, str | None, Manifest]:
        """The queries of the task, in `queries`: their profile or collection, its language, and the manifest."""
        if self.task.questions is not None:
            return str(self.task.questions), self.corpus.language, self._ask(self.task.questions)
        given = self.task.profile
        profile = load_profile(given) if given else profile_for(self.corpus.language)
        return profile.name, profile.language, self._write(profile)

    def _ask(self, questions: AskedQuestions) -> Manifest:
        out, workspace = self.folder / "queries", self.session.workspace
        return self._watched(
            "synthesize", out, lambda: collect(questions, self.corpus, out, workspace),
            lambda made: f"{made['queries']:,} questions of {made['named']}",
        )  # fmt: skip

    def _write(self, profile: Profile) -> Manifest:
        one, out = self.settings, self.folder / "queries"
        settings = SynthesisSettings(self.task.documents or one.documents, one.seed, one.floor)
        generator = open_generator(one.generator)
        return self._watched(
            "synthesize", out, lambda: synthesize(self.corpus, generator, profile, settings, out, self.session),
            lambda made: f"{made['queries']:,} queries by {made['generator_name']}, profile {profile.name}",
        )  # fmt: skip

    def clean(self, known: Sequence[KnownQueries], embedder: KeptVectors | None) -> Manifest:
        """Remove the queries that resemble an evaluation query; the rest is in `clean`."""
        out, threshold = self.folder / "clean", self.settings.leak_threshold
        asked = self.folder / "queries"
        return self._watched(
            "clean", out, lambda: clean(asked, known, out, threshold, embedder, self.corpus),
            lambda made: f"{made['removed']:,} queries resembled an evaluation query and were removed; searched by "
            f"{searched_by(embedder)}",
        )  # fmt: skip

    def mine(self, asked_in: Mapping[str, Any] | None) -> Manifest:
        """Mine the candidates, in `pool`."""
        one, out = self.settings, self.folder / "pool"
        queries = replace(read_queries(self.folder / "clean", self.corpus), asked_in=asked_in)
        return self._watched(
            "mine", out,
            lambda: mine(self.corpus, self.task.corpus, queries, one.retrievers, one.depth, out, self.session),
            lambda made: f"{made['pairs']:,} pairs",
        )  # fmt: skip

    def teach(self) -> Manifest:
        """Let the teachers score the pool, and write the examples, in `examples`."""
        one, out = self.settings, self.folder / "examples"
        teachers, weights = ((own,), ()) if (own := self.task.teacher) else (one.teachers, one.weights)
        settings = TeachingSettings(
            one.plan, weights, student_length(one), one.score_map, self.task.name, one.teacher_facts,
            pairwise=one.pairwise, score_as=self.task.score_as,
        )  # fmt: skip
        teaching_set = lesson_of(self.folder / "pool", self.corpus)
        return self._watched(
            "teach", out, lambda: teaching.teach(teaching_set, teachers, settings, out, self.session),
            lambda made: f"{made['examples']:,} examples; {_asked_now(made)} now",
        )  # fmt: skip

    def _watched(self, stage: Stage, out: Path, make: Any, describe: Any) -> Manifest:
        made: Manifest = watched(self.watch, stage, self.task.name, out, make, describe)
        return made

"""A task's training examples: queries are written, leaks taken out, candidates pooled, and teachers score them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.errors import ModelError
from adapters.kinds import kind_of
from adapters.lengths import length_of
from adapters.models import ModelFolder, open_folder
from adapters.spec import open_generator
from harness.data.collection import Collection
from harness.result.adaptation.record import CorpusFacts
from harness.result.adaptation.vocabulary import Stage
from harness.scoring.session import Session
from training.adapting.settings import AdaptationSettings, Task
from training.adapting.watching import Watch, unwatched, watched
from training.corpus import corpus_of
from training.examples import Examples
from training.mining.mine import mine, read_queries
from training.sources import read_examples
from training.synthesis.profiles import Profile, load_profile, profile_for
from training.synthesis.synthesize import SynthesisSettings, synthesize
from training.teaching import teach as teaching
from training.validating.leak import KnownQueries, clean
from training.yes_no import adapter_of

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class TaskCounts:
    """How much a task gave."""

    queries: int
    """That are left after the cleaning."""
    removed_as_leak: int
    pairs: int
    """That the teachers scored."""
    examples: int
    """Queries with an order to learn."""


@dataclass(frozen=True)
class Prepared:
    """A task with its examples."""

    task: Task
    corpus: CorpusFacts
    profile: str
    examples: Examples
    counts: TaskCounts
    manifests: Mapping[str, Manifest]
    """By stage: synthesize, clean, mine, teach."""


def prepare(  # noqa: PLR0917
    task: Task,
    wishes: AdaptationSettings,
    folder: Path,
    session: Session,
    known: Sequence[KnownQueries],
    watch: Watch = unwatched,
) -> Prepared:
    """Make the examples of a task in `folder/{queries,clean,pool,examples}`. What is finished there is not made again.

    Args:
        known: the evaluation queries that must not be trained on.

    Raises:
        DataError: the corpus has no documents, or every query resembles a known one.
        ModelError: the generator keeps to the profile too rarely, or a teacher's scores cannot be learned from.
        UsageError: the corpus has no language and no profile is named, or the teachers read other lengths.
    """
    corpus = corpus_of(task.corpus, session.workspace)
    profile = load_profile(task.profile) if task.profile else profile_for(corpus.language)
    making = _Making(task, wishes, folder, session, corpus, watch)
    written = making.write(profile)
    cleaned = making.clean(known)
    mined = making.mine()
    taught = making.teach()
    examples = read_examples(folder / "examples" / teaching.EXAMPLES)
    return Prepared(
        task,
        CorpusFacts(corpus.name, corpus.fingerprint, len(corpus.corpus), corpus.language or profile.language),
        profile.name,
        examples,
        TaskCounts(cleaned["queries"], cleaned["removed"], taught["pairs"]["pool"], len(examples)),
        {"synthesize": written, "clean": cleaned, "mine": mined, "teach": taught},
    )


def student_length(wishes: AdaptationSettings) -> int:
    """Tokens that the student reads of a whole input; the teachers are cut there.

    Raises:
        ModelError: the base has fewer positions, or its files name no length.
    """
    folder = open_folder(wishes.base)
    if _answers(folder) and not wishes.new_head:
        return adapter_of(folder, wishes.max_length).max_length
    return length_of(folder, wishes.max_length)


def _answers(folder: ModelFolder) -> bool:
    """Whether it is a language model, which scores by yes and no and reads as much as its own adapter does."""
    try:
        return kind_of(folder) == "causal-lm"
    except ModelError:  # an encoder that is neither
        return False


@dataclass(frozen=True)
class _Making:
    task: Task
    wishes: AdaptationSettings
    folder: Path
    session: Session
    corpus: Collection
    watch: Watch

    def write(self, profile: Profile) -> Manifest:
        """Queries, in `queries`."""
        one, out = self.wishes, self.folder / "queries"
        asked = SynthesisSettings(one.documents, one.seed, one.floor)
        generator = open_generator(one.generator)
        return self._watched(
            "synthesize", out, lambda: synthesize(self.corpus, generator, profile, asked, out, self.session),
            lambda made: f"{made['queries']:,} queries by {made['generator_name']}, profile {profile.name}",
        )  # fmt: skip

    def clean(self, known: Sequence[KnownQueries]) -> Manifest:
        """Those that resemble no evaluation query, in `clean`."""
        out, threshold = self.folder / "clean", self.wishes.leak_threshold
        return self._watched(
            "clean", out, lambda: clean(self.folder / "queries", known, out, threshold, None, self.corpus),
            lambda made: f"{made['removed']:,} queries resembled an evaluation query and were removed",
        )  # fmt: skip

    def mine(self) -> Manifest:
        """Their candidates, in `pool`."""
        one, out = self.wishes, self.folder / "pool"
        asked = read_queries(self.folder / "clean", self.corpus)
        return self._watched(
            "mine", out,
            lambda: mine(self.corpus, self.task.corpus, asked, one.retrievers, one.depth, out, self.session),
            lambda made: f"{made['pairs']:,} pairs",
        )  # fmt: skip

    def teach(self) -> Manifest:
        """The teachers' scores, and the examples, in `examples`."""
        one, out = self.wishes, self.folder / "examples"
        asked = teaching.TeachingSettings(
            one.plan, one.weights, student_length(one), one.score_map, self.task.name, one.teacher_facts
        )
        lesson = teaching.lesson_of(self.folder / "pool", self.corpus)
        return self._watched(
            "teach", out, lambda: teaching.teach(lesson, one.teachers, asked, out, self.session),
            lambda made: f"{made['examples']:,} examples; {made['pairs']['scored_now']:,} pairs were scored now",
        )  # fmt: skip

    def _watched(self, stage: Stage, out: Path, make: Any, told: Any) -> Manifest:
        made: Manifest = watched(self.watch, stage, self.task.name, out, make, told)
        return made

"""Train a checkpoint from a base, labelled examples and a loss, both for stage 1 and for adaptation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.adapted import KEY
from adapters.adapted import adapted_on as declared_corpora
from adapters.contents import Contents
from adapters.identity import digest
from adapters.lineage import KEY as LINEAGE
from adapters.lineage import Lineage, inherited
from adapters.models import ModelFolder, open_folder
from harness.checks.sketch import KEY as SKETCH
from harness.checks.sketch import TrainedQueries
from harness.checks.sketch import inherited as trained_queries
from harness.progress import Reporter, Silent
from harness.result.secrets import public_values
from training.augmentation import AugmentedRows
from training.batches import Batches, StepPlan
from training.by_source import by_source_of
from training.configuration import paths
from training.cost import TrainingCost, cost_of
from training.encoded import Stream
from training.examples import Example, Examples
from training.fitted import finished
from training.instructed import refuse_instructions
from training.logs import LoggedRun, Logs, opened
from training.loop import Loop, state_folder
from training.losses import check_targets
from training.ranks import ALONE, Ranks, joined
from training.rows import JoinedRows
from training.settings import Machine, Settings
from training.state import steps_made
from training.stepping import optimizer_of, stepper
from training.student import Student, load_student
from training.watched import Evaluator

if TYPE_CHECKING:
    from training.dev import Dev

_VERSION = 1
_NOTHING = Examples(())


@dataclass(frozen=True)
class Job:
    """A training run. Equal jobs have equal identities and, on one machine, equal results."""

    base: ModelFolder
    examples: Examples
    replay: Examples
    settings: Settings
    adapted_on: tuple[str, ...] = ()
    """Names and fingerprints of the corpora that the examples were made from. They are part of the manifest and of the
    model's identity. They change no weight, so they are not part of the run's identity."""
    teachers: tuple[str, ...] = ()
    """Digests of the teachers whose scores the examples hold. They are part of the manifest."""
    dev: Evaluator | None = None
    """Measures steps on dev queries, so that the best one is kept; None keeps the last one."""

    @property
    def lineage(self) -> Lineage:
        """What the checkpoint is made from."""
        return inherited(self.base.path, str(Contents(self.base).identity()["weights"]), self.teachers)

    @cached_property
    def augmented(self) -> AugmentedRows:
        """The examples with what the settings add. Replayed examples stay as they are."""
        return AugmentedRows(self.examples.rows, self.settings.augmentation, self.settings.seed)

    @cached_property
    def trained_queries(self) -> TrainedQueries:
        """The queries of the examples and of every training before, as sketches for the manifest."""
        rows = () if self.settings.max_steps == 0 else self.rows
        return trained_queries([self.base.path], (row.query for row in rows))

    def describe(self) -> dict[str, object]:
        """Everything that decides the result."""
        mixed, replayed = _parts(self.examples), _parts(self.replay)
        return {
            "version": _VERSION,
            "base": Contents(self.base).identity(),
            "examples": self.examples.digest,
            "replay": self.replay.digest if len(self.replay) else None,
            "settings": self.settings.describe(),
            **({"mixture": mixed} if mixed else {}),
            **({"replay_mixture": replayed} if replayed else {}),
            **({"dev": self.dev.describe()} if self.dev else {}),
        }

    @property
    def batches(self) -> Batches:
        """How the epochs are cut into steps."""
        settings = self.settings
        own, replayed = len(self.examples), len(self.replay)
        share = settings.replay_share if replayed else 0.0
        parts = tuple(_parts(self.examples)), tuple(_parts(self.replay))
        return Batches(own, replayed, share, settings.queries, settings.window, settings.seed, *parts)

    @property
    def replay_drawn(self) -> Examples:
        """The replayed examples, with the number that an epoch of this run draws of each source."""
        parts = self.replay.parts
        counts = self.batches.replay_counts if parts else []
        drawn = (replace(part, drawn=count) for part, count in zip(parts, counts, strict=True))
        return replace(self.replay, parts=tuple(drawn))

    @property
    def steps(self) -> int:
        """The steps of the whole run."""
        whole = self.batches.per_epoch * self.settings.epochs
        return whole if self.settings.max_steps is None else min(whole, self.settings.max_steps)

    def plan(self, data: Stream) -> StepPlan:
        """The examples of each step. What a step has is found when it is asked for."""
        return StepPlan(self.batches, self.steps, data.mean_lengths)

    @property
    def rows(self) -> Sequence[Example]:
        """All examples, own ones first, then replayed ones."""
        own = self.augmented if self.settings.augmentation.shares else self.examples.rows
        return JoinedRows([own, self.replay.rows])


def _parts(examples: Examples) -> list[tuple[int, int]]:
    return [(part.examples, part.drawn) for part in examples.parts]


def job(
    base: str,
    examples: Examples,
    settings: Settings,
    replay: Examples | None = None,
    adapted_on: Iterable[str] = (),
    *,
    teachers: Iterable[str] = (),
    dev: Dev | None = None,
    where: str = "",
    remedy: str = "set --scale, --shift or --sigmoid",
) -> Job:
    """Open the base and check that the loss accepts the labels. The corpora that the base was adapted on are kept.

    Args:
        teachers: digests of the teachers whose scores the examples hold.
        dev: the dev queries on which the best step is chosen; see `training.dev.dev_of`. Default: the last step is
            kept.
        where, remedy: how a message names the settings of the loss; see `check_targets`. Default: the options.

    Raises:
        ModelError: the base does not exist.
        DataError: the loss does not accept the labels.
        UsageError: a dev query is a training query.
    """
    folder = open_folder(base)
    corpora = tuple(sorted({*declared_corpora(folder.path), *(adapted_on if settings.max_steps != 0 else ())}))
    taught_by = tuple(sorted(set(teachers))) if settings.max_steps != 0 else ()
    work = Job(folder, examples, replay or _NOTHING, settings, corpora, taught_by, dev)
    if dev:
        dev.refuse_trained(row.query for part in (work.examples, work.replay) for row in part.rows)
    for part in (work.examples, work.replay):
        if len(part):
            check_targets(settings.loss, part, where, remedy)
    return work


def cost(work: Job, machine: Machine | None = None) -> TrainingCost:
    """The cost of `fit`. A few steps are timed on a model that is then discarded."""
    machine = machine or Machine()
    student, data = _prepared(work, machine)
    step = stepper(student, optimizer_of(student, work.settings), work.settings, work.steps)
    facts = work.examples.facts.and_(work.replay.facts)
    return cost_of(data, work.plan(data), facts, student.budget, step)


def fit(work: Job, out: Path, machine: Machine | None = None, reporter: Reporter | None = None) -> Mapping[str, Any]:
    """Train a checkpoint and write it as a folder that an adapter loads. The manifest is written last.

    A killed run continues where it was and gives the same weights. With dev queries, the best evaluated step is
    written. Checkpoints on the way are kept in `OUT.steps/step-N`. A finished run is not repeated. Processes started by
    torchrun share one run; the first of them writes.

    Returns:
        The manifest.

    Raises:
        UsageError: `out` exists and is not this run.
        ModelError: the base cannot be trained; no checkpoint is written.
        Diverged: the loss, its gradient or a weight is not finite; no checkpoint is written.
        OSError: the disk is full; no checkpoint is written.
    """
    described = work.describe()
    with joined(machine or Machine()) as (ranks, own_machine):
        ranks.check(work.settings.queries)
        done = finished(out, described, work.adapted_on)
        ranks.wait()
        if done is None:
            _train(work, out, own_machine, (reporter if ranks.is_first else None) or Silent(), ranks)
            ranks.wait()
            done = finished(out, described)
        elif reporter and ranks.is_first:
            reporter.note(f"{out}: trained already")
    assert done is not None
    return done


def _train(work: Job, out: Path, machine: Machine, reporter: Reporter, ranks: Ranks = ALONE) -> None:
    run = digest(work.describe())
    log = _log(work, run, out, machine, reporter) if ranks.is_first else Logs(reporter)
    student, data = _prepared(work, machine)
    optimizer = optimizer_of(student, work.settings)
    by_source = by_source_of(work.examples, work.replay)
    step = stepper(student, optimizer, work.settings, work.steps, ranks=ranks, by_source=by_source)
    loop = Loop(
        run, _about(work), out, student, optimizer, data, work.plan(data), step, machine, reporter, ranks, log, work.dev
    )
    try:
        loop.train()
    finally:
        log.close()


def _log(work: Job, run: str, out: Path, machine: Machine, reporter: Reporter) -> Logs:
    values = dict(paths({"base": work.base.name, "examples": len(work.examples), **work.settings.describe()}))
    folder = out.with_name(f"{out.name}.log")
    logged = LoggedRun(out.name, run, folder, public_values(values), steps_made(state_folder(out)))
    return opened(machine.log_to, logged, reporter)


def _prepared(work: Job, machine: Machine) -> tuple[Student, Stream]:
    student = load_student(work.base, work.settings, machine)
    if student.scorer.instruct is None:
        for part in (work.examples, work.replay):
            refuse_instructions(part, work.base.name)
    return student, Stream(work.rows, student.encoder, student.scorer.instruct)


def _about(work: Job) -> dict[str, Any]:
    """The entries of the manifest about a job."""
    described = work.describe()
    replayed = work.replay_drawn.counts() | {"share": work.batches.share} if len(work.replay) else None
    return {
        "run": digest(described),
        "base": {"name": work.base.name, **Contents(work.base).identity()},
        KEY: list(work.adapted_on),
        LINEAGE: work.lineage.as_dict(),
        SKETCH: work.trained_queries.as_dict(),
        "examples": work.examples.counts(),
        "languages": list(work.examples.facts.languages),
        "replay": replayed,
        **({"augmented": dict(work.augmented.counts)} if work.augmented.counts else {}),
        "settings": described["settings"],
        "of_steps": work.steps,
    }

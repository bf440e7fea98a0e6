"""Train the checkpoints: the base's new head, stage 1, a single for each task and seed, the union of equal compute, and
the bags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from adapters.errors import DataError, HarnessError, UsageError
from adapters.models import open_folder
from adapters.protocols import Embedder
from harness.checks.seen import is_locked, leaks
from harness.checks.sketch import trained_on
from harness.progress import Reporter
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import Kind
from harness.workspace import Workspace
from training import fit as fitting
from training.adapted import marks_of_teachers
from training.adapting.checkpoint import folder_of
from training.adapting.making import Making
from training.adapting.settings import AdaptationSettings, Task, bag_steps, last_part, seeds_of, slug, tasks_of
from training.adapting.tasks import Prepared
from training.adapting.watching import Watch, unwatched
from training.dev import Dev
from training.examples import Example, Examples
from training.mixing import examples_of
from training.settings import Loss, Machine, Settings
from training.sources import Negatives
from training.student import load_student
from training.validating.leak import KnownQueries, matches, nearest_of

_LEAK = "like an evaluation query"
_PLACEHOLDER = Examples((Example("query", ("one", "other"), (0.0, 1.0)),))
"""A placeholder for a training of 0 steps, which needs examples too."""
_STAGE_1 = "stage 1, trained with general.loss: "
_REMEDY_1 = "set general.loss to another loss, such as hinge, or scale the scores of the general data"
_LATER = "the trainings after stage 1, with training.loss.name: "
_REMEDY_LATER = "set training.loss.scale, training.loss.shift or training.loss.sigmoid"


def general_of(
    settings: AdaptationSettings, workspace: Workspace, known: Sequence[KnownQueries] = (),
    embedder: Embedder | None = None,
) -> Examples | None:  # fmt: skip
    """The general ranking data, without queries that resemble an evaluation query; None if none is configured.

    Args:
        known: the evaluation queries.
        embedder: finds paraphrases by vectors; without one only the letters are compared.

    Raises:
        UsageError: a path does not exist.
        DataError: a row has errors, or no row is left.
    """
    if not settings.mix.source:
        return None
    negatives = Negatives(settings.negatives, seed=settings.seed, workspace=workspace)

    def clean(read: Examples) -> Examples:
        asked = [row.query for row in read.rows]
        leaks = matches(asked, known, settings.leak_threshold, nearest_of(asked, known, embedder))
        left = tuple(row for place, row in enumerate(read.rows) if place not in leaks)
        return Examples(left, {**read.rejected, **({_LEAK: len(leaks)} if leaks else {})})

    found = examples_of(settings.mix, negatives=negatives, kept=clean)
    if not len(found):
        raise DataError("general.data: every query resembles an evaluation query; take other general data")
    return found


def check_base(settings: AdaptationSettings, machine: Machine | None = None) -> None:
    """Refuse a base that cannot be trained, before the run starts.

    Raises:
        ModelError: the base does not exist, has no score head although `new_head` is not set, has several labels, or
            has fewer positions than `max_length`.
        UsageError: `new_head` is set, and the base has a head already.
    """
    load_student(open_folder(settings.base), _growing(settings), machine or Machine())


def start(  # noqa: PLR0917
    settings: AdaptationSettings, out: Path, reporter: Reporter, machine: Machine | None = None,
    general: Examples | None = None, watch: Watch = unwatched, *, dev: Dev | None = None,
) -> tuple[ArmRecord, ArmRecord]:  # fmt: skip
    """Make the base and stage 1, from which all singles start.

    With `new_head`, the base is `out/base`: the given base with a random head. Without general data, stage 1 is the
    base. A stage 1 that diverged or is broken is refused.

    Args:
        out: the folder of the run.
        general: see `general_of`.
        dev: the dev queries on which the best step of stage 1 is chosen. Default: the last step is kept.

    Raises:
        ModelError, UsageError: see `check_base`.
        DataError: the loss of stage 1 does not accept the general labels.
    """
    check_base(settings, machine)
    making = Making(reporter, machine or Machine(), watch)
    base = ArmRecord("base", "base", settings.base)
    if settings.new_head:
        work = fitting.job(settings.base, _PLACEHOLDER, _growing(settings))
        base = making.fit(work, replace(base, path=str(folder_of(out, "base"))), "stage-1")
    if general is None:
        return base, ArmRecord("stage-1", "stage-1", base.path)
    stage1 = ArmRecord("stage-1", "stage-1", str(folder_of(out, "stage-1")))
    work = fitting.job(base.path, general, settings.stage1_settings, dev=dev, where=_STAGE_1, remedy=_REMEDY_1)
    return base, making.checked(base, making.fit(work, stage1, "stage-1"))


def singles(  # noqa: PLR0917
    stage1: ArmRecord, prepared: Sequence[Prepared], settings: AdaptationSettings, out: Path, reporter: Reporter,
    machine: Machine | None = None, general: Examples | None = None, watch: Watch = unwatched,
    *, known: Sequence[KnownQueries] = (), dev: Dev | None = None,
) -> list[ArmRecord]:  # fmt: skip
    """Train one checkpoint for each task and seed, and add the given checkpoints. All are checked against stage 1. A
    checkpoint whose training diverged is refused, and a given one that was trained on evaluation queries.

    Args:
        known: the evaluation queries.
        dev: as in `start`, for every single.

    Raises:
        DataError: the loss does not accept a teacher's scores.
    """
    making = Making(reporter, machine or Machine(), watch)
    trained = []
    for name, work in _single_jobs(stage1, prepared, settings, general, dev):
        one = making.fit(work, ArmRecord(name, "single", str(folder_of(out, name))), "fit")
        trained.append(making.checked(stage1, one))
    return [*trained, *(making.checked(stage1, one) for one in _given(settings, known))]


def union(  # noqa: PLR0917
    stage1: ArmRecord, prepared: Sequence[Prepared], settings: AdaptationSettings, out: Path, reporter: Reporter,
    machine: Machine | None = None, general: Examples | None = None, watch: Watch = unwatched,
    *, dev: Dev | None = None,
) -> ArmRecord:  # fmt: skip
    """Train one checkpoint on the shuffled examples of all tasks, with as many steps as all singles together, including
    those that diverged. So it never has fewer steps than the parts of a merge, unless it stops early on dev.

    Raises:
        DataError: see `singles`.
    """
    work = _union_job(stage1, prepared, settings, general, dev)
    making = Making(reporter, machine or Machine(), watch)
    one = making.fit(work, ArmRecord("union", "union", str(folder_of(out, "union"))), "fit")
    return making.checked(stage1, one)


def bags(  # noqa: PLR0917
    stage1: ArmRecord, prepared: Sequence[Prepared], settings: AdaptationSettings, out: Path, reporter: Reporter,
    machine: Machine | None = None, general: Examples | None = None, watch: Watch = unwatched,
    *, dev: Dev | None = None,
) -> list[ArmRecord]:  # fmt: skip
    """Train the checkpoints of bagging (BOOM, arXiv 2602.05787), each like the union, but on a share of the examples of
    every task, and with that share of the union's steps. The examples are drawn without replacement, separately for
    each bag. A share of 1 is the union itself, and is not trained again. A bag is refused if its examples cannot be
    trained on.
    """
    making, made = Making(reporter, machine or Machine(), watch), list[ArmRecord]()
    whole = _union_job(stage1, prepared, settings, general, dev).steps if settings.trained_bags else 0
    for number, (name, share) in enumerate(settings.trained_bags.items()):
        some = [_part(one, share, [settings.seed, number, place]) for place, one in enumerate(prepared)]
        one = ArmRecord(name, "bag", str(folder_of(out, name)))
        try:
            work = exactly(_together(stage1, some, settings, general, dev), bag_steps(share, whole))
        except DataError as error:
            made.append(replace(one, refused=(str(error),)))
        else:
            made.append(making.checked(stage1, making.fit(work, one, "fit")))
    return made


def _part(one: Prepared, share: float, seed: Sequence[int]) -> Prepared:
    """The task with a share of its examples, at least one, in their order."""
    rows = tuple(one.examples.rows)
    drawn = np.random.default_rng(seed).permutation(len(rows))[: max(1, round(share * len(rows)))]
    return replace(one, examples=Examples(tuple(rows[place] for place in sorted(drawn.tolist()))))


def exactly(work: fitting.Job, steps: int) -> fitting.Job:
    """The job with exactly this number of steps."""
    epochs = max(1, -(-steps // work.batches.per_epoch))
    return replace(work, settings=replace(work.settings, epochs=epochs, max_steps=steps))


def _single_jobs(
    stage1: ArmRecord,
    prepared: Iterable[Prepared],
    settings: AdaptationSettings,
    general: Examples | None,
    dev: Dev | None = None,
) -> list[tuple[str, fitting.Job]]:
    return [
        (
            _single(one.task, seed),
            _job(stage1, one.examples, settings.fit_settings(seed), general, [one], dev),
        )
        for one in prepared
        for seed in seeds_of(settings)
    ]


def _union_job(
    stage1: ArmRecord, prepared: Sequence[Prepared], settings: AdaptationSettings, general: Examples | None,
    dev: Dev | None,
) -> fitting.Job:  # fmt: skip
    steps = sum(work.steps for _, work in _single_jobs(stage1, prepared, settings, general))
    return exactly(_together(stage1, prepared, settings, general, dev), steps)


def _together(
    stage1: ArmRecord, prepared: Sequence[Prepared], settings: AdaptationSettings, general: Examples | None,
    dev: Dev | None,
) -> fitting.Job:  # fmt: skip
    """The examples of all tasks, shuffled. The number of steps is that of `settings`."""
    together = Examples(tuple(row for one in prepared for row in _weighted(one, prepared, settings.seed)))
    return _job(stage1, together, settings.fit_settings(seeds_of(settings)[0]), general, prepared, dev)


def _weighted(one: Prepared, prepared: Sequence[Prepared], seed: int) -> list[Example]:
    """The examples of a task for the union: as often as its weight says against the lightest task. Of a fraction, that
    share is drawn, so that no example is left out."""
    times, rows = one.task.weight / min(task.task.weight for task in prepared), tuple(one.examples.rows)
    drawn = np.random.default_rng([seed, len(rows)]).permutation(len(rows))[: round(times % 1 * len(rows))]
    return [*tuple(rows) * int(times), *(rows[place] for place in sorted(drawn.tolist()))]


def _job(  # noqa: PLR0917
    stage1: ArmRecord, examples: Examples, settings: Settings, general: Examples | None, prepared: Sequence[Prepared],
    dev: Dev | None,
) -> fitting.Job:  # fmt: skip
    identities = (one for task in prepared for one in task.manifests.get("teach", {}).get("teacher_identities", ()))
    teachers = marks_of_teachers(identities)
    return fitting.job(
        stage1.path, examples, settings, general, _corpora(prepared), teachers=teachers, dev=dev,
        where=_LATER, remedy=_REMEDY_LATER,
    )  # fmt: skip


def _corpora(prepared: Iterable[Prepared]) -> list[str]:
    """Names and fingerprints of the corpora that a checkpoint is adapted on."""
    return [name for one in prepared for name in (one.corpus.name, one.corpus.fingerprint)]


def weights_of(settings: AdaptationSettings) -> dict[str, float]:
    """The weights of the trained singles by name: those of their tasks."""
    return {_single(task, seed): task.weight for task in tasks_of(settings) for seed in seeds_of(settings)}


def _single(task: Task, seed: int) -> str:
    return f"single-{task.name}-s{seed}"


def _growing(settings: AdaptationSettings) -> Settings:
    """The settings of a training of 0 steps, which gives a base its new head."""
    return Settings(
        Loss("mse"), max_steps=0, max_length=settings.max_length, new_head=settings.new_head, seed=settings.seed
    )


def refuse_trained_base(base: str, known: Sequence[KnownQueries]) -> None:
    """Refuse a base that was trained on evaluation queries, by the sketch in its manifest.

    Raises:
        UsageError: it was.
    """
    if found := leaks(trained_on(open_folder(base).path), [(one.label, one.texts) for one in known]):
        raise UsageError(f"the base {base} {found[0]}; take another base, or queries that it was not trained on")


def _given(settings: AdaptationSettings, known: Sequence[KnownQueries]) -> list[ArmRecord]:
    return [against(one, known) for one in named(settings.ingredients, "given-")]


def named(paths: Sequence[str], prefix: str = "") -> list[ArmRecord]:
    """Given checkpoints, with unique names made of the names of their folders."""
    found: dict[str, ArmRecord] = {}
    kind: Kind = "given"
    for path in paths:
        name = stem = f"{prefix}{slug(last_part(path))}"
        number = 1
        while name in found:
            number += 1
            name = f"{stem}-{number}"
        found[name] = ArmRecord(name, kind, path)
    return list(found.values())


def against(one: ArmRecord, known: Sequence[KnownQueries]) -> ArmRecord:
    """A given checkpoint with what is known about its training queries; refused if they are evaluation queries."""
    try:
        trained = trained_on(open_folder(one.path).path)
    except HarnessError as error:
        return replace(one, refused=(str(error),))
    if trained is None or is_locked(trained):
        return replace(one, queries_known=False)
    found = leaks(trained, [(row.label, row.texts) for row in known])
    return replace(one, queries_known=True, refused=tuple(f"it {row}" for row in found))

"""What is trained: the base's head, stage 1, a single for each task and seed, and the union of equal compute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from adapters.errors import DataError
from adapters.models import open_folder
from harness.progress import Reporter
from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import Kind
from harness.workspace import Workspace
from training import fit as fitting
from training.adapting.checkpoint import folder_of
from training.adapting.making import Making
from training.adapting.settings import AdaptationSettings, last_part, seeds_of, slug
from training.adapting.tasks import Prepared
from training.adapting.watching import Watch, unwatched
from training.examples import Example, Examples
from training.settings import Loss, Machine, Settings
from training.sources import Negatives, read_several
from training.student import load_student
from training.validating.alike import alike
from training.validating.leak import KnownQueries

_NOT_LOOKED_AT = Examples((Example("query", ("one", "other"), (0.0, 1.0)),))
"""A training of no steps asks for examples all the same."""


def general_of(wishes: AdaptationSettings, workspace: Workspace, known: Sequence[KnownQueries] = ()) -> Examples | None:
    """The general ranking data, read once, without what resembles an evaluation query; None where there is none.

    Raises:
        UsageError: a path is missing.
        DataError: a row cannot be trusted, or none is left.
    """
    if not wishes.general:
        return None
    negatives = Negatives(wishes.negatives, seed=wishes.seed, workspace=workspace)
    read = read_several(map(Path, wishes.general), negatives=negatives)
    texts = [text for one in known for text in one.texts]
    leaks = {like.row for like in alike([row.query for row in read.rows], texts, wishes.leak_threshold)}
    if len(leaks) == len(read):
        raise DataError("general.data: every query resembles an evaluation query; take other general data")
    left = tuple(row for place, row in enumerate(read.rows) if place not in leaks)
    return Examples(left, {**read.rejected, **({"like an evaluation query": len(leaks)} if leaks else {})})


def check_base(wishes: AdaptationSettings, machine: Machine | None = None) -> None:
    """Refuse a base that cannot be trained, before anything is paid for it.

    Raises:
        ModelError: there is no such base, it has no score head and none is to be grown, it has several labels, or it
            has no positions for so many tokens.
        UsageError: a new head is asked for and it has one.
    """
    load_student(open_folder(wishes.base), _growing(wishes), machine or Machine())


def start(  # noqa: PLR0917
    wishes: AdaptationSettings, out: Path, reporter: Reporter, machine: Machine | None = None,
    general: Examples | None = None, watch: Watch = unwatched,
) -> tuple[ArmRecord, ArmRecord]:  # fmt: skip
    """The base, and stage 1, which every adaptation begins with.

    With a new head the base is `out/base`: the given one with its random head, by a training of no steps. Without
    general data stage 1 has the base's path. A stage 1 that diverged or is broken is refused.

    Args:
        out: the folder of the run.
        general: see `general_of`.

    Raises:
        ModelError, UsageError: see `check_base`.
        DataError: the loss of stage 1 does not take the general labels.
    """
    check_base(wishes, machine)
    making = Making(reporter, machine or Machine(), watch)
    base = ArmRecord("base", "base", wishes.base)
    if wishes.new_head:
        work = fitting.job(wishes.base, _NOT_LOOKED_AT, _growing(wishes))
        base = making.fit(work, replace(base, path=str(folder_of(out, "base"))), "stage-1")
    if general is None:
        return base, ArmRecord("stage-1", "stage-1", base.path)
    stage1 = ArmRecord("stage-1", "stage-1", str(folder_of(out, "stage-1")))
    work = fitting.job(base.path, general, wishes.stage1_settings)
    return base, making.checked(base, making.fit(work, stage1, "stage-1"))


def singles(  # noqa: PLR0917
    stage1: ArmRecord, prepared: Sequence[Prepared], wishes: AdaptationSettings, out: Path, reporter: Reporter,
    machine: Machine | None = None, general: Examples | None = None, watch: Watch = unwatched,
) -> list[ArmRecord]:  # fmt: skip
    """One checkpoint for each task and seed, then the given ones; each was held against stage 1. One whose training
    diverged is refused.

    Raises:
        DataError: the loss does not take a teacher's scores.
    """
    making = Making(reporter, machine or Machine(), watch)
    found = []
    for name, work in _single_jobs(stage1, prepared, wishes, general):
        one = making.fit(work, ArmRecord(name, "single", str(folder_of(out, name))), "fit")
        found.append(making.checked(stage1, one))
    return [*found, *(making.checked(stage1, one) for one in _given(wishes))]


def union(  # noqa: PLR0917
    stage1: ArmRecord, prepared: Sequence[Prepared], wishes: AdaptationSettings, out: Path, reporter: Reporter,
    machine: Machine | None = None, general: Examples | None = None, watch: Watch = unwatched,
) -> ArmRecord:  # fmt: skip
    """One model on the shuffled examples of all tasks, with as many steps as all trained singles together, those that
    diverged among them: it never gets less than what the merges are made of.

    Raises:
        DataError: see `singles`.
    """
    work = _union_job(stage1, prepared, wishes, general)
    making = Making(reporter, machine or Machine(), watch)
    one = making.fit(work, ArmRecord("union", "union", str(folder_of(out, "union"))), "fit")
    return making.checked(stage1, one)


def exactly(work: fitting.Job, steps: int) -> fitting.Job:
    """The job with that many steps, whatever its epochs and their limit were."""
    epochs = max(1, -(-steps // work.batches.per_epoch))
    return replace(work, settings=replace(work.settings, epochs=epochs, max_steps=steps))


def _single_jobs(
    stage1: ArmRecord, prepared: Iterable[Prepared], wishes: AdaptationSettings, general: Examples | None
) -> list[tuple[str, fitting.Job]]:
    return [
        (
            f"single-{one.task.name}-s{seed}",
            fitting.job(stage1.path, one.examples, wishes.fit_settings(seed), general, _corpora([one])),
        )
        for one in prepared
        for seed in seeds_of(wishes)
    ]


def _union_job(
    stage1: ArmRecord, prepared: Sequence[Prepared], wishes: AdaptationSettings, general: Examples | None
) -> fitting.Job:
    steps = sum(work.steps for _, work in _single_jobs(stage1, prepared, wishes, general))
    together = Examples(tuple(row for one in prepared for row in one.examples.rows))
    settings = wishes.fit_settings(seeds_of(wishes)[0])
    return exactly(fitting.job(stage1.path, together, settings, general, _corpora(prepared)), steps)


def _corpora(prepared: Iterable[Prepared]) -> list[str]:
    """Names and fingerprints of what a checkpoint is adapted on: its number there says little about other corpora."""
    return [told for one in prepared for told in (one.corpus.name, one.corpus.fingerprint)]


def _growing(wishes: AdaptationSettings) -> Settings:
    """A training of no steps, which gives a base its head."""
    return Settings(Loss("mse"), max_steps=0, max_length=wishes.max_length, new_head=wishes.new_head, seed=wishes.seed)


def _given(wishes: AdaptationSettings) -> list[ArmRecord]:
    found: dict[str, ArmRecord] = {}
    kind: Kind = "given"
    for path in wishes.ingredients:
        name = stem = f"given-{slug(last_part(path))}"
        number = 1
        while name in found:
            number += 1
            name = f"{stem}-{number}"
        found[name] = ArmRecord(name, kind, path)
    return list(found.values())

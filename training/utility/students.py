"""The students of each arm: one checkpoint for each seed, and its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.collection import Collection
from harness.measuring.statistics.design import Floats64
from harness.result.result import Result, results_of
from harness.running.experiment import experiment
from harness.scoring.session import Session
from harness.scoring.system import systems
from training import fit as fitting
from training.examples import Example, Examples, write_examples
from training.settings import Machine, Settings
from training.teaching.teach import EXAMPLES
from training.utility.arms import BASE
from training.utility.settings import UtilitySettings

_PLACEHOLDER = (Example("a query", ("its document", "another one"), (1.0, 0.0)),)
"""An example for runs without steps."""


@dataclass(frozen=True)
class TrainedStudent:
    """A trained checkpoint of an arm."""

    arm: str
    seed: int
    path: Path
    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class StudentResults:
    """The results of all checkpoints on the test collection."""

    values: Mapping[str, Floats64]
    """Values of each arm, float64 [seeds, queries]."""
    queries: tuple[str, ...]
    evaluations: Mapping[str, Sequence[str]]
    """Ids in the results store for each arm, one per seed."""
    first_stage: float
    """The mean value of the first stage."""


def base_checkpoints(settings: UtilitySettings, out: Path, machine: Machine, session: Session) -> list[TrainedStudent]:
    """The base as a checkpoint after 0 steps, with the maximum length of the students. A base that cannot be trained is
    refused here, before a teacher is used. With a random head there is one checkpoint per seed."""
    training = replace(settings.training, max_steps=0)
    seeds = _seeds(settings) if training.new_head else _seeds(settings)[:1]
    return [
        _fitted(BASE, _PLACEHOLDER, replace(training, seed=seed), settings.base, out, machine, session)
        for seed in seeds
    ]


def trained(
    arms: Mapping[str, Sequence[Example]], settings: UtilitySettings, out: Path, machine: Machine, session: Session
) -> list[TrainedStudent]:
    """Train each arm with each seed. Finished checkpoints are not trained again."""
    found = []
    for name, rows in arms.items():
        (out / "arms" / name).mkdir(parents=True, exist_ok=True)
        write_examples(out / "arms" / name / EXAMPLES, rows)
        every = (replace(settings.training, seed=seed) for seed in _seeds(settings))
        found += [_fitted(name, rows, training, settings.base, out, machine, session) for training in every]
    return found


def _seeds(settings: UtilitySettings) -> range:
    return range(settings.training.seed, settings.training.seed + settings.seeds)


def _fitted(  # noqa: PLR0917
    name: str, rows: Sequence[Example], training: Settings, base: str, out: Path, machine: Machine, session: Session
) -> TrainedStudent:
    path = out / "checkpoints" / f"{name}-s{training.seed}"
    path.parent.mkdir(parents=True, exist_ok=True)
    work = fitting.job(base, Examples(tuple(rows)), training)
    return TrainedStudent(name, training.seed, path, fitting.fit(work, path, machine, session.reporter))


def measured(
    checkpoints: Sequence[TrainedStudent], test: Collection, measure: str, settings: UtilitySettings, session: Session
) -> StudentResults:
    """Measure the checkpoints with the harness, one at a time. Pairs in the ledger are not scored again."""
    values: dict[str, list[Floats64]] = {}
    evaluations: dict[str, list[str]] = {}
    first = float("nan")
    for one in checkpoints:
        done = _evaluated(one.path, test, measure, settings, session)
        values.setdefault(one.arm, []).append(done.values)
        evaluations.setdefault(one.arm, []).append(done.id)
        first = done.stored.controls.means["identity"][done.measure]
    stacked = {name: np.stack(rows) for name, rows in values.items()}
    return StudentResults(stacked, tuple(test.queries.ids()), evaluations, first)


def _evaluated(path: Path, test: Collection, measure: str, settings: UtilitySettings, session: Session) -> Result:
    """All students come from the same base, so the orientation probe is skipped."""
    _, system = systems(settings.first_stage, [str(path)], settings.depth, session.workspace)
    (done,) = experiment([test], [system], [measure], session, skip_probe=True)
    return results_of(done)[0]

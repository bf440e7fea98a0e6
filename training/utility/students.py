"""The students: each arm's examples, a checkpoint for every seed, and what the harness measures of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.data.collection import Collection
from harness.measuring.statistics.design import Floats64
from harness.result.evaluation import Evaluation
from harness.running.experiment import experiment
from harness.scoring.session import Session
from harness.scoring.system import systems
from training import fit as fitting
from training.examples import Example, Examples, write_examples
from training.settings import Machine, Settings
from training.teaching.teach import EXAMPLES
from training.utility.arms import BASE
from training.utility.settings import UtilitySettings

_ANY = (Example("a query", ("its document", "another one"), (1.0, 0.0)),)
"""No step is made with it."""


@dataclass(frozen=True)
class TrainedStudent:
    """A trained student."""

    arm: str
    seed: int
    path: Path
    manifest: Mapping[str, Any]


@dataclass(frozen=True)
class StudentResults:
    """Every checkpoint of every arm on the test collection."""

    values: Mapping[str, Floats64]
    """Of each arm, float64 [seeds, queries]."""
    queries: tuple[str, ...]
    evaluations: Mapping[str, Sequence[str]]
    """Ids in the results store, for each arm one for each seed."""
    first_stage: float
    """The mean of the candidates in their own order."""


def base_checkpoints(wishes: UtilitySettings, out: Path, machine: Machine, session: Session) -> list[TrainedStudent]:
    """The base as a checkpoint of its own, after no step: it is cut where the students are. A base that cannot be
    trained is refused here, before a teacher is paid. With a random head there is one for every seed."""
    settings = replace(wishes.settings, max_steps=0)
    seeds = _seeds(wishes) if settings.new_head else _seeds(wishes)[:1]
    return [_fitted(BASE, _ANY, replace(settings, seed=seed), wishes.base, out, machine, session) for seed in seeds]


def trained(
    arms: Mapping[str, Sequence[Example]], wishes: UtilitySettings, out: Path, machine: Machine, session: Session
) -> list[TrainedStudent]:
    """Fit every arm with every seed. What is trained already is not trained again."""
    found = []
    for name, rows in arms.items():
        (out / "arms" / name).mkdir(parents=True, exist_ok=True)
        write_examples(out / "arms" / name / EXAMPLES, rows)
        every = (replace(wishes.settings, seed=seed) for seed in _seeds(wishes))
        found += [_fitted(name, rows, settings, wishes.base, out, machine, session) for settings in every]
    return found


def _seeds(wishes: UtilitySettings) -> range:
    return range(wishes.settings.seed, wishes.settings.seed + wishes.seeds)


def _fitted(  # noqa: PLR0917
    name: str, rows: Sequence[Example], settings: Settings, base: str, out: Path, machine: Machine, session: Session
) -> TrainedStudent:
    path = out / "checkpoints" / f"{name}-s{settings.seed}"
    path.parent.mkdir(parents=True, exist_ok=True)
    work = fitting.job(base, Examples(tuple(rows)), settings)
    return TrainedStudent(name, settings.seed, path, fitting.fit(work, path, machine, session.reporter))


def measured(
    checkpoints: Sequence[TrainedStudent], test: Collection, measure: str, wishes: UtilitySettings, session: Session
) -> StudentResults:
    """Let the harness judge them, one at a time; a pair that the ledger knows is not scored again."""
    values: dict[str, list[Floats64]] = {}
    evaluations: dict[str, list[str]] = {}
    first = float("nan")
    for one in checkpoints:
        done = _evaluated(one.path, test, measure, wishes, session)
        values.setdefault(one.arm, []).append(done.values[0])
        evaluations.setdefault(one.arm, []).append(done.id)
        first = float(done.ground.first_stage[0].mean())
    stacked = {name: np.stack(rows) for name, rows in values.items()}
    return StudentResults(stacked, tuple(test.queries.ids()), evaluations, first)


def _evaluated(path: Path, test: Collection, measure: str, wishes: UtilitySettings, session: Session) -> Evaluation:
    """Every student was trained from the same base, so none is probed: a wrong one shows in its value."""
    _, system = systems(wishes.first_stage, [str(path)], wishes.depth, session.workspace)
    (done,) = experiment([test], [system], [measure], session, skip_probe=True)
    return done

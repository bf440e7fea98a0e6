"""Shared by the tests of making checkpoints: settings for the tiny corpus, and small real checkpoints."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters import tiny
from harness.result.adaptation.record import ArmRecord
from tests.tiny_collection import FIRST, Place
from tests.training.fitting import QUICK, some_examples
from tests.training.loop import HASH, TEACHER
from training.adapting.settings import AdaptationSettings, Task, tasks_of
from training.adapting.tasks import Asked, Prepared, ask, prepare
from training.adapting.watching import unwatched
from training.fit import fit, job

ECHO = "tests.training.fake_generators:Echo"
LENGTH = 64


def settings_for(place: Place, **more: Any) -> AdaptationSettings:
    """One task on the tiny corpus, trained for a few steps."""
    if not (place.path / "coll").exists():
        place.beir(rules='language = "en"\n')
    if not (place.path / "base").exists():
        tiny.cross_encoder(place.path / "base")
    fields: dict[str, Any] = {
        "base": str(place.path / "base"), "teachers": (TEACHER,), "corpora": (str(place.path / "coll"),),
        "generator": ECHO, "retrievers": (FIRST, HASH), "depth": 3, "stage1": QUICK, "adaptation": QUICK,
    }  # fmt: skip
    return AdaptationSettings(**{**fields, **more})


def asked_of(place: Place, settings: AdaptationSettings, task: Task | None = None, **more: Any) -> Asked:
    """A task of these settings with its queries."""
    one = task or tasks_of(settings)[0]
    with place.session() as session:
        return ask(one, settings, _folder(place, one), session, more.pop("known", ()), **more)


def prepared(place: Place, settings: AdaptationSettings, task: Task | None = None, **more: Any) -> Prepared:
    """A task of these settings with its examples."""
    one, watch = asked_of(place, settings, task, **more), more.get("watch", unwatched)
    with place.session() as session:
        return prepare(one, settings, _folder(place, one.task), session, watch)


def _folder(place: Place, task: Task) -> Path:
    return place.path / "run" / "tasks" / task.name


def trained(base: Path, out: Path, **settings: Any) -> ArmRecord:
    """An honest fine-tune of a tiny model."""
    fit(job(str(base), some_examples(), replace(QUICK, **settings)), out)
    return ArmRecord(out.name, "single", str(out))


def rewritten(start: Path, out: Path, change: Any) -> ArmRecord:
    """A copy of a checkpoint whose tensors went through `change`, a function of a dict of arrays."""
    from safetensors.numpy import load_file, save_file

    shutil.copytree(start, out)
    content = load_file(out / "model.safetensors")
    change(content)
    save_file(content, out / "model.safetensors", {"format": "pt"})
    return ArmRecord(out.name, "given", str(out))

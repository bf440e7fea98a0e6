"""Events for the record of a run: each finished stage, and whether it was finished before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.result.adaptation.vocabulary import EventState, Stage
from training.job import MANIFEST

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Finished:
    """A finished stage."""

    stage: Stage
    name: str
    """The name of the task or the checkpoint."""
    state: EventState
    """`known` if the stage was finished before and cost nothing."""
    seconds: float
    detail: str
    """One line."""


Watch = Callable[[Finished], None]


def unwatched(_: Finished) -> None:
    """A `Watch` that does nothing."""


def watched(  # noqa: PLR0917
    watch: Watch, stage: Stage, name: str, folder: Path, make: Callable[[], _Made], describe: Callable[[_Made], str]
) -> _Made:
    """Make a stage whose folder gets its manifest last, and report it to `watch`."""
    known = (folder / MANIFEST).is_file()
    begun = time.monotonic()
    made = make()
    watch(Finished(stage, name, "known" if known else "done", time.monotonic() - begun, describe(made)))
    return made

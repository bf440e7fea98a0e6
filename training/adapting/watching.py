"""What the making half tells whoever keeps the record: every stage when it is finished, and whether it was made now."""

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
    """A stage that is over."""

    stage: Stage
    name: str
    """Of the task or the checkpoint."""
    state: EventState
    """known: it was finished before and cost nothing."""
    seconds: float
    detail: str
    """One line."""


Watch = Callable[[Finished], None]


def unwatched(_: Finished) -> None:
    """For those who keep no record."""


def watched(  # noqa: PLR0917
    watch: Watch, stage: Stage, name: str, folder: Path, make: Callable[[], _Made], told: Callable[[_Made], str]
) -> _Made:
    """Make a stage whose folder gets its manifest last, and tell of it."""
    known = (folder / MANIFEST).is_file()
    begun = time.monotonic()
    made = make()
    watch(Finished(stage, name, "known" if known else "done", time.monotonic() - begun, told(made)))
    return made

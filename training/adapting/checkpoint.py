"""One model of an adaptation: what it is called, where it lies, and what it was made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["base", "stage-1", "single", "union", "linear", "slerp", "greedy", "curve", "given"]


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint of one adaptation. `name` is unique in a run; `path` is what `adapters.models.open_folder` takes.

    `parts`: the names of the checkpoints that were merged, in order; empty for a trained one. `t`: the place on the
    curve between two checkpoints, in 0..1. `refused`: why the integrity check refused it; such a checkpoint is never
    evaluated and never merged.
    """

    name: str
    kind: Kind
    path: str
    parts: tuple[str, ...] = ()
    t: float | None = None
    refused: tuple[str, ...] = ()


def folder_of(out: Path, name: str) -> Path:
    """Where a run keeps a checkpoint that it made.

    Args:
        out: the folder of the run.
        name: the checkpoint's.
    """
    return out / name if name in {"base", "stage-1"} else out / "checkpoints" / name

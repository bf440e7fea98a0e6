"""Where a run keeps the checkpoints that it makes."""

from pathlib import Path


def folder_of(out: Path, name: str) -> Path:
    """Where a run keeps a checkpoint that it made.

    Args:
        out: the folder of the run.
        name: the checkpoint's.
    """
    return out / name if name in {"base", "stage-1"} else out / "checkpoints" / name

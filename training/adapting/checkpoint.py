"""The folders of the checkpoints that a run makes."""

from pathlib import Path


def folder_of(out: Path, name: str) -> Path:
    """The folder of a checkpoint that a run makes.

    Args:
        out: the folder of the run.
        name: the name of the checkpoint.
    """
    return out / name if name in {"base", "stage-1"} else out / "checkpoints" / name

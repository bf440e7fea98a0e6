"""The state from which a killed training run continues: trained weights, the optimizer's moments and the step, as
safetensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import DataError, UsageError, need
from adapters.typed_file import read_json
from adapters.typed_values import Count
from harness.workspace import new_folder, replace_folder

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

_TENSORS, _STATE = "state.safetensors", "state.json"
History = list[dict[str, float | None]]
"""A row for each step. A value is None if it could not be measured."""


@dataclass(frozen=True)
class Progress:
    """The progress of a run."""

    step: int
    """The number of steps that are done."""
    history: History


@dataclass(frozen=True)
class _State:
    """The file next to the tensors."""

    run: str
    step: Count
    history: tuple[Mapping[str, float | None], ...]
    tensors: str | None = None
    """The digest of the file of tensors; None if an earlier version wrote the state."""


def save_state(
    folder: Path, run: str, progress: Progress, trained: dict[str, nn.Parameter], optimizer: Optimizer
) -> None:
    """Replace the state atomically.

    Raises:
        OSError: the disk is full; the previous state is kept.
    """
    safetensors = need("safetensors.torch", "models", "training")
    tensors = {f"weight.{name}": parameter.detach().cpu().contiguous() for name, parameter in trained.items()}
    for name, parameter in trained.items():
        moments: dict[str, Tensor] = optimizer.state.get(parameter, {})
        tensors |= {f"{key}.{name}": value.detach().cpu().contiguous() for key, value in moments.items()}
    with new_folder(folder) as unfinished:
        try:
            safetensors.save_file(tensors, unfinished / _TENSORS)
        except need("safetensors", "models", "training").SafetensorError as error:
            raise OSError(f"{folder}: {error}") from None
        digest = _digest(unfinished / _TENSORS)
        state = {"run": run, "step": progress.step, "history": progress.history, "tensors": digest}
        (unfinished / _STATE).write_text(json.dumps(state), "utf-8")
        replace_folder(unfinished, folder)


def load_state(folder: Path, run: str, trained: dict[str, nn.Parameter], optimizer: Optimizer) -> Progress:
    """Restore weights and optimizer from a state. Without one, the run starts from step 0.

    Raises:
        UsageError: the state belongs to another run.
        DataError: the state is damaged.
    """
    if not (folder / _STATE).is_file():
        return Progress(0, [])
    advice = f"delete the folder {folder} and run again"
    state = read_json(folder / _STATE, _State, error=DataError, advice=advice)
    if state.run != run:
        raise UsageError(
            f"{folder} holds an unfinished run with other data or settings; delete it, or name another --out"
        )
    if state.tensors not in {None, _digest(folder / _TENSORS)}:
        raise DataError(f"{folder / _TENSORS}: its content is not what was written; {advice}")
    tensors = need("safetensors.torch", "models", "training").load_file(folder / _TENSORS)
    if not all(f"weight.{name}" in tensors for name in trained):
        raise DataError(f"{folder}: an earlier version wrote this state with other names; {advice}")
    torch = need("torch", "models", "training")
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(tensors[f"weight.{name}"])
            moments = {key: tensors[f"{key}.{name}"] for key in _MOMENTS if f"{key}.{name}" in tensors}
            if moments:
                optimizer.state[parameter] = {
                    key: value if key == "step" else value.to(parameter.device) for key, value in moments.items()
                }
    return Progress(state.step, [dict(row) for row in state.history])


def steps_made(folder: Path) -> int:
    """The steps of the state in a folder, without a check; 0 if there is none."""
    try:
        return int(json.loads((folder / _STATE).read_text("utf-8"))["step"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _digest(file: Path) -> str:
    """The digest of a file; empty if it is missing."""
    if not file.exists():
        return ""
    with file.open("rb") as stored:
        return hashlib.file_digest(stored, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


_MOMENTS = ("step", "exp_avg", "exp_avg_sq")

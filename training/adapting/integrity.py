"""Check whether training can lead from one checkpoint to another. A broken one is refused before a merge or a look.

The checkpoint is compared with the one that its training started from, tensor by tensor, without loading a model. It
must have the same architecture, tokenizer, names, shapes and formats (`training.merging.agreement`), and no tensor may

- contain NaN or infinity;
- be constant if the start's is not;
- have a norm outside [1/3, 3] times the start's norm. Fine-tuning changes the weights of a pretrained model by a few
  per cent, so 3 is far above any sound run and below typical errors (a forgotten scale, a tensor times ten);
- be the start times a factor: a cosine of at least 0.9999, and more than 1.5 times longer or shorter;
- if it is a matrix, have more than a twentieth of its rows changed by more than their own length. Rows of another head,
  in another order or with another sign differ by more than their length; trained rows change much less.

Lengths below a minimum count as the minimum, as root mean square: 0.01 for matrices, which is half of the 0.02 that
heads are initialised with, and 0.1 for vectors. Biases and the single row of a new head begin at or near zero and may
grow up to 0.3. A single number only has to be finite: as the bias of the score it cannot change an order.

Two errors are not detected: a permutation of all heads that is the same in every matrix and gives the same model (it
would harm a merge if less than a twentieth of the rows moved), and wrong weights of the right size in a vector. The
gate judges how well a checkpoint ranks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from adapters.errors import HarnessError
from harness.result.adaptation.record import ArmRecord
from training.merging.agreement import agree
from training.merging.alignment import merged_names
from training.merging.checkpoint import Checkpoint, open_checkpoint
from training.merging.recipe import DTYPES
from training.merging.tensors import PIECE, Floats, Tensor, decode

NORM = 3.0
FACTOR, PARALLEL = 1.5, 0.9999
ROWS_MOVED = 0.05
MATRIX_FLOOR, VECTOR_FLOOR = 0.01, 0.1
_LISTED = 6
"""The largest number of reasons that are listed."""
_FEW = 16
"""Vectors with fewer numbers than this may be parallel by chance."""

_Sums = npt.NDArray[np.float64]


def check(start: ArmRecord, one: ArmRecord) -> ArmRecord:
    """The checkpoint with the reasons of a refusal in `refused`, which is empty if the checkpoint is sound.

    Args:
        start: the checkpoint that the training started from, with its head.

    Raises:
        ModelError: `start` cannot be read.
    """
    start_checkpoint = open_checkpoint(start.path)
    try:
        other = open_checkpoint(one.path)
        agreed = agree(start_checkpoint, [other])
        names = sorted(merged_names(start_checkpoint) - agreed.kept - agreed.copies)
        reasons = [reason for name in names if (reason := _of_tensor(name, start_checkpoint, agreed.others[0]))]
    except (HarnessError, OSError) as error:
        reasons = [str(error).removeprefix("merge: ")]
    more = [f"and {len(reasons) - _LISTED} more tensors"] if len(reasons) > _LISTED else []
    return replace(one, refused=(*reasons[:_LISTED], *more))


@dataclass(frozen=True)
class _Compared:
    """Sums over a tensor and its start: in float32 within rows, in float64 over rows."""

    start_norm: float
    norm: float
    product: float
    moved: float
    """The share of rows that changed by more than their own length."""
    nonfinite: int
    emptied: bool
    """Whether the tensor is constant and the start's is not."""


def _of_tensor(name: str, start_checkpoint: Checkpoint, other: Checkpoint) -> str | None:
    ours, theirs = start_checkpoint.tensors[name], other.tensors[name]
    if theirs.dtype not in {ours.dtype, _declared(start_checkpoint)}:
        return f"'{name}' is stored as {theirs.dtype}, but the start's as {ours.dtype}"
    if not (ours.mergeable and theirs.mergeable):
        same = ours.dtype == theirs.dtype and np.array_equal(ours.raw(), theirs.raw())
        return None if same else f"'{name}' differs from the start's, but training does not change numbers of this type"
    if not ours.size:
        return None
    compared = _compared(ours, theirs)
    for tensor in (ours, theirs):
        tensor.forget()
    reason = _wrong(compared, ours)
    return f"'{name}' {reason}" if reason else None


def _declared(start_checkpoint: Checkpoint) -> str | None:
    """The dtype that training writes: the one in config.json, which may differ from that of the weights."""
    config = start_checkpoint.folder.config
    return DTYPES.get(str(config.get("dtype") or config.get("torch_dtype") or "float32"))


def _wrong(seen: _Compared, tensor: Tensor) -> str | None:
    if seen.nonfinite:
        return f"has {seen.nonfinite:,} of {tensor.size:,} numbers that are not finite"
    if tensor.size == 1:
        return None
    if seen.emptied:
        return "is constant, but the start's is not"
    if reason := _wrong_length(seen, tensor):
        return reason
    if seen.moved > ROWS_MOVED:
        return f"has {seen.moved:.0%} of its rows changed by more than their own length"
    return None


def _wrong_length(seen: _Compared, tensor: Tensor) -> str | None:
    floor = _floor(tensor) * math.sqrt(tensor.size)
    ratio = seen.norm / seen.start_norm if seen.start_norm else math.inf
    if seen.norm > NORM * max(seen.start_norm, floor) or (seen.start_norm > floor and ratio < 1 / NORM):
        return f"is {_number(ratio)} times as long as the start's"
    if tensor.size >= _FEW and _is_scaled(seen, ratio):
        return f"is the start's times {_number(ratio)}"
    return None


def _is_scaled(seen: _Compared, ratio: float) -> bool:
    lengths = seen.norm * seen.start_norm
    return lengths > 0 and seen.product / lengths >= PARALLEL and not 1 / FACTOR <= ratio <= FACTOR


def _floor(tensor: Tensor) -> float:
    return MATRIX_FLOOR if _rows(tensor) > 1 else VECTOR_FLOOR


def _rows(tensor: Tensor) -> int:
    """The number of rows of a matrix. A vector and the single row of a score head have one row."""
    return tensor.shape[0] if len(tensor.shape) > 1 and tensor.size > tensor.shape[0] else 1


def _compared(start: Tensor, other: Tensor) -> _Compared:
    rows = _rows(start)
    sums, nonfinite, moved = np.zeros(3), 0, 0
    low, high = math.inf, -math.inf
    for ours, theirs in _pieces(start, other, rows):
        ends = float(theirs.min()), float(theirs.max())
        if not all(map(math.isfinite, ends)):
            nonfinite += int((~np.isfinite(theirs)).sum())
            continue
        low, high = min(low, ends[0]), max(high, ends[1])
        each = np.stack([_dots(ours, ours), _dots(theirs, theirs), _dots(ours, theirs)])
        sums += each.sum(axis=1)
        moved += int(_moved(each, ours.shape[1]).sum()) if rows > 1 else 0
    emptied = low == high and not _is_constant(start)
    return _Compared(math.sqrt(sums[0]), math.sqrt(sums[1]), float(sums[2]), moved / rows, nonfinite, emptied)


def _is_constant(tensor: Tensor) -> bool:
    raw = tensor.raw()
    return bool((raw == raw[0]).all())


def _dots(one: Floats, other: Floats) -> _Sums:
    with np.errstate(over="ignore"):  # an infinite length counts as too long
        return np.asarray(np.einsum("rc,rc->r", one, other), np.float64)


def _moved(each: _Sums, columns: int) -> npt.NDArray[np.bool_]:
    """Whether each row changed by more than its length, from inner products with itself and the other, [3, rows]."""
    with np.errstate(invalid="ignore"):
        distance = each[0] + each[1] - 2 * each[2]
    return np.asarray(distance > np.maximum(each[0], columns * MATRIX_FLOOR**2))


def _pieces(start: Tensor, other: Tensor, rows: int) -> Iterator[tuple[Floats, Floats]]:
    """Both tensors as float32 [rows, columns], a block of rows at a time."""
    columns = start.size // rows
    step = max(1, PIECE // columns) * columns
    ours, theirs = start.raw(), other.raw()
    for begin in range(0, start.size, step):
        place = slice(begin, min(begin + step, start.size))
        yield _floats(ours[place], start.dtype, columns), _floats(theirs[place], other.dtype, columns)


def _floats(raw: npt.NDArray[np.generic], dtype: str, columns: int) -> Floats:
    return decode(raw, dtype, np.empty(len(raw), np.float32)).reshape(-1, columns)


def _number(ratio: float) -> str:
    return f"{ratio:.3g}" if math.isfinite(ratio) else "infinitely many"

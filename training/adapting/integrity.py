"""Whether a checkpoint can have come from its start by training: a broken one is refused before it is merged or judged.

The checkpoint is held against the one that its training started from, tensor by tensor, without loading a model. It
must have the same architecture, tokenizer, names, shapes and formats (`training.merging.agreement`), and no tensor may

- hold NaN or infinity;
- be one number everywhere where that of the start is not;
- have left [1/3, 3] times its start's norm. Fine-tuning moves the weights of a pretrained model by a few per cent, so 3
  is far from any honest run and below the slips that are looked for (a forgotten scale, a tensor times ten);
- point where the start points (cosine of 0.9999) and be more than 1.5 times longer or shorter: that is a factor, and
  training does not multiply;
- as a matrix, have more than a twentieth of its rows moved by more than their own length. Rows of other heads, other
  order or other sign are farther from each other than they are long; trained ones stay near to where they were.

Lengths count from a floor, as root mean square: 0.01 for matrices, which is half of what heads are drawn with (0.02),
and 0.1 for vectors. Biases and the one row of a new head begin at or near zero and may grow up to 0.3. A single
number is only asked to be finite: as the bias of the score it cannot change an order.

Not seen: a permutation of all heads that is the same in every matrix and gives the same model (a merge would suffer if
less than a twentieth of the rows moved), and wrong weights of the right size in a vector. What a checkpoint does is for
the gate to judge.
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
from training.merging.mergekit_yaml import DTYPES
from training.merging.tensors import PIECE, Floats, Tensor, decode

NORM = 3.0
FACTOR, PARALLEL = 1.5, 0.9999
ROWS_MOVED = 0.05
MATRIX_FLOOR, VECTOR_FLOOR = 0.01, 0.1
_TOLD = 6
"""Reasons that are listed one by one."""
_FEW = 16
"""Fewer numbers than this may well be parallel."""

_Sums = npt.NDArray[np.float64]


def check(start: ArmRecord, one: ArmRecord) -> ArmRecord:
    """The checkpoint with the reasons in `refused`, none if it is sound.

    Args:
        start: what its training started from, with its head.

    Raises:
        ModelError: the start cannot be read.
    """
    home = open_checkpoint(start.path)
    try:
        other = open_checkpoint(one.path)
        agreed = agree(home, [other])
        names = sorted(merged_names(home) - agreed.kept - agreed.copies)
        found = [told for name in names if (told := _of_tensor(name, home, agreed.others[0]))]
    except (HarnessError, OSError) as error:
        found = [str(error).removeprefix("merge: ")]
    more = [f"and {len(found) - _TOLD} more tensors"] if len(found) > _TOLD else []
    return replace(one, refused=(*found[:_TOLD], *more))


@dataclass(frozen=True)
class _Compared:
    """What was summed over a tensor and its start: rows in float32, over them in float64."""

    start_norm: float
    norm: float
    product: float
    moved: float
    """Share of the rows that moved by more than their own length."""
    nonfinite: int
    emptied: bool
    """One number everywhere, and the start's is not."""


def _of_tensor(name: str, home: Checkpoint, other: Checkpoint) -> str | None:
    ours, theirs = home.tensors[name], other.tensors[name]
    if theirs.dtype not in {ours.dtype, _declared(home)}:
        return f"'{name}' is stored as {theirs.dtype} and was {ours.dtype}"
    if not (ours.mergeable and theirs.mergeable):
        same = ours.dtype == theirs.dtype and np.array_equal(ours.raw(), theirs.raw())
        return None if same else f"'{name}' differs from the start's, and training does not change such numbers"
    if not ours.size:
        return None
    compared = _compared(ours, theirs)
    for tensor in (ours, theirs):
        tensor.forget()
    told = _wrong(compared, ours)
    return f"'{name}' {told}" if told else None


def _declared(home: Checkpoint) -> str | None:
    """The format that training writes: what config.json says, which may not be that of the weights."""
    config = home.folder.config
    return DTYPES.get(str(config.get("dtype") or config.get("torch_dtype") or "float32"))


def _wrong(seen: _Compared, tensor: Tensor) -> str | None:
    if seen.nonfinite:
        return f"has {seen.nonfinite:,} of {tensor.size:,} numbers that are not finite"
    if tensor.size == 1:
        return None
    if seen.emptied:
        return "is one number everywhere, and the start's is not"
    if told := _wrong_length(seen, tensor):
        return told
    if seen.moved > ROWS_MOVED:
        return f"has {seen.moved:.0%} of its rows farther from the start's than those are long"
    return None


def _wrong_length(seen: _Compared, tensor: Tensor) -> str | None:
    floor = _floor(tensor) * math.sqrt(tensor.size)
    ratio = seen.norm / seen.start_norm if seen.start_norm else math.inf
    if seen.norm > NORM * max(seen.start_norm, floor) or (seen.start_norm > floor and ratio < 1 / NORM):
        return f"is {_told(ratio)} times as long as the start's"
    if tensor.size >= _FEW and _is_scaled(seen, ratio):
        return f"is the start's times {_told(ratio)}"
    return None


def _is_scaled(seen: _Compared, ratio: float) -> bool:
    lengths = seen.norm * seen.start_norm
    return lengths > 0 and seen.product / lengths >= PARALLEL and not 1 / FACTOR <= ratio <= FACTOR


def _floor(tensor: Tensor) -> float:
    return MATRIX_FLOOR if _rows(tensor) > 1 else VECTOR_FLOOR


def _rows(tensor: Tensor) -> int:
    """Rows of a matrix; a vector, and the one row of a score head, is one row."""
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
    with np.errstate(over="ignore"):  # infinitely long is too long
        return np.asarray(np.einsum("rc,rc->r", one, other), np.float64)


def _moved(each: _Sums, columns: int) -> npt.NDArray[np.bool_]:
    """Which rows moved by more than their length, from the inner products with themselves and each other [3, rows]."""
    with np.errstate(invalid="ignore"):
        distance = each[0] + each[1] - 2 * each[2]
    return np.asarray(distance > np.maximum(each[0], columns * MATRIX_FLOOR**2))


def _pieces(start: Tensor, other: Tensor, rows: int) -> Iterator[tuple[Floats, Floats]]:
    """Both tensors as float32 [rows, columns], some rows at a time."""
    columns = start.size // rows
    step = max(1, PIECE // columns) * columns
    ours, theirs = start.raw(), other.raw()
    for begin in range(0, start.size, step):
        place = slice(begin, min(begin + step, start.size))
        yield _floats(ours[place], start.dtype, columns), _floats(theirs[place], other.dtype, columns)


def _floats(raw: npt.NDArray[np.generic], dtype: str, columns: int) -> Floats:
    return decode(raw, dtype, np.empty(len(raw), np.float32)).reshape(-1, columns)


def _told(ratio: float) -> str:
    return f"{ratio:.3g}" if math.isfinite(ratio) else "infinitely many"

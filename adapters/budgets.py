"""How a model is called in a workspace: by which forward, and with how many tokens at a time.

Both can change the last bits of a score. So they are decided once for a model and a kind of device, kept in a small
file of the workspace, and used again by resumed runs, by worker processes and by `harness reproduce`.

On a CPU the number of tokens is not measured, because the default is the best there or within 3 %. CPU seconds on one
core of an AMD EPYC, 400 pairs of a MiniLM-L12 cross-encoder, median of three:

| tokens per call | 1,024 | 2,048 | 4,096 | 8,192 | 16,384 |
|:--|--:|--:|--:|--:|--:|
| seconds | 27.2 | 26.8 | 26.7 | 29.5 | 29.9 |
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from adapters.batching import CallBudget, default_budget
from adapters.errors import is_out_of_memory, need
from adapters.identity import digest
from adapters.protocols import Floats, Identity, Integers
from adapters.sums import DamagedFile, read_sealed, save_sealed, set_aside

ForwardPath = Literal["packed", "prefixes", "plain"]
"""packed: without padding; prefixes: the query of a language model is read once; plain: the library's own forward."""

LEAST_ROWS = 2000
"""Rows of a request from which on a few calls may be spent to measure budgets."""
SECONDS = 2.0
"""The time after which no further budget is tried."""
_GAIN = 1.05
"""How many times as fast another budget has to be to replace the default."""
_TRIED = (0.5, 1, 2, 4)
_NOT_THE_MODEL = {"adapter", "version", "instruction", "prompt", "prompts", "role"}
"""Keys of an identity that do not change which calls are fast."""
_FOLDER: ContextVar[Path | None] = ContextVar("folder of call records", default=None)


@dataclass(frozen=True)
class CallRecord:
    """How a model is called on one kind of device."""

    model: str
    """A digest of its files, type and length, without prompts."""
    device: str
    """`cpu`, or the kind of GPU."""
    path: ForwardPath
    batch_tokens: int
    """Padded tokens per call."""
    asked: int | None = None
    """The tokens that the option `batch_tokens` asks for; None for none."""

    def __str__(self) -> str:
        return f"{self.path} forward on {self.device}, {self.batch_tokens:,} tokens per call"

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.model}-{digest({'device': self.device, 'asked': self.asked})[:8]}.json"


@contextmanager
def kept_in(cache: Path | None) -> Iterator[None]:
    """Keep the records of all calls inside the block in a cache folder; None keeps none."""
    token = _FOLDER.set(None if cache is None else cache / "calls")
    try:
        yield
    finally:
        _FOLDER.reset(token)


def calls_of(
    identity: Identity,
    device: str,
    paths: tuple[ForwardPath, ...],
    *,
    asked: int | None = None,
    name: str = "the model",
    measured: Callable[[int], int] | None = None,
) -> tuple[ForwardPath, CallBudget]:
    """How a model is called here: as recorded, else by the first path, which is recorded.

    Args:
        identity: of the adapter.
        device: of torch.
        paths: that the loaded model can be called by, the best first.
        asked: tokens per call that the user asked for.
        name: of the model, for warnings.
        measured: the fastest budget, from the default; called if nothing is recorded or asked.
    """
    kind = default_budget(device.split(":")[0])
    new = CallRecord(model_key(identity), device_class(device), paths[0], asked or kind, asked)
    folder = _FOLDER.get()
    if folder is None:
        return new.path, CallBudget(new.batch_tokens, name)
    file = folder / new.file
    known = _read(file)
    if known is not None and known.path not in paths:
        warnings.warn(
            f"{name}: was called by the {known.path} forward in this workspace, which this machine or this version "
            f"cannot do; from here on {new.path}, so the last digits of new scores may differ",
            stacklevel=2,
        )
        save_record(folder, new)
        known = new
    if known is None:
        best = new if measured is None or asked else replace(new, batch_tokens=measured(new.batch_tokens))
        known = _first(file, best)
    record = known
    return record.path, CallBudget(record.batch_tokens, name, lambda tokens: _lower(file, record, tokens))


def recorded(cache: Path, identity: Identity) -> tuple[CallRecord, ...]:
    """The sound records of a model in a cache folder. Damaged ones stay where they are."""
    return tuple(_sound(cache, f"{model_key(identity)}-*.json"))


def carry_records(source: Path, target: Path) -> None:
    """Let all models be called in one cache folder as in another, so that scores have the same bits on one machine.
    Records that the target has stay."""
    for record in _sound(source, "*.json"):
        if not (target / "calls" / record.file).exists():
            save_record(target / "calls", record)


def _sound(cache: Path, pattern: str) -> Iterator[CallRecord]:
    for file in sorted((cache / "calls").glob(pattern)):
        with suppress(DamagedFile):
            yield read_record(file)


def read_record(file: Path) -> CallRecord:
    """Read a record.

    Raises:
        DamagedFile: it cannot be read, or is not what was written.
    """
    found, proven = read_sealed(file, CallRecord, file.stem)
    if not proven or found.file != file.name or found.batch_tokens < 1:
        raise DamagedFile(f"{file}: it is not the record of this model")
    return found


def model_key(identity: Identity) -> str:
    """A digest of what an identity says of the model itself, 16 digits. An embedder has one key in every part."""
    inner = identity.get("embedder")
    inner = inner if isinstance(inner, Mapping) else identity
    return digest({key: value for key, value in inner.items() if key not in _NOT_THE_MODEL})[:16]


def device_class(device: str) -> str:
    """The kind of a torch device: `cpu`, or a GPU with its name."""
    kind = device.split(":")[0]
    if kind != "cuda":
        return kind
    torch = need("torch", "models", "running a model")
    return f"cuda {torch.cuda.get_device_name(device)}"


def measuring(lengths: Integers, forward: Callable[[Integers], Floats], device: str) -> Callable[[int], int] | None:
    """Measures budgets on rows of a request; None on a CPU, and for a request that is too small to be worth it."""
    if device.split(":")[0] == "cpu" or len(lengths) < LEAST_ROWS:
        return None
    return lambda default: fastest(lengths, forward, default)


def fastest(
    lengths: Integers,
    forward: Callable[[Integers], Floats],
    default: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """The budget with which a few rows of a request are scored fastest, tokens of text per second.

    The default stays unless another one is 5 % faster. After two seconds no further one is tried.

    Args:
        lengths: tokens of each row.
        forward: scores some rows.
        default: padded tokens per call.
    """
    order = np.argsort(-lengths, kind="stable")[len(lengths) // 4 :]
    speeds: dict[int, float] = {}
    started = clock()
    forward(order[:1])  # the first call is slow
    for factor in sorted(_TRIED, key=lambda one: one != 1):
        budget = int(default * factor)
        rows = order[: max(1, budget // int(lengths[order[0]]))]
        try:
            before = clock()
            forward(rows)
            speeds[budget] = int(lengths[rows].sum()) / max(clock() - before, 1e-9)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            break
        if clock() - started > SECONDS:
            break
    best = max(speeds, key=lambda one: speeds[one], default=default)
    return best if speeds.get(best, 0) > _GAIN * speeds.get(default, 0) else default


def _read(file: Path) -> CallRecord | None:
    try:
        return read_record(file)
    except DamagedFile as damage:
        if file.exists():
            set_aside(file, damage, "how the model is called is decided again")
        return None


def save_record(folder: Path, record: CallRecord) -> None:
    """Keep a record, in place of the one that is there. Nothing is kept where nothing can be written."""
    file = folder / record.file
    with suppress(OSError):  # a workspace that can only be read, or a full disk
        file.parent.mkdir(parents=True, exist_ok=True)
        save_sealed(file, file.stem, asdict(record))


def _first(file: Path, record: CallRecord) -> CallRecord:
    """Keep a record, unless another process was faster. Return the record that is kept."""
    unshared = file.with_name(f"{file.stem}-{os.getpid()}.new")
    with suppress(OSError):
        unshared.parent.mkdir(parents=True, exist_ok=True)
        save_sealed(unshared, file.stem, asdict(record))
        os.link(unshared, file)  # fails if the file exists
    with suppress(OSError):
        unshared.unlink(missing_ok=True)
    kept = _read(file)
    if kept is None:  # a file system without hard links
        save_record(file.parent, record)
    return kept or record


def _lower(file: Path, record: CallRecord, tokens: int) -> None:
    """Keep a halved budget, unless another process has halved it further."""
    known = _read(file) or record
    if tokens < known.batch_tokens:
        save_record(file.parent, replace(known, batch_tokens=tokens))

"""Write safetensors files from the first byte to the last, and hash them on the way, without a whole tensor in
memory."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from training.merging.checkpoint import INDEX, Checkpoint, qualified
from training.merging.plan import Step
from training.merging.tensors import Raw, width

_IN_FLIGHT = 16
_SHARD = 5_000_000_000


@dataclass(frozen=True)
class Shard:
    """A file to write: its path in the folder, its header, and the tensors after it."""

    path: str
    header: bytes
    steps: tuple[Step, ...]

    @property
    def size(self) -> int:
        return len(self.header) + sum(_bytes(step) for step in self.steps)


def layout(home: Checkpoint, steps: Sequence[Step], shard_bytes: int | None = None) -> list[Shard]:
    """The files of the output: those of home, with equal headers if nothing changes, so that a merge that changes
    nothing has equal files. With `shard_bytes`, files of at most this size, except for a larger tensor, which has its
    own file."""
    by_key = {step.key: step for step in steps}
    shards = []
    for part, paths in _parts(home).items():
        kept = {path: [by_key[key] for key in _keys(home, path) if key in by_key] for path in paths}
        if shard_bytes is None:
            shards += [_like(home, path, inside) for path, inside in kept.items()]
        else:
            shards += _cut(part, [step for inside in kept.values() for step in inside], shard_bytes)
    return shards


def slice_layout(steps: Sequence[Step], shard_bytes: int | None = None) -> list[Shard]:
    """The files of an output whose layers are put together from slices: files of at most `shard_bytes` for the model
    and for each folder of a module. Default: 5 GB, as in mergekit."""
    parts: dict[str, list[Step]] = {}
    for step in steps:
        parts.setdefault(_part(step.key), []).append(step)
    return [shard for part, inside in parts.items() for shard in _cut(part, inside, shard_bytes or _SHARD)]


def indexes(home: Checkpoint, shards: Sequence[Shard]) -> dict[str, bytes]:
    """The index files, which map tensors to files, by path. Only for parts with more than one file."""
    files = {}
    for part in sorted({_part(shard.path) for shard in shards}):
        inside = [shard for shard in shards if _part(shard.path) == part]
        file = f"{part}/{INDEX}" if part else INDEX
        if any(PurePosixPath(shard.path).name != "model.safetensors" for shard in inside) or len(inside) > 1:
            files[file] = _own_index(home, file, inside) or _index(inside)
    return files


def _own_index(home: Checkpoint, file: str, inside: Sequence[Shard]) -> bytes | None:
    own = home.folder.path / file
    same = all(shard.path in home.files and shard.header == home.files[shard.path].header for shard in inside)
    return own.read_bytes() if same and own.is_file() else None


def _index(inside: Sequence[Shard]) -> bytes:
    steps = [(step, PurePosixPath(shard.path).name) for shard in inside for step in shard.steps]
    content = {
        "metadata": {"total_size": sum(_bytes(step) for step, _ in steps)},
        "weight_map": {step.home.name: name for step, name in sorted(steps, key=lambda pair: pair[0].home.name)},
    }
    return (json.dumps(content, indent=2) + "\n").encode()


def _parts(home: Checkpoint) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in home.files:
        found.setdefault(_part(path), []).append(path)
    return found


def _part(path: str) -> str:
    parent = PurePosixPath(path).parent.as_posix()
    return "" if parent == "." else parent


def _keys(home: Checkpoint, path: str) -> Iterator[str]:
    return (qualified(path, tensor.name) for tensor in home.files[path].tensors)


def _like(home: Checkpoint, path: str, steps: Sequence[Step]) -> Shard:
    own = home.files[path]
    whole = sum(tensor.stop - tensor.start for tensor in own.tensors) == sum(map(_bytes, steps))
    if whole and len(steps) == len(own.tensors) and all(step.dtype == step.home.dtype for step in steps):
        return Shard(path, own.header, tuple(steps))
    return _shard(path, steps, own.metadata)


def _cut(part: str, steps: Sequence[Step], limit: int) -> list[Shard]:
    groups: list[list[Step]] = []
    filled = 0
    for step in steps:
        if not groups or filled + _bytes(step) > limit:
            groups.append([])
            filled = 0
        groups[-1].append(step)
        filled += _bytes(step)
    before = f"{part}/" if part else ""
    names = (
        ["model.safetensors"] if len(groups) == 1
        else [f"model-{number:05d}-of-{len(groups):05d}.safetensors" for number in range(1, len(groups) + 1)]
    )  # fmt: skip
    return [_shard(before + name, inside, {"format": "pt"}) for name, inside in zip(names, groups, strict=True)]


def _shard(path: str, steps: Sequence[Step], metadata: Mapping[str, str]) -> Shard:
    # Wide formats first, so that each tensor starts at a multiple of its element size.
    ordered = sorted(steps, key=lambda step: -width(step.dtype))
    entries: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    start = 0
    for step in ordered:
        stop = start + _bytes(step)
        entries[step.home.name] = {"dtype": step.dtype, "shape": list(step.home.shape), "data_offsets": [start, stop]}
        start = stop
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return Shard(path, len(text).to_bytes(8, "little") + text, tuple(ordered))


def _bytes(step: Step) -> int:
    return step.home.size * width(step.dtype)


def write(path: Path, pieces: Iterable[bytes | Raw]) -> str:
    """Write the pieces in order, and return the digest of the file, equal to `adapters.identity.file_digest`.

    A separate thread hashes and writes, a few pieces behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    state, slots = hashlib.blake2b(digest_size=16), threading.Semaphore(_IN_FLIGHT)
    failed: list[Exception] = []
    with path.open("wb", buffering=0) as file, ThreadPoolExecutor(1) as thread:

        def take(piece: bytes | Raw) -> None:
            try:
                if not failed:
                    data = memoryview(piece).cast("B")  # type: ignore[arg-type]
                    state.update(data)
                    while data:
                        data = data[file.write(data) or 0 :]
            except Exception as error:
                failed.append(error)
            finally:
                slots.release()

        for piece in pieces:
            if failed:
                break
            slots.acquire()
            thread.submit(take, piece)
    if failed:
        raise failed[0]
    return state.hexdigest()

"""Convert one pickled file of weights to one safetensors file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters.errors import EnvironmentFailure, ModelError, need
from adapters.pickled import read_pickled

_LINE = 64
"""Alignment in bytes. The last digits of a matrix product depend on the matrix's address in memory. torch aligns the
tensors of a pickle to this, so the new file does the same."""
_DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip
"""The names of torch's types in safetensors."""


def write_weights(source: Path, target: Path, tied: Mapping[str, str]) -> list[str]:
    """Write the tensors of a pickle to a safetensors file, then read them again and compare every bit.

    Args:
        source: the pickle.
        target: the new file.
        tied: tied name -> the name that loading ties it to. A tied tensor is left out if both names share their memory
            in the pickle. Any other name for shared memory gets a copy.

    Returns:
        The names that were left out.

    Raises:
        ModelError: the pickle is damaged, or has objects that are not tensors.
        HarnessError: the written file differs from the pickle.
    """
    tensors = read_pickled(source)
    dropped = [name for names in _shared(tensors) for name in names if tied.get(name) in names]
    kept = {name: tensor for name, tensor in tensors.items() if name not in dropped}
    _save(kept, source, target)
    safetensors = need("safetensors", "models", "writing weights")
    with safetensors.safe_open(str(target), "pt") as written:
        for name, tensor in kept.items():
            again = written.get_tensor(name)
            if again.dtype != tensor.dtype or again.shape != tensor.shape or _bytes(again) != _bytes(tensor):
                raise EnvironmentFailure(f"{target.name}: '{name}' differs from {source} after writing; check the disk")
    return dropped


def _shared(tensors: Mapping[str, Any]) -> Iterator[list[str]]:
    """Groups of names that share one tensor of the file."""
    names: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for name, tensor in tensors.items():
        names[tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride()].append(name)
    yield from (group for group in names.values() if len(group) > 1)


def _save(tensors: Mapping[str, Any], source: Path, target: Path) -> None:
    """Write the file. Tensors whose size is a multiple of the alignment come first, so that they stay aligned."""
    ordered = sorted(tensors, key=lambda name: (_size(tensors[name]) % _LINE != 0, -tensors[name].element_size(), name))
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in ordered:
        start, end = end, end + _size(tensors[name])
        place = {"shape": list(tensors[name].shape), "data_offsets": [start, end]}
        header[name] = {"dtype": _dtype(source, name, tensors[name]), **place}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(len(text) + 8) % _LINE)
    with target.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in ordered:
            file.write(_bytes(tensors[name]))


def _dtype(source: Path, name: str, tensor: Any) -> str:
    known = _DTYPES.get(str(tensor.dtype).removeprefix("torch."))
    if known is None:
        raise ModelError(f"{source}: '{name}' has the type {tensor.dtype}, which safetensors does not have; cast it")
    return known


def _size(tensor: Any) -> int:
    return int(tensor.numel() * tensor.element_size())


def _bytes(tensor: Any) -> memoryview:
    """The tensor's bytes in row-major order."""
    torch = need("torch", "models", "converting weights")
    return memoryview(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())

"""One pickled file of weights as one safetensors file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters.errors import HarnessError, need
from adapters.pickled import read_pickled

_LINE = 64
"""Bytes. Matrix products differ in their last digits with the place of a matrix in memory. torch puts the tensors of a
pickle at multiples of this, so they are put there in the new file too."""
_DTYPES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
}  # fmt: skip
"""What safetensors calls the types of torch."""


def write_weights(source: Path, target: Path, tied: Mapping[str, str]) -> list[str]:
    """Write the tensors of a pickle to a safetensors file, to the bit, and read them again to compare.

    Args:
        source: the pickle.
        target: the new file.
        tied: names that loading ties, to the names that they are tied to. Such a tensor is left out where the pickle
            has both names for one memory. Any other second name gets a copy.

    Returns:
        The names that were left out.

    Raises:
        ModelError: the pickle is damaged, or holds something else.
        HarnessError: the written file differs.
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
                raise HarnessError(f"{target.name}: '{name}' differs from {source} after writing; check the disk")
    return dropped


def _shared(tensors: Mapping[str, Any]) -> Iterator[list[str]]:
    """Groups of names that are one tensor of the file."""
    names: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for name, tensor in tensors.items():
        names[tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride()].append(name)
    yield from (group for group in names.values() if len(group) > 1)


def _save(tensors: Mapping[str, Any], source: Path, target: Path) -> None:
    """Tensors that fill whole lines come first, so that each of them begins at a line."""
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
        raise HarnessError(f"{source}: '{name}' has the type {tensor.dtype}, which safetensors does not have; cast it")
    return known


def _size(tensor: Any) -> int:
    return int(tensor.numel() * tensor.element_size())


def _bytes(tensor: Any) -> memoryview:
    """The numbers in the order of the shape."""
    torch = need("torch", "models", "converting weights")
    return memoryview(tensor.contiguous().reshape(-1).view(torch.uint8).numpy())

"""Reads pickled torch weights (`pytorch_model.bin`) as tensors only, without running code in them."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.errors import ModelError, need
from adapters.soundness import refuse_pointer

PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
"""Names of pickled files; other files can have these names too."""
_PROTOCOLS = tuple(bytes([number]) for number in range(2, 6))
"""The second byte of a pickle."""
_FOREIGN = re.compile(r"(?:GLOBAL|global|class|type)[: ]+'?([\w.]+)")
_SAVE_AGAIN = "save the model again where its file is trusted: model.save_pretrained(FOLDER, safe_serialization=True)"


def is_pickle(file: Path) -> bool:
    """Whether a file has one of torch's formats or is a plain pickle, by its content. OpenVINO's `.bin` is neither."""
    with file.open("rb") as content:
        start = content.read(2)
    return (start[:1] == b"\x80" and start[1:] in _PROTOCOLS) or (start == b"PK" and zipfile.is_zipfile(file))


def read_pickled(file: Path) -> dict[str, Any]:
    """Read the tensors of a pickled file of weights, by name: torch tensors on the CPU, unchanged.

    Raises:
        ModelError: the file is damaged, or holds anything but tensors by name. No code of the file is run.
    """
    refuse_pointer(file)
    torch = need("torch", "models", "reading pickled weights")
    try:
        found = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError as error:
        named = _FOREIGN.search(str(error))
        if named is None:
            raise ModelError(f"{file}: cut off or damaged; fetch the file again") from None
        raise ModelError(
            f"{file}: holds other objects than tensors ({named[1]}), which are not read; {_SAVE_AGAIN}"
        ) from None
    except Exception as error:  # torch raises many classes for a file that it cannot read
        raise ModelError(f"{file}: cut off or damaged ({type(error).__name__}); fetch the file again") from None
    if not isinstance(found, Mapping):
        raise ModelError(f"{file}: holds a {type(found).__name__}, not tensors by name; {_SAVE_AGAIN}")
    for name, tensor in found.items():
        if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_quantized:
            raise ModelError(f"{file}: '{name}' is not a plain tensor ({type(tensor).__name__}); {_SAVE_AGAIN}")
    return {str(name): tensor.detach() for name, tensor in found.items()}

"""Finds the other weights of a folder without safetensors, and says in an error message what to do with them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from adapters.models import ModelFolder, convert_command, is_hub_name

_PICKLED = ("pytorch_model*.bin", "adapter_model.bin")
_FOREIGN = {
    "tf_model.h5": ("TensorFlow", "from_tf"), "model.ckpt*.index": ("TensorFlow", "from_tf"),
    "flax_model*.msgpack": ("Flax", "from_flax"),
}  # fmt: skip
_UNREAD = ("*.pt", "*.pth", "*.ckpt", "rust_model.ot")
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_SAVE = "save the model again with model.save_pretrained(FOLDER), with all its files"
_SHOWN = 4


def advice(folder: ModelFolder, place: str = "", *, option: bool = True) -> str:
    """One clause for a message: the weights that the folder has instead of safetensors, and what to do.

    Args:
        folder: the folder of the model.
        place: a folder in it whose weights are missing, as a prefix: '' or '2_Dense/'.
        option: whether the model was named by a spec, which may have `?pickle=true`.
    """
    where = folder.path / place
    ways = (
        _pickled(folder, where, option=option),
        _gguf(where),
        _foreign(folder, where),
        _onnx(folder),
        _openvino(where),
    )
    found = next((text for text in ways if text), None)
    return found or _inside(folder) or _unread(where) or _nothing(folder, place)


def file_advice(file: Path) -> str:
    """One clause for a message about a file given in place of a model folder."""
    name = shlex.quote(str(file.parent))
    if file.suffix == ".onnx":
        return f"is a file; name the folder that it is in: 'onnx:{file.parent}?file={file.name}'"
    if file.suffix == ".gguf":
        return f"is a file of GGUF weights, which are for llama.cpp; {_ORIGINAL}"
    if file.suffix in (".zip", ".tar", ".gz", ".tgz"):
        return "is an archive; unpack it, and name the folder"
    if file.suffix in (".safetensors", ".bin", ".json", ".pt", ".pth", ".h5"):
        return f"is a file; name the folder that it is in: {name}"
    return f"is a file, and a model is a folder; a run of scores is named 'run:{file}'"


_ORIGINAL = "name the model that they were made from, with safetensors: its card says which (base_model)"


def _pickled(folder: ModelFolder, where: Path, *, option: bool) -> str | None:
    found = _names(where, *_PICKLED)
    if not found:
        return None
    as_they_are = ", or write ?pickle=true, which reads them without running code" if option else ""
    return f"they are pickled ({_listed(found)}): run `{convert_command(folder.name)}` and name OUT{as_they_are}"


def _gguf(where: Path) -> str | None:
    found = _names(where, "*.gguf")
    return f"it has GGUF weights ({_listed(found)}), which are for llama.cpp; {_ORIGINAL}" if found else None


def _foreign(folder: ModelFolder, where: Path) -> str | None:
    for pattern, (library, option) in _FOREIGN.items():
        if found := _names(where, pattern):
            kind = folder.architecture if not folder.adapter_config else ""
            model = f"M.from_pretrained({folder.name!r}, {option}=True)"
            code = f"from transformers import {kind or 'AutoModel'} as M; {model}.save_pretrained('OUT')"
            command = f'python -c "{code}"'
            return f"it has weights of {library} ({found[0]}); with pip install 'transformers<5' run: {command}"
    return None


def _onnx(folder: ModelFolder) -> str | None:
    found = [file.relative_to(folder.path).as_posix() for file in sorted(folder.path.rglob("*.onnx"))]
    if not found:
        return None
    if folder.chain:
        return f"it has ONNX graphs ({_listed(found)}), which work for cross-encoders only; fetch its safetensors"
    return f"it has ONNX graphs ({_listed(found)}); name one: 'onnx:{folder.name}?file={found[0]}'"


def _openvino(where: Path) -> str | None:
    found = [file.relative_to(where).as_posix() for file in sorted(where.rglob("openvino_model*.xml"))]
    return f"it has OpenVINO weights ({found[0]}), which are not read; fetch the safetensors too" if found else None


def _unread(where: Path) -> str | None:
    found = _names(where, *_UNREAD)
    if not found:
        return None
    return f"{_listed(found)} is in no format of transformers; load it in the code that saved it, and {_SAVE}"


def _inside(folder: ModelFolder) -> str | None:
    """Models in subfolders: checkpoints of a trainer, or a model saved one level deeper."""
    models = {path.parent for path in folder.path.glob("*/config.json")} if folder.path.is_dir() else set()
    steps = sorted((int(found[1]), path.name) for path in models if (found := _CHECKPOINT.fullmatch(path.name)))
    if steps:
        names = [name for _, name in steps]
        return f"it has checkpoints of a trainer ({_listed(names)}); name one: {_quoted(folder, names[-1])}"
    if models and not folder.chain and not folder.config:
        names = sorted(path.name for path in models)
        return f"there are models in its subfolders ({_listed(names)}); name one: {_quoted(folder, names[0])}"
    return None


def _quoted(folder: ModelFolder, name: str) -> str:
    return shlex.quote(f"{folder.name.rstrip('/')}/{name}")


def _nothing(folder: ModelFolder, place: str) -> str:
    if place:
        return (
            f"pickled ones ({place}pytorch_model.bin) are not fetched with a model: run "
            f"`{convert_command(folder.name)}` where they are, and name OUT"
        )
    if not any(folder.path.iterdir()):
        return f"the folder is empty; copy or fetch a model into it, or {_SAVE}"
    if is_hub_name(folder.name.split("@")[0]) and not Path(folder.name).exists():
        return (
            f"the hub has none of it: for ONNX graphs write 'onnx:{folder.name}', for pickled weights run "
            f"`{convert_command(folder.name)}` where there is a network, and name OUT"
        )
    return _SAVE


def _names(where: Path, *patterns: str) -> list[str]:
    return sorted({file.name for file in _found(where, patterns)})


def _found(where: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from where.glob(pattern)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

"""A checkpoint as merging sees it: a folder of safetensors and text files, with all its tensors by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters.contents import Contents
from adapters.errors import ModelError
from adapters.models import MODEL_FILES, ModelFolder, is_hub_name, open_folder
from training.merging.tensors import Tensor, TensorFile, open_file

INDEX = "model.safetensors.index.json"
_LORA = re.compile(r"(^|\.)lora_(A|B|embedding_A|embedding_B|magnitude_vector)(\.|$)")
_LEFT_BEHIND = {
    INDEX, "merge.json", "merge-report.json", "manifest.json", "trainer_state.json", "training_args.json",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model folder whose weights can be merged."""

    name: str
    """As the recipe says it."""
    folder: ModelFolder

    @cached_property
    def files(self) -> dict[str, TensorFile]:
        """The weight files by their path in the folder: the model's own, and those of sentence-transformers modules."""
        return {str(path.relative_to(self.folder.path)): open_file(path) for path in self._weights()}

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor; one of a module in a folder of its own has that folder before its name."""
        found: dict[str, Tensor] = {}
        for path, file in self.files.items():
            for tensor in file.tensors:
                key = qualified(path, tensor.name)
                if key in found:
                    raise ModelError(
                        f"{self.name}: the tensor '{key}' is in two files, {found[key].file.path.name} and {path}"
                    )
                found[key] = tensor
        return found

    def identity(self) -> dict[str, object]:
        """Digests of weights, tokenizer and settings."""
        return Contents(self.folder).identity()

    def texts(self) -> Iterator[Path]:
        """The files beside the weights that make the folder a model: configuration, tokenizer, modules."""
        for part in self._parts():
            for pattern in MODEL_FILES:
                for file in sorted((self.folder.path / part).glob(pattern)):
                    if file.suffix != ".safetensors" and file.name not in _LEFT_BEHIND and file.is_file():
                        yield file.relative_to(self.folder.path)

    def json(self, name: str) -> dict[str, Any]:
        """A JSON object of the folder, or {} where the file is missing."""
        return read_json(self.folder.path / name)

    def _parts(self) -> list[str]:
        return list(dict.fromkeys(["", *(path for path in self._module_paths() if path)]))

    def _module_paths(self) -> list[str]:
        file = self.folder.path / "modules.json"
        listed = json.loads(file.read_text("utf-8")) if self.folder.modules else []
        paths = [str(module.get("path", "")) for module in listed]
        for path in paths:
            if Path(path).is_absolute() or ".." in Path(path).parts:
                raise ModelError(f"{file}: the module path '{path}' leads out of the folder")
        return paths

    def _weights(self) -> Iterator[Path]:
        for part in self._parts():
            yield from _weight_files(self.folder.path / part)


def open_checkpoint(model: str) -> Checkpoint:
    """Find a checkpoint by path or hub name (`organisation/name[@revision]`) and read the headers of its weights.

    Raises:
        ModelError: it has no safetensors weights, is quantised, or is an adapter on its own.
    """
    name, revision = model, None
    if not Path(model).expanduser().exists() and is_hub_name(model.split("@")[0]) and "@" in model:
        name, revision = model.split("@", 1)
    checkpoint = Checkpoint(model, open_folder(name, revision))
    _refuse_adapters(checkpoint)
    if not checkpoint.tensors:
        raise ModelError(f"{model}: no safetensors weights here; save the model with safe_serialization=True")
    if quantised := checkpoint.folder.config.get("quantization_config"):
        how = quantised.get("quant_method", "") if isinstance(quantised, dict) else ""
        raise ModelError(
            f"{model}: quantised weights ({how or 'quantization_config'}) cannot be merged; use the original"
        )
    return checkpoint


def qualified(path: str, name: str) -> str:
    """A tensor's name with the folder of its file before it, where that is not the model's own."""
    part = Path(path).parent.as_posix()
    return name if part == "." else f"{part}/{name}"


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file, or {} where there is no file."""
    try:
        content = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ModelError(f"{file}: not JSON ({error}); fetch or save the model again") from None
    if not isinstance(content, dict):
        raise ModelError(f"{file}: expected a JSON object")
    return content


def _refuse_adapters(checkpoint: Checkpoint) -> None:
    path = checkpoint.folder.path
    adapter = (path / "adapter_config.json").exists() or (path / "adapter_model.safetensors").exists()
    if adapter or any(_LORA.search(name) for name in checkpoint.tensors):
        raise ModelError(
            f"{checkpoint.name}: a LoRA adapter that is not part of the weights; run peft's merge_and_unload and "
            f"save the whole model first (the products of two adapters are not the product of their means)"
        )


def _weight_files(folder: Path) -> list[Path]:
    index = read_json(folder / INDEX)
    if not index:
        return sorted(folder.glob("*.safetensors"))
    named = sorted({str(name) for name in dict(index.get("weight_map", {})).values()})
    for name in named:
        if Path(name).name != name or not (folder / name).is_file():
            raise ModelError(f"{folder / INDEX} names '{name}', which is not there; fetch or save the model again")
    return [folder / name for name in named]

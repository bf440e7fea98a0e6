"""A checkpoint to merge: a folder of safetensors and text files, with all its tensors by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from adapters.contents import Contents
from adapters.errors import ModelError
from adapters.models import MODEL_FILES, ModelFolder, is_hub_name, is_tokenizer_file, open_folder, read_json
from adapters.other_weights import advice
from adapters.paths import user_path
from training.merging.configuration import ties_embeddings
from training.merging.modules import Module, chain
from training.merging.tensors import Tensor, TensorFile, open_file

INDEX, WHOLE = "model.safetensors.index.json", "model.safetensors"
OUTPUT_LAYER = "lm_head.weight"
_EMBEDDING = re.compile(r"(^|\.)(embed_tokens|embed_in|wte|word_embeddings|tok_embeddings)\.weight$")
_LORA = re.compile(r"(^|\.)lora_(A|B|embedding_A|embedding_B|magnitude_vector)(\.|$)|\.modules_to_save\.")
_ADAPTED = {
    "SEQ_CLS": "AutoPeftModelForSequenceClassification", "CAUSAL_LM": "AutoPeftModelForCausalLM",
    "FEATURE_EXTRACTION": "AutoPeftModelForFeatureExtraction",
}  # fmt: skip
_LEFT_BEHIND = {
    INDEX, "merge.json", "merge-report.json", "manifest.json", "trainer_state.json", "training_args.json",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model folder whose weights can be merged."""

    name: str
    """The name in the recipe."""
    folder: ModelFolder
    names: Mapping[str, str] = field(default_factory=dict)
    """Name in the file -> name here, for tensors that are renamed."""
    replaced: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors that take the place of those in the files, by their name here."""

    @cached_property
    def files(self) -> dict[str, TensorFile]:
        """The weight files by their path in the folder: those of the model, and those of sentence-transformers
        modules."""
        return {str(path.relative_to(self.folder.path)): open_file(path) for path in self._weights()}

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name. The name of a tensor in a module's folder begins with the folder."""
        found: dict[str, Tensor] = {}
        for path, file in self.files.items():
            for tensor in file.tensors:
                key = qualified(path, tensor.name)
                if key in found:
                    raise ModelError(
                        f"{self.name}: the tensor '{key}' is in two files, {found[key].file.path.name} and {path}"
                    )
                found[key] = tensor
        named = {self.names.get(key, key): tensor for key, tensor in found.items()}
        return {key: self.replaced.get(key, tensor) for key, tensor in named.items()}

    @cached_property
    def chain(self) -> tuple[Module, ...]:
        """The sentence-transformers modules; empty for a folder without modules.json."""
        return chain(self.folder.path)

    @property
    def readers(self) -> list[Checkpoint]:
        """The parts of the folder that read text, each as a folder of transformers; usually the checkpoint itself."""
        parts = [module.path for module in self.chain if module.reads_text] if self.chain else [""]
        return [
            self if not part else Checkpoint(f"{self.name}/{part}", ModelFolder(self.name, self.folder.path / part))
            for part in parts
        ]

    @cached_property
    def tied(self) -> frozenset[str]:
        """The output layer, if it equals the embedding and loading ties it again.

        An output layer that differs from the embedding is not included, because transformers does not tie it, whatever
        config.json says.
        """
        layer = self.tensors.get(OUTPUT_LAYER)
        embedding = next((one for name, one in self.tensors.items() if _EMBEDDING.search(name)), None)
        if layer is None or embedding is None or not ties_embeddings(self.folder):
            return frozenset()
        return frozenset({OUTPUT_LAYER}) if equal(layer, embedding) else frozenset()

    def renamed(self, names: Mapping[str, str]) -> Checkpoint:
        """The same checkpoint with some tensors renamed."""
        return replace(self, names=names)

    def identity(self) -> dict[str, object]:
        """Digests of weights, tokenizer and settings."""
        return Contents(self.folder).identity()

    def texts(self) -> Iterator[Path]:
        """The files of the model except the weights: configuration, tokenizer, modules."""
        for part in self._parts():
            folder = self.folder.path / part
            for file in sorted([*folder.glob("*"), *folder.glob("additional_chat_templates/*.jinja")]):
                known = is_tokenizer_file(file.name) or any(map(file.match, MODEL_FILES))
                if known and file.suffix != ".safetensors" and file.name not in _LEFT_BEHIND and file.is_file():
                    yield file.relative_to(self.folder.path)

    def json(self, name: str) -> dict[str, Any]:
        """The JSON object in a file of the folder, or {} if the file is missing."""
        return read_json(self.folder.path / name, dict)

    def unread(self) -> list[str]:
        """Safetensors files that do not belong to the model or to an index: other copies of the weights."""
        listed = {path.name for path in self.folder.path.glob("*.safetensors")}
        return sorted(listed - {path for path in self.files if "/" not in path})

    def _parts(self) -> list[str]:
        return list(dict.fromkeys(["", *(module.path for module in self.chain if module.path)]))

    def _weights(self) -> Iterator[Path]:
        for part in self._parts():
            yield from _weight_files(self.folder.path / part)


def open_checkpoint(model: str) -> Checkpoint:
    """Find a checkpoint by path or hub name (`organisation/name[@revision]`) and read the headers of its weights.

    Raises:
        ModelError: the folder or one of its modules has no safetensors weights, or the weights are quantised or a LoRA
            adapter.
    """
    name, revision = model, None
    if not user_path(model).exists() and is_hub_name(model.split("@")[0]) and "@" in model:
        name, revision = model.split("@", 1)
    checkpoint = Checkpoint(model, open_folder(name, revision))
    _refuse_adapters(checkpoint)
    _refuse_missing_weights(checkpoint)
    if quantised := checkpoint.folder.config.get("quantization_config"):
        how = quantised.get("quant_method", "") if isinstance(quantised, dict) else ""
        raise ModelError(
            f"{model}: quantised weights ({how or 'quantization_config'}) cannot be merged; use the original"
        )
    return checkpoint


def qualified(path: str, name: str) -> str:
    """A tensor's name, with the folder of its file before it unless this is the model's folder."""
    part = Path(path).parent.as_posix()
    return name if part == "." else f"{part}/{name}"


def _refuse_adapters(checkpoint: Checkpoint) -> None:
    path = checkpoint.folder.path
    adapter = (path / "adapter_config.json").exists() or (path / "adapter_model.safetensors").exists()
    if adapter or any(_LORA.search(name) for name in checkpoint.tensors):
        kind = _ADAPTED.get(str(checkpoint.json("adapter_config.json").get("task_type")))
        run = f"from peft import {kind} as M; M.from_pretrained('{checkpoint.name}').merge_and_unload()"
        command = f": python -c \"{run}.save_pretrained('OUT')\"" if adapter and kind else ""
        raise ModelError(
            f"{checkpoint.name}: a LoRA adapter that is not part of the weights (the products of two adapters are not "
            f"the product of their means); run peft's merge_and_unload and save the whole model first{command}"
        )


def _refuse_missing_weights(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint with missing safetensors weights, which a merge would leave out silently."""
    for module in checkpoint.chain:
        if module.learned and module.path and not _weight_files(checkpoint.folder.path / module.path):
            raise ModelError(
                f"{checkpoint.name}: the module {module.path} ({module.kind}) has no safetensors weights; "
                f"{advice(checkpoint.folder, f'{module.path}/', option=False)}"
            )
    if not checkpoint.tensors:
        raise ModelError(f"{checkpoint.name}: no safetensors weights here; {advice(checkpoint.folder, option=False)}")


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have equal bytes and the same format."""
    return one.shape == other.shape and one.dtype == other.dtype and np.array_equal(one.raw(), other.raw())


def _weight_files(folder: Path) -> list[Path]:
    """The files that transformers reads: the single file, otherwise those of the index, otherwise all."""
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    index = read_json(folder / INDEX, dict)
    if not index:
        return sorted(folder.glob("*.safetensors"))
    mapped = index.get("weight_map", {})
    if not isinstance(mapped, dict):
        raise ModelError(f"{folder / INDEX}: 'weight_map' is not an object; fetch or save the model again")
    named = sorted({str(name) for name in mapped.values()})
    for name in named:
        if Path(name).name != name or not (folder / name).is_file():
            raise ModelError(f"{folder / INDEX} names '{name}', which is missing; fetch or save the model again")
    return [folder / name for name in named]

"""A checkpoint as merging sees it: a folder of safetensors and text files, with all its tensors by name."""

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
from training.merging.configuration import ties_embeddings
from training.merging.modules import Module, chain
from training.merging.tensors import Tensor, TensorFile, open_file

INDEX, WHOLE = "model.safetensors.index.json", "model.safetensors"
OUTPUT_LAYER = "lm_head.weight"
_EMBEDDING = re.compile(r"(^|\.)(embed_tokens|embed_in|wte|word_embeddings|tok_embeddings)\.weight$")
_PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json")
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
    """As the recipe says it."""
    folder: ModelFolder
    names: Mapping[str, str] = field(default_factory=dict)
    """Tensors that go by another name here than in their file."""

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
        return {self.names.get(key, key): tensor for key, tensor in found.items()}

    @cached_property
    def chain(self) -> tuple[Module, ...]:
        """The sentence-transformers modules; empty for a folder of transformers alone."""
        return chain(self.folder.path)

    @property
    def readers(self) -> list[Checkpoint]:
        """What in the folder reads text, each as a folder of transformers: mostly the checkpoint itself."""
        parts = [module.path for module in self.chain if module.reads_text] if self.chain else [""]
        return [
            self if not part else Checkpoint(f"{self.name}/{part}", ModelFolder(self.name, self.folder.path / part))
            for part in parts
        ]

    @cached_property
    def tied(self) -> frozenset[str]:
        """The output layer, where it is the embedding once more and loading ties it again.

        One with other numbers than the embedding is none: transformers does not tie that, whatever config.json says.
        """
        layer = self.tensors.get(OUTPUT_LAYER)
        embedding = next((one for name, one in self.tensors.items() if _EMBEDDING.search(name)), None)
        if layer is None or embedding is None or not ties_embeddings(self.folder):
            return frozenset()
        return frozenset({OUTPUT_LAYER}) if equal(layer, embedding) else frozenset()

    def renamed(self, names: Mapping[str, str]) -> Checkpoint:
        """The same checkpoint with some of its tensors under other names."""
        return replace(self, names=names)

    def identity(self) -> dict[str, object]:
        """Digests of weights, tokenizer and settings."""
        return Contents(self.folder).identity()

    def texts(self) -> Iterator[Path]:
        """The files beside the weights that make the folder a model: configuration, tokenizer, modules."""
        for part in self._parts():
            folder = self.folder.path / part
            for file in sorted([*folder.glob("*"), *folder.glob("additional_chat_templates/*.jinja")]):
                known = is_tokenizer_file(file.name) or any(map(file.match, MODEL_FILES))
                if known and file.suffix != ".safetensors" and file.name not in _LEFT_BEHIND and file.is_file():
                    yield file.relative_to(self.folder.path)

    def json(self, name: str) -> dict[str, Any]:
        """A JSON object of the folder, or {} where the file is missing."""
        return read_json(self.folder.path / name, dict)

    def unread(self) -> list[str]:
        """Safetensors files beside the model's own that belong to no index: other copies of the weights."""
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
        ModelError: it has no safetensors weights, or a module of it has none; it is quantised, or an adapter on its
            own.
    """
    name, revision = model, None
    if not Path(model).expanduser().exists() and is_hub_name(model.split("@")[0]) and "@" in model:
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
    """A tensor's name with the folder of its file before it, where that is not the model's own."""
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
    """What is only pickled, or was not fetched because it is, would be left out of a merge without a word."""
    for module in checkpoint.chain:
        if module.learned and module.path and not _weight_files(checkpoint.folder.path / module.path):
            again = f'python -c "from sentence_transformers import {_class_of(checkpoint)} as M; {_resave(checkpoint)}"'
            raise ModelError(
                f"{checkpoint.name}: the module {module.path} ({module.kind}) has no safetensors weights, and pickled "
                f"ones ({module.path}/{_PICKLED[0]}) are not read; save the model again where they are: {again}"
            )
    if not checkpoint.tensors:
        found = next((name for name in _PICKLED if (checkpoint.folder.path / name).is_file()), None)
        architecture = checkpoint.folder.architecture or "AutoModel"
        again = f': python -c "from transformers import {architecture} as M; {_resave(checkpoint)}"' if found else ""
        pickled = f"; {found} is pickled, which is not read" if found else ""
        raise ModelError(
            f"{checkpoint.name}: no safetensors weights here{pickled}; save the model with transformers 5 or "
            f"safe_serialization=True{again}"
        )


def _class_of(checkpoint: Checkpoint) -> str:
    kind = checkpoint.json("config_sentence_transformers.json").get("model_type")
    return kind if isinstance(kind, str) and kind.isidentifier() else "SentenceTransformer"


def _resave(checkpoint: Checkpoint) -> str:
    return f"M{'.from_pretrained' if not checkpoint.chain else ''}('{checkpoint.name}').save_pretrained('OUT')"


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are the same numbers in the same format."""
    return one.shape == other.shape and one.dtype == other.dtype and np.array_equal(one.raw(), other.raw())


def _weight_files(folder: Path) -> list[Path]:
    """The files that transformers reads: the whole one, else what the index names, else all there are."""
    if (folder / WHOLE).is_file():
        return [folder / WHOLE]
    index = read_json(folder / INDEX, dict)
    if not index:
        return sorted(folder.glob("*.safetensors"))
    mapped = index.get("weight_map", {})
    if not isinstance(mapped, dict):
        raise ModelError(f"{folder / INDEX}: 'weight_map' is no object; fetch or save the model again")
    named = sorted({str(name) for name in mapped.values()})
    for name in named:
        if Path(name).name != name or not (folder / name).is_file():
            raise ModelError(f"{folder / INDEX} names '{name}', which is not there; fetch or save the model again")
    return [folder / name for name in named]

"""The student: a base checkpoint as a cross-encoder that can be trained, and how it is written again."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.batching import pick_device, plan_batches
from adapters.errors import ModelError, UsageError, need
from adapters.models import ModelFolder, kind_of, quiet_loading
from adapters.pair_inputs import EncodedPairs
from adapters.pairs import PairEncoder
from adapters.protocols import Integers
from adapters.score_head import label_of, length_of
from training.lora import add_lora, folded, is_head
from training.settings import Machine, Settings

if TYPE_CHECKING:
    from torch import Tensor, nn

_ON_CPU, _ON_GPU = 768, 8192
"""Padded tokens of a call. A step is cut into several, so smaller ones waste less; a GPU wants them larger."""
_KINDS = {"embedder": "an embedder, which gives vectors", "causal-lm": "a language model"}


@dataclass(frozen=True)
class Student:
    """A loaded model with float32 weights, and the encoder that makes its inputs as the adapter will make them."""

    folder: ModelFolder
    model: nn.Module
    encoder: PairEncoder
    inputs: tuple[str, ...]
    device: str
    half: bool
    """Whether the layers compute in bfloat16; weights, scores and losses stay float32."""
    budget: int
    """Padded tokens of one model call."""
    grown: tuple[str, ...]
    """Tensors that the base did not have."""

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that are trained, by name."""
        return {name: parameter for name, parameter in self.model.named_parameters() if parameter.requires_grad}

    def scores(self, pairs: EncodedPairs, rows: Integers) -> Tensor:
        """Raw logits of some pairs, float32 [rows]. Calls are cut by length, so that little of them is padding."""
        torch = need("torch", "models", "training")
        batches = plan_batches(pairs.lengths[rows], budget=self.budget)
        with torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=self.half):
            parts = [self._logits(torch, pairs.collate(rows[batch])) for batch in batches]
        back = torch.from_numpy(np.argsort(np.concatenate(batches), kind="stable"))
        scores: Tensor = torch.cat(parts).float()[back.to(self.device)]
        return scores

    def _logits(self, torch: Any, batch: Mapping[str, Any]) -> Tensor:
        mask = () if batch["attention_mask"].all() else ("attention_mask",)
        tensors = {name: torch.from_numpy(batch[name]).to(self.device) for name in (*self.inputs, *mask)}
        logits: Tensor = self.model(**tensors).logits[:, 0]
        return logits


def load_student(folder: ModelFolder, settings: Settings, machine: Machine) -> Student:
    """Load a base for training.

    Raises:
        ModelError: it has no score head and none is asked for, has several labels, or lacks weights.
        UsageError: a new head is asked for and it has one, or bfloat16 is asked for where the device has none.
    """
    torch = need("torch", "models", "training")
    transformers = need("transformers", "models", "training")
    _check_kind(folder, settings.new_head)
    device = pick_device(machine.device)
    half = _is_half(torch, settings, device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model, grown = _load(transformers, torch, folder, settings.new_head)
        if settings.lora_rank:
            add_lora(model, settings.lora_rank)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder.path, trust_remote_code=False)
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    if machine.gradient_checkpointing:
        _keep_no_activations(model)
    accepted = inspect.signature(model.forward).parameters
    known = ("input_ids", "token_type_ids")
    names = tuple(name for name in known if name in accepted and name in tokenizer.model_input_names)
    encoder = PairEncoder(
        _backend(tokenizer, folder), max_length=length_of(folder, settings.max_length), truncation="longest_first"
    )
    budget = machine.batch_tokens or (_ON_CPU if device == "cpu" else _ON_GPU)
    return Student(folder, model.to(device).train(), encoder, names, device, half, budget, grown)


def write_model(student: Student, folder: Path) -> None:
    """Write a folder that the cross-encoder adapter loads, in the base's own dtype.

    Raises:
        OSError: the disk is full.
    """
    torch = need("torch", "models", "training")
    transformers = need("transformers", "models", "training")
    model: Any = folded(student.model)
    saved = student.folder.config.get("dtype") or student.folder.config.get("torch_dtype") or "float32"
    dtype = getattr(torch, str(saved))
    state = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in _state(model).items()}
    kept, model.config.dtype = model.config.dtype, dtype
    try:
        with quiet_loading():
            model.save_pretrained(folder, state_dict=state)
    except need("safetensors", "models", "training").SafetensorError as error:
        raise OSError(f"{folder}: {error}") from None
    finally:
        model.config.dtype = kept
    tokenizer = transformers.AutoTokenizer.from_pretrained(student.folder.path, trust_remote_code=False)
    tokenizer.model_max_length = student.encoder.max_length
    tokenizer.save_pretrained(folder)


def _state(model: Any) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}


def _check_kind(folder: ModelFolder, new_head: bool) -> None:
    kind = "cross-encoder" if _has_head(folder) else _kind(folder)
    if kind == "cross-encoder":
        if new_head:
            raise UsageError(f"'{folder.name}' has a score head already; leave --new-head out")
        _refuse_labels(folder)
    elif not new_head:
        what = _KINDS.get(kind, "no cross-encoder")
        raise ModelError(
            f"'{folder.name}' is {what}: it has no score head to train; --new-head grows one, random at first"
        )


def _refuse_labels(folder: ModelFolder) -> None:
    try:
        label_of(folder, None)
    except ModelError:
        raise ModelError(f"'{folder.name}' has a head with several labels; train a base with one") from None


def _has_head(folder: ModelFolder) -> bool:
    return folder.architecture.endswith("ForSequenceClassification")


def _kind(folder: ModelFolder) -> str:
    try:
        return kind_of(folder)
    except ModelError:
        return "encoder"


def _load(transformers: Any, torch: Any, folder: ModelFolder, new_head: bool) -> tuple[Any, tuple[str, ...]]:
    more = {"num_labels": 1} if new_head else {}
    try:
        with quiet_loading():
            model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
                folder.path, dtype=torch.float32, output_loading_info=True, use_safetensors=True,
                trust_remote_code=False, **more,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"cannot load '{folder.name}' for training: {str(error).strip().splitlines()[0]}") from error
    missing = sorted(map(str, report["missing_keys"]))
    unexpected = [name for name in missing if not (new_head and is_head(name))]
    if unexpected:
        raise ModelError(f"'{folder.name}': {', '.join(unexpected[:4])} is not in the checkpoint; it cannot be a base")
    return model, tuple(missing)


def _keep_no_activations(model: Any) -> None:
    # renamed in the course of transformers 5
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def _is_half(torch: Any, settings: Settings, device: str) -> bool:
    able = device.startswith("cuda") and torch.cuda.is_bf16_supported()
    if settings.precision == "bfloat16" and not able:
        raise UsageError(f"{device} does not compute in bfloat16; leave --precision out")
    return bool(able and settings.precision != "float32")


def _backend(tokenizer: Any, folder: ModelFolder) -> Any:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"'{folder.name}' has no tokenizer.json; save its tokenizer with transformers 5")
    if backend.num_special_tokens_to_add(True) < 2:
        raise ModelError(
            f"the tokenizer of '{folder.name}' puts nothing between a query and a document; take another base"
        )
    backend.enable_truncation(2**31 - 1, direction=tokenizer.truncation_side)
    backend.enable_padding(
        direction=tokenizer.padding_side, pad_id=tokenizer.pad_token_id or 0, pad_type_id=tokenizer.pad_token_type_id
    )
    return backend

"""The student: a base checkpoint that is trained to score pairs. This module loads and writes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adapters.batching import ModelInputs, pick_device, plan_batches
from adapters.errors import ModelError, need
from adapters.kinds import kind_of
from adapters.loading import load_tokenizer, quiet_loading
from adapters.models import ModelFolder
from adapters.protocols import Integers
from training.classifier import load_classifier
from training.dropout import switch_off
from training.embedder import load_embedder
from training.encoded import Encoder
from training.lora import folded
from training.precision import is_half
from training.scorer import Scorer
from training.settings import Machine, Settings
from training.yes_no import load_yes_no

if TYPE_CHECKING:
    from torch import Tensor, nn

_ON_CPU, _ON_GPU = 768, 8192
"""Padded tokens per model call. A step has several calls: small ones waste less padding, and a GPU needs large ones."""


@dataclass(frozen=True)
class Student:
    """A loaded model with float32 weights, and the encoder that makes the same inputs as its adapter."""

    folder: ModelFolder
    scorer: Scorer
    device: str
    half: bool
    """Whether the layers compute in bfloat16. Weights, scores and losses are float32."""
    budget: int
    """Padded tokens of one model call."""
    parts: int = 1
    """The number of parts in which the gradient of a step is computed."""

    @property
    def model(self) -> nn.Module:
        """The network."""
        return self.scorer.model

    @property
    def encoder(self) -> Encoder:
        """Makes the inputs of the network."""
        return self.scorer.encoder

    @property
    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that are trained, by name."""
        return {name: parameter for name, parameter in self.model.named_parameters() if parameter.requires_grad}

    def scores(self, pairs: ModelInputs, rows: Integers) -> Tensor:
        """Raw scores of the given rows, float32 [rows]. Each model call has pairs of similar length, to save
        padding."""
        torch = need("torch", "models", "training")
        if not len(rows):
            nothing: Tensor = torch.zeros(0, device=self.device)
            return nothing
        batches = plan_batches(pairs.lengths[rows], budget=self.budget)
        with torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=self.half):
            parts = [self.scorer.logits(pairs, rows[batch]) for batch in batches]
        back = torch.from_numpy(np.argsort(np.concatenate(batches), kind="stable"))
        scores: Tensor = torch.cat(parts).float()[back.to(self.device)]
        return scores


def load_student(folder: ModelFolder, settings: Settings, machine: Machine) -> Student:
    """Load a base for training: a language model with its yes/no scores and an embedder with the similarity of its
    vectors, unless `new_head` is set; any other model with its score head.

    Raises:
        ModelError: the base has no score head and `new_head` is not set, has several labels, has no single tokens for
            yes and no, or lacks weights.
        UsageError: `new_head` is set and the base has a head, or the device does not compute in bfloat16 and
            `precision` asks for it.
    """
    torch = need("torch", "models", "training")
    device = pick_device(machine.device)
    half = is_half(settings.precision, device)
    load = load_classifier if settings.new_head else _LOADERS.get(_kind(folder), load_classifier)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        scorer = load(folder, settings, device, half=half)
    if settings.freeze_embeddings:
        _freeze_embeddings(scorer.model)
    if not settings.dropout:
        switch_off(scorer.model)
    if machine.gradient_checkpointing:
        _keep_no_activations(scorer.model)
    scorer.model.train()
    budget = machine.batch_tokens or (_ON_CPU if device == "cpu" else _ON_GPU)
    return Student(folder, scorer, device, half, budget, machine.gradient_accumulation)


def _freeze_embeddings(model: nn.Module) -> None:
    """Train no table of embeddings. A head that shares its weights with one is not trained either."""
    torch = need("torch", "models", "training")
    for layer in model.modules():
        if isinstance(layer, torch.nn.Embedding):
            layer.requires_grad_(False)


def write_model(student: Student, folder: Path) -> None:
    """Write a folder that the base's adapter loads, in the base's dtype.

    Raises:
        OSError: the disk is full.
    """
    torch = need("torch", "models", "training")
    model: Any = folded(student.model)
    saved = student.folder.config.get("dtype") or student.folder.config.get("torch_dtype") or "float32"
    dtype = getattr(torch, str(saved))
    if student.scorer.write is not None:
        with _disk_errors(folder):
            student.scorer.write(model, folder, dtype)
        return
    state = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in _state(model).items()}
    kept, model.config.dtype = model.config.dtype, dtype
    try:
        with _disk_errors(folder):
            model.save_pretrained(folder, state_dict=state)
    finally:
        model.config.dtype = kept
    tokenizer = load_tokenizer(student.folder)
    tokenizer.model_max_length = student.encoder.max_length
    tokenizer.save_pretrained(folder)
    student.scorer.declare(folder)


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Write quietly, and report an error of the library as one of the disk."""
    try:
        with quiet_loading():
            yield
    except need("safetensors", "models", "training").SafetensorError as error:
        raise OSError(f"{folder}: {error}") from None


def _state(model: Any) -> dict[str, Tensor]:
    """The weights, with tied weights once, under the first of their names."""
    names = {name for name, _ in [*model.named_parameters(), *model.named_buffers()]}
    return {name: tensor.detach().cpu() for name, tensor in model.state_dict().items() if name in names}


_LOADERS = {"causal-lm": load_yes_no, "embedder": load_embedder}
"""How the bases of a kind are loaded that score without a score head."""


def _kind(folder: ModelFolder) -> str:
    """The kind of a base; "encoder" for one that declares none."""
    try:
        return kind_of(folder)
    except ModelError:
        return "encoder"


def _keep_no_activations(model: Any) -> None:
    # renamed in the course of transformers 5
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})

"""Loads a sequence-classification checkpoint, and refuses one whose scores would come from random weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from adapters.errors import ModelError, need
from adapters.labels import head_of_adapter
from adapters.loading import load_network
from adapters.models import ModelFolder
from adapters.packed import Forward, packed_classifier
from adapters.padding import PROBE_QUERY, PROBE_TEXTS, alike
from adapters.pair_inputs import Padding, Sequenced, collated
from adapters.precision import WHOLE, keep_head, refuse_impossible
from adapters.protocols import Floats


@dataclass(frozen=True)
class ScoreHead:
    """A loaded model."""

    call: Callable[..., Any]
    """Computes logits [batch, labels] from tensors by input name."""
    names: tuple[str, ...]
    """The inputs that the model takes, without attention_mask."""
    device: str
    masks: Literal["never", "padded", "always"] = "always"
    """Which batches get an attention mask."""
    packed: Forward | None = None
    """Computes logits [sequences, labels] without padding, for the models that it knows; see `adapters.packed`."""

    def logits(self, sequences: Sequence[Sequenced], padding: Padding) -> Floats:
        """Return float32 [sequences, labels].

        Args:
            sequences: token ids and token types of each input.
            padding: how a batch is padded, for models that have no packed form.
        """
        if self.packed is None:
            return self.padded(collated(sequences, padding))
        torch = need("torch", "models", "running a cross-encoder")
        if "token_type_ids" not in self.names:
            sequences = [(ids, np.zeros_like(ids)) for ids, _ in sequences]
        with torch.inference_mode():
            logits: Floats = self.packed(sequences).float().cpu().numpy()
        return logits

    def padded(self, batch: Mapping[str, npt.NDArray[np.int64]]) -> Floats:
        """The same for a padded batch: input_ids, attention_mask and token_type_ids, int64 [batch, tokens]."""
        torch = need("torch", "models", "running a cross-encoder")
        wanted = {name: batch[name] for name in self.names}
        mask = batch["attention_mask"]
        if self.masks == "always" or (self.masks == "padded" and not mask.all()):
            wanted["attention_mask"] = mask
        tensors = {name: torch.from_numpy(array).to(self.device) for name, array in wanted.items()}
        with torch.inference_mode():
            logits: Floats = self.call(**tensors).float().cpu().numpy()
        return logits


def load_score_head(folder: ModelFolder, tokenizer: Any, *, device: str, dtype: str, pickle: bool = False) -> ScoreHead:
    """Load the model, ready to run.

    Args:
        tokenizer: of transformers; it declares which inputs the model gets.

    Raises:
        ModelError: weights are missing from the checkpoint or do not have the configured shape, or the folder cannot be
            read without running custom code.
        UsageError: the device cannot compute in this number format.
    """
    auto = "AutoModelForSequenceClassification"
    refuse_impossible(dtype, device)
    count = head_of_adapter(folder, pickle=pickle)
    labels = {} if count is None else {"num_labels": count}
    model, report = load_network(folder, auto, dtype, pickle=pickle, ignore_mismatched_sizes=True, **labels)
    _refuse_new_weights(folder, report)
    _refuse_unsteady(folder, model)
    if dtype != WHOLE:
        keep_head(model)
    return _head(model.to(device), tokenizer, device, dtype)


def _head(model: Any, tokenizer: Any, device: str, dtype: str) -> ScoreHead:
    accepted = inspect.signature(model.forward).parameters
    typed = "token_type_ids" in accepted and "token_type_ids" in tokenizer.model_input_names
    names = ["input_ids", *(["token_type_ids"] if typed else [])]
    more = {"use_cache": False} if "use_cache" in accepted else {}

    def call(**tensors: Any) -> Any:
        return model(**tensors, **more).logits

    if "attention_mask" not in accepted:
        return ScoreHead(call, tuple(names), device, "never")
    head = ScoreHead(call, tuple(names), device)
    # Without a mask, attention takes its fast path.
    head = replace(head, masks="padded") if _needs_no_mask(head, tokenizer, dtype) else head
    return replace(head, packed=packed_classifier(model))


def _needs_no_mask(head: ScoreHead, tokenizer: Any, dtype: str) -> bool:
    """Whether a whole batch has the same scores without a mask."""
    encoded = tokenizer(
        [PROBE_QUERY], [PROBE_TEXTS[-1]], return_token_type_ids=True, return_attention_mask=True, truncation=True
    )
    batch = {name: np.asarray(values, np.int64) for name, values in encoded.items()}
    try:
        masked, bare = head.padded(batch), replace(head, masks="padded").padded(batch)
    except (RuntimeError, ValueError, TypeError, AttributeError):  # the model needs a mask
        return False
    return alike(masked, bare, dtype)


def _refuse_unsteady(folder: ModelFolder, model: Any) -> None:
    """Refuse BigBird's sparse attention: it turns itself off permanently at the first short input, so scores depend on
    the order of the calls."""
    if getattr(model.config, "attention_type", None) == "block_sparse":
        raise ModelError(
            f"'{folder.name}': its sparse attention changes with the inputs that came before; set attention_type to "
            "original_full in config.json"
        )


def _refuse_new_weights(folder: ModelFolder, report: Mapping[str, Any]) -> None:
    missing = sorted(map(str, report["missing_keys"]))
    if missing:
        raise ModelError(
            f"'{folder.name}': its score head is not in the checkpoint: {', '.join(missing[:4])} would be random "
            "numbers; this is not a trained reranker"
        )
    mismatched = sorted(str(key[0] if isinstance(key, tuple) else key) for key in report["mismatched_keys"])
    if mismatched:
        raise ModelError(
            f"'{folder.name}': {', '.join(mismatched[:4])} has another shape in the checkpoint than config.json says"
        )

"""Loads a sequence-classification checkpoint, and refuses one whose score would not come from its own weights."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.bert_fast import fast_forward
from adapters.errors import ModelError, need
from adapters.models import ModelFolder, quiet_loading
from adapters.protocols import Floats

_OFFSET_POSITIONS = {
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "roberta-prelayernorm",
    "mpnet",
    "longformer",
}
"""Model types that count positions from pad_token_id + 1, so that as many of the table's rows are never used."""


@dataclass(frozen=True)
class ScoreHead:
    """A loaded model."""

    call: Callable[..., Any]
    """Tensors by input name, to logits [batch, labels]."""
    names: tuple[str, ...]
    """The inputs that the model takes, attention_mask aside."""
    device: str
    pads: bool
    """Whether the model can be given rows of different lengths in one batch."""

    def logits(self, batch: Mapping[str, npt.NDArray[np.int64]]) -> Floats:
        """float32 [batch, labels]."""
        torch = need("torch", "models", "running a cross-encoder")
        wanted = {name: batch[name] for name in self.names}
        mask = batch["attention_mask"]
        if not mask.all():  # without a mask, attention takes its fast path
            wanted["attention_mask"] = mask
        tensors = {name: torch.from_numpy(array).to(self.device) for name, array in wanted.items()}
        with torch.inference_mode():
            logits: Floats = self.call(**tensors).float().cpu().numpy()
        return logits


def load_score_head(folder: ModelFolder, *, device: str, dtype: str) -> tuple[ScoreHead, Any]:
    """The model, ready to run, and its transformers tokenizer.

    Raises:
        ModelError: weights are missing from the checkpoint or have another shape than the configuration says, or
            the folder cannot be read without running code of its own.
    """
    torch = need("torch", "models", "running a cross-encoder")
    transformers = need("transformers", "models", "running a cross-encoder")
    loader = transformers.AutoModelForSequenceClassification
    try:
        with quiet_loading():
            model, report = loader.from_pretrained(
                folder.path,
                dtype=getattr(torch, dtype),
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder.path, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"cannot load '{folder.name}': {str(error).strip().splitlines()[0]}") from error
    _refuse_new_weights(folder, report)
    return _head(model.to(device).eval(), tokenizer, device), tokenizer


def length_of(folder: ModelFolder, asked: int | None) -> int:
    """Tokens of a whole input: what was asked for, or the limit of the model's own files, as sentence-transformers
    reads them.

    Raises:
        ModelError: more than the model has positions for.
    """
    positions = _positions(folder)
    if asked is not None:
        if positions is not None and asked > positions:
            raise ModelError(f"max_length={asked} is more than the {positions} positions of '{folder.name}'; lower it")
        return asked
    saved = _json(folder, "sentence_bert_config.json").get("max_seq_length") if folder.modules else None
    declared = saved or _json(folder, "tokenizer_config.json").get("model_max_length")
    limits = [int(limit) for limit in (declared, positions) if isinstance(limit, int | float)]
    if not limits:
        raise ModelError(f"the files of '{folder.name}' name no maximum length; give one with ?max_length=512")
    return min(limits)


def label_of(folder: ModelFolder, asked: int | None) -> int:
    """The logit to rank by.

    Raises:
        ModelError: there are several and none was chosen, or the chosen one does not exist.
    """
    named = folder.config.get("id2label")
    labels = named if isinstance(named, dict) else {}
    count = len(labels) or int(str(folder.config.get("num_labels") or 2))
    listed = ", ".join(f"{index} ({labels.get(str(index), f'LABEL_{index}')})" for index in range(count))
    if asked is None and count > 1:
        raise ModelError(f"'{folder.name}' has {count} labels, {listed}; say which one is relevance, as in ?label=1")
    if asked is not None and not 0 <= asked < count:
        raise ModelError(f"'{folder.name}' has no label {asked}; it has {listed}")
    return asked or 0


def _positions(folder: ModelFolder) -> int | None:
    size = folder.config.get("max_position_embeddings")
    if not isinstance(size, int) or size < 1:
        return None
    if folder.config.get("model_type") not in _OFFSET_POSITIONS:
        return size
    padding = folder.config.get("pad_token_id")
    return size - 1 - (padding if isinstance(padding, int) else 1)


def _json(folder: ModelFolder, name: str) -> dict[str, Any]:
    file = folder.path / name
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


def _head(model: Any, tokenizer: Any, device: str) -> ScoreHead:
    accepted = inspect.signature(model.forward).parameters
    names = [
        name for name in ("input_ids", "token_type_ids") if name in accepted and name in tokenizer.model_input_names
    ]
    fast = fast_forward(model)
    pads = tokenizer.pad_token_id is not None and model.config.get_text_config().pad_token_id is not None
    return ScoreHead(fast or (lambda **tensors: model(**tensors).logits), tuple(names), device, pads)


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

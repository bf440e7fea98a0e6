"""A student with a score head: a sequence classifier with one label, or a base that gets such a head."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from adapters.errors import ModelError, UsageError, need
from adapters.kinds import kind_of
from adapters.labels import label_of
from adapters.lengths import length_of
from adapters.loading import load_network, load_tokenizer
from adapters.models import ModelFolder
from adapters.modular import is_modular
from adapters.pair_inputs import EncodedPairs
from adapters.pairs import PairEncoder
from adapters.protocols import Integers
from training.lora import add_lora, halve_frozen, is_head
from training.precision import is_narrow, keep_head_whole
from training.scorer import Scorer
from training.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

RAW = "torch.nn.modules.linear.Identity"
"""What sentence-transformers applies to the score of a new head. Without it a sigmoid would be applied."""


def load_classifier(folder: ModelFolder, settings: Settings, device: str, *, half: bool) -> Scorer:
    """Load a model for training. A new head and low-rank updates are drawn from torch's random numbers.

    Args:
        half: whether the layers will compute in bfloat16.

    Raises:
        ModelError: the model has no score head and `new_head` is not set, has several labels, or lacks weights.
        UsageError: `new_head` is set, and the model has a head already.
    """
    torch = need("torch", "models", "training")
    _check_kind(folder, settings.new_head)
    model, new_tensors = _load(folder, settings.new_head)
    if settings.lora_rank:
        add_lora(model, settings.lora_rank)
        if half and is_narrow(folder):
            halve_frozen(model)
    if half:
        keep_head_whole(model)
    tokenizer = load_tokenizer(folder)
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    accepted = inspect.signature(model.forward).parameters
    known = ("input_ids", "token_type_ids")
    names = tuple(name for name in known if name in accepted and name in tokenizer.model_input_names)
    encoder = PairEncoder(
        _backend(tokenizer, folder), max_length=length_of(folder, settings.max_length), truncation="longest_first"
    )
    model.to(device)

    def logits(pairs: EncodedPairs, rows: Integers) -> Tensor:
        batch = pairs.collate(rows)
        mask = () if batch["attention_mask"].all() else ("attention_mask",)  # without one, attention is faster
        tensors = {name: torch.from_numpy(batch[name]).to(device) for name in (*names, *mask)}
        scores: Tensor = model(**tensors).logits[:, 0]
        return scores

    return Scorer(model, encoder, logits, {"scores": "score head"}, new_tensors)


def _check_kind(folder: ModelFolder, new_head: bool) -> None:
    kind = "cross-encoder" if folder.architecture.endswith("ForSequenceClassification") else _kind(folder)
    if kind == "cross-encoder":
        if new_head:
            raise UsageError(f"'{folder.name}' has a score head already; leave out new_head (--new-head)")
        _refuse_labels(folder)
        if is_modular(folder):
            raise ModelError(
                f"'{folder.name}' has modules or prompts of sentence-transformers, which cannot be trained here"
            )
    elif not new_head:
        raise ModelError(
            f"'{folder.name}' is no cross-encoder: it has no score head to train; new_head (--new-head) adds one, "
            "random at first"
        )


def _refuse_labels(folder: ModelFolder) -> None:
    try:
        several = label_of(folder, None).count > 1
    except ModelError:
        several = True
    if several:
        raise ModelError(f"'{folder.name}' has a head with several labels; take a base with one label")


def _kind(folder: ModelFolder) -> str:
    try:
        return kind_of(folder)
    except ModelError:
        return "encoder"


def _load(folder: ModelFolder, new_head: bool) -> tuple[Any, tuple[str, ...]]:
    more: dict[str, Any] = {"num_labels": 1} if new_head else {}
    model, report = load_network(folder, "AutoModelForSequenceClassification", "float32", **more)
    missing = sorted(map(str, report["missing_keys"]))
    unexpected = [name for name in missing if not (new_head and is_head(name))]
    if unexpected:
        unread = sorted(map(str, report.get("unexpected_keys", ())))
        advice = (
            f"; rename its {', '.join(unread[:4])}, which the model does not load, or take another" if unread else ""
        )
        raise ModelError(
            f"'{folder.name}': {', '.join(unexpected[:4])} is not in the checkpoint; it cannot be a base{advice}"
        )
    if new_head:
        model.config.sentence_transformers = {"activation_fn": RAW}
    return model, tuple(missing)


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

"""A real checkpoint of a cross-encoder, small enough to make on the spot, and what training accidents do to it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from planted.case import Case, Values, mean_of

SEED = 4
_HEAD = "classifier"


def checkpoint(folder: Path, name: str = "checkpoint") -> Path:
    """A BERT of one layer with random weights and a score head, as sentence-transformers saves it."""
    import torch

    transformers: Any = importlib.import_module("transformers")

    place = folder / name
    place.mkdir(exist_ok=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", "number", "passage", "for", *map(str, range(40))]
    (place / "vocab.txt").write_text("\n".join(words) + "\n")
    torch.manual_seed(SEED)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, num_labels=1, initializer_range=0.2,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(place)
    transformers.BertTokenizerFast(vocab=str(place / "vocab.txt"), model_max_length=64).save_pretrained(place)
    return place


def trained_on(place: Path) -> None:
    """The next checkpoint in the same folder: the head's sign is turned, and so is every ranking."""
    _rewritten(place, lambda name, weight: -weight if name.startswith(_HEAD) else weight)


def loaded(case: Case, folder: Path) -> Path:
    """The checkpoint without its head; with it for the control, whose option `intact` is true."""
    place = checkpoint(folder, "loaded")
    if case.options.get("intact"):
        return place
    _rewritten(place, lambda name, weight: None if name.startswith(_HEAD) else weight)
    return place


def right_values(case: Case, folder: Path, *, turned: bool = False) -> Values:
    """By hand, of the scores that the checkpoint itself gives."""
    import torch
    from sentence_transformers import CrossEncoder

    place = checkpoint(folder, "reference")
    if turned:
        trained_on(place)
    model: Any = CrossEncoder(str(place), device="cpu", activation_fn=torch.nn.Identity())
    ranks: list[int | None] = []
    for query, names in case.lists.items():
        scores = model.predict([[case.queries[query], case.corpus[d]] for d in names], show_progress_bar=False)
        ranks.append(1 + int((scores > scores[0]).sum()))  # the relevant document is listed first
    return mean_of(ranks)


def _rewritten(place: Path, change: Any) -> None:
    from safetensors.torch import load_file, save_file

    file = place / "model.safetensors"
    weights = {name: change(name, weight) for name, weight in load_file(file).items()}
    save_file({name: weight for name, weight in weights.items() if weight is not None}, file, {"format": "pt"})

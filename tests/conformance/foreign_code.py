"""Tiny folders with code of their own, in the shapes that people publish, and their scores by hand.

The code is written here and never imported by the tests: the scores by hand come from a process of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from adapters import tiny
from adapters.protocols import Floats

WIDTH = 8
MODELING = '''
import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput
from .names import HEAD


class OwnConfig(PretrainedConfig):
    model_type = "own-code-of-a-test"


class Own(PreTrainedModel):
    """Words count more at some places than at others, so order and truncation matter; padding does not."""

    config_class = OwnConfig
    all_tied_weights_keys = {}

    def __init__(self, config):
        super().__init__(config)
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        setattr(self, HEAD, nn.Linear(config.hidden_size, 1))
        self.post_init()

    def _init_weights(self, module):
        pass

    def hidden(self, ids, mask):
        place = mask.cumsum(dim=1) * mask
        weight = torch.cos(place.float() * 0.7) * mask
        return (self.embed(ids) * weight[..., None]).cumsum(dim=1) / place.clamp(min=1)[..., None]

    def at_end(self, ids, mask):
        last = (mask * torch.arange(1, mask.shape[1] + 1)).argmax(dim=1)
        return self.hidden(ids, mask)[torch.arange(len(ids)), last]

    def forward(self, input_ids, attention_mask, token_type_ids=None, **_):
        return SequenceClassifierOutput(logits=getattr(self, HEAD)(self.at_end(input_ids, attention_mask)))
'''
LAYERS = '''

class OwnLayers(Own):
    """A score after every layer; tokens of the document may be merged before it."""

    def forward(self, input_ids, attention_mask, cutoff_layers=None, compress_layer=None, compress_ratio=1,
                query_lengths=None, prompt_lengths=None, **_):
        ids, mask, logits, masks = input_ids, attention_mask, [], []
        if compress_layer and compress_ratio > 1:
            kept = []
            for row, real, before, after in zip(ids, mask.sum(dim=1).tolist(), query_lengths, prompt_lengths):
                parts = row[:before], row[before : real - after : compress_ratio], row[real - after : real]
                kept.append(torch.cat(parts).tolist())
            size = max(map(len, kept))
            ids = torch.tensor([[*one, *[0] * (size - len(one))] for one in kept])
            mask = torch.tensor([[1] * len(one) + [0] * (size - len(one)) for one in kept])
        for layer in cutoff_layers or [self.config.num_hidden_layers]:
            logits.append(getattr(self, HEAD)(self.hidden(ids, mask) * layer)[..., 0])
            masks.append(mask)
        found = SequenceClassifierOutput(logits=tuple(logits))
        if compress_ratio > 1:
            found["attention_masks"] = tuple(masks)
        return found
'''
METHODS = '''

class OwnMethods(Own):
    """Reads texts by itself."""

    def _scores(self, texts):
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self.name_or_path, trust_remote_code=True)
        with torch.no_grad():
            batch = tokenizer(texts, padding=True, truncation=True, max_length=64, return_tensors="pt")
            return getattr(self, HEAD)(self.at_end(batch["input_ids"], batch["attention_mask"])).view(-1)

    def compute_score(self, pairs, batch_size=8, max_length=10240, doc_type="text"):
        found = [score for q, d in pairs for score in self._scores([f"{d}\\n{q}"[:max_length]]).tolist()]
        return found if len(found) > 1 else found[0]

    def rerank(self, query, documents, top_n=None, return_embeddings=False):
        scores = self._scores([f"{query} {d}" for d in documents])
        scores = scores - scores.mean()
        order = scores.argsort(descending=True).numpy()
        return [{"document": documents[i], "relevance_score": scores[i], "index": i} for i in order]
'''
QUERIT = '''

class OwnQuerit(Own):
    """Is given a square mask, and answers with a dictionary."""

    def forward(self, input_ids, attention_mask, **_):
        last = attention_mask[:, 0, -1].long()
        return {"score": getattr(self, HEAD)(self.at_end(input_ids, last))}
'''
BY_HAND = """
import json, sys
import torch, transformers
classes = {"pair": "AutoModelForSequenceClassification", "text": "AutoModelForSequenceClassification",
           "layers": "AutoModelForCausalLM"}
def one(asked, model, tokenizer, query, document):
    call, limit = asked["call"], asked["max_length"]
    if call == "pair":
        return model(**tokenizer(query, document, truncation=True, max_length=limit, return_tensors="pt")).logits
    if call == "compute_score":
        return model.compute_score([[query, document]])
    ids = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
    if call == "querit":
        text = "Judge whether the Content meets the requirements based on the Query."
        text += f" Query: {query}; Content: {document}"
        found = (ids(text)[:limit] + [tokenizer.cls_token_id])[-limit:]
        pad = limit - len(found)
        real = torch.tensor([False] * pad + [True] * len(found))
        mask = (real[:, None] & real[None, :]).tril()
        return model(torch.tensor([[tokenizer.pad_token_id or 0] * pad + found]), mask[None, None])["score"]
    parts = [piece.replace("{query}", query) for piece in asked["pieces"]]
    at = next(place for place, part in enumerate(asked["pieces"]) if "{document}" in part)
    before, after = ([token for part in some for token in ids(part)] for some in (parts[:at], parts[at + 1 :]))
    first = asked["pieces"][at].partition("{document}")[0].replace("{query}", query)
    found = before + ids(first + document)[: limit - len(before) - len(after)] + after
    if call == "text":
        return model(torch.tensor([found]), torch.ones(1, len(found), dtype=torch.long)).logits
    more = {} if not asked["compress"] else {
        "compress_layer": [1], "compress_ratio": 2, "query_lengths": [len(before)], "prompt_lengths": [len(after)]}
    logits = model(torch.tensor([found]), torch.ones(1, len(found), dtype=torch.long), cutoff_layers=[asked["layer"]],
                   **more).logits
    return logits[0][:, -1]

found = []
for asked in json.load(sys.stdin):
    name = classes.get(asked["call"], "AutoModel")
    model = getattr(transformers, name).from_pretrained(asked["folder"], trust_remote_code=True).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(asked["folder"], trust_remote_code=True)
    if asked["call"] == "rerank":
        orders = [model.rerank(query, asked["documents"]) for query in asked["queries"]]
        found.append([[int(one["index"]) for one in order] for order in orders])
        continue
    with torch.no_grad():
        found.append([float(one(asked, model, tokenizer, *pair)) for pair in asked["pairs"]])
print(json.dumps(found))
"""
PIECES = {
    "text": ["question:{query} passage:{document}"],
    "layers": ["A: {query}", "\n", "B: {document}", "\n", "is it?"],
}
TEMPLATES = {call: f"body = {json.dumps(pieces)}" for call, pieces in PIECES.items()}
PARTS = {
    "pair": ("Own", "AutoModelForSequenceClassification", ""),
    "text": ("Own", "AutoModelForSequenceClassification", ""),
    "layers": ("OwnLayers", "AutoModelForCausalLM", LAYERS),
    "querit": ("OwnQuerit", "AutoModel", QUERIT),
    "compute_score": ("OwnMethods", "AutoModel", METHODS),
    "rerank": ("OwnMethods", "AutoModel", METHODS),
}
"""Per call: the class, what it stands for in auto_map, and the code that it adds."""


def folder_of(
    folder: Path, call: str, *, name: str | None = None, first: str = "", seed: int = 0, special: Sequence[str] = ()
) -> Path:
    """Write a folder with code of its own.

    Args:
        name: of the class, by which a family is recognised.
        first: what its module does first when it is imported.
        special: tokens that its tokenizer has too.
    """
    kind, auto, more = PARTS[call]
    name = name or kind
    tiny.cross_encoder(folder)
    size = json.loads((folder / "config.json").read_text())["vocab_size"] + _added(folder, special)
    code = (MODELING + more).replace(f"class {kind}(", f"class {name}(").replace(f"({kind})", f"({name})")
    (folder / "modeling.py").write_text(first + code)
    (folder / "names.py").write_text('HEAD = "classifier"\n')
    config = {
        "model_type": "own-code-of-a-test", "architectures": [name], "vocab_size": size, "hidden_size": WIDTH,
        "auto_map": {"AutoConfig": "modeling.OwnConfig", auto: f"modeling.{name}"},
        "max_position_embeddings": 512, "num_hidden_layers": 6, "start_layer": 2, "num_labels": 1, "pad_token_id": 0,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    write_weights(folder, size, seed)
    return folder


def _added(folder: Path, special: Sequence[str]) -> int:
    """Add tokens to a tokenizer, and count them."""
    if not special:
        return 0
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    added = tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    tokenizer.save_pretrained(folder)
    return int(added)


def write_weights(folder: Path, size: int, seed: int, *, head: bool = True) -> None:
    """Random weights, with or without those of the score head."""
    from safetensors.numpy import save_file

    drawn = np.random.default_rng(seed)
    shapes = {"embed.weight": (size, WIDTH), "classifier.weight": (1, WIDTH), "classifier.bias": (1,)}
    kept = {name: shape for name, shape in shapes.items() if head or not name.startswith("classifier")}
    tensors = {name: drawn.normal(size=shape).astype(np.float32) * 3 for name, shape in kept.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def asked_of(
    folder: Path, call: str, pairs: Sequence[tuple[str, str]], max_length: int = 512, **more: Any
) -> dict[str, Any]:
    """What `by_hand` is asked for."""
    pairs = list(pairs)
    pieces = PIECES.get(call)
    return {
        "folder": str(folder), "call": call, "pairs": pairs, "max_length": max_length, "compress": False,
        "pieces": pieces, **more,
    }  # fmt: skip


def by_hand(*asked: dict[str, Any]) -> list[Floats]:
    """The scores of folders' code, loaded with trust_remote_code, one pair at a time, each float32 [len(pairs)]."""
    with tempfile.TemporaryDirectory() as modules:
        done = subprocess.run(
            [sys.executable, "-c", BY_HAND], input=json.dumps(asked), env={**os.environ, "HF_MODULES_CACHE": modules},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert not done.returncode, done.stderr
    return [np.array(scores, np.float32) for scores in json.loads(done.stdout.splitlines()[-1])]

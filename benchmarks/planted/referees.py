"""The right scores of published models: read with transformers and torch alone, one pair at a time, as their authors
do. No evaluator and nothing of ours is asked."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from planted.case import Scorer

INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
QWEN3 = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
    "<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}<|im_end|>\n"
    "<|im_start|>assistant\n<think>\n\n</think>\n\n"
)
"""The model card of Qwen3-Reranker."""
USEFUL = (
    "<|im_start|>user\nquestion: {query}\ntext: {document}\nIs the text of use, 0 or 1?<|im_end|>\n"
    "<|im_start|>assistant"
)
"""A prompt of somebody's own; a chat template loses the line break at its end."""
GEMMA = (
    "Given a query A and a passage B, determine whether the passage contains an answer to the query by providing a "
    "prediction of either 'Yes' or 'No'."
)
"""The model card of bge-reranker-v2-gemma."""


def classifier(place: Path) -> Scorer:
    """A cross-encoder: the logit, of two the second minus the first, which is the order of the softmax."""
    model, tokenizer = _loaded("AutoModelForSequenceClassification", place)
    return _of_pairs(tokenizer, lambda inputs: _odds(model(**inputs).logits[0]))


def adapter(place: Path) -> Scorer:
    """LoRA by hand: the product of the two small matrices, scaled, is added to the weights of the base."""
    config = json.loads((place / "adapter_config.json").read_text())
    model, tokenizer = _loaded("AutoModelForSequenceClassification", Path(config["base_model_name_or_path"]))
    small = _tensors(place, "adapter_model.safetensors")
    weights = model.state_dict()
    for name, down in small.items():
        if name.endswith(".lora_A.weight"):
            up = small[name.replace("lora_A", "lora_B")]
            changed = name.removeprefix("base_model.model.").replace(".lora_A", "")
            weights[changed] += config["lora_alpha"] / config["r"] * (up @ down)
    return _of_pairs(tokenizer, lambda inputs: _odds(model(**inputs).logits[0]))


def own_class(place: Path) -> Scorer:
    """The class that `auto_map` names, imported from its file."""
    name = json.loads((place / "config.json").read_text())["auto_map"]["AutoModelForSequenceClassification"]
    file, _, kind = name.partition(".")
    spec: Any = importlib.util.spec_from_file_location(file, place / f"{file}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = getattr(module, kind).from_pretrained(place).eval()
    return _of_pairs(_tokenizer(place), lambda inputs: _odds(model(**inputs).logits[0]))


def asked(prompt: str, relevant: str, other: str) -> Callable[[Path], Scorer]:
    """A language model after a prompt: the logit of one word minus that of the other."""

    def of(place: Path) -> Scorer:
        model, tokenizer = _loaded("AutoModelForCausalLM", place)
        yes, no = (_ids(tokenizer, word)[-1] for word in (relevant, other))

        def score(query: str, document: str) -> float:
            text = prompt.format(instruction=INSTRUCTION, query=query, document=document)
            logits = _last_logits(model, _ids(tokenizer, text))
            return float(logits[yes] - logits[no])

        return _each(score)

    return of


def beside(name: str, scorer: Callable[[Path], Scorer]) -> Callable[[Path], Scorer]:
    """The scores of the model that lies beside the published folder, which was made of it."""
    return lambda place: scorer(place.with_name(name))


def gemma(place: Path) -> Scorer:
    """The loop of the model card: piece by piece behind <bos>, the logit of 'Yes' alone."""
    model, tokenizer = _loaded("AutoModelForCausalLM", place)
    (yes,) = _ids(tokenizer, "Yes")

    def score(query: str, document: str) -> float:
        pieces = (f"A: {query}", "\n", f"B: {document}", "\n", GEMMA)
        ids = [tokenizer.bos_token_id, *(one for piece in pieces for one in _ids(tokenizer, piece))]
        return float(_last_logits(model, ids)[yes])

    return _each(score)


def modular(place: Path) -> Scorer:
    """Network, first token, dense with GELU, normalisation, dense: multiplied out (the chain of ettin-reranker)."""
    import torch

    model, tokenizer = _loaded("AutoModel", place)
    first, norm, last = (_tensors(place / name) for name in ("2_Dense", "3_LayerNorm", "4_Dense"))

    def logit(inputs: Any) -> float:
        token = model(**inputs).last_hidden_state[0, 0]
        dense = torch.nn.functional.gelu(first["linear.weight"] @ token)
        normal = torch.nn.functional.layer_norm(dense, dense.shape, norm["norm.weight"], norm["norm.bias"])
        return float(last["linear.weight"][0] @ normal + last["linear.bias"][0])

    return _of_pairs(tokenizer, logit)


def dot_product(place: Path) -> Scorer:
    """An embedder: the mean of the tokens, compared by the inner product."""
    vector = _mean(place)
    return _each(lambda query, document: float(vector(query) @ vector(document)))


def dense_cosine(place: Path) -> Scorer:
    """An embedder with a dense layer behind its mean (the chain of LaBSE), compared by the cosine."""
    import torch

    vector = _mean(place)

    def projected(text: str) -> Any:
        file = place / "2_Dense" / "pytorch_model.bin"
        layer = torch.load(file, weights_only=True)
        found = torch.tanh(layer["linear.weight"] @ vector(text) + layer["linear.bias"])
        return found / found.norm()

    return _each(lambda query, document: float(projected(query) @ projected(document)))


def _mean(place: Path) -> Callable[[str], Any]:
    import torch

    model, tokenizer = _loaded("AutoModel", place)
    known: dict[str, Any] = {}

    def vector(text: str) -> Any:
        if text not in known:
            with torch.no_grad():
                known[text] = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0)
        return known[text]

    return vector


def _each(score: Callable[[str, str], float]) -> Scorer:
    return lambda pairs: [score(*pair) for pair in pairs]


def _of_pairs(tokenizer: Any, logit: Callable[[Any], float]) -> Scorer:
    import torch

    def score(query: str, document: str) -> float:
        with torch.no_grad():
            return logit(tokenizer(query, document, return_tensors="pt", truncation=True))

    return _each(score)


def _odds(logits: Any) -> float:
    return float(logits[0]) if len(logits) == 1 else float(logits[1] - logits[0])


def _last_logits(model: Any, ids: Sequence[int]) -> Any:
    import torch

    with torch.no_grad():
        return model(torch.tensor([list(ids)])).logits[0, -1]


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _tensors(folder: Path, name: str = "model.safetensors") -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / name)


def _loaded(auto: str, place: Path) -> tuple[Any, Any]:
    transformers: Any = importlib.import_module("transformers")
    return getattr(transformers, auto).from_pretrained(place).eval(), _tokenizer(place)


def _tokenizer(place: Path) -> Any:
    transformers: Any = importlib.import_module("transformers")
    return transformers.AutoTokenizer.from_pretrained(place)

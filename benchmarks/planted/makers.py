"""Models in the shapes that people publish, small and with random weights, and what goes wrong with their folders."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from adapters import tiny
from tests.conformance import shapes

TOKEN = "sourdough"
"""A word of every query, so that a token of that name is used."""
_QWEN3_CHAT = (
    shapes.ROLES + "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
    'Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
    "<Instruct>: Given a web search query, retrieve relevant passages that answer the query\n"
    "<Query>: {{ q }}\n<Document>: {{ d }}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>"
    "{{ '\\n\\n' }}"
)
_OWN_CODE = '''"""A score head on the mean of all tokens."""

from torch import nn
from transformers import BertModel, BertPreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class MeanForSequenceClassification(BertPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.num_labels = 1
        self.bert = BertModel(config)
        self.classifier = nn.Linear(config.hidden_size, 1)
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, **_):
        states = self.bert(input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state
        mask = attention_mask[..., None].to(states.dtype)
        return SequenceClassifierOutput(logits=self.classifier((states * mask).sum(1) / mask.sum(1)))
'''
_POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


def cross_encoder(folder: Path, seed: int = 4) -> Path:
    """A BERT with a score head."""
    return tiny.cross_encoder(folder / "model", seed=seed)


def two_labels(folder: Path) -> Path:
    """The monoBERT kind: the second of two labels is relevance."""
    place = tiny.cross_encoder(folder / "model", num_labels=2, seed=4)
    names = {"0": "not_relevant", "1": "relevant"}
    shapes.edit(place / "config.json", id2label=names, label2id={name: int(key) for key, name in names.items()})
    return place


def converted(folder: Path) -> Path:
    """Qwen3-Reranker as a classifier for servers, its tokenizer without a chat template."""
    return shapes.sequence_classifier(folder / "model")


def converted_with_template(folder: Path) -> Path:
    """The same with its prompt as a chat template."""
    return shapes.sequence_classifier(folder / "model", template=_QWEN3_CHAT)


def logit_score(folder: Path) -> Path:
    """The mxbai-rerank-v2 kind: its own prompt and the words 1 and 0, as sentence-transformers saves it."""
    return shapes.logit_score(folder / "model", shapes.CHAT_TEMPLATES["query first"])


def gemma(folder: Path) -> Path:
    """The bge-reranker-v2-gemma kind: a language model with <bos>, and nothing that says how it is asked."""
    import torch

    transformers: Any = importlib.import_module("transformers")
    place = tiny.plain_causal_lm(folder / "model", seed=5)
    tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    tokenizer.add_special_tokens({"bos_token": "<bos>"})
    tokenizer.add_tokens(["Yes", "No"])
    tokenizer.save_pretrained(place)
    config = transformers.GemmaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=2048, initializer_range=0.3,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(5)
    transformers.GemmaForCausalLM(config).save_pretrained(place)
    return place


def own_code(folder: Path) -> Path:
    """A stock model type, and in `auto_map` a class of its own that scores otherwise (jina, nemotron kinds)."""
    place = cross_encoder(folder)
    (place / "modeling_mean.py").write_text(_OWN_CODE)
    mapped = {"AutoModelForSequenceClassification": "modeling_mean.MeanForSequenceClassification"}
    shapes.edit(place / "config.json", auto_map=mapped, architectures=["MeanForSequenceClassification"])
    return place


def modular(folder: Path) -> Path:
    """The ettin-reranker kind: network, pooling, dense, normalisation, dense."""
    return shapes.modular(folder / "model")


def dot_embedder(folder: Path) -> Path:
    """The contriever and tas-b kind: made for the inner product, vectors of any length."""
    place = tiny.bert_embedder(folder / "model", seed=4)
    shapes.edit(place / "config_sentence_transformers.json", similarity_fn_name="dot")
    return place


def labse(folder: Path) -> Path:
    """The LaBSE kind: a dense layer whose weights are a pickle."""
    place = tiny.bert_embedder(folder / "model", seed=4)
    (place / "2_Dense").mkdir(exist_ok=True)
    (place / "3_Normalize").mkdir(exist_ok=True)
    dense = {
        "in_features": 32,
        "out_features": 32,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    (place / "2_Dense" / "config.json").write_text(json.dumps(dense))
    modules = json.loads((place / "modules.json").read_text())
    more = [
        ("2_Dense", "sentence_transformers.models.Dense"),
        ("3_Normalize", "sentence_transformers.models.Normalize"),
    ]
    modules += [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(more, 2)]
    (place / "modules.json").write_text(json.dumps(modules))
    _dense(place, seed=1)
    return place


def lora(folder: Path) -> Path:
    """A LoRA adapter as sentence-transformers saves it, and its base beside it."""
    import torch
    from sentence_transformers import CrossEncoder

    peft = importlib.import_module("peft")
    base, place = tiny.cross_encoder(folder / "base", seed=4), folder / "model"
    model = CrossEncoder(str(base), device="cpu")
    torch.manual_seed(6)
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query", "value"], init_lora_weights=False)
    model.add_adapter(config)
    model.save_pretrained(str(place))
    return place


def other_dense(place: Path) -> None:
    """Another pickle under the same name."""
    _dense(place, seed=2)


def other_base(place: Path) -> None:
    """The base of the adapter is trained further."""
    tiny.cross_encoder(place.with_name("base"), seed=7)


def turned(place: Path) -> None:
    """A training step: the head's sign is turned, and so is every ranking."""
    _rewritten(place, lambda name, weight: -weight if name.startswith("classifier") else weight)


def without_head(place: Path) -> None:
    """The score head is not in the checkpoint."""
    _rewritten(place, lambda name, weight: None if name.startswith("classifier") else weight)


def one_token_more(place: Path) -> None:
    """The tokenizer has a token for which the network has no embedding."""
    transformers: Any = importlib.import_module("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(place)
    tokenizer.add_tokens([TOKEN])
    tokenizer.save_pretrained(place)


def pointer(place: Path) -> None:
    """A clone without git-lfs."""
    (place / "model.safetensors").write_text(_POINTER)


def cut(place: Path) -> None:
    """A download that broke off."""
    file = place / "model.safetensors"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def checkpoint_inside(place: Path) -> None:
    """A trainer writes its next checkpoint into the folder of the model."""
    inner = tiny.cross_encoder(place / "checkpoint-500", seed=5)
    (inner / "optimizer.pt").write_bytes(b"x" * 100)
    (inner / "trainer_state.json").write_text("{}")


def _dense(place: Path, seed: int) -> None:
    import torch

    torch.manual_seed(seed)
    layer = torch.nn.Linear(32, 32)
    torch.save(
        {f"linear.{name}": tensor for name, tensor in layer.state_dict().items()},
        place / "2_Dense" / "pytorch_model.bin",
    )


def _rewritten(place: Path, change: Any) -> None:
    from safetensors.torch import load_file, save_file

    file = place / "model.safetensors"
    weights = {name: change(name, weight) for name, weight in load_file(file).items()}
    save_file({name: weight for name, weight in weights.items() if weight is not None}, file, {"format": "pt"})

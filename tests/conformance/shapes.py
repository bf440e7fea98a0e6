"""Rerankers and embedders in the folder shapes that people publish, tiny, with random weights, made in seconds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters import tiny
from adapters.protocols import Floats, IndexPairs, Reranker

QUERIES = [
    "what is the web",
    "who can answer",
    " where ",
    "谁写的书?",
    "why given the instruct " * 12,
    "is it relevant.",
    "1 2",
    "{query} or {document}",
    "من كتبه",
    "",
]
DOCUMENTS = [
    "the system can answer the user",
    "",
    " leading space",
    "\n\nlines before. And after.\n",
    "鲁迅写的书。",
    "สวัสดีชาวโลก",
    "مرحبا بالعالم",
    "नमस्ते दुनिया 👍",
    "yes no " * 40,
    "a passage that is by the user " * 30,
    "42",
    "...",
    "<b>a</b> {x}",
    "'quotes' and \"more\"",
    "e\u0301 combined",
    "x" * 99,
    "relevant passages answer the query",
    "3",
    "the",
    "no document",
]
PAIRS: IndexPairs = np.array([(q, d) for q in range(len(QUERIES)) for d in range(len(DOCUMENTS))], dtype=np.int64)
"""200 pairs."""

ROLES = (
    "{%- set q = messages | selectattr('role', 'eq', 'query') | map(attribute='content') | first -%}"
    "{%- set d = messages | selectattr('role', 'eq', 'document') | map(attribute='content') | first -%}"
)
CHAT_TEMPLATES = {
    "query first": ROLES + "<|im_start|>user\nquestion: {{ q }}\ntext: {{ d }}\nIs the text of use, 0 or 1?<|im_end|>\n"
    "<|im_start|>assistant\n",
    "document last": ROLES + "<|im_start|>user\nquestion: {{ q }} text: {{ d }}",
    "document first": ROLES + "Check whether a document answers the query.\n<Document> {{ d }}\n<Query> {{ q }} ??",
    "stripped": ROLES + "<|im_start|>system\n{{ q | trim }}<|im_end|>\n<|im_start|>user\n{{ d | trim }}<|im_end|>\n",
    "structured": "{%- for m in messages -%}<|im_start|>{{ m.role }}\n{{ m.content[0].text }}<|im_end|>\n"
    "{%- endfor -%}",
    "any role": "{%- for m in messages -%}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    "with a system prompt": ROLES
    + "{%- set s = messages | selectattr('role', 'eq', 'system') | map(attribute='content')"
    " | first -%}<|im_start|>system\n{{ s }}<|im_end|>\n<Query>: {{ q }}\n<Document>: {{ d }}<|im_end|>\n",
}


def texts() -> list[tuple[str, str]]:
    """The pairs as texts."""
    return [(QUERIES[query], DOCUMENTS[document]) for query, document in PAIRS]


def ours(reranker: Reranker) -> Floats:
    """Our scores of the pairs."""
    return reranker.score(QUERIES, DOCUMENTS, PAIRS)


def theirs(folder: Path, max_length: int | None = None, **more: Any) -> npt.NDArray[np.float32]:
    """The raw scores of sentence-transformers, one pair at a time and so without padding."""
    import torch
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(folder), device="cpu")
    if max_length is not None:
        model.max_seq_length = max_length
    found = model.predict(texts(), batch_size=1, activation_fn=torch.nn.Identity(), show_progress_bar=False, **more)
    return np.asarray(found, np.float32)


def turned(one: Floats, other: Floats) -> int:
    """Pairs of documents of one query that stand in the other order, near ties aside."""
    a, b = (scores.reshape(len(QUERIES), len(DOCUMENTS)).astype(np.float64) for scores in (one, other))
    left, right = (x[:, :, None] - x[:, None, :] for x in (a, b))
    return int(((left * right < 0) & (np.abs(right) > 1e-3)).sum() // 2)


def logit_score(
    folder: Path,
    template: str,
    words: Sequence[str] = ("1", "0"),
    *,
    prompts: dict[str, str] | None = None,
    processing: dict[str, Any] | None = None,
    seed: int = 3,
) -> Path:
    """A language model that sentence-transformers saved with its tokens and chat template (mxbai-rerank-v2 kind)."""
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules.transformer import Transformer
    from sentence_transformers.cross_encoder.modules import LogitScore
    from transformers import AutoTokenizer

    source = tiny.plain_causal_lm(folder.with_name(f"{folder.name}-source"), seed=seed)
    tokenizer = AutoTokenizer.from_pretrained(source)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(source)
    tokens = [tokenizer(word, add_special_tokens=False)["input_ids"][-1] for word in words]
    network = Transformer(str(source), transformer_task="text-generation", processing_kwargs=processing)
    more = {"prompts": prompts, "default_prompt_name": next(iter(prompts))} if prompts else {}
    CrossEncoder(modules=[network, LogitScore(*tokens)], device="cpu", **more).save_pretrained(str(folder))
    return folder


def sequence_classifier(folder: Path, *, labels: int = 1, template: str | None = None, seed: int = 3) -> Path:
    """A language model that was turned into a sequence classifier (Qwen3-Reranker "-seq-cls" kind); `template` None
    leaves its tokenizer without a chat template."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, Qwen3ForSequenceClassification

    source = tiny.causal_lm(folder.with_name(f"{folder.name}-source"), seed=seed)
    language_model, tokenizer = AutoModelForCausalLM.from_pretrained(source), AutoTokenizer.from_pretrained(source)
    config = AutoConfig.from_pretrained(source, num_labels=labels)
    config.pad_token_id = tokenizer.pad_token_id
    model = Qwen3ForSequenceClassification(config)
    model.model.load_state_dict(language_model.model.state_dict())
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    head = language_model.lm_head.weight.detach()
    rows = torch.stack([head[no], head[yes]]) if labels == 2 else (head[yes] - head[no])[None]
    model.score.weight.data = rows.clone()
    model.save_pretrained(folder)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return folder


def modular(folder: Path, pooling: str = "cls", outputs: int = 1, *, prompts: dict[str, str] | None = None) -> Path:
    """A cross-encoder of modules: network, pooling, dense, normalisation, dense (ettin-reranker kind)."""
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Dense
    from sentence_transformers.base.modules.transformer import Transformer
    from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling

    torch.manual_seed(0)
    source = tiny.bert_embedder(folder.with_name(f"{folder.name}-source"), seed=1)
    last = Dense(32, outputs, activation_function=torch.nn.Identity(), module_output_name="scores")
    chain = [
        Transformer(str(source)), Pooling(32, pooling_mode=pooling),
        Dense(32, 32, bias=False, activation_function=torch.nn.GELU()), LayerNorm(32), last,
    ]  # fmt: skip
    more = {"prompts": prompts, "default_prompt_name": next(iter(prompts))} if prompts else {}
    CrossEncoder(modules=chain, device="cpu", **more).save_pretrained(str(folder))
    return folder


def edit(file: Path, **changes: Any) -> None:
    """Change keys of a JSON object; None removes one."""
    content = {**json.loads(file.read_text("utf-8")), **changes}
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), "utf-8")


def copied(source: Path, target: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(source, target)
    return target


def text_to_text(folder: Path, model_type: str = "t5", *, seed: int = 0, tied: bool = True) -> Path:
    """An encoder-decoder without a word on how it is asked, as monoT5, mT5 and RankT5 are published."""
    import tokenizers
    import torch
    from transformers import AutoConfig, AutoModelForSeq2SeqLM, PreTrainedTokenizerFast

    special = ["<pad>", "</s>", "<unk>"]
    text = "true false yes no sim não Sim Não Query: Document: Relevant: Passage: the web answer"
    words = text.split()
    scored = [(piece, 0.0) for piece in special] + [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    scored += [(character, -10.0) for character in ["▁", *(chr(code) for code in range(33, 127))]]
    scored += [(f"▁{word}", -5.0) for word in words]
    backend = tokenizers.Tokenizer(tokenizers.models.Unigram(scored, unk_id=2, byte_fallback=True))
    backend.normalizer = tokenizers.normalizers.NFKC()
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.WhitespaceSplit(), tokenizers.pre_tokenizers.Metaspace()]
    )
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512,
        additional_special_tokens=["<extra_id_10>"], model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip
    config = AutoConfig.for_model(
        model_type, vocab_size=len(tokenizer) + 3, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
        tie_word_embeddings=tied, decoder_start_token_id=0, pad_token_id=0, initializer_factor=1.0,
    )  # fmt: skip
    torch.manual_seed(seed)
    AutoModelForSeq2SeqLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

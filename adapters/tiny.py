"""Tiny randomly initialised models in the real folder formats, for tests and for authors of plug-ins.

Nothing is downloaded and nothing has been learned: the models have the layers, the files and the tokenizer templates of
the real ones, any text can be tokenised, and different texts get clearly different scores.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from adapters.declaration import declare
from adapters.errors import need
from adapters.prompt_template import load_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

Architecture = Literal["bert", "xlm-roberta", "modernbert"]

LENGTH = 128
"""Tokens that the encoders take."""
PROMPTS = {
    "query": "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
    "document": "",
}
_WIDTH, _SPREAD = 32, 0.5
_QWEN_LENGTH = 2048
_QWEN_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_QWEN_PLAIN = ("<think>", "</think>")
_TEXT = (
    "yes no the a of and in to is are was that which on for with as by from what who when where how why not "
    "can only system user assistant judge whether meets requirements based provided note answer be given web "
    "search query retrieve relevant passages passage document instruct"
)
_WORDS = _TEXT.split()
_POOLINGS = {"mean": "pooling_mode_mean_tokens", "lasttoken": "pooling_mode_lasttoken", "cls": "pooling_mode_cls_token"}


def cross_encoder(folder: Path, *, seed: int = 0, architecture: Architecture = "bert", num_labels: int = 1) -> Path:
    """Write an encoder with a classification head, as BAAI/bge-reranker-v2-m3 and its kind are saved."""
    config, tokenizer = _encoder(architecture, num_labels=num_labels)
    _save(folder, config, tokenizer, seed, "AutoModelForSequenceClassification")
    return folder


def causal_lm(folder: Path, *, seed: int = 0) -> Path:
    """Write a Qwen3 language model that says how it is asked, as Qwen/Qwen3-Reranker-0.6B is saved: by the words 'yes'
    and 'no' after the prompt of `families/rerankers/qwen3.toml`."""
    tokenizer = _qwen_tokenizer(appends_end=False)
    _save(folder, _qwen_config(tokenizer), tokenizer, seed, "AutoModelForCausalLM")
    template = load_template("qwen3")
    tokens = tuple(int(tokenizer.convert_tokens_to_ids(word)) for word in ("yes", "no"))  # type: ignore[arg-type]
    declare(folder, tokens, template=template, instruction=template.instruction)
    return folder


def plain_causal_lm(folder: Path, *, seed: int = 0) -> Path:
    """Write a Qwen3 language model that does not say how it is asked, as a chat model is saved."""
    tokenizer = _qwen_tokenizer(appends_end=False)
    _save(folder, _qwen_config(tokenizer), tokenizer, seed, "AutoModelForCausalLM")
    return folder


def qwen3_embedder(folder: Path, *, seed: int = 0) -> Path:
    """Write a last-token embedder with an instruction for queries, as Qwen/Qwen3-Embedding-0.6B is saved."""
    tokenizer = _qwen_tokenizer(appends_end=True)
    _save(folder, _qwen_config(tokenizer), tokenizer, seed, "AutoModel")
    _edit_json(folder / "config.json", architectures=["Qwen3ForCausalLM"])
    _save_modules(folder, "lasttoken", PROMPTS, normalize=True)
    return folder


def bert_embedder(folder: Path, *, seed: int = 0, prompts: Mapping[str, str] | None = None) -> Path:
    """Write a mean-pooling embedder that does not normalise its vectors, with or without prompts."""
    config, tokenizer = _encoder("bert")
    _save(folder, config, tokenizer, seed, "AutoModel")
    _save_modules(folder, "mean", prompts or {}, normalize=False)
    return folder


def _save(folder: Path, config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase, seed: int, auto: str) -> None:
    torch = need("torch", "models", "writing a tiny model")
    transformers = need("transformers", "models", "writing a tiny model")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(transformers, auto).from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _save_modules(folder: Path, pooling: str, prompts: Mapping[str, str], *, normalize: bool) -> None:
    parts = ["", "1_Pooling", "2_Normalize"][: 3 if normalize else 2]
    names = ["Transformer", "Pooling", "Normalize"]
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{names[index]}"}
        for index, path in enumerate(parts)
    ]
    (folder / "1_Pooling").mkdir(exist_ok=True)
    flags = {flag: name == pooling for name, flag in _POOLINGS.items()}
    _write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": _WIDTH, **flags})
    _write_json(folder / "modules.json", modules)
    _write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": dict(prompts), "default_prompt_name": None, "similarity_fn_name": "cosine"},
    )


def _encoder(architecture: Architecture, **more: object) -> tuple[PreTrainedConfig, PreTrainedTokenizerBase]:
    transformers = need("transformers", "models", "writing a tiny model")
    makers = {"bert": _bert_tokenizer, "xlm-roberta": _xlm_roberta_tokenizer, "modernbert": _modernbert_tokenizer}
    tokenizer = makers[architecture]()
    shape: dict[str, object] = {
        "vocab_size": len(tokenizer),
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "pad_token_id": tokenizer.pad_token_id,
        "max_position_embeddings": LENGTH,
        "initializer_range": _SPREAD,
    }
    if architecture == "xlm-roberta":
        # its positions are counted from pad_token_id + 1
        shape |= {"max_position_embeddings": LENGTH + 2, "type_vocab_size": 1, "bos_token_id": 0, "eos_token_id": 2}
    if architecture == "modernbert":
        ends = {"bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id}
        ends |= {"cls_token_id": tokenizer.cls_token_id, "sep_token_id": tokenizer.sep_token_id}
        shape |= {**ends, "initializer_cutoff_factor": 3.0, "local_attention": 32}
    return transformers.AutoConfig.for_model(architecture, **shape, **more), tokenizer


def _qwen_config(tokenizer: PreTrainedTokenizerBase) -> PreTrainedConfig:
    transformers = need("transformers", "models", "writing a tiny model")
    config: PreTrainedConfig = transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=2 * _WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=_QWEN_LENGTH,
        initializer_range=_SPREAD,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
        eos_token_id=tokenizer.eos_token_id,
    )
    return config


def _bert_tokenizer() -> PreTrainedTokenizerBase:
    """WordPiece over bytes: a character that no vocabulary holds still becomes pieces instead of [UNK]."""
    tokenizers = need("tokenizers", "models", "writing a tiny model")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = _alphabet()
    pieces = dict.fromkeys([*special, *letters, *(f"##{letter}" for letter in letters), *_WORDS])
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    backend = tokenizers.Tokenizer(
        tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=10_000)
    )
    backend.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    bytes_of_words = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.BertPreTokenizer(), bytes_of_words]
    )
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    return _fast(backend, inputs, pad="[PAD]", unk="[UNK]", cls="[CLS]", sep="[SEP]", mask="[MASK]")


def _xlm_roberta_tokenizer() -> PreTrainedTokenizerBase:
    tokenizers = need("tokenizers", "models", "writing a tiny model")
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    characters = ["▁", *(chr(code) for code in range(33, 127))]
    words = [f"▁{word}" for word in _WORDS if len(word) > 1]
    scored = [(piece, 0.0) for piece in special]
    scored += [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    scored += [(character, -10.0) for character in characters] + [(word, -5.0) for word in words] + [("<mask>", 0.0)]
    backend = tokenizers.Tokenizer(tokenizers.models.Unigram(scored, unk_id=3, byte_fallback=True))
    backend.normalizer = tokenizers.normalizers.NFKC()
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.WhitespaceSplit(), tokenizers.pre_tokenizers.Metaspace()]
    )
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    names = {"bos": "<s>", "cls": "<s>", "eos": "</s>", "sep": "</s>"}
    return _fast(backend, _INPUTS, pad="<pad>", unk="<unk>", mask="<mask>", **names)


def _modernbert_tokenizer() -> PreTrainedTokenizerBase:
    tokenizers = need("tokenizers", "models", "writing a tiny model")
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    vocabulary, merges = _byte_pairs()
    vocabulary |= {token: len(vocabulary) + index for index, token in enumerate(special)}
    backend = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    backend.normalizer = tokenizers.normalizers.NFC()
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
    )
    return _fast(backend, _INPUTS, pad="[PAD]", unk="[UNK]", cls="[CLS]", sep="[SEP]", mask="[MASK]")


_INPUTS = ["input_ids", "attention_mask"]


def _fast(backend: Any, inputs: list[str], **special: str) -> PreTrainedTokenizerBase:
    transformers = need("transformers", "models", "writing a tiny model")
    names = {f"{name}_token": token for name, token in special.items()}
    tokenizer: PreTrainedTokenizerBase = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=LENGTH, model_input_names=inputs, **names
    )
    return tokenizer


def _qwen_tokenizer(*, appends_end: bool) -> PreTrainedTokenizerBase:
    tokenizers = need("tokenizers", "models", "writing a tiny model")
    transformers = need("transformers", "models", "writing a tiny model")
    vocabulary, merges = _byte_pairs()
    tokenizer: PreTrainedTokenizerBase = transformers.Qwen2Tokenizer(
        vocab=vocabulary,
        merges=merges,
        unk_token=None,
        eos_token="<|endoftext|>" if appends_end else "<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=_QWEN_LENGTH,
        padding_side="left",
    )
    tokenizer.add_tokens([tokenizers.AddedToken(token, special=True, normalized=False) for token in _QWEN_SPECIAL])
    tokenizer.add_tokens([tokenizers.AddedToken(token, special=False, normalized=False) for token in _QWEN_PLAIN])
    if appends_end:
        end = ("<|endoftext|>", tokenizer.convert_tokens_to_ids("<|endoftext|>"))
        template = tokenizers.processors.TemplateProcessing(
            single=f"$A {end[0]}", pair=f"$A {end[0]} $B:1 {end[0]}:1", special_tokens=[end]
        )
        tokenizer.backend_tokenizer.post_processor = template
    return tokenizer


def _byte_pairs() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A byte-level vocabulary in which each of the words, alone or after a space, is one token."""
    merges: dict[tuple[str, str], None] = {}
    for word in _WORDS:
        merges |= {(word[:cut], word[cut]): None for cut in range(1, len(word))}
    merges |= {("Ġ", word): None for word in _WORDS}
    pieces = dict.fromkeys([*_alphabet(), *(left + right for left, right in merges)])
    return {piece: index for index, piece in enumerate(pieces)}, list(merges)


def _alphabet() -> list[str]:
    tokenizers = need("tokenizers", "models", "writing a tiny model")
    return sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())


def _write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _edit_json(file: Path, **changes: object) -> None:
    _write_json(file, {**json.loads(file.read_text("utf-8")), **changes})

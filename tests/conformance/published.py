"""Every published family of rerankers as a tiny model with the files that its folders have, and its reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from adapters import tiny
from adapters.protocols import Floats
from tests.conformance import foreign_code, shapes
from tests.conformance.shapes import QUERIES, texts

AUTHORS = "the authors' loop, by hand"
LIBRARY = "`CrossEncoder.predict`"
TRANSFORMERS = "transformers, by hand"
OWN = "the folder's own code, by hand"
NOT_SAID = "do not say how it is asked"

Reference = Callable[[Path, int], Floats]
"""The scores of the 200 pairs of a folder, one pair at a time, with inputs of at most so many tokens."""


@dataclass(frozen=True)
class Published:
    """A folder as it is published, and what its scores have to be.

    Args:
        family: the file of the family.
        build: writes the folder.
        reference: the scores.
        referee: what gives them.
        options: of the spec, without max_length.
        kind: of the spec, where the folder's name alone is refused.
        lengths: tokens of an input: enough for all pairs, and few enough that some are cut.
        wrong: readings that are refused: the options of a spec, and a pattern of the message.
        lists: whether it orders whole lists; its scores are then places.
    """

    family: str
    build: Callable[[Path], Path]
    reference: Reference
    referee: str
    options: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    lengths: Callable[[Path], tuple[int, ...]] = lambda _: (512, 64)
    wrong: tuple[tuple[str, str], ...] = ()
    lists: bool = False

    def spec(self, folder: Path, **more: object) -> str:
        """The spec that reads the folder rightly."""
        options = {**self.options, **more}
        return f"{self.kind}{folder}?{'&'.join(f'{name}={value}' for name, value in options.items())}"


SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
DEBERTA = {
    "type_vocab_size": 0, "relative_attention": True, "position_buckets": 16, "pos_att_type": ["c2p", "p2c"],
    "share_att_key": True, "norm_rel_ebd": "layer_norm", "position_biased_input": False,
}  # fmt: skip
MODERN = {"local_attention": 16, "initializer_cutoff_factor": 3.0, "classifier_pooling": "mean"}


def encoder(
    folder: Path, model_type: str, tokenizer: str, *, labels: Sequence[str] = ("LABEL_0",), **more: Any
) -> Path:
    """A classifier that reads pairs, with 512 tokens."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    source = tiny.cross_encoder(folder.with_name(f"{folder.name}-source"), architecture=tokenizer)  # type: ignore[arg-type]
    words = AutoTokenizer.from_pretrained(source)
    names = {"id2label": dict(enumerate(labels)), "label2id": {name: at for at, name in enumerate(labels)}}
    special = {f"{name}_token_id": getattr(words, f"{name}_token_id") for name in ("pad", "cls", "sep", "bos", "eos")}
    positions = 514 if "roberta" in model_type else 512
    shape = {**SMALL, "vocab_size": len(words), "max_position_embeddings": positions, **special, **names, **more}
    torch.manual_seed(0)
    network = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(model_type, **shape))
    for weight in network.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    network.save_pretrained(folder)
    words.model_max_length = 512
    words.save_pretrained(folder)
    return folder


def library(folder: Path, max_length: int, *, relevant: int | None = None) -> Floats:
    """sentence-transformers; with several labels the log-odds of the relevant one."""
    logits = shapes.theirs(folder, max_length).astype(np.float64)
    if relevant is None:
        return logits.astype(np.float32)
    others = np.delete(logits, relevant, axis=1)
    odds: Floats = (logits[:, relevant] - np.log(np.exp(others).sum(axis=1))).astype(np.float32)
    return odds


@dataclass(frozen=True)
class Prompt:
    """A prompt as its authors write it.

    Args:
        pieces: in their order; the document ends its piece.
        positive, negative: the words that are compared; none for a score head.
        whole: whether an input that is not cut is tokenised as one text.
        strip: whether the authors strip both texts.
    """

    pieces: tuple[str, ...]
    positive: str = ""
    negative: str = ""
    whole: bool = False
    strip: bool = False

    def ids(self, tokenizer: Any, query: str, document: str, max_length: int) -> list[int]:
        """The token ids; only the document is cut."""
        query, document = (text.strip() if self.strip else text for text in (query, document))
        written = [piece.replace("{query}", query) for piece in self.pieces]
        at = next(place for place, piece in enumerate(self.pieces) if "{document}" in piece)
        written[at] = self.pieces[at].partition("{document}")[0].replace("{query}", query) + document
        if self.whole:
            found: list[int] = tokenizer("".join(written), add_special_tokens=False)["input_ids"]
            if len(found) <= max_length:
                return found
        parts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in written]
        parts[at] = parts[at][: max_length - sum(map(len, parts[:at] + parts[at + 1 :]))]
        return [token for part in parts for token in part]

    def lengths(self, folder: Path) -> tuple[int, int]:
        """Tokens for every pair, and for queries with 40 tokens of a document."""
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder)
        around = max(len(self.ids(tokenizer, query, "", 4000)) for query in QUERIES)
        return 2000, around + 40

    def scores(self, folder: Path, max_length: int) -> Floats:
        """The scores by transformers, one pair at a time: at the last token, or at the first step of a decoder."""
        import torch
        from transformers import AutoConfig, AutoTokenizer

        tokenizer, config = AutoTokenizer.from_pretrained(folder), AutoConfig.from_pretrained(folder)
        network = _network(folder, config, bool(self.positive))
        start = {"decoder_input_ids": torch.tensor([[0]])} if config.is_encoder_decoder else {}
        words = [tokenizer.get_vocab()[word] for word in (self.positive, self.negative) if word]
        found = []
        for pair in texts():
            with torch.no_grad():
                row = network(torch.tensor([self.ids(tokenizer, *pair, max_length)]), **start).logits[0]
            last = row[-1] if self.positive else row
            found.append(float(last[words[0]] - (last[words[1]] if self.negative else 0)) if words else float(last[0]))
        return np.array(found, np.float32)


def _network(folder: Path, config: Any, answers: bool) -> Any:
    import transformers

    kind = "CausalLM" if answers else "SequenceClassification"
    kind = "Seq2SeqLM" if config.is_encoder_decoder else kind
    return getattr(transformers, f"AutoModelFor{kind}").from_pretrained(folder).eval()


LANGUAGE = {**SMALL, "num_key_value_heads": 1, "max_position_embeddings": 4096, "initializer_range": 0.5}


def language_model(
    folder: Path, model_type: str, tokens: Sequence[str] = (), *, head: bool = False, **files: str
) -> Path:
    """A decoder with some more tokens and files; with `head` a classifier with one label."""
    import torch
    import transformers

    source = tiny.plain_causal_lm(folder.with_name(f"{folder.name}-source"), seed=3)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    tokenizer.add_tokens(list(tokens))
    pad = {f"{name}_token_id": tokenizer.pad_token_id for name in ("pad", "bos", "eos")}
    more = {"head_dim": 16} if model_type in ("qwen3", "gemma") else {}
    labels = {"num_labels": 1} if head else {}
    shape = {**LANGUAGE, "vocab_size": len(tokenizer), **pad, **more, **labels}
    torch.manual_seed(0)
    auto = transformers.AutoModelForSequenceClassification if head else transformers.AutoModelForCausalLM
    auto.from_config(transformers.AutoConfig.for_model(model_type, **shape)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, "utf-8")
    return folder


def rankllama(folder: Path) -> Path:
    """An adapter with a score head, and its base: castorini/rankllama-v1-7b-lora-passage."""
    import peft
    import torch
    from transformers import AutoModelForSequenceClassification

    base = language_model(folder.with_name(f"{folder.name}-base"), "llama", ["<s>"])
    torch.manual_seed(4)
    network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    layers = ["q_proj", "v_proj"]
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, lora_alpha=16, target_modules=layers, modules_to_save=["score"])
    adapted = peft.get_peft_model(network, config)
    for name, weight in adapted.named_parameters():
        if "lora_B" in name or "score" in name:
            torch.nn.init.normal_(weight, std=0.1)
    adapted.save_pretrained(str(folder))
    (folder / "README.md").write_text("# RankLLaMA-7B-Passage\n")
    return folder


def of_rankllama(folder: Path, max_length: int) -> Floats:
    """The base with the adapter, by peft."""
    import peft
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    base = folder.with_name(f"{folder.name}-base")
    tokenizer = AutoTokenizer.from_pretrained(base)
    network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    network = peft.PeftModel.from_pretrained(network, str(folder)).eval()
    found = []
    for pair in texts():
        with torch.no_grad():
            found.append(float(network(torch.tensor([RANKLLAMA.ids(tokenizer, *pair, max_length)])).logits[0, 0]))
    return np.array(found, np.float32)


def asked(folder: Path, call: str, max_length: int, pieces: Sequence[str], **more: Any) -> dict[str, Any]:
    """What `foreign_code.by_hand` is asked for."""
    return foreign_code.asked_of(folder, call, texts(), max_length, pieces=list(pieces), **more)


def ranks_of_code(folder: Path, max_length: int) -> Floats:
    """The place of every document in the order that the folder's own code gives for its query."""
    del max_length
    orders = foreign_code.by_hand(
        foreign_code.asked_of(folder, "rerank", [], queries=QUERIES, documents=shapes.DOCUMENTS)
    )[0]
    return np.concatenate([np.argsort(order).astype(np.float32) for order in orders])


def of_code(folder: Path, max_length: int, *, call: str, pieces: Sequence[str] = (), **more: Any) -> Floats:
    """The scores by the folder's own code, in a process of its own."""
    return foreign_code.by_hand(asked(folder, call, max_length, pieces, **more))[0]


SYSTEM = "<|im_start|>system\n"
USER = "<|im_end|>\n<|im_start|>user\n"
ANSWER = "<|im_end|>\n<|im_start|>assistant\n"
JUDGE = (
    "Judge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the "
    'answer can only be "yes" or "no".'
)
RETRIEVE = "<Instruct>: Given a web search query, retrieve relevant passages that answer the query"
MXBAI = (
    "You are a search relevance expert who evaluates how well documents match search queries. For each query-document "
    "pair, carefully analyze the semantic relationship between them, then provide your binary relevance judgment "
    "(0 for not relevant, 1 for relevant).\nRelevance:"
)
IS_QWEN = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
ANSWERS = (
    "Given a query A and a passage B, determine whether the passage contains an answer to the query by providing a "
    "prediction of either 'Yes' or 'No'."
)
PREDICT = "Predict whether passage B contains an answer to query A."
CTXL = "Check whether a given document contains information helpful to answer the query.\n<Document> {document}"
THINK = f"{ANSWER}<think>\n\n</think>\n\n"
MONO = ("Query: {query} Document: {document}", " Relevant:", "</s>")
QWEN3 = Prompt(
    (f"{SYSTEM}{JUDGE}{USER}", f"{RETRIEVE}\n<Query>: {{query}}\n<Document>: {{document}}", THINK), "yes", "no"
)
QWEN3_VLLM = Prompt(
    (f"{SYSTEM}{JUDGE}{USER}", f"{RETRIEVE}\n\n<Query>: {{query}}\n\n<Document>: {{document}}", THINK), "yes", "no"
)
MXBAI_V2 = Prompt(
    (f"{SYSTEM}{IS_QWEN}{USER}", "query: {query}", "\n", "document: {document}", "\n", MXBAI, ANSWER), "1", "0"
)
GEMMA = Prompt(("<bos>", "A: {query}", "\n", "B: {document}", "\n", ANSWERS), "Yes")
CTXL_V2 = Prompt((CTXL, "\n<Query> {query} ??"), "!", whole=True)
ZERANK = Prompt((f"{SYSTEM}{{query}}{USER}{{document}}", ANSWER), "Yes", strip=True)
RANKLLAMA = Prompt(("<s>query:  {query} document:  {document}",))
NEMOTRON = ("<|begin_of_text|>", "question:{query} \n \n passage:{document}")
FLAN = ("Is the following passage relevant to the query?\nQuery: {query}\nPassage: {document}", "</s>")
T5 = {
    "monot5": Prompt(MONO, "▁true", "▁false"),
    "mt5": Prompt(MONO, "▁yes", "▁no"),
    "mt5-3b": Prompt(MONO, "▁true", "▁"),
    "ptt5": Prompt(MONO, "▁sim", "▁não"),
    "monoptt5": Prompt(MONO, "▁Sim", "▁Não"),
    "rankt5": Prompt(("Query: {query} Document: {document}", "</s>"), "<extra_id_10>"),
    "flan-t5": Prompt(FLAN, "▁yes", "▁no"),
}
PAIRED = (
    ("template=qwen3", "reads a pair as its tokenizer joins it"),
    ("label=2", "has no label 2"),
    ("instruction=x", "no place for an instruction"),
)
"""Wrong readings of every classifier that reads pairs."""
EOS = "<|endoftext|>"


def _pairs(family: str, model_type: str, tokenizer: str, **more: Any) -> Published:
    return Published(family, partial(encoder, model_type=model_type, tokenizer=tokenizer, **more), library, LIBRARY,
                     wrong=PAIRED)  # fmt: skip


def _labelled(family: str, labels: Sequence[str], relevant: int, options: dict[str, str], *wrong: Any) -> Published:
    build = partial(encoder, model_type="bert", tokenizer="bert", labels=labels)
    return Published(family, build, partial(library, relevant=relevant), LIBRARY, options, wrong=wrong)


def _prompted(family: str, prompt: Prompt, build: Any, referee: str, *wrong: Any, **options: str) -> Published:
    return Published(family, build, prompt.scores, referee, options, lengths=prompt.lengths, wrong=wrong)


def _saved(family: str, prompt: Prompt) -> Published:
    """The folder that sentence-transformers saves: two tokens, and a chat template."""
    words = tuple(word for word in (prompt.positive, prompt.negative) if word)
    chat = "".join(prompt.pieces).replace("{query}", "{{ q }}").replace("{document}", "{{ d }}")
    build = partial(shapes.logit_score, template=shapes.ROLES + chat, words=words)
    wrong = (("positive=the&negative=a", "1_LogitScore.*was asked for"),)
    return Published(family, build, library, LIBRARY, lengths=lambda folder: (2000, prompt.lengths(folder)[1]),
                     wrong=wrong)  # fmt: skip


def _code(family: str, shape: str, name: str, pieces: Sequence[str] = (), *tokens: str, **options: Any) -> Published:
    """A folder with code of its own, whose class has the published name."""
    reads = {"layer": options["layer"]} if "layer" in options else {}
    reference = ranks_of_code if shape == "rerank" else partial(of_code, call=shape, pieces=pieces, **reads)
    named = {"code": "own", "device": "cpu", **{key: str(value) for key, value in options.items()}}
    build = partial(foreign_code.folder_of, call=shape, name=name, special=tokens)
    lengths = (500,) if shape in ("rerank", "compute_score") else (500, 150)
    return Published(
        family,
        build,
        reference,
        OWN,
        named,
        lengths=lambda _: lengths,
        wrong=(("", "only on request"),),
        lists=shape == "rerank",
    )


def _t5(family: str) -> Published:
    model_type = "mt5" if family.startswith("mt5") else "t5"
    build = partial(shapes.text_to_text, model_type=model_type)
    return _prompted(family, T5[family], build, TRANSFORMERS, ("", NOT_SAID), template=family)


def _classifier(folder: Path) -> Path:
    return shapes.sequence_classifier(folder)


SHOWN = "the files of the folder show"
THREE = ("contradiction", "entailment", "neutral")
CASES: dict[str, Published] = {
    "minilm": _pairs("minilm", "bert", "bert"),
    "electra": _pairs("electra", "electra", "bert", embedding_size=32),
    "bge": _pairs("bge", "xlm-roberta", "xlm-roberta", type_vocab_size=1),
    "mxbai-v1": _pairs("mxbai-v1", "deberta-v2", "bert", **DEBERTA),
    "gte-modernbert": _pairs("gte-modernbert", "modernbert", "modernbert", **MODERN),
    "encoder": replace(_pairs("encoder", "albert", "bert", embedding_size=32), wrong=PAIRED[1:]),
    "two-labels": _labelled("two-labels", ("LABEL_0", "LABEL_1"), 1, {}, *PAIRED),
    "two-labels, with names": _labelled("two-labels", ("relevant", "not_relevant"), 0, {}, *PAIRED),
    "nli": _labelled("nli", THREE, 1, {"label": "entailment"}, ("", r"has 3 labels.*\?label=entailment")),
    "ettin": Published("ettin", shapes.modular, library, LIBRARY, lengths=lambda _: (128, 64),
                       wrong=(("template=qwen3", "has a modules.json"), ("label=1", "has no label 1"))),
    "qwen3": _prompted("qwen3", QWEN3, partial(language_model, model_type="qwen3", README__md="# Qwen3-Reranker-0.6B"),
                       AUTHORS, ("template=zerank", f"{SHOWN} qwen3"), ("template=bge-gemma", f"{SHOWN} qwen3")),
    "qwen3, as saved today": Published("qwen3", tiny.causal_lm, library, LIBRARY,
                                       lengths=lambda folder: (2000, QWEN3.lengths(folder)[1]),
                                       wrong=(("positive=the&negative=a", "1_LogitScore"),)),
    "qwen3, as a classifier": _prompted("qwen3", Prompt(QWEN3.pieces), _classifier, TRANSFORMERS,
                                        ("", "puts nothing between"), ("template=bge-gemma", "needs the token '<bos>'"),
                                        template="qwen3"),
    "qwen3-vllm": _prompted("qwen3-vllm", QWEN3_VLLM, partial(language_model, model_type="qwen3"), AUTHORS,
                            ("", NOT_SAID), template="qwen3-vllm"),
    "mxbai-v2": _prompted("mxbai-v2", MXBAI_V2, partial(language_model, model_type="qwen2"), AUTHORS, ("", NOT_SAID),
                          template="mxbai-v2"),
    "mxbai-v2, as saved today": _saved("mxbai-v2", MXBAI_V2),
    "bge-gemma": _prompted("bge-gemma", GEMMA, partial(language_model, model_type="gemma", tokens=["<bos>", "Yes"]),
                           AUTHORS, ("", NOT_SAID), template="bge-gemma"),
    "ctxl-v2": _prompted("ctxl-v2", CTXL_V2, partial(language_model, model_type="qwen3"), AUTHORS, ("", NOT_SAID),
                         template="ctxl-v2"),
    "zerank": _prompted("zerank", ZERANK, partial(language_model, model_type="qwen3", tokens=["Yes"],
                                                  modeling_zeranker__py="raise SystemExit"), AUTHORS,
                        ("template=qwen3", f"{SHOWN} zerank")),
    "zerank, as saved today": _saved("zerank", Prompt(ZERANK.pieces, "Yes")),
    "rankllama": Published("rankllama", rankllama, of_rankllama, "peft, by hand",
                           lengths=lambda folder: RANKLLAMA.lengths(folder.with_name(f"{folder.name}-base")),
                           wrong=(("template=nemotron", f"{SHOWN} rankllama"),)),
    **{family: _t5(family) for family in T5},
    "gte-multilingual": _code("gte-multilingual", "pair", "NewForSequenceClassification"),
    "jina-v1": _code("jina-v1", "pair", "JinaBertForSequenceClassification"),
    "jina-v2": _code("jina-v2", "pair", "XLMRobertaFlashForSequenceClassification"),
    "nemotron": _code("nemotron", "text", "LlamaBidirectionalForSequenceClassification", NEMOTRON, NEMOTRON[0]),
    "bge-minicpm": _code("bge-minicpm", "layers", "LayerWiseMiniCPMForCausalLM",
                         ("<s>", "A: {query}", "\n", "B: {document}", "\n", ANSWERS), "<s>", layer=3),
    "bge-lightweight": _code("bge-lightweight", "layers", "CostWiseGemmaForCausalLM",
                             ("<bos>", "A: {query}", "\n", "B: {document}", "\n", PREDICT), "<bos>", layer=3),
    "jina-m0": _code("jina-m0", "compute_score", "JinaVLForRanking"),
    "jina-v3": _code("jina-v3", "rerank", "JinaForRanking"),
    "querit": _code("querit", "querit", "OwnQuerit", call="querit"),
}  # fmt: skip
"""Every family has a case under its own name; others show another layout of its folders."""

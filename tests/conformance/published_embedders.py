"""Every family of embedders as a tiny model without modules.json, and sentence-transformers as its authors use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from adapters import tiny
from adapters.protocols import Floats
from tests.conformance.shapes import DOCUMENTS, QUERIES

RETRIEVE = "Given a web search query, retrieve relevant passages that answer the query"
SEARCH = "Represent this sentence for searching relevant passages: "
USES: dict[str, tuple[str, str, str, str]] = {
    "e5": ("query: ", "passage: ", "mean", "cosine"),
    "e5-instruct": (f"Instruct: {RETRIEVE}\nQuery: ", "", "mean", "cosine"),
    "e5-mistral": (f"Instruct: {RETRIEVE}\nQuery: ", "", "lasttoken", "cosine"),
    "gte-qwen": (f"Instruct: {RETRIEVE}\nQuery: ", "", "lasttoken", "cosine"),
    "qwen3": (f"Instruct: {RETRIEVE}\nQuery:", "", "lasttoken", "cosine"),
    "bge-en": (SEARCH, "", "cls", "cosine"),
    "bge-zh": ("为这个句子生成表示以用于检索相关文章：", "", "cls", "cosine"),
    "bge-gemma": (f"<instruct>{RETRIEVE}.\n<query>", "", "lasttoken", "cosine"),
    "bge-m3": ("", "", "cls", "cosine"),
    "arctic": (SEARCH, "", "cls", "cosine"),
    "arctic-v2": ("query: ", "", "cls", "cosine"),
    "contriever": ("", "", "mean", "dot"),
    "nomic": ("search_query: ", "search_document: ", "mean", "cosine"),
    "nomic-v1.5": ("search_query: ", "search_document: ", "mean", "cosine"),
    "mxbai": (SEARCH, "", "cls", "cosine"),
    "jina-v3": (
        "Represent the query for retrieving evidence documents: ",
        "Represent the document for retrieval: ",
        "mean",
        "cosine",
    ),
    "sbert-dot": ("", "", "cls", "dot"),
}
"""What comes before queries and before documents, the pooling and the similarity. sbert-dot names no pooling."""


def build(folder: Path, family: str) -> Path:
    """A network and a tokenizer, as transformers saves them."""
    tiny.qwen3_embedder(folder) if USES[family][2] == "lasttoken" else tiny.bert_embedder(folder, seed=4)
    for name in ("modules.json", "config_sentence_transformers.json", "1_Pooling/config.json"):
        (folder / name).unlink()
    return folder


def spec(folder: Path, family: str, **more: object) -> str:
    """The spec that names the family."""
    options = {"family": family, **({"pooling": "cls"} if family == "sbert-dot" else {}), **more}
    return f"embedder:{folder}?{'&'.join(f'{name}={value}' for name, value in options.items())}"


def reference(folder: Path, family: str, max_length: int) -> Floats:
    """The similarities of the 200 pairs, one text at a time."""
    import sentence_transformers
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    query, document, pooling, similarity = USES[family]
    text = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
    network = Transformer(str(folder), modality_config=text, module_output_name="token_embeddings")
    chain = [network, Pooling(network.get_embedding_dimension(), pooling)]
    model: Any = sentence_transformers.SentenceTransformer(modules=chain, device="cpu", similarity_fn_name=similarity)
    model.max_seq_length = max_length
    left = model.encode(QUERIES, prompt=query, batch_size=1, convert_to_tensor=True, show_progress_bar=False)
    right = model.encode(DOCUMENTS, prompt=document, batch_size=1, convert_to_tensor=True, show_progress_bar=False)
    found: Floats = np.asarray(model.similarity(left, right).cpu().numpy(), np.float32).reshape(-1)
    return found

"""Embedders are compared by the similarity that their folder declares, as a reranker and as a first stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from adapters import tiny
from adapters.dense import DenseRetriever
from adapters.embedding import SentenceEmbedder
from adapters.errors import ModelError
from adapters.similarity import Similarity
from adapters.spec import identity_of, open_reranker
from tests.conformance import shapes
from tests.conformance.shapes import DOCUMENTS, PAIRS, QUERIES, ours

library = pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")

SIMILARITIES = get_args(Similarity)


def declared(folder: Path, similarity: str | None) -> Path:
    tiny.bert_embedder(folder, seed=4, prompts={"query": "query: ", "document": ""})
    shapes.edit(folder / "config_sentence_transformers.json", similarity_fn_name=similarity)
    return folder


def theirs(folder: Path) -> np.ndarray:
    """Every query against every document, as `model.similarity` has it."""
    model = library.SentenceTransformer(str(folder), device="cpu")
    found = model.similarity(model.encode_query(QUERIES), model.encode_document(DOCUMENTS))
    return np.asarray(found.numpy(), np.float32)


@pytest.mark.parametrize("similarity", [*SIMILARITIES, None])
def test_a_reranker_compares_as_the_folder_declares(tmp_path: Path, similarity: str | None) -> None:
    """contriever, tas-b and the multi-qa-...-dot models are made for the inner product."""
    folder = declared(tmp_path / "embedder", similarity)
    expected = theirs(folder).reshape(-1)
    scores = ours(open_reranker(str(folder)))
    np.testing.assert_allclose(scores, expected, atol=1e-4, rtol=1e-5)
    assert shapes.turned(scores, expected) == 0


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_first_stage_searches_as_the_folder_declares(tmp_path: Path, similarity: str) -> None:
    folder = declared(tmp_path / "embedder", similarity)
    expected = theirs(folder)
    offsets, documents, scores = DenseRetriever(str(folder)).search(QUERIES, DOCUMENTS, 5)
    for query in range(len(QUERIES)):
        rows = slice(offsets[query], offsets[query + 1])
        best = np.sort(expected[query])[::-1][:5]
        np.testing.assert_allclose(scores[rows], best, atol=2e-4, rtol=1e-4)
        np.testing.assert_allclose(expected[query][documents[rows]], best, atol=2e-4, rtol=1e-4)


def test_the_similarities_are_other_orders(tmp_path: Path) -> None:
    orders = {name: theirs(declared(tmp_path / name, name)).argsort(axis=1).tolist() for name in SIMILARITIES}
    assert len({json.dumps(order) for order in orders.values()}) == len(orders), "the test can tell them apart"


def test_a_similarity_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"similarity_fn_name .* is 'tanimoto'; known are cosine, dot"):
        SentenceEmbedder(str(declared(tmp_path / "embedder", "tanimoto")))


def test_the_similarity_is_part_of_the_identity_where_it_is_not_cosine(tmp_path: Path) -> None:
    folder = declared(tmp_path / "embedder", "cosine")
    cosine = SentenceEmbedder(str(folder))
    assert "similarity" not in cosine.identity
    shapes.edit(folder / "config_sentence_transformers.json", similarity_fn_name="dot")
    dot = SentenceEmbedder(str(folder))
    assert dot.identity["similarity"] == "dot"
    assert dot.role_identity("document") != cosine.role_identity("document"), (
        "vectors of length 1 are not served for it"
    )
    assert identity_of(DenseRetriever(str(folder)))["metric"] == "dot"


def test_inner_products_of_normalised_vectors_are_cosines(tmp_path: Path) -> None:
    folder = tiny.qwen3_embedder(tmp_path / "qwen3")
    before = SentenceEmbedder(str(folder)).identity
    shapes.edit(folder / "config_sentence_transformers.json", similarity_fn_name="dot")
    after = SentenceEmbedder(str(folder))
    assert after.similarity == "cosine"
    assert {key for key in before if before[key] != after.identity[key]} == {"settings"}


PROMPTS = {
    "both": ({"query": "query: ", "document": "passage: "}, None),
    "queries only": ({"query": "query: "}, None),
    "queries only, by default": ({"query": "query: "}, "query"),
    "none": ({}, None),
}


@pytest.mark.parametrize("case", PROMPTS)
def test_prompts_are_those_of_encode_query_and_encode_document(tmp_path: Path, case: str) -> None:
    prompts, default = PROMPTS[case]
    folder = tiny.bert_embedder(tmp_path / "embedder", prompts=prompts)
    shapes.edit(folder / "config_sentence_transformers.json", default_prompt_name=default)
    model = library.SentenceTransformer(str(folder), device="cpu")
    embedder = SentenceEmbedder(str(folder))
    texts = [text for text in DOCUMENTS if text]
    for role, encode in (("query", model.encode_query), ("document", model.encode_document)):
        expected = encode(texts, normalize_embeddings=True)
        np.testing.assert_allclose(embedder.encode(texts, role), expected, atol=1e-5, err_msg=role)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["passage", "corpus"])
def test_a_prompt_for_passages_is_for_documents(tmp_path: Path, name: str) -> None:
    folder = tiny.bert_embedder(tmp_path / "embedder", prompts={"query": "query: ", name: "passage: "})
    assert dict(SentenceEmbedder(str(folder)).prompts) == {"query": "query: ", "document": "passage: "}


def test_pairs_are_scored_alike_in_any_company(tmp_path: Path) -> None:
    for similarity in SIMILARITIES:
        reranker = open_reranker(str(declared(tmp_path / similarity, similarity)))
        alone = [reranker.score(QUERIES, DOCUMENTS, PAIRS[row : row + 1])[0] for row in range(0, len(PAIRS), 17)]
        np.testing.assert_array_equal(ours(reranker)[::17], alone)

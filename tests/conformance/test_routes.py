"""Asymmetric models: queries and documents go through modules of their own, as `encode_query` and `encode_document`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.contents import Contents
from adapters.dense import DenseRetriever
from adapters.embedding import EmbedderReranker, SentenceEmbedder
from adapters.errors import ModelError
from adapters.models import ModelFolder
from adapters.reference import reference_scores
from adapters.spec import open_reranker, open_retriever
from tests.conformance import shapes
from tests.conformance.shapes import DOCUMENTS, PAIRS, QUERIES, ours
from tests.conformance.test_vectors import opened, same, static, theirs

library = pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")
from sentence_transformers.sentence_transformer import modules as st  # noqa: E402

WIDTH = 32


def network(folder: Path, seed: int) -> list[Any]:
    return [st.Transformer(str(tiny.bert_embedder(folder, seed=seed))), st.Pooling(WIDTH, "mean")]


def two_networks(folder: Path) -> list[Any]:
    router = st.Router.for_query_document(network(folder / "q", 1), network(folder / "d", 2))
    return [router, st.Normalize()]


def words_for_queries(folder: Path) -> list[Any]:
    """A table of word vectors for queries, a network for documents: fast where it counts."""
    words = opened(static(folder / "static", WIDTH))[0]
    return [st.Router.for_query_document([words], network(folder / "d", 2))]


def heads(folder: Path) -> list[Any]:
    """One network, and a dense layer for each role: what Asym was made for."""
    import torch

    torch.manual_seed(3)
    router = st.Router({"query": [st.Dense(WIDTH, 16)], "document": [st.Dense(WIDTH, 16)]}, allow_empty_key=False)
    return [*network(folder / "n", 1), router]


def one_pooling(folder: Path) -> list[Any]:
    router = st.Router.for_query_document(network(folder / "q", 1)[:1], network(folder / "d", 2)[:1])
    return [router, st.Pooling(WIDTH, "cls")]


def mapped(folder: Path) -> list[Any]:
    ways = {("query", "text"): "short", (None, "text"): "long"}
    return [st.Router({"long": network(folder / "d", 2), "short": network(folder / "q", 1)}, route_mappings=ways)]


SHAPES: dict[str, Callable[[Path], list[Any]]] = {
    "two networks": two_networks,
    "words for queries": words_for_queries,
    "a head for each role": heads,
    "one pooling for both": one_pooling,
    "routes with other names": mapped,
}


def saved(folder: Path, shape: str, **more: Any) -> Path:
    prompts = {"query": "query: ", "document": "a text: "}
    modules = SHAPES[shape](folder.with_name(f"{folder.name}-parts"))
    library.SentenceTransformer(modules=modules, device="cpu", prompts=prompts, **more).save_pretrained(str(folder))
    return folder


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_each_role_takes_its_own_route(tmp_path: Path, shape: str, similarity: str) -> None:
    folder = saved(tmp_path / "m", shape, similarity_fn_name=similarity)
    same(str(folder), opened(folder))
    embedder = SentenceEmbedder(str(folder), query_prompt="", document_prompt="")
    one, other = (embedder.encode(["what is the web"], role) for role in ("query", "document"))  # type: ignore[arg-type]
    assert np.abs(one - other).max() > 1e-3, "the test can tell the routes apart"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_first_stage_searches_with_both_routes(tmp_path: Path, shape: str) -> None:
    folder = saved(tmp_path / "m", shape)
    expected = np.sort(theirs(opened(folder)).reshape(len(QUERIES), -1), axis=1)[:, ::-1][:, :5]
    _, _, scores = open_retriever(str(folder)).search(QUERIES, DOCUMENTS, 5)
    np.testing.assert_allclose(scores.reshape(-1, 5), expected, atol=1e-5)


def test_a_folder_of_the_time_of_asym_is_read(tmp_path: Path) -> None:
    """Releases before 5 named the class Asym and its file config.json."""
    folder = saved(tmp_path / "m", "a head for each role")
    chain = json.loads((folder / "modules.json").read_text())
    chain[2]["type"] = "sentence_transformers.models.Asym"
    (folder / "modules.json").write_text(json.dumps(chain))
    place = folder / chain[2]["path"]
    (place / "router_config.json").rename(place / "config.json")
    same(str(folder), opened(folder))


def test_the_reference_takes_the_same_routes(tmp_path: Path) -> None:
    reranker = open_reranker(f"{saved(tmp_path / 'm', 'two networks')}?dimensions=20")
    assert isinstance(reranker, EmbedderReranker)
    found = reference_scores(reranker.reference(), QUERIES, DOCUMENTS, PAIRS)
    np.testing.assert_allclose(ours(reranker), found.scores, atol=1e-5)


@pytest.mark.parametrize("part", ["query_0_Transformer", "document_0_Transformer"])
@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json", "sentence_bert_config.json"])
def test_every_file_of_a_route_is_in_the_identity(tmp_path: Path, part: str, file: str) -> None:
    folder = saved(tmp_path / "m", "two networks")
    before = Contents(ModelFolder("m", folder)).identity()
    if file.endswith(".json"):
        shapes.edit(folder / part / file, one_more=1)
    else:
        weights = (folder / part / file).read_bytes()
        (folder / part / file).write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    assert Contents(ModelFolder("m", folder)).identity() != before


def test_the_routes_are_in_the_identity(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", "two networks")
    before = DenseRetriever(str(folder)).identity
    config = json.loads((folder / "router_config.json").read_text())
    ways = config["structure"]
    shapes.edit(folder / "router_config.json", structure={"query": ways["document"], "document": ways["query"]})
    assert DenseRetriever(str(folder)).identity != before


def test_a_route_under_another_name_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Asym was documented with 'query' and 'doc', which `encode_document` does not find."""
    folder = saved(tmp_path / "m", "two networks")
    ways = json.loads((folder / "router_config.json").read_text())["structure"]
    shapes.edit(folder / "router_config.json", structure={"query": ways["query"], "doc": ways["document"]})
    with pytest.raises(
        ModelError, match=r"router_config\.json: the routes are 'query', 'doc', and none is for documents"
    ):
        open_reranker(str(folder))


def test_a_router_without_its_file_is_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", "two networks")
    (folder / "router_config.json").unlink()
    with pytest.raises(ModelError, match=r"no router_config\.json of its Router"):
        open_reranker(str(folder))


@pytest.mark.parametrize("place", ["../x", "/tmp"])
def test_a_route_leads_to_no_folder_outside(tmp_path: Path, place: str) -> None:
    folder = saved(tmp_path / "m", "two networks")
    types = json.loads((folder / "router_config.json").read_text())["types"]
    shapes.edit(folder / "router_config.json", types={**types, place: "sentence_transformers.models.Dense"})
    with pytest.raises(ModelError, match="is not a folder inside"):
        open_reranker(str(folder))


def test_code_of_its_own_in_a_route_is_not_run(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", "two networks")
    types = json.loads((folder / "router_config.json").read_text())["types"]
    shapes.edit(folder / "router_config.json", types={**types, "query_1_Pooling": "custom.Pool"})
    with pytest.raises(ModelError, match=r"its router names custom\.Pool"):
        open_reranker(str(folder))


def test_a_route_without_its_weights_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    folder = saved(tmp_path / "m", "two networks")
    (folder / "document_0_Transformer" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="document_0_Transformer: no safetensors weights here"):
        open_reranker(str(folder)).check()  # type: ignore[attr-defined]


def test_vectors_of_two_sizes_are_refused(tmp_path: Path) -> None:
    words = opened(static(tmp_path / "static", 8))[0]
    router = st.Router.for_query_document([words], network(tmp_path / "d", 2))
    folder = tmp_path / "m"
    library.SentenceTransformer(modules=[router], device="cpu").save_pretrained(str(folder))
    with pytest.raises(ModelError, match="the vectors of queries have 8 numbers, of documents 32"):
        open_reranker(str(folder)).score(["a"], ["b"], PAIRS[:1])


def test_a_length_for_all_routes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no maximum length that can be set \(Router\)"):
        open_reranker(f"{saved(tmp_path / 'm', 'two networks')}?max_length=9")


def test_a_sparse_router_is_refused_by_its_kind(tmp_path: Path) -> None:
    """splade-v3-doc, opensearch doc-*: weights of words for queries."""
    folder = saved(tmp_path / "m", "two networks")
    types = json.loads((folder / "router_config.json").read_text())["types"]
    sparse = "sentence_transformers.sparse_encoder.modules.SparseStaticEmbedding"
    shapes.edit(folder / "router_config.json", types={**types, "query_0_Transformer": sparse})
    for model_type in ("SparseEncoder", None):
        shapes.edit(folder / "config_sentence_transformers.json", model_type=model_type)
        with pytest.raises(ModelError, match="is a sparse encoder"):
            open_reranker(str(folder))

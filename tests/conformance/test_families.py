"""Embedders are asked as their authors ask them: by the prompts of the folder, or by a family that the user names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.embedder_family import families, load_family, recognised_families
from adapters.embedding import SentenceEmbedder
from adapters.errors import ModelError, UsageError
from adapters.models import ModelFolder
from adapters.protocols import Setting
from adapters.reference import reference_scores
from adapters.sentence_model import takes_instruction
from adapters.spec import open_reranker, open_retriever, remarks_of
from tests.conformance import shapes
from tests.conformance.shapes import DOCUMENTS, PAIRS, QUERIES, ours
from tests.conformance.test_vectors import opened, plain, same

library = pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")

RETRIEVE = "Given a web search query, retrieve relevant passages that answer the query"
SEARCH = "Represent this sentence for searching relevant passages: "
CARDS = {
    "e5": "---\ntags:\n- mteb\nmodel-index:\n- name: multilingual-e5-base\n  results: []\n---\n\n## E5\n",
    "e5 in its title": "# E5-base-v2\n\ntext",
    "e5 fine-tuned": "---\nbase_model: intfloat/e5-small\n---\n# SentenceTransformer based on intfloat/e5-small\n",
    "e5 in a list": "---\nbase_model:\n- intfloat/multilingual-e5-large\n---\n# Mine\n",
    "e5 by what it says": '# Mine\n```\n# Each input text should start with "query: " or "passage: ".\n```\n',
    "e5-instruct": "## Multilingual-E5-large-instruct\n",
    "e5-mistral": "## E5-mistral-7b-instruct\n",
    "gte-qwen": "## gte-Qwen2-7B-instruct\n",
    "qwen3": "# Qwen3-Embedding-0.6B\n",
    "bge-en": "---\nmodel-index:\n- name: bge-base-en-v1.5\n---\n<h1 align=\"center\">FlagEmbedding</h1>\n",
    "bge-zh": "---\nbase_model: BAAI/bge-large-zh-v1.5\n---\n",
    "bge-gemma": "---\nmodel-index:\n- name: bge-multilingual-gemma2\n---\n",
    "arctic": "---\nmodel-index:\n- name: snowflake-arctic-embed-m-v1.5\n---\n",
    "arctic-v2": "---\nmodel-index:\n- name: snowflake-arctic-embed-l-v2.0\n---\n",
    "nomic": "---\nbase_model: nomic-ai/modernbert-embed-base\n---\n",
    "nomic-v1.5": "# nomic-embed-text-v1.5: Resizable Production Embeddings with Matryoshka Representation Learning\n",
    "mxbai": "---\nmodel-index:\n- name: mxbai-angle-large-v1\n---\n",
    "jina-v3": "---\nbase_model: jinaai/jina-embeddings-v3\n---\n",
}  # fmt: skip
PROMPTS = {
    "e5": ("query: ", "passage: "),
    "e5-instruct": (f"Instruct: {RETRIEVE}\nQuery: ", ""),
    "e5-mistral": (f"Instruct: {RETRIEVE}\nQuery: ", ""),
    "gte-qwen": (f"Instruct: {RETRIEVE}\nQuery: ", ""),
    "qwen3": (f"Instruct: {RETRIEVE}\nQuery:", ""),
    "bge-en": (SEARCH, ""),
    "bge-zh": ("为这个句子生成表示以用于检索相关文章：", ""),
    "bge-gemma": (f"<instruct>{RETRIEVE}.\n<query>", ""),
    "arctic": (SEARCH, ""),
    "arctic-v2": ("query: ", ""),
    "nomic": ("search_query: ", "search_document: "),
    "nomic-v1.5": ("search_query: ", "search_document: "),
    "mxbai": (SEARCH, ""),
    "jina-v3": ("Represent the query for retrieving evidence documents: ", "Represent the document for retrieval: "),
}


def carded(folder: Path, card: str, prompts: dict[str, str] | None = None) -> Path:
    """An embedder whose README.md is known and whose folder declares some prompts or none."""
    tiny.bert_embedder(folder, seed=4, prompts=prompts)
    (folder / "README.md").write_text(card, "utf-8")
    return folder


def on(instruction: str) -> Setting:
    return Setting(corpus=[], corpus_digest="", instruction=instruction, cache=None)


@pytest.mark.parametrize("case", CARDS)
def test_a_family_is_recognised_by_what_the_folder_says_and_never_used_unasked(tmp_path: Path, case: str) -> None:
    family = case.split(" ")[0]
    reranker = open_reranker(str(carded(tmp_path / "m", CARDS[case])))
    (remark,) = remarks_of(reranker)
    assert f"family {family}, with {PROMPTS[family][0]!r} before queries" in remark
    assert f"?family={family}" in remark
    assert dict(reranker.embedder.prompts) == {"query": "", "document": ""}  # type: ignore[attr-defined]
    assert remarks_of(open_retriever(str(tmp_path / "m"))) == (remark,)


@pytest.mark.parametrize("family", PROMPTS)
def test_a_family_that_is_named_is_asked_as_its_authors_ask_it(tmp_path: Path, family: str) -> None:
    query, document = PROMPTS[family]
    folder = carded(tmp_path / "m", "# Mine\n")
    model = opened(folder, prompts={"query": query, "document": document})
    same(f"{folder}?family={family}", model)


@pytest.mark.parametrize("family", ["e5", "bge-gemma"])
def test_the_reference_is_asked_with_the_prompts_of_the_family(tmp_path: Path, family: str) -> None:
    reranker = open_reranker(f"{carded(tmp_path / 'm', CARDS[family])}?family={family}")
    assert remarks_of(reranker) == ()
    found = reference_scores(reranker.reference(), QUERIES[:2], DOCUMENTS[:2], PAIRS[:2])  # type: ignore[attr-defined]
    np.testing.assert_allclose(found.scores, reranker.score(QUERIES, DOCUMENTS, PAIRS[:2]), atol=1e-5)
    assert found.own is None


def test_every_family_is_tested_here() -> None:
    assert {name for name, family in families().items() if family.query or family.document} == PROMPTS.keys()
    assert all(family.source.startswith("https://") for family in families().values())


def test_instructions_of_collections_have_a_place_in_some_families(tmp_path: Path) -> None:
    folder = carded(tmp_path / "m", "")
    for family, (query, _) in PROMPTS.items():
        bound = SentenceEmbedder(str(folder), family=family).bind(on("Find it"))
        expected = query.replace(f"{RETRIEVE}.", "Find it").replace(RETRIEVE, "Find it")
        assert bound.prompts["query"] == (expected if takes_instruction(query) else query)
        assert takes_instruction(query) == (RETRIEVE in query)


SILENT: dict[str, tuple[str, dict[str, str], str]] = {
    "it declares its prompts": (CARDS["e5"], {"query": "query: ", "passage": "passage: "}, ""),
    "the user says which": (CARDS["e5"], {}, "?query_prompt=query: &document_prompt=passage: "),
    "the user says that none is right": (CARDS["e5"], {}, "?query_prompt=&document_prompt="),
    "the only prompt is given": (CARDS["bge-en"], {}, "?query_prompt=q: "),
    "the family needs none": ("# BGE-M3\n" + SEARCH, {}, ""),
    "nobody knows it": ("# all-MiniLM-L6-v2\n\nCompared with e5-base and bge-base-en\n", {}, ""),
    "there is no card": ("", {}, ""),
}


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_said_where_nothing_is_open(tmp_path: Path, case: str) -> None:
    card, prompts, options = SILENT[case]
    folder = carded(tmp_path / "m", card, prompts)
    assert remarks_of(open_reranker(f"{folder}{options}")) == ()


def test_the_half_that_a_folder_does_not_declare_is_named(tmp_path: Path) -> None:
    folder = carded(tmp_path / "m", CARDS["e5"], {"query": "query: "})
    (remark,) = remarks_of(open_reranker(str(folder)))
    assert "no prompt for documents" in remark
    assert "'passage: ' before documents" in remark


def test_prompts_under_other_names_are_shown(tmp_path: Path) -> None:
    """e5-mistral and bge-multilingual-gemma2 call theirs web_search_query; nothing finds it."""
    prompts = {"sts_query": "Instruct: Compare\nQuery: ", "web_search_query": "Instruct: Find\nQuery: "}
    folder = carded(tmp_path / "m", "# Mine\n", prompts)
    (remark,) = remarks_of(open_reranker(str(folder)))
    assert "prompts (sts_query, web_search_query)" in remark
    option = remark.split("?query_prompt=")[1].split(" ")[0]
    chosen = open_reranker(f"{folder}?query_prompt={option}")
    assert chosen.embedder.prompts["query"] == "Instruct: Compare\nQuery: "  # type: ignore[attr-defined]
    assert remarks_of(chosen) == ()


def test_two_families_that_differ_are_both_named(tmp_path: Path) -> None:
    folder = carded(tmp_path / "m", "---\nbase_model:\n- intfloat/e5-base\n- BAAI/bge-base-en\n---\n")
    (remark,) = remarks_of(open_reranker(str(folder)))
    assert "?family=bge-en or ?family=e5" in remark


def test_a_name_in_the_config_shows_a_family_too(tmp_path: Path) -> None:
    folder = carded(tmp_path / "m", "")
    shapes.edit(folder / "config.json", _name_or_path="intfloat/e5-base-v2")
    assert recognised_families(ModelFolder("m", folder)) == ("e5",)


@pytest.mark.parametrize(
    "name", ["multi-qa-mpnet-base-dot-v1", "msmarco-bert-base-dot-v5", "msmarco-distilbert-base-tas-b"]
)
def test_an_inner_product_that_is_not_declared_is_named(tmp_path: Path, name: str) -> None:
    folder = carded(tmp_path / "m", f"# {name}\n")
    shapes.edit(folder / "config_sentence_transformers.json", similarity_fn_name=None)
    (remark,) = remarks_of(open_reranker(str(folder)))
    assert "compared by the cosine" in remark
    assert "?similarity=dot" in remark
    for options in ("?similarity=dot", "?similarity=cosine", "?family=sbert-dot"):
        assert remarks_of(open_reranker(f"{folder}{options}")) == ()
    same(f"{folder}?family=sbert-dot", opened(folder, similarity_fn_name="dot"))


def test_what_a_folder_declares_wins_over_the_similarity_of_a_family(tmp_path: Path) -> None:
    folder = carded(tmp_path / "m", "# multi-qa-mpnet-base-dot-v1\n")
    assert SentenceEmbedder(str(folder), family="sbert-dot").similarity == "cosine"


def test_a_cut_that_the_authors_make_in_another_way_is_named(tmp_path: Path) -> None:
    folder = carded(tmp_path / "m", CARDS["nomic-v1.5"])
    prompts = "query_prompt=a&document_prompt=b"
    assert remarks_of(open_reranker(f"{folder}?{prompts}")) == ()
    (remark,) = remarks_of(open_reranker(f"{folder}?{prompts}&dimensions=8"))
    assert "cut to 8 numbers as sentence-transformers cuts them" in remark


def test_contriever_is_used_by_the_name_of_its_family(tmp_path: Path) -> None:
    folder = plain(tmp_path / "m", "Contriever")
    with pytest.raises(ModelError, match=r"no modules\.json.*'embedder:.*\?family=contriever'"):
        SentenceEmbedder(str(folder))
    named = open_reranker(f"embedder:{folder}?family=contriever")
    by_hand = open_reranker(f"embedder:{folder}?pooling=mean&similarity=dot")
    np.testing.assert_array_equal(ours(named), ours(by_hand))
    assert remarks_of(named) == remarks_of(by_hand) == ()


def test_a_family_of_ones_own_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('query = "find: "\ndocument = "text: "\nsimilarity = "dot"\n')
    folder = carded(tmp_path / "m", "")
    shapes.edit(folder / "config_sentence_transformers.json", similarity_fn_name=None)
    model = opened(folder, prompts={"query": "find: ", "document": "text: "}, similarity_fn_name="dot")
    same(f"{folder}?family={file}", model)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('querry = "q: "', "querry"),
        ('pooling = "middle"', "pooling"),
        ('[recognised]\nnames = ["("]', "is no regular expression"),
    ],
)
def test_a_family_file_with_a_mistake_names_the_key(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=rf"mine\.toml.*{why}"):
        load_family(str(file))


def test_an_unknown_family_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no family 'e6'.*Did you mean .*e5"):
        open_reranker(f"{carded(tmp_path / 'm', '')}?family=e6")


def test_a_prompt_is_part_of_the_identity_of_its_role_alone(tmp_path: Path) -> None:
    folder = str(carded(tmp_path / "m", ""))
    bare, named = SentenceEmbedder(folder), SentenceEmbedder(folder, family="bge-en")
    assert bare.role_identity("document") == named.role_identity("document")
    assert bare.role_identity("query") != named.role_identity("query")
    by_hand: Any = SentenceEmbedder(folder, query_prompt=SEARCH)
    assert json.dumps(by_hand.identity) == json.dumps(named.identity)


def test_the_page_lists_every_family_with_its_prompts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for name, family in families().items():
        for prompt in filter(None, family.prompts.values()):
            shown = prompt.replace(f"{RETRIEVE}.", "...").replace(RETRIEVE, "...").replace("\n", "\\n")
            assert f"| `{shown}` |" in rows[name]
        assert f"| {family.similarity} |" in rows[name]

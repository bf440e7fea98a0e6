"""An embedder's contract: the prompt, the pooling and the precision that its authors measured it with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.dense import DenseRetriever
from adapters.embedding import EmbedderReranker, SentenceEmbedder
from adapters.errors import ModelError
from adapters.models import ModelFolder
from adapters.protocols import Embedder, Floats, Setting
from adapters.sentence_model import SentenceModel, instructed, read_max_length
from adapters.spec import open_reranker, open_retriever

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("sentence_transformers")

TEXTS = ["a", "the passage that answers", "検索 über naïve", "what is a document " * 9, ""]
ROOT = Path(__file__).parents[2]
INSTRUCTION = "Given a claim, retrieve documents that refute it"


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.qwen3_embedder(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prompts = {"query": "query: ", "passage": "passage: "}
    return tiny.bert_embedder(tmp_path_factory.mktemp("bert"), prompts=prompts)


def setting(instruction: str | None = None, cache: Path | None = None) -> Setting:
    return Setting(corpus=[], corpus_digest="", instruction=instruction, cache=cache)


def last_token_by_hand(folder: Path, text: str) -> Floats:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    ids = tokenizer(text, add_special_tokens=False)["input_ids"] + [tokenizer.convert_tokens_to_ids("<|endoftext|>")]
    with torch.no_grad():
        hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0, -1]
    vector: Floats = (hidden / hidden.norm()).numpy()
    return vector


def copied(folder: Path, to: Path) -> Path:
    for file in folder.rglob("*"):
        if file.is_file():
            (to / file.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
            (to / file.relative_to(folder)).write_bytes(file.read_bytes())
    return to


def edit(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **changes}), "utf-8")


def test_a_query_is_the_instruction_and_the_text_without_a_space(qwen: Path) -> None:
    embedder = SentenceEmbedder(str(qwen)).bind(setting(INSTRUCTION))
    expected = last_token_by_hand(qwen, f"Instruct: {INSTRUCTION}\nQuery:what is it")
    assert embedder.prompts == {"query": f"Instruct: {INSTRUCTION}\nQuery:", "document": ""}
    assert np.abs(embedder.encode(["what is it"], "query")[0] - expected).max() < 1e-5


def test_without_an_instruction_a_query_has_the_prompt_of_the_folder(qwen: Path) -> None:
    embedder = SentenceEmbedder(str(qwen)).bind(setting())
    expected = last_token_by_hand(qwen, tiny.PROMPTS["query"] + "what is it")
    assert np.abs(embedder.encode(["what is it"], "query")[0] - expected).max() < 1e-5


def test_documents_of_many_lengths_are_pooled_at_their_own_last_token(qwen: Path) -> None:
    vectors = SentenceEmbedder(str(qwen), batch_tokens=10_000).encode(TEXTS, "document")
    by_hand = np.stack([last_token_by_hand(qwen, text) for text in TEXTS])
    assert vectors.dtype == np.float32
    assert np.abs(vectors - by_hand).max() < 1e-5


@pytest.mark.parametrize("model", ["qwen", "bert"])
def test_a_vector_does_not_depend_on_its_company(model: str, request: pytest.FixtureRequest) -> None:
    folder = str(request.getfixturevalue(model))
    together = SentenceEmbedder(folder, batch_tokens=10_000).encode(TEXTS, "document")
    alone = SentenceEmbedder(folder, batch_tokens=1).encode(TEXTS, "document")
    assert np.abs(together - alone).max() < 1e-5


def test_vectors_have_length_one_though_the_folder_does_not_normalise(bert: Path) -> None:
    for dtype in ("float32", "bfloat16"):
        vectors = SentenceEmbedder(str(bert), dtype=dtype).encode(TEXTS, "query")
        assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-6


def test_batches_cover_every_text_once_and_the_longest_come_first(bert: Path) -> None:
    embedder = SentenceEmbedder(str(bert), batch_tokens=60)
    parts = list(embedder.batches(TEXTS, "document"))
    rows = np.concatenate([rows for rows, _ in parts])
    assert sorted(rows.tolist()) == list(range(len(TEXTS)))
    assert rows[0] == 3
    assert np.array_equal(np.concatenate([made for _, made in parts]), embedder.encode(TEXTS, "document")[rows])
    assert embedder.encode([], "query").shape == (0, 32)


def test_the_prompt_named_passage_is_for_documents(bert: Path) -> None:
    plain = SentenceEmbedder(str(bert), query_prompt="", document_prompt="")
    asked = SentenceEmbedder(str(bert))
    assert asked.prompts == {"query": "query: ", "document": "passage: "}
    assert np.abs(asked.encode(["a"], "document") - plain.encode(["passage: a"], "document")).max() < 1e-5


def test_only_a_prompt_with_a_place_for_an_instruction_takes_one(bert: Path, qwen: Path) -> None:
    assert SentenceEmbedder(str(bert)).bind(setting(INSTRUCTION)).prompts["query"] == "query: "
    given = SentenceEmbedder(str(qwen), query_prompt="Instruct: mine\nQuery:").bind(setting(INSTRUCTION))
    assert given.prompts["query"] == "Instruct: mine\nQuery:"
    assert instructed("Instruct: a\nQuery: ", r"\1 b") == "Instruct: \\1 b\nQuery: "


def test_whatever_changes_a_vector_is_in_the_identity(qwen: Path, tmp_path: Path) -> None:
    base = SentenceEmbedder(str(qwen))
    variants = [
        SentenceEmbedder(str(qwen), query_prompt="q: "),
        SentenceEmbedder(str(qwen), document_prompt="d: "),
        SentenceEmbedder(str(qwen), max_length=64),
        SentenceEmbedder(str(qwen), dtype="bfloat16"),
        base.bind(setting(INSTRUCTION)),
    ]
    known = {json.dumps(variant.identity, sort_keys=True) for variant in [base, *variants]}
    assert len(known) == 1 + len(variants)
    moved = copied(qwen, tmp_path / "elsewhere")
    assert SentenceEmbedder(str(moved), device="cpu", batch_tokens=7).identity == base.identity
    assert base.bind(setting()).identity == base.identity


def test_editing_a_weight_changes_the_identity(qwen: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = copied(qwen, tmp_path / "edited")
    weights = load_file(folder / "model.safetensors")
    weights["norm.weight"][0] += 1e-3
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert SentenceEmbedder(str(folder)).identity != SentenceEmbedder(str(qwen)).identity


def test_another_instruction_keeps_the_vectors_of_the_documents(qwen: Path) -> None:
    base = SentenceEmbedder(str(qwen))
    bound = base.bind(setting(INSTRUCTION))
    assert bound.role_identity("document") == base.role_identity("document")
    assert bound.role_identity("query") != base.role_identity("query")


def test_a_text_is_cut_at_max_length_and_still_ends_with_the_end_token(qwen: Path) -> None:
    embedder = SentenceEmbedder(str(qwen), max_length=4)
    tokens = transformers.AutoTokenizer.from_pretrained(qwen)
    kept = tokens.decode(tokens(TEXTS[3], add_special_tokens=False)["input_ids"][:3])
    assert np.abs(embedder.encode([TEXTS[3]], "document")[0] - last_token_by_hand(qwen, kept)).max() < 1e-5


def test_max_length_is_what_the_folder_says(bert: Path, tmp_path: Path) -> None:
    folder = copied(bert, tmp_path / "m")
    assert read_max_length(ModelFolder("m", folder), None) == 128
    assert SentenceEmbedder(str(folder)).identity["max_length"] == 128
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 32}')
    assert SentenceEmbedder(str(folder)).identity["max_length"] == 32
    assert SentenceEmbedder(str(folder)).encode(["a " * 99], "query").shape == (1, 32)
    with pytest.raises(ModelError, match="max_length=129 is not between 1 and its 128 positions"):
        SentenceEmbedder(str(folder), max_length=129)


def test_positions_that_are_counted_from_the_padding_token_are_not_all_usable(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "m", architecture="xlm-roberta")
    assert read_max_length(ModelFolder("m", folder), 128) == 128
    with pytest.raises(ModelError, match="its 128 positions"):
        read_max_length(ModelFolder("m", folder), 129)


@pytest.mark.parametrize(("make", "kind"), [(tiny.cross_encoder, "cross-encoder"), (tiny.causal_lm, "causal-lm")])
def test_another_kind_of_model_is_refused_by_name(tmp_path: Path, make: Any, kind: str) -> None:
    with pytest.raises(ModelError, match=f"is a {kind} model without .* pooling"):
        SentenceEmbedder(str(make(tmp_path / "m")))


def test_a_last_token_embedder_without_its_end_token_is_refused(qwen: Path, tmp_path: Path) -> None:
    folder = copied(qwen, tmp_path / "m")
    edit(folder / "tokenizer.json", post_processor=None)
    with pytest.raises(ModelError, match="appends no special end token"):
        SentenceEmbedder(str(folder)).encode(["a"], "document")


def test_vectors_that_are_not_finite_are_refused(qwen: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = copied(qwen, tmp_path / "m")
    weights = load_file(folder / "model.safetensors")
    weights["norm.weight"][:] = np.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="not finite"):
        SentenceEmbedder(str(folder)).encode(["a"], "document")


def test_naming_a_model_loads_nothing(qwen: Path) -> None:
    code = (
        "import sys; from adapters.dense import DenseRetriever\n"
        f"DenseRetriever({str(qwen)!r}).identity\n"
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_bound_adapters_share_one_loaded_model(qwen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = SentenceEmbedder(str(qwen))
    bound = [base.bind(setting(INSTRUCTION)), base.bind(setting())]
    bound[0].encode(["a"], "query")
    monkeypatch.setattr("sentence_transformers.SentenceTransformer", None)
    assert bound[1].encode(["a"], "query").shape == (1, 32)


def test_a_spec_string_opens_both_parts_with_options(qwen: Path, tmp_path: Path) -> None:
    retriever = open_retriever(f"{qwen}?max_length=64&dtype=float32&document_prompt=d: ")
    assert isinstance(retriever, DenseRetriever)
    assert isinstance(retriever.embedder, Embedder)
    bound = retriever.bind(setting(INSTRUCTION, tmp_path))
    assert bound.identity != retriever.identity
    offsets, documents, scores = bound.search(TEXTS[:2], TEXTS, 3)
    assert offsets.tolist() == [0, 3, 6]
    reranker = open_reranker(f"embedder:{qwen}?max_length=64&document_prompt=d: ")
    assert isinstance(reranker, EmbedderReranker)
    pairs = np.stack([np.repeat([0, 1], 3), documents], axis=1)
    rescored = reranker.bind(setting(INSTRUCTION, tmp_path)).score(TEXTS[:2], TEXTS, pairs)
    assert np.abs(rescored - scores).max() < 1e-6


def test_a_reranker_takes_the_vectors_of_the_first_stage(qwen: Path, tmp_path: Path) -> None:
    DenseRetriever(str(qwen)).bind(setting(cache=tmp_path)).search(TEXTS[:1], TEXTS, 1)
    reranker = EmbedderReranker(str(qwen)).bind(setting(cache=tmp_path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SentenceModel, "encode", None)
        assert len(reranker.score(TEXTS[:1], TEXTS, np.array([[0, 1], [0, 4]]))) == 2


def without_special_tokens(folder: Path, pooling: str) -> Path:
    """A model without prompts whose tokenizer adds nothing, so that an empty text has no tokens."""
    tiny.bert_embedder(folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    (folder / "tokenizer.json").write_text(json.dumps({**tokenizer, "post_processor": None}))
    file = folder / "1_Pooling" / "config.json"
    flags = {key: value for key, value in json.loads(file.read_text("utf-8")).items() if "mode" not in key}
    file.write_text(json.dumps({**flags, f"pooling_mode_{pooling}": True}))
    return folder


@pytest.mark.parametrize("pooling", ["cls_token", "mean_tokens"])
@pytest.mark.parametrize("company", [[], ["what is it"], ["what is it", "", "a longer text than that"]])
def test_a_text_without_tokens_has_the_vector_that_the_library_gives_it_in_a_batch(
    tmp_path: Path, pooling: str, company: list[str]
) -> None:
    from sentence_transformers import SentenceTransformer

    folder = without_special_tokens(tmp_path / "model", pooling)
    expected = SentenceTransformer(str(folder), device="cpu").encode(["", *company, "more"], normalize_embeddings=True)
    found = SentenceEmbedder(str(folder)).encode(["", *company], "document")
    assert np.abs(found - expected[:-1]).max() < 1e-5


@pytest.mark.parametrize("company", [[], ["what is it"]])
def test_a_text_without_tokens_that_has_no_vector_is_named(tmp_path: Path, company: list[str]) -> None:
    folder = without_special_tokens(tmp_path / "model", "max_tokens")
    with pytest.raises(ModelError, match="no finite vector for the text '', in which its tokenizer finds no tokens"):
        SentenceEmbedder(str(folder)).encode([*company, ""], "document")

"""Cross-encoders that are chains of modules get the scores of sentence-transformers, or are refused by their names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.cross_encoder import CrossEncoder
from adapters.errors import ModelError, UsageError
from adapters.spec import identity_of, open_reranker
from tests.conformance import shapes
from tests.conformance.shapes import DOCUMENTS, PAIRS, QUERIES, ours, theirs

pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shapes.modular(tmp_path_factory.mktemp("models") / "ettin")


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "lasttoken"])
@pytest.mark.parametrize("max_length", [None, 40])
def test_a_chain_of_modules_is_computed(tmp_path: Path, pooling: str, max_length: int | None) -> None:
    """The ettin rerankers: network, pooling, dense, normalisation, dense."""
    folder = shapes.modular(tmp_path / "modular", pooling)
    expected = theirs(folder, max_length)
    reranker = open_reranker(f"{folder}?max_length={max_length}" if max_length else str(folder))
    assert isinstance(reranker, CrossEncoder)
    scores = ours(reranker)
    assert np.ptp(expected) > 0.1, "the model tells the pairs apart, so equality means something"
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert shapes.turned(scores, expected) == 0


def test_what_the_folder_declares_as_a_prompt_is_put_before_every_pair(tmp_path: Path) -> None:
    folder = shapes.modular(tmp_path / "modular", prompts={"query": "query: "})
    expected = theirs(folder)
    np.testing.assert_allclose(ours(open_reranker(str(folder))), expected, atol=1e-4)
    assert np.abs(expected - theirs(folder, prompt="")).max() > 1e-2


def test_a_prompt_beside_a_plain_classifier_is_put_before_every_pair(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder as Reference

    source = tiny.cross_encoder(tmp_path / "source", seed=3)
    model = Reference(str(source), device="cpu", prompts={"web": "search: "}, default_prompt_name="web")
    model.save_pretrained(str(tmp_path / "prompted"))
    expected = theirs(tmp_path / "prompted")
    np.testing.assert_allclose(ours(open_reranker(str(tmp_path / "prompted"))), expected, atol=1e-4)
    assert np.abs(expected - theirs(source)).max() > 1e-2


def test_a_classifier_that_sentence_transformers_saved_is_the_one_it_was(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder as Reference

    source = tiny.cross_encoder(tmp_path / "source", seed=3)
    Reference(str(source), device="cpu").save_pretrained(str(tmp_path / "saved"))
    scores = ours(open_reranker(str(tmp_path / "saved")))
    np.testing.assert_array_equal(scores, ours(open_reranker(str(source))))
    np.testing.assert_allclose(scores, theirs(tmp_path / "saved"), atol=1e-4)


def test_lower_casing_that_the_folder_declares_is_done(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder as Reference

    source = tiny.cross_encoder(tmp_path / "source", architecture="modernbert", seed=3)
    Reference(str(source), device="cpu").save_pretrained(str(tmp_path / "cased"))
    before = theirs(tmp_path / "cased")
    shapes.edit(tmp_path / "cased" / "sentence_bert_config.json", do_lower_case=True)
    queries = np.array([query != query.lower() for query in QUERIES])
    expected = theirs(tmp_path / "cased")
    np.testing.assert_allclose(ours(open_reranker(str(tmp_path / "cased"))), expected, atol=1e-4)
    assert queries.any() or np.abs(expected - before).max() > 1e-3


def test_batches_and_truncation_are_counted(folder: Path) -> None:
    reranker = CrossEncoder(str(folder), device="cpu", max_length=40, batch_tokens=200)
    parts = list(reranker.stream(QUERIES, DOCUMENTS, PAIRS))
    assert len(parts) > 10
    rows = np.concatenate([part.rows for part in parts])
    tokens, kept = (
        np.concatenate([getattr(part, name) for part in parts])[np.argsort(rows)] for name in ("tokens", "kept")
    )
    long = np.array([len(DOCUMENTS[document]) > 300 for document in PAIRS[:, 1]])
    assert (kept[long] < tokens[long]).all()
    assert (kept <= tokens).all()
    inputs = np.concatenate([part.inputs for part in parts])
    assert len(np.unique(inputs)) > 150


def test_several_outputs_ask_for_a_label(tmp_path: Path) -> None:
    folder = shapes.modular(tmp_path / "three", outputs=3)
    with pytest.raises(ModelError, match=r"has 3 labels.*\?label="):
        open_reranker(str(folder))
    expected = theirs(folder, apply_softmax=True)
    scores = ours(open_reranker(f"{folder}?label=2"))
    odds = np.log(expected[:, 2] / (1 - expected[:, 2]))
    np.testing.assert_allclose(scores, odds, atol=1e-3)


def test_options_that_would_be_ignored_are_refused(folder: Path) -> None:
    for options, answer in (
        ({"template": "qwen3"}, "leave template out"),
        ({"truncation": "document"}, "leave truncation out"),
        ({"instruction": "x"}, "no place for an instruction"),
    ):
        with pytest.raises(UsageError, match=answer):
            CrossEncoder(str(folder), **options)  # type: ignore[arg-type]


def test_other_modules_are_another_identity(folder: Path, tmp_path: Path) -> None:
    before = identity_of(open_reranker(str(folder)))
    other = shapes.copied(folder, tmp_path / "other")
    assert identity_of(open_reranker(str(other))) == before
    weights = other / "4_Dense" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + bytes(4))
    assert identity_of(open_reranker(str(other))) != before


def test_it_is_no_embedder_and_no_first_stage(folder: Path) -> None:
    from adapters.spec import open_retriever

    with pytest.raises(ModelError, match="cross-encoder"):
        open_reranker(f"embedder:{folder}")
    with pytest.raises(ModelError, match="is a cross-encoder, which cannot be a first stage"):
        open_retriever(str(folder))


def test_a_folder_that_contradicts_itself_is_refused_with_both_readings(folder: Path, tmp_path: Path) -> None:
    wrong = shapes.copied(folder, tmp_path / "wrong")
    shapes.edit(wrong / "config_sentence_transformers.json", model_type="SentenceTransformer")
    with pytest.raises(ModelError, match=r"contradicts itself.*says it is an embedder.*makes a cross-encoder"):
        open_reranker(str(wrong))
    shapes.edit(wrong / "config_sentence_transformers.json", model_type="Novelty")
    with pytest.raises(ModelError, match="a model of the type 'Novelty', which is not known here"):
        open_reranker(str(wrong))
    (wrong / "config_sentence_transformers.json").unlink()
    with pytest.raises(ModelError, match=r"config_sentence_transformers\.json does not say so; fetch"):
        open_reranker(str(wrong))


def test_an_embedder_that_is_declared_a_cross_encoder_is_refused(tmp_path: Path) -> None:
    folder = tiny.bert_embedder(tmp_path / "embedder")
    shapes.edit(folder / "config_sentence_transformers.json", model_type="CrossEncoder")
    with pytest.raises(ModelError, match=r"contradicts itself.*says it is a cross-encoder.*makes an embedder"):
        open_reranker(str(folder))


KINDS = {
    "SparseEncoder": ("SpladePooling", "a sparse encoder"),
    "MultiVectorEncoder": ("MultiVectorMask", "a multi-vector model"),
    "ColBERT": ("Dense", "a multi-vector model"),
}


@pytest.mark.parametrize("model_type", KINDS)
@pytest.mark.parametrize("kind", ["", "embedder:", "cross-encoder:"])
def test_kinds_that_are_not_supported_are_refused_by_their_names(
    tmp_path: Path, model_type: str | None, kind: str
) -> None:
    folder = tiny.bert_embedder(tmp_path / "model")
    module, name = KINDS[model_type]
    types = [f"sentence_transformers.models.{one}" for one in ("Transformer", module)]
    chain = [{"idx": at, "name": str(at), "path": f"{at}_X" if at else "", "type": one} for at, one in enumerate(types)]
    (folder / "modules.json").write_text(json.dumps(chain))
    shapes.edit(folder / "config_sentence_transformers.json", model_type=model_type)
    with pytest.raises(ModelError, match=rf"is {name}.*and is not supported.*run:FILE"):
        open_reranker(f"{kind}{folder}")


def test_a_module_of_the_folders_own_is_refused(folder: Path, tmp_path: Path) -> None:
    other = shapes.copied(folder, tmp_path / "own")
    chain = json.loads((other / "modules.json").read_text())
    chain[2]["type"] = "custom_dense.MyDense"
    (other / "modules.json").write_text(json.dumps(chain))
    with pytest.raises(ModelError, match=r"modules\.json names custom_dense\.MyDense.*not run here"):
        open_reranker(str(other))


def own_code(folder: Path, kind: str) -> Path:
    makers = {"cross-encoder": tiny.cross_encoder, "causal-lm": tiny.causal_lm, "embedder": tiny.bert_embedder}
    return makers[kind](folder)  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["cross-encoder", "causal-lm", "embedder"])
@pytest.mark.parametrize(
    ("file", "mapped", "named"),
    [
        ("config.json", {"AutoModel": "modeling.Own"}, "AutoModel is modeling.Own"),
        ("config.json", {"AutoModelForCausalLM": "org/repo--modeling.Own"}, "org/repo--modeling.Own"),
        ("tokenizer_config.json", {"AutoTokenizer": ["tokenization.Own", None]}, "tokenization.Own"),
        ("tokenizer_config.json", ["tokenization.Own", None], "AutoTokenizer is tokenization.Own"),
    ],
)
def test_a_class_of_its_own_on_a_stock_type_is_refused(
    tmp_path: Path, kind: str, file: str, mapped: object, named: str
) -> None:
    """zerank, jina-v3 and nemotron kinds: transformers would silently take its own class in their place."""
    folder = own_code(tmp_path / "own", kind)
    expected = ours(open_reranker(str(folder)))
    shapes.edit(folder / file, auto_map=mapped)
    with pytest.raises(ModelError, match=rf"names custom code .*{named}.*run only on request.*\?code="):
        open_reranker(str(folder))
    np.testing.assert_array_equal(ours(open_reranker(f"{folder}?code=stock")), expected)


@pytest.mark.parametrize("prefix", ["", "cross-encoder:"])
def test_a_class_that_transformers_does_not_have_is_refused_by_its_name(tmp_path: Path, prefix: str) -> None:
    """jina-reranker-v3 kind: no kind of its own name could help, so none is asked for."""
    folder = tiny.cross_encoder(tmp_path / "own")
    mapped = {"AutoModel": "modeling.OwnForRanking"}
    shapes.edit(folder / "config.json", auto_map=mapped, architectures=["OwnForRanking"])
    with pytest.raises(
        ModelError, match=r"custom code \(AutoModel is modeling\.OwnForRanking\).*\?code=own.*'run:FILE'$"
    ):
        open_reranker(f"{prefix}{folder}")

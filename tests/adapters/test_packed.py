"""Running without padding changes no score and no vector. It is used only where a probe of the model shows that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import packed, tiny
from adapters.cross_encoder import CrossEncoder
from adapters.embedding import SentenceEmbedder
from adapters.pair_inputs import Sequenced

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LENGTHS = (9, 1, 17, 9, 4, 17, 2)
PADDING = 3


def made(kind: str, **more: Any) -> Any:
    """A tiny encoder of transformers with random weights."""
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=120, max_position_embeddings=40, pad_token_id=PADDING, **sizes, **more
    )
    torch.manual_seed(5)
    return getattr(transformers, f"{kind}Model")(config).eval()


def sequences(types: int = 1) -> list[Sequenced]:
    draw = np.random.default_rng(2)
    ids = [draw.integers(0, 120, length).astype(np.int32) for length in LENGTHS]
    ids[2][5] = PADDING  # a text that contains the padding token
    return [(one, draw.integers(0, types, len(one)).astype(np.int32)) for one in ids]


def states_alone(model: Any, inputs: list[Sequenced]) -> list[Any]:
    """The states of each sequence from a call of its own, which has no padding."""
    with torch.inference_mode():
        return [
            model(torch.from_numpy(ids)[None].long(), token_type_ids=torch.from_numpy(types)[None].long())
            .last_hidden_state[0]
            .numpy()
            for ids, types in inputs
        ]


@pytest.mark.parametrize("kind", ["Bert", "Roberta", "XLMRoberta", "Camembert", "Electra"])
def test_states_are_those_of_a_call_with_one_text(kind: str) -> None:
    types = 1 if "berta" in kind or kind == "Camembert" else 2
    more = {"embedding_size": 24} if kind == "Electra" else {}
    model, inputs = made(kind, type_vocab_size=types, **more), sequences(types)
    encoder = packed.packed_encoder(model)
    assert encoder is not None
    with torch.inference_mode():
        every, first = encoder(inputs, first_only=False).numpy(), encoder(inputs, first_only=True).numpy()
    expected = states_alone(model, inputs)
    np.testing.assert_allclose(every, np.concatenate(expected), atol=1e-5)
    np.testing.assert_allclose(first, [states[0] for states in expected], atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        made("Bert", is_decoder=True),
        made("Bert").to(torch.bfloat16),
        transformers.MPNetModel(
            transformers.MPNetConfig(vocab_size=90, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
        ),
    ],
    ids=["decoder", "half precision", "another encoder"],
)
def test_other_encoders_run_as_transformers_runs_them(model: Any) -> None:
    assert packed.packed_encoder(model) is None


def test_a_packed_form_with_other_states_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = packed._layer
    monkeypatch.setattr(packed, "_layer", lambda *parts: honest(*parts) * 1.0001)
    assert packed.packed_encoder(made("Bert")) is None


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
def test_a_cross_encoder_without_padding_scores_as_before(
    kind: tiny.Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tiny.cross_encoder(tmp_path / kind, architecture=kind, seed=3))
    queries, documents = ["who", "what is the search query"], ["the passage", "", "relevant answers " * 9, "no, 12"]
    pairs = np.array([(query, document) for query in range(2) for document in range(4)])
    model = CrossEncoder(folder, device="cpu")
    found = model.score(queries, documents, pairs)
    assert model._inputs.head.packed is not None  # type: ignore[union-attr]
    monkeypatch.setattr("adapters.score_head.packed_classifier", lambda _: None)
    plain = CrossEncoder(folder, device="cpu")
    np.testing.assert_allclose(found, plain.score(queries, documents, pairs), atol=1e-5)
    assert plain._inputs.head.packed is None  # type: ignore[union-attr]


@pytest.mark.parametrize("pooling", ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"])
@pytest.mark.parametrize("include_prompt", [True, False])
def test_vectors_are_those_of_sentence_transformers(pooling: str, include_prompt: bool, tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    folder = tiny.bert_embedder(tmp_path / "bert", prompts={"query": "query: ", "document": "passage: "})
    reference = library.SentenceTransformer(str(folder), device="cpu")
    reference[1].pooling_mode, reference[1].include_prompt = pooling, include_prompt
    reference.save_pretrained(str(folder))
    texts = ["a", "the passage that answers", "検索 über naïve", "what is a document " * 9, "", "a"]
    embedder = SentenceEmbedder(str(folder), device="cpu", batch_tokens=64)
    for role, prompt in embedder.prompts.items():
        expected = reference.encode(texts, prompt=prompt, normalize_embeddings=True)
        np.testing.assert_allclose(embedder.encode(texts, role), expected, atol=1e-5)
    assert embedder._model._packed is not None


def test_an_embedder_with_another_module_runs_as_sentence_transformers_runs_it(tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    folder = tiny.bert_embedder(tmp_path / "bert")
    reference = library.SentenceTransformer(str(folder), device="cpu")
    width = reference.get_embedding_dimension()
    weighted = library.sentence_transformer.modules.CNN(in_word_embedding_dimension=width, out_channels=8)
    other = library.SentenceTransformer(modules=[reference[0], weighted, reference[1]], device="cpu")
    from adapters.packed_sentences import packed_sentences

    assert packed_sentences(other) is None
    assert packed_sentences(reference) is not None


def test_a_model_that_runs_without_padding_is_not_asked_what_padding_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object) -> bool:
        raise AssertionError("17 calls before the first pair")

    monkeypatch.setattr("adapters.classifier_inputs.pads_pairs", asked)
    scores = CrossEncoder(str(tiny.cross_encoder(tmp_path))).score(["a"], ["b", "c c c"], np.array([[0, 0], [0, 1]]))
    assert np.isfinite(scores).all()

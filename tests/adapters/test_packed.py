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
LONG_LENGTHS = (*LENGTHS, 60, 36, 60)
PADDING = 3
MODERN = {"local_attention": 16, "global_attn_every_n_layers": 2, "classifier_bias": True}
DISTANCES = {
    "relative_attention": True, "position_buckets": 16, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0,
}  # fmt: skip
"""As the released models of DeBERTa v3 have them, with fewer buckets: the log buckets begin at distance 8."""


def made(kind: str, head: str = "Model", **more: Any) -> Any:
    """A tiny encoder or classifier of transformers with random weights."""
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 64,
    }
    ends = {"bos_token_id": 1, "cls_token_id": 1, "eos_token_id": 2, "sep_token_id": 2} if kind == "ModernBert" else {}
    sizes |= {"vocab_size": 120, "max_position_embeddings": 40, "pad_token_id": PADDING, **ends, **more}
    config = getattr(transformers, f"{kind}Config")(**sizes)
    torch.manual_seed(5)
    model = getattr(transformers, f"{kind}{head}")(config).eval()
    for weights in model.parameters():
        weights.data += 0.1 * torch.randn_like(weights)  # as after training: no bias is 0, no scale is 1
    return model


def sequences(types: int = 1, lengths: tuple[int, ...] = LENGTHS) -> list[Sequenced]:
    draw = np.random.default_rng(2)
    ids = [draw.integers(0, 120, length).astype(np.int32) for length in lengths]
    ids[2][5] = PADDING  # a text that contains the padding token
    return [(one, draw.integers(0, types, len(one)).astype(np.int32)) for one in ids]


def states_alone(model: Any, inputs: list[Sequenced]) -> list[Any]:
    """The states of each sequence from a call of its own, which has no padding."""
    with torch.inference_mode():
        return [
            model(torch.from_numpy(ids)[None].long(), **_typed(model, types)).last_hidden_state[0].float().numpy()
            for ids, types in inputs
        ]


def _typed(model: Any, types: np.ndarray) -> dict[str, Any]:
    plain = model.config.model_type == "modernbert"
    return {} if plain else {"token_type_ids": torch.from_numpy(types)[None].long()}


def assert_states_are_those_of_single_calls(model: Any, inputs: list[Sequenced]) -> None:
    encoder = packed.packed_encoder(model)
    assert encoder is not None
    with torch.inference_mode():
        every, first = encoder(inputs, first_only=False).numpy(), encoder(inputs, first_only=True).numpy()
    expected = states_alone(model, inputs)
    spread = max(1.0, float(np.ptp(np.concatenate(expected))))
    np.testing.assert_allclose(every, np.concatenate(expected), rtol=0, atol=1e-5 * spread)
    np.testing.assert_allclose(first, [states[0] for states in expected], rtol=0, atol=1e-5 * spread)


@pytest.mark.parametrize("kind", ["Bert", "Roberta", "XLMRoberta", "Camembert", "Electra"])
def test_states_are_those_of_a_call_with_one_text(kind: str) -> None:
    types = 1 if "berta" in kind or kind == "Camembert" else 2
    more = {"embedding_size": 24} if kind == "Electra" else {}
    assert_states_are_those_of_single_calls(made(kind, type_vocab_size=types, **more), sequences(types))


@pytest.mark.parametrize("every", [1, 2, 9], ids=["only global", "both", "one global"])
def test_tokens_of_modernbert_read_the_window_of_their_layer(every: int) -> None:
    model = made("ModernBert", **{**MODERN, "global_attn_every_n_layers": every})
    assert_states_are_those_of_single_calls(model, sequences(lengths=LONG_LENGTHS))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"share_att_key": False},
        {"position_buckets": -1},
        {"pos_att_type": ["c2p"]},
        {"pos_att_type": ["p2c"], "norm_rel_ebd": "none"},
        {"relative_attention": False, "position_biased_input": True, "max_position_embeddings": 70},
        {"position_biased_input": True, "type_vocab_size": 2, "max_position_embeddings": 70},
        {"conv_kernel_size": 3, "conv_act": "gelu"},
        {"embedding_size": 24},
    ],
    ids=str,
)
def test_tokens_of_deberta_read_contents_and_distances(changes: dict[str, Any]) -> None:
    settings = {**DISTANCES, **changes}
    model = made("DebertaV2", **settings)
    assert_states_are_those_of_single_calls(model, sequences(settings["type_vocab_size"] or 1, LONG_LENGTHS))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("ModernBert", {**MODERN, "classifier_pooling": "cls"}),
        ("ModernBert", {**MODERN, "classifier_pooling": "mean"}),
        ("DebertaV2", DISTANCES),
        ("Bert", {"max_position_embeddings": 70}),
        ("XLMRoberta", {"max_position_embeddings": 70, "type_vocab_size": 1}),
    ],
    ids=["modernbert cls", "modernbert mean", "deberta", "bert", "xlm-roberta"],
)
def test_logits_are_those_of_a_call_with_one_text(kind: str, settings: dict[str, Any]) -> None:
    model, inputs = made(kind, "ForSequenceClassification", num_labels=2, **settings), sequences(lengths=LONG_LENGTHS)
    forward = packed.packed_classifier(model)
    assert forward is not None
    with torch.inference_mode():
        found = forward(inputs).numpy()
        expected = np.concatenate([model(torch.from_numpy(ids)[None].long()).logits.numpy() for ids, _ in inputs])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * max(1.0, float(np.ptp(expected))))


@pytest.mark.parametrize(
    "model",
    [
        made("Bert", is_decoder=True),
        made("ModernBert", **MODERN, rope_parameters={
            kind: {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}
            for kind in ("full_attention", "sliding_attention")
        }),
        transformers.MPNetModel(
            transformers.MPNetConfig(vocab_size=90, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
        ),
    ],
    ids=["decoder", "positions that depend on the batch", "another encoder"],
)  # fmt: skip
def test_other_encoders_run_as_transformers_runs_them(model: Any) -> None:
    assert packed.packed_encoder(model) is None


def test_an_encoder_in_half_precision_differs_by_no_more_than_its_batches_do() -> None:
    model, inputs = made("Bert").to(torch.bfloat16), sequences()
    encoder = packed.packed_encoder(model)
    assert encoder is not None
    with torch.inference_mode():
        found = encoder(inputs, first_only=False).float().numpy()
    np.testing.assert_allclose(found, np.concatenate(states_alone(model, inputs)), atol=0.05)


def test_a_packed_form_that_rounds_otherwise_is_not_used_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = packed.BertLayers.states
    monkeypatch.setattr(packed.BertLayers, "states", lambda *one, **more: honest(*one, **more) * 1.05)
    assert packed.packed_encoder(made("Bert").to(torch.bfloat16)) is None


@pytest.mark.parametrize("kind", ["ModernBert", "DebertaV2"])
def test_a_wrong_rule_for_long_texts_is_found_by_the_probe(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters import packed_deberta, packed_modernbert

    model = made(kind, **(MODERN if kind == "ModernBert" else DISTANCES))
    assert packed.packed_encoder(model) is not None
    honest = packed_deberta._buckets
    monkeypatch.setattr(packed_modernbert, "_window", lambda _: None)
    monkeypatch.setattr(packed_deberta, "_buckets", lambda *one: honest(*one).clamp(8, 24))
    assert packed.packed_encoder(model) is None


@pytest.mark.parametrize("settings", [MODERN, {"kind": "Bert"}], ids=["modernbert", "bert"])
def test_one_call_for_the_attention_of_all_texts_gives_the_same(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel of torch runs on GPUs only; here a plain implementation with its signature takes its place."""
    kind = settings.get("kind", "ModernBert")
    model = made(kind, **({} if kind == "Bert" else settings))
    calls: list[int] = []

    def kernel(  # noqa: PLR0917
        query: Any, key: Any, value: Any, cu_seq_q: Any, cu_seq_k: Any, max_q: int, max_k: int, *,
        window_size: tuple[int, int] = (-1, -1),
    ) -> Any:  # fmt: skip
        calls.append(max_q)
        asked, read, seen = cu_seq_q.tolist(), cu_seq_k.tolist(), []
        assert cu_seq_q.dtype == cu_seq_k.dtype == torch.int32
        assert max_k == max(np.diff(read)) and max_q == max(np.diff(asked))
        for number in range(len(read) - 1):
            q = query[asked[number] : asked[number + 1]].transpose(0, 1)
            k, v = (one[read[number] : read[number + 1]].transpose(0, 1) for one in (key, value))
            far = (torch.arange(q.shape[1])[:, None] - torch.arange(k.shape[1])).abs()
            near = far <= window_size[0] if window_size[0] >= 0 else far >= 0
            seen.append(torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=near).transpose(0, 1))
        return torch.cat(seen)

    monkeypatch.setattr("adapters.packed_layers.varlen_attention", lambda: kernel)
    monkeypatch.setattr("adapters.packed.has_varlen", lambda _: True)
    lengths = LENGTHS if kind == "Bert" else LONG_LENGTHS
    assert_states_are_those_of_single_calls(model, sequences(lengths=lengths))
    assert {1, max(lengths)} <= set(calls)


def test_a_kernel_that_fails_leaves_the_plain_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    def kernel(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr("adapters.packed_layers.varlen_attention", lambda: kernel)
    monkeypatch.setattr("adapters.packed.has_varlen", lambda _: True)
    assert packed.packed_encoder(made("Bert")) is None


def test_the_kernel_of_torch_takes_the_arguments_that_it_gets() -> None:
    inspect = pytest.importorskip("inspect")
    varlen = pytest.importorskip("torch.nn.attention.varlen")
    names = list(inspect.signature(varlen.varlen_attn).parameters)
    assert names[:7] == ["query", "key", "value", "cu_seq_q", "cu_seq_k", "max_q", "max_k"]
    assert "window_size" in names


def test_a_packed_form_with_other_states_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = packed.BertLayers.states
    monkeypatch.setattr(packed.BertLayers, "states", lambda *one, **more: honest(*one, **more) * 1.0001)
    assert packed.packed_encoder(made("Bert")) is None


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "modernbert"])
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

"""Promises of the ONNX cross-encoder: raw logits of one graph, independent of the company of a pair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import ModelError
from adapters.onnx import OnnxCrossEncoder
from adapters.protocols import StreamingReranker
from adapters.spec import open_reranker

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
tokenizers = pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

QUERIES = ["what is the search query", "who"]
DOCUMENTS = ["the passage", "relevant passages answer the query " * 8, "no answer, 12 zebras"]
PAIRS = np.array([(query, document) for query in range(2) for document in range(3)], dtype=np.int64)
OPSET = 17


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("bert")) / "tokenizer.json"


def table() -> Any:
    return np.random.default_rng(1).normal(size=(2000, 1)).astype(np.float32)


def bag_of_tokens(*, quantised: bool = False, labels: int = 1, squeezed: bool = False, more: str | None = None) -> Any:
    """A graph that sums a number per token where attention_mask is 1; quantised as int8 exports do it."""
    node, helper = onnx.helper.make_node, onnx.helper
    shape = ["batch", "length"]
    inputs = ["input_ids", "attention_mask", *([more] if more else [])]
    nodes = [
        node("Gather", ["table", "input_ids"], ["numbers"]),
        node("Cast", ["attention_mask"], ["mask"], to=onnx.TensorProto.FLOAT),
        node("Unsqueeze", ["mask", "last"], ["wide_mask"]),
    ]
    if quantised:
        nodes += [
            node("DynamicQuantizeLinear", ["numbers"], ["small", "scale", "zero"]),
            node("DequantizeLinear", ["small", "scale", "zero"], ["rounded"]),
        ]
    nodes += [
        node("Mul", ["rounded" if quantised else "numbers", "wide_mask"], ["kept"]),
        node("ReduceSum", ["kept", "middle"], ["logits"], keepdims=0),
    ]
    if squeezed:
        nodes += [node("Squeeze", ["logits", "middle"], ["flat"])]
    constants = {
        "table": np.repeat(table(), labels, axis=1),
        "last": np.array([2], np.int64),
        "middle": np.array([1], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "bag",
        [helper.make_tensor_value_info(name, onnx.TensorProto.INT64, shape) for name in inputs],
        [helper.make_tensor_value_info("flat" if squeezed else "logits", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def save(folder: Path, tokenizer: Path, model: Any, file: str = "model.onnx") -> Path:
    target = folder / file
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(target))
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    return folder


def expected(tokenizer: Path, max_length: int = 512) -> list[float]:
    reference = tokenizers.Tokenizer.from_file(str(tokenizer))
    reference.no_padding()
    reference.enable_truncation(max_length, strategy="only_second")
    return [float(table()[reference.encode(QUERIES[q], DOCUMENTS[d]).ids].sum()) for q, d in PAIRS]


@pytest.mark.parametrize("file", ["model.onnx", "onnx/model.onnx"])
@pytest.mark.parametrize("squeezed", [False, True])
def test_scores_are_the_logits_of_the_graph(tmp_path: Path, tokenizer: Path, file: str, squeezed: bool) -> None:
    model = OnnxCrossEncoder(str(save(tmp_path, tokenizer, bag_of_tokens(squeezed=squeezed), file)))
    assert isinstance(model, StreamingReranker)
    scores = model.score(QUERIES, DOCUMENTS, PAIRS)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected(tokenizer), atol=1e-4)


def test_a_long_document_is_cut_and_counted(tmp_path: Path, tokenizer: Path) -> None:
    model = OnnxCrossEncoder(str(save(tmp_path, tokenizer, bag_of_tokens())), max_length=20)
    np.testing.assert_allclose(model.score(QUERIES, DOCUMENTS, PAIRS), expected(tokenizer, 20), atol=1e-4)
    (scored,) = model.stream(QUERIES, DOCUMENTS, PAIRS[1:2])
    assert (scored.tokens.tolist(), scored.kept.tolist()) == ([40], [20 - 3 - 5])


def test_a_quantised_graph_is_run_one_pair_at_a_time(tmp_path: Path, tokenizer: Path) -> None:
    model = OnnxCrossEncoder(str(save(tmp_path, tokenizer, bag_of_tokens(quantised=True))))
    assert model.identity["batching"] == "single"
    streamed = list(model.stream(QUERIES, DOCUMENTS, PAIRS))
    assert [len(scored.rows) for scored in streamed] == [1] * len(PAIRS)
    alone = [model.score(QUERIES, DOCUMENTS, PAIRS[row : row + 1])[0] for row in range(len(PAIRS))]
    assert model.score(QUERIES, DOCUMENTS, PAIRS).tolist() == alone


def test_a_float_graph_is_run_in_batches(tmp_path: Path, tokenizer: Path) -> None:
    model = OnnxCrossEncoder(str(save(tmp_path, tokenizer, bag_of_tokens())))
    assert model.identity["batching"] == "padded"
    assert [len(scored.rows) for scored in model.stream(QUERIES, DOCUMENTS, PAIRS)] == [len(PAIRS)]


def test_a_graph_without_a_mask_never_sees_padding(tmp_path: Path, tokenizer: Path) -> None:
    graph = bag_of_tokens()
    del graph.graph.input[1]
    graph.graph.node[1].CopyFrom(onnx.helper.make_node("Cast", ["ones"], ["mask"], to=onnx.TensorProto.FLOAT))
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((1, 1), np.int64), "ones"))
    model = OnnxCrossEncoder(str(save(tmp_path, tokenizer, graph)))
    np.testing.assert_allclose(model.score(QUERIES, DOCUMENTS, PAIRS), expected(tokenizer), atol=1e-4)


def test_a_graph_with_several_scores_is_refused_until_one_is_chosen(tmp_path: Path, tokenizer: Path) -> None:
    folder = str(save(tmp_path, tokenizer, bag_of_tokens(labels=2)))
    with pytest.raises(ModelError, match=r"gives 2 scores a pair.*\?label=1"):
        OnnxCrossEncoder(folder).score(QUERIES, DOCUMENTS, PAIRS)
    with pytest.raises(ModelError, match=r"gives 2 scores a pair"):
        OnnxCrossEncoder(folder, label=2).score(QUERIES, DOCUMENTS, PAIRS)
    first, second = (OnnxCrossEncoder(folder, label=label) for label in (0, 1))
    assert first.identity != second.identity
    np.testing.assert_allclose(first.score(QUERIES, DOCUMENTS, PAIRS), -second.score(QUERIES, DOCUMENTS, PAIRS))


def test_the_labels_of_the_configuration_can_be_named(tmp_path: Path, tokenizer: Path) -> None:
    folder = save(tmp_path, tokenizer, bag_of_tokens(labels=3))
    (folder / "config.json").write_text('{"id2label": {"0": "contradiction", "1": "entailment", "2": "neutral"}}')
    named = OnnxCrossEncoder(str(folder), label="entailment").score(QUERIES, DOCUMENTS, PAIRS)
    assert named.tolist() == OnnxCrossEncoder(str(folder), label=1).score(QUERIES, DOCUMENTS, PAIRS).tolist()
    with pytest.raises(ModelError, match=r"3 labels, 0 \(contradiction\).*\?label=entailment"):
        OnnxCrossEncoder(str(folder))


def test_an_input_that_cannot_be_given_is_refused(tmp_path: Path, tokenizer: Path) -> None:
    model = OnnxCrossEncoder(str(save(tmp_path, tokenizer, bag_of_tokens(more="pixel_values"))))
    with pytest.raises(ModelError, match="wants the input 'pixel_values'"):
        model.score(QUERIES, DOCUMENTS, PAIRS)


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path, tokenizer: Path) -> None:
    folder = save(tmp_path, tokenizer, bag_of_tokens())
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(ModelError, match="onnxruntime cannot load it"):
        OnnxCrossEncoder(str(folder)).score(QUERIES, DOCUMENTS, PAIRS)


def test_a_missing_graph_or_tokenizer_is_refused_with_what_is_there(tmp_path: Path, tokenizer: Path) -> None:
    folder = save(tmp_path, tokenizer, bag_of_tokens(), "other.onnx")
    with pytest.raises(ModelError, match=r"has no 'model.onnx'.*found: other.onnx"):
        OnnxCrossEncoder(str(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):
        OnnxCrossEncoder(str(folder), file="other.onnx")


def test_another_graph_of_the_same_folder_is_another_model(tmp_path: Path, tokenizer: Path) -> None:
    save(tmp_path, tokenizer, bag_of_tokens())
    folder = save(tmp_path, tokenizer, bag_of_tokens(quantised=True), "small.onnx")
    assert OnnxCrossEncoder(str(folder)).identity != OnnxCrossEncoder(str(folder), file="small.onnx").identity
    assert OnnxCrossEncoder(str(folder)).identity == OnnxCrossEncoder(str(folder), batch_tokens=9).identity


def test_a_folder_with_only_a_graph_is_known_for_what_it_is(tmp_path: Path, tokenizer: Path) -> None:
    folder = save(tmp_path, tokenizer, bag_of_tokens())
    assert isinstance(open_reranker(str(folder)), OnnxCrossEncoder)


@pytest.mark.parametrize(
    ("file", "content", "length"),
    [
        ("tokenizer_config.json", {"model_max_length": 1024}, 1024),
        ("tokenizer_config.json", {"model_max_length": 256}, 256),
        ("config.json", {"model_type": "bert", "max_position_embeddings": 2048}, 2048),
        ("config.json", {"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}, 512),
        ("config.json", {"model_type": "bert"}, 512),
    ],
)
def test_the_longest_input_is_what_sentence_transformers_would_read(
    tmp_path: Path, tokenizer: Path, file: str, content: dict[str, object], length: int
) -> None:
    folder = save(tmp_path / "export", tokenizer, bag_of_tokens())
    (folder / file).write_text(json.dumps(content))
    assert OnnxCrossEncoder(str(folder)).identity["max_length"] == length


def test_a_longest_input_beyond_the_positions_is_refused_as_for_torch(tmp_path: Path, tokenizer: Path) -> None:
    folder = save(tmp_path / "export", tokenizer, bag_of_tokens())
    (folder / "config.json").write_text('{"model_type": "bert", "max_position_embeddings": 128}')
    assert OnnxCrossEncoder(str(folder)).identity["max_length"] == 128
    with pytest.raises(ModelError, match="max_length=129 is not between 1 and its 128 positions"):
        OnnxCrossEncoder(str(folder), max_length=129)

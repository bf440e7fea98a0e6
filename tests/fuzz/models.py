"""Files of model folders: configurations, tokenizers, weights and graphs."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from adapters import tiny
from adapters.loading import load_tokenizer
from adapters.models import open_folder
from adapters.onnx import OnnxCrossEncoder
from adapters.pickled import read_pickled
from adapters.soundness import HeaderEntry, safetensors_header
from adapters.spec import identity_of, open_ranker, refuse_early
from tests.fuzz.kinds import Disagreement, Kind
from training.merging.checkpoint import open_checkpoint

_PAIR = np.array([[0, 0]], np.int64)


def folder_of(file: Path) -> Path:
    """The model's folder, which is called `model`."""
    return next(one for one in file.parents if one.name == "model")


def of_folder(make: Callable[[Path], Path], name: str) -> Callable[[Path], Sequence[bytes]]:
    """The file of that name in a folder that a maker writes."""

    def examples(folder: Path) -> Sequence[bytes]:
        model = next(one for one in (folder, *folder.parents) if one.name == "model")
        make(model)
        return [(model / name).read_bytes()]

    return examples


def checked(file: Path) -> object:
    """What happens before a run: the kind, the identity, and all checks that do not load weights."""
    ranker = open_ranker(str(folder_of(file)))
    refuse_early(ranker)
    return identity_of(ranker)


def scored(file: Path) -> object:
    ranker: Any = open_ranker(str(folder_of(file)))
    refuse_early(ranker)
    return ranker.score(["what is the query"], ["the passage"], _PAIR)


def tokenizer(file: Path) -> object:
    return load_tokenizer(open_folder(str(folder_of(file))))("the query")["input_ids"]


def compare_header(file: Path, read: dict[str, HeaderEntry]) -> bool:
    """Names and shapes as the library reads them, for files that it reads."""
    import safetensors

    try:
        with safetensors.safe_open(file, "np") as library:
            theirs = {
                name: (tuple(part.get_shape()), part.get_dtype())
                for name in library.keys()  # noqa: SIM118
                for part in [library.get_slice(name)]
            }
    except Exception:  # the library refuses the file when it is loaded
        return False
    ours = {name: (one.shape, one.dtype) for name, one in read.items()}
    if ours != theirs:
        raise Disagreement(f"{ours} here, {theirs} by safetensors")
    return True


def small_weights(_: Path) -> Sequence[bytes]:
    header = json.dumps({
        "__metadata__": {"format": "pt"},
        "a.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
    }).encode()  # fmt: skip
    return [struct.pack("<Q", len(header)) + header + bytes(32)]


def pickled(_: Path) -> Sequence[bytes]:
    import io

    import torch

    found = []
    for zipped in (True, False):
        out = io.BytesIO()
        torch.save({"a": torch.zeros(2, 3), "b": torch.ones(4)}, out, _use_new_zipfile_serialization=zipped)
        found.append(out.getvalue())
    return found


def graph(folder: Path) -> Sequence[bytes]:
    import onnx

    tiny.cross_encoder(folder)
    node, helper = onnx.helper.make_node, onnx.helper
    table = np.random.default_rng(1).normal(size=(2000, 1)).astype(np.float32)
    nodes = [
        node("Gather", ["table", "input_ids"], ["numbers"]),
        node("Cast", ["attention_mask"], ["mask"], to=onnx.TensorProto.FLOAT),
        node("Unsqueeze", ["mask", "last"], ["wide"]),
        node("Mul", ["numbers", "wide"], ["kept"]),
        node("ReduceSum", ["kept", "middle"], ["logits"], keepdims=0),
    ]
    constants = {"table": table, "last": np.array([2], np.int64), "middle": np.array([1], np.int64)}
    inputs = [
        helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    made = helper.make_graph(
        nodes, "bag", inputs, [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(values, name) for name, values in constants.items()],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return [model.SerializeToString()]


def of_graph(file: Path) -> object:
    ranker = OnnxCrossEncoder(str(file.parent))
    refuse_early(ranker)
    return ranker.identity, ranker.score(["what"], ["the passage"], _PAIR)


def index(folder: Path) -> Sequence[bytes]:
    tiny.cross_encoder(folder)
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    names = safetensors_header(folder / "part.safetensors")
    return [
        json.dumps({"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(names, "part.safetensors")}).encode()
    ]


def checkpoint(file: Path) -> object:
    """What a merge reads of a checkpoint before it writes anything."""
    found = open_checkpoint(str(folder_of(file)))
    return found.tensors


def graph_around(folder: Path) -> Sequence[bytes]:
    """The tokenizer of a folder with a graph."""
    (content,) = graph(folder)
    (folder / "model.onnx").write_bytes(content)
    return [(folder / "tokenizer.json").read_bytes()]


_BERT, _EMBEDDER, _QWEN = (
    partial(of_folder, make) for make in (tiny.cross_encoder, tiny.bert_embedder, tiny.causal_lm)
)
_TORCH = ("torch", "transformers")
KINDS = [
    Kind("model-config", "model/config.json", _BERT("config.json"), "json", checked, share=2, needs=_TORCH),
    Kind("model-loaded", "model/config.json", _BERT("config.json"), "json", scored, share=0.25, needs=_TORCH),
    Kind("model-causal", "model/config.json", _QWEN("config.json"), "json", checked, share=0.5, needs=_TORCH),
    Kind(
        "model-tokenizer", "model/tokenizer.json", _BERT("tokenizer.json"), "json", tokenizer, share=0.5, needs=_TORCH
    ),
    Kind(
        "model-tokenizer-config",
        "model/tokenizer_config.json",
        _BERT("tokenizer_config.json"),
        "json",
        tokenizer,
        share=0.5,
        needs=_TORCH,
    ),
    Kind("model-tokens", "model/tokenizer.json", _BERT("tokenizer.json"), "json", checked, share=0.5, needs=_TORCH),
    Kind("model-modules", "model/modules.json", _EMBEDDER("modules.json"), "json", checked, share=0.5, needs=_TORCH),
    Kind(
        "model-sentence",
        "model/config_sentence_transformers.json",
        _EMBEDDER("config_sentence_transformers.json"),
        "json",
        checked,
        share=0.5,
        needs=_TORCH,
    ),
    Kind(
        "model-pooling",
        "model/1_Pooling/config.json",
        _EMBEDDER("1_Pooling/config.json"),
        "json",
        checked,
        share=0.5,
        needs=_TORCH,
    ),
    Kind("model-index", "model/model.safetensors.index.json", index, "json", checked, share=0.5, needs=_TORCH),
    Kind(
        "model-weights",
        "model/model.safetensors",
        _BERT("model.safetensors"),
        "safetensors",
        checked,
        share=0.5,
        needs=_TORCH,
    ),
    Kind(
        "merge-weights",
        "model/model.safetensors",
        _BERT("model.safetensors"),
        "safetensors",
        checkpoint,
        share=0.5,
        needs=_TORCH,
    ),
    Kind("merge-config", "model/config.json", _BERT("config.json"), "json", checkpoint, share=0.5, needs=_TORCH),
    Kind(
        "safetensors",
        "model/model.safetensors",
        small_weights,
        "safetensors",
        safetensors_header,
        compare_header,
        share=2,
        needs=("safetensors",),
    ),
    Kind("pickle", "model/pytorch_model.bin", pickled, "binary", read_pickled, share=0.5, needs=("torch",)),
    Kind("onnx", "model/model.onnx", graph, "binary", of_graph, needs=("onnx", "onnxruntime", *_TORCH)),
    Kind(
        "onnx-tokenizer",
        "model/tokenizer.json",
        graph_around,
        "json",
        of_graph,
        share=0.5,
        needs=("onnx", "onnxruntime", *_TORCH),
    ),
]

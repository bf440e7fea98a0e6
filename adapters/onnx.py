"""Cross-encoders exported to ONNX: one graph, one tokenizer.json, no torch."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.adapted import told
from adapters.batching import (
    collect,
    cores,
    default_budget,
    describe_pairs,
    one_by_one,
    side_by_side,
    stream_batches,
)
from adapters.errors import ModelError, UsageError, need
from adapters.identity import file_digest
from adapters.models import ONNX_FILES, ModelFolder, open_folder
from adapters.pairs import PairEncoder, Truncation
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Scored

_VERSION = 1
_PURPOSE = "running an ONNX model"
_KNOWN_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_BATCH_QUANTISED = (b"DynamicQuantize", b"QLinear", b"QAttention", b"QGemm")


class OnnxCrossEncoder:
    """Scores pairs with an ONNX graph, as its raw logits.

    A graph that is quantised to int8 as it runs scales its activations by the largest value of the whole batch: the
    score of a pair would depend on its company. Such a graph is run one pair at a time, without padding; its identity
    says `"batching": "single"`.

    Args:
        model: a folder with the graph and tokenizer.json, or a hub name.
        revision: of a hub model.
        max_length: tokens of a whole input.
        truncation: "document" keeps every query whole, "longest_first" as in transformers.
        batch_tokens: padded tokens per model call.
        file: name of the graph in the folder, or in its subfolder `onnx`.

    Raises:
        ModelError: the folder has no such file, or no tokenizer.json.
        UsageError: an option is out of its range.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_length: int = 512,
        truncation: Truncation = "document",
        batch_tokens: int | None = None,
        file: str = "model.onnx",
    ) -> None:
        if batch_tokens is not None and batch_tokens < 1:
            raise UsageError(f"batch_tokens={batch_tokens} must be at least 1")
        self._folder = open_folder(model, revision, ONNX_FILES)
        self._file = _graph_file(self._folder, file)
        if not (self._folder.path / "tokenizer.json").exists():
            raise ModelError(f"'{self._folder.name}' has no tokenizer.json; save the tokenizer beside the graph")
        self._max_length, self._batch_tokens = max_length, batch_tokens
        self._truncation: Truncation = truncation

    @property
    def name(self) -> str:
        """The model as it was named."""
        return self._folder.name

    @cached_property
    def identity(self) -> Identity:
        """Whatever can change a score: graph, weights, tokenizer, max_length, truncation, batching."""
        return {
            "adapter": "onnx",
            "version": _VERSION,
            **self._folder.identity(),
            "graph": file_digest(self._file),
            "max_length": self._max_length,
            "truncation": self._truncation,
            "batching": "single" if self._depends_on_batch else "padded",
            **told(self._folder.path),
        }

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """Raw logits, float32 [len(pairs)].

        Raises:
            ModelError: the graph cannot be run on pairs, does not give one logit per pair, or gives one that is not
                finite; a query is too long for truncation="document".
        """
        return collect(self.stream(queries, documents, pairs), len(pairs))

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Score batch by batch, longest pairs first; see `score`."""
        if not len(pairs):
            return
        graph, encoder = self._loaded
        prepared = encoder.encode(queries, documents, np.asarray(pairs))

        def forward(rows: Integers) -> Floats:
            return graph.logits(prepared.collate(rows))

        budget = self._batch_tokens or default_budget(graph.device)
        single = self._depends_on_batch or "attention_mask" not in graph.types
        describe = describe_pairs(self.name, queries, documents, pairs)
        calls = one_by_one if graph.workers == 1 else partial(side_by_side, workers=graph.workers)
        yield from stream_batches(prepared, forward, budget=0 if single else budget, describe=describe, calls=calls)

    @cached_property
    def _depends_on_batch(self) -> bool:
        with self._file.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(name) >= 0 for name in _BATCH_QUANTISED)

    @cached_property
    def _loaded(self) -> tuple[_Graph, PairEncoder]:
        tokenizers = need("tokenizers", "onnx", _PURPOSE)
        graph = _load(self.name, self._file)
        tokenizer = tokenizers.Tokenizer.from_file(str(self._folder.path / "tokenizer.json"))
        return graph, PairEncoder(tokenizer, max_length=self._max_length, truncation=self._truncation)


@dataclass(frozen=True)
class _Graph:
    """A loaded graph."""

    name: str
    session: Any
    types: Mapping[str, Any]
    """The inputs that the graph declares, with the integer type of each."""
    device: str
    workers: int
    """Calls that run at the same time."""

    def logits(self, batch: Mapping[str, npt.NDArray[np.int64]]) -> Floats:
        """float32 [batch]."""
        feed = {name: batch[name].astype(kind, copy=False) for name, kind in self.types.items()}
        logits = np.asarray(self.session.run(None, feed)[0], dtype=np.float32)
        count = len(batch["input_ids"])
        if logits.shape not in ((count, 1), (count,)):
            raise ModelError(
                f"'{self.name}': its first output has the shape {list(logits.shape)} for {count} pairs, and a "
                f"reranker gives [{count}, 1]; export the model with its score head"
            )
        return logits.reshape(count)


def _load(name: str, file: Path) -> _Graph:
    runtime = need("onnxruntime", "onnx", _PURPOSE)
    wanted = [kind for kind in ("CUDAExecutionProvider",) if kind in runtime.get_available_providers()]
    options = runtime.SessionOptions()
    if not wanted:  # calls run side by side then, with one thread each; see batching.torch_calls
        options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = runtime.InferenceSession(str(file), options, providers=[*wanted, "CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for every status code
        raise ModelError(f"{file}: onnxruntime cannot load it: {str(error).strip().splitlines()[0]}") from error
    declared = {node.name: node.type for node in session.get_inputs()}
    for known, kind in declared.items():
        if known not in _KNOWN_INPUTS or kind not in _TYPES:
            raise ModelError(
                f"'{name}': its graph wants the input '{known}' of {kind}; only {', '.join(_KNOWN_INPUTS)} can be given"
            )
    types = {known: _TYPES[kind] for known, kind in declared.items()}
    on_gpu = "CUDAExecutionProvider" in session.get_providers()
    return _Graph(name, session, types, "cuda" if on_gpu else "cpu", 1 if on_gpu else cores())


def _graph_file(folder: ModelFolder, name: str) -> Path:
    for candidate in (folder.path / name, folder.path / "onnx" / name):
        if candidate.is_file():
            return candidate
    found = sorted(str(file.relative_to(folder.path)) for file in folder.path.rglob("*.onnx"))
    raise ModelError(
        f"'{folder.name}' has no '{name}'; choose one with ?file=..., found: {', '.join(found) or 'no .onnx file'}"
    )

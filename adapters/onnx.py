"""Cross-encoders exported to ONNX: one graph, one tokenizer.json, no torch."""

from __future__ import annotations

import importlib.metadata
import mmap
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.adapted import adapted_identity
from adapters.batching import (
    collect,
    cores,
    default_budget,
    describe_pairs,
    named_device,
    one_by_one,
    side_by_side,
    stream_batches,
)
from adapters.contents import graph_files
from adapters.errors import ModelError, UsageError, need
from adapters.known_digests import files_digest, known_digest
from adapters.labels import OutputLabel, label_of
from adapters.lengths import length_of
from adapters.loading import refuse_broken
from adapters.models import ONNX_FILES, ModelFolder, open_folder
from adapters.pairs import PairEncoder, Truncation
from adapters.processor import instruction_set
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Scored
from adapters.soundness import refuse_pointer

_VERSION = 1
_CUDA = "CUDAExecutionProvider"
_USUAL_LENGTH = 512
_PURPOSE = "running an ONNX model"
_KNOWN_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_BATCH_QUANTISED = (b"DynamicQuantize", b"QLinear", b"QAttention", b"QGemm")
_QUANTISED = (*_BATCH_QUANTISED, b"QuantizeLinear", b"MatMulInteger", b"MatMulNBits", b"ConvInteger")


class OnnxCrossEncoder:
    """Scores pairs with an ONNX graph, as its raw logits.

    A dynamically quantised (int8) graph scales its activations by the largest value of the whole batch, so the score of
    a pair would depend on the other pairs. Such a graph is run one pair at a time, without padding; its identity says
    `"batching": "single"`.

    Args:
        model: a folder with the graph and tokenizer.json, or a hub name.
        revision: of a hub model.
        max_length: tokens of a whole input; default: the length that the files declare (`adapters.lengths.length_of`),
            or 512 if they declare none.
        truncation: "document" keeps every query whole, "longest_first" as in transformers.
        batch_tokens: padded tokens per model call.
        file: name of the graph in the folder, or in its subfolder `onnx`.
        label: the label to rank by, as a number or by its name, for a graph with several; see `CrossEncoder`.

    Raises:
        ModelError: the folder has no such file, or no tokenizer.json.
        UsageError: an option is out of its range.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_length: int | None = None,
        truncation: Truncation = "document",
        batch_tokens: int | None = None,
        file: str = "model.onnx",
        label: int | str | None = None,
    ) -> None:
        if batch_tokens is not None and batch_tokens < 1:
            raise UsageError(f"batch_tokens={batch_tokens} must be at least 1")
        self._folder = open_folder(model, revision, ONNX_FILES)
        self._file = _graph_file(self._folder, file)
        if not (self._folder.path / "tokenizer.json").exists():
            raise ModelError(
                f"'{self._folder.name}' has no tokenizer.json; save the tokenizer of the "
                "model in the folder: tokenizer.save_pretrained(FOLDER)"
            )
        self._asked_label = label
        self._label = _declared_label(self._folder, label)
        self._max_length, self._batch_tokens = (
            length_of(self._folder, max_length, otherwise=_USUAL_LENGTH),
            batch_tokens,
        )
        self._truncation: Truncation = truncation

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""
        return self._folder.name

    @property
    def remarks(self) -> tuple[str, ...]:
        """Assumptions that a reader of the scores should know."""
        return (self._label.remark,) if self._label and self._label.remark else ()

    @cached_property
    def identity(self) -> Identity:
        """Everything that can change a score: graph, weights, tokenizer, max_length, truncation, label, batching."""
        return {
            "adapter": "onnx",
            "version": _VERSION,
            **self._content,
            "graph": known_digest(self._file),
            "max_length": self._max_length,
            "truncation": self._truncation,
            "batching": "single" if self._depends_on_batch else "padded",
            **self._label_identity,
            **adapted_identity(self._folder.path),
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
            logits = graph.logits(prepared.collate(rows))
            return self._label_among(logits.shape[1]).scores(logits)

        budget = self._batch_tokens or default_budget(graph.device)
        single = self._depends_on_batch or "attention_mask" not in graph.types
        describe = describe_pairs(self.name, queries, documents, pairs)
        calls = one_by_one if graph.workers == 1 else partial(side_by_side, workers=graph.workers)
        yield from stream_batches(prepared, forward, budget=0 if single else budget, describe=describe, calls=calls)

    def check(self) -> None:
        """Refuse files that cannot be loaded, before any expensive work starts.

        Raises:
            ModelError: a file cannot be loaded; the message names the file and what to do.
        """
        for file in (*graph_files(self._file), self._folder.path / "tokenizer.json"):
            refuse_pointer(file)
        self._folder.json("tokenizer.json")

    @property
    def _label_identity(self) -> dict[str, object]:
        if self._label is not None and self._label.count > 1:
            return self._label.identity
        return {} if self._asked_label is None else {"label": self._asked_label}

    def _label_among(self, count: int) -> OutputLabel:
        """The label of a graph with `count` outputs; the config.json next to it may belong to another export."""
        if self._label is not None and self._label.count == count:
            return self._label
        if count == 1 and self._asked_label in (None, 0):
            return OutputLabel(0, 1, softmax=False)
        if isinstance(self._asked_label, int) and 0 <= self._asked_label < count:
            return OutputLabel(self._asked_label, count, softmax=True)
        raise ModelError(
            f"'{self.name}': its graph gives {count} scores a pair; say which one is relevance, from 0 to {count - 1}, "
            "as in ?label=1"
        )

    @cached_property
    def _content(self) -> dict[str, object]:
        """Digests of the files that are read. The digits of a quantised graph also depend on the version of the engine
        and on the processor."""
        path = self._folder.path
        graph = [str(file.relative_to(path)) for file in graph_files(self._file)]
        engine: dict[str, object] = {}
        if self._is_quantised:
            engine = {"engine": {"onnxruntime": _version(), "processor": instruction_set()}}
        return {"weights": files_digest(path, graph), "tokenizer": files_digest(path, ["tokenizer.json"]), **engine}

    @cached_property
    def _is_quantised(self) -> bool:
        with self._file.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(name) >= 0 for name in _QUANTISED)

    @cached_property
    def _depends_on_batch(self) -> bool:
        with self._file.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(name) >= 0 for name in _BATCH_QUANTISED)

    @cached_property
    def _loaded(self) -> tuple[_Graph, PairEncoder]:
        tokenizers = need("tokenizers", "onnx", _PURPOSE)
        graph = _load(self.name, self._file)
        file = self._folder.path / "tokenizer.json"
        try:
            tokenizer = tokenizers.Tokenizer.from_file(str(file))
        except BaseException as error:
            refuse_broken(error, str(file))
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
        """float32 [batch, labels]."""
        feed = {name: batch[name].astype(kind, copy=False) for name, kind in self.types.items()}
        logits = np.asarray(self.session.run(None, feed)[0], dtype=np.float32)
        count = len(batch["input_ids"])
        if logits.ndim not in (1, 2) or logits.shape[0] != count:
            raise ModelError(
                f"'{self.name}': its first output has the shape {list(logits.shape)} for {count} pairs, and a reranker "
                f"gives [{count}, labels]; export the model with its score head: optimum-cli export onnx --task "
                "text-classification --model MODEL OUT"
            )
        return logits.reshape(count, -1)


def _load(name: str, file: Path) -> _Graph:
    runtime = need("onnxruntime", "onnx", _PURPOSE)
    on_cpu = (named_device(None) or "").startswith("cpu")
    wanted = [] if on_cpu else [kind for kind in (_CUDA,) if kind in runtime.get_available_providers()]
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what fails is raised, and reported in one line
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
    on_gpu = _CUDA in session.get_providers()
    return _Graph(name, session, types, "cuda" if on_gpu else "cpu", 1 if on_gpu else cores())


def _declared_label(folder: ModelFolder, asked: int | str | None) -> OutputLabel | None:
    """The label by config.json and the option; None if only the graph shows the number of labels."""
    declared = folder.config.get("id2label")
    several = isinstance(declared, Mapping) and len(declared) > 1
    return label_of(folder, asked) if several or isinstance(asked, str) else None


def _version() -> str:
    try:
        return importlib.metadata.version("onnxruntime")
    except importlib.metadata.PackageNotFoundError:
        return "another distribution"


def _graph_file(folder: ModelFolder, name: str) -> Path:
    for candidate in (folder.path / name, folder.path / "onnx" / name):
        if candidate.is_file():
            return candidate
    found = sorted(file.relative_to(folder.path).as_posix() for file in folder.path.rglob("*.onnx"))
    if not found:
        raise ModelError(
            f"'{folder.name}' has no ONNX graph; name it without 'onnx:', or export it: optimum-cli export onnx --task "
            f"text-classification --model {shlex.quote(folder.name)} OUT"
        )
    raise ModelError(f"'{folder.name}' has no '{name}', but {', '.join(found)}; choose one, as in ?file={found[0]}")

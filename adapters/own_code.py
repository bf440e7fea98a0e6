"""Rerankers whose folders contain custom code. The code runs only with `?code=own`, in a separate process.

`families/rerankers/*.toml` define how a folder is called; the process is `own_code_process.py`.
"""

from __future__ import annotations

import copy
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from adapters.adapted import adapted_identity
from adapters.batching import UNKNOWN_INPUT, collect, default_budget, describe_pairs, named_device, stream_batches
from adapters.contents import Contents
from adapters.errors import UsageError
from adapters.models import ModelFolder
from adapters.own_code_client import REQUEST_SECONDS, SECONDS_A_PAIR, CallFailed, OwnCodeProcess, versions_of
from adapters.own_code_folder import OwnCode
from adapters.own_code_options import (
    Calling,
    Layering,
    chosen_calling,
    chosen_length,
    chosen_template,
    model_folder,
)
from adapters.padding import pads_pairs
from adapters.prompt_template import Field, PromptTemplate
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Scored, Setting
from adapters.reference import NoReference, ReferenceCall
from adapters.reranker_family import CLASSES, Call
from adapters.soundness import refuse_unsound

_VERSION = 1
_PREPARE_SECONDS_A_PAIR = 0.05
DType = Literal["float32", "float16", "bfloat16"]


def open_own_code(
    model: str,
    *,
    revision: str | None = None,
    code: Literal["own"] = "own",
    call: Call | None = None,
    python: str | None = None,
    max_length: int | None = None,
    template: str | None = None,
    instruction: str | None = None,
    layer: int | None = None,
    compress_ratio: int | None = None,
    compress_layers: str | None = None,
    device: str | None = None,
    dtype: DType = "float32",
    batch_tokens: int | None = None,
    pickle: bool = False,
) -> OwnCodeReranker | OwnCodeListReranker:
    """Open a reranker that runs the code of its folder. Only configuration is read.

    Args:
        model: a folder, or a hub name.
        revision: of a hub model.
        code: "own" executes the code of the folder, with all rights of the user.
        call: how to call the model, if its folder belongs to no known family: "pair", "text", "layers", "querit",
            "compute_score" or "rerank" (docs/templates.md).
        python: the Python interpreter of another environment, if the code needs other libraries; default: this one.
        max_length: tokens of a whole input; default: the length that the folder or its family declares.
        template: for "text", "layers" and "querit": a packaged template or a TOML file.
        instruction: for a template with a field for it; overrides the instruction of the collection.
        layer: for "layers": the layer whose score counts; default: the last one.
        compress_ratio: for models that merge tokens of a document: how many become one.
        compress_layers: the layers before which tokens are merged, as in "24,40".
        device: a torch device; default: a GPU if there is one.
        dtype: of the weights.
        batch_tokens: padded tokens per model call, or characters if the model counts no tokens; does not change scores
            beyond rounding.
        pickle: read pickled weights if there are no safetensors.

    Raises:
        ModelError: the folder names no custom code, belongs to no known family, or lacks some of its code.
        UsageError: an option is out of its range, or the call does not use it.
    """
    del code  # always "own" here: it selected this function
    if batch_tokens is not None and batch_tokens < 1:
        raise UsageError(f"batch_tokens={batch_tokens} must be at least 1")
    folder = model_folder(model, revision)
    own = OwnCode(folder)
    calling = chosen_calling(own, call, template)
    found = chosen_template(folder, calling, template, instruction)
    length = chosen_length(folder, calling, found, max_length)
    layering = Layering.chosen(folder, calling, layer, compress_ratio, compress_layers)
    made = Opened(own, calling, found, length, layering, named_device(device), dtype, pickle, python)
    kind = OwnCodeListReranker if calling.call == "rerank" else OwnCodeReranker
    return kind(made, instruction, batch_tokens)


@dataclass(frozen=True)
class Opened:
    """A folder and how it is called; nothing is loaded.

    Args:
        template: makes the text of a pair; None if the model reads a query and a document.
        max_length: tokens of a whole input; None leaves it to the model's own method.
        layering: the options of a model with a head after each layer.
    """

    own: OwnCode
    calling: Calling
    template: PromptTemplate | None
    max_length: int | None
    layering: Layering | None
    device: str | None
    dtype: DType
    pickle: bool
    python: str | None

    @property
    def folder(self) -> ModelFolder:
        return self.own.folder

    @cached_property
    def identity(self) -> dict[str, object]:
        """Everything that can change a score, except the instruction."""
        calling, template = self.calling, self.template
        return {
            "adapter": "own-code",
            "version": _VERSION,
            **Contents(self.folder, self.pickle).identity(),
            "code": self.own.digest,
            "process": versions_of(self.python),
            "call": calling.call,
            "max_length": self.max_length,
            "dtype": self.dtype,
            **({} if calling.code.attention is None else {"attention": calling.code.attention}),
            **({} if template is None else {"template": template.digest}),
            **({} if self.layering is None else self.layering.identity),
            **adapted_identity(self.folder.path),
        }

    def process(self, instruction: str) -> OwnCodeProcess:
        """A process for this folder. Its temporary files are removed with the last reference to the process."""
        place = tempfile.TemporaryDirectory(prefix="harness-own-code-")
        folder, calling = Path(place.name), self.calling
        call: dict[str, Any] = {
            "call": calling.call, "auto": CLASSES[calling.call], "folder": str(self.own.view(folder)),
            "device": self.device, "dtype": self.dtype, "pickle": self.pickle, "attention": calling.code.attention,
            "max_length": self.max_length,
            "pieces": None if self.template is None else _pieces(self.template, instruction),
            **({} if self.layering is None else self.layering.call),
        }  # fmt: skip
        process = OwnCodeProcess(self.folder.name, call, folder, self.python, self._advice)
        weakref.finalize(process, place.cleanup)
        return process

    @property
    def _advice(self) -> str:
        wanted, here = self.calling.code.transformers, versions_of(self.python)["transformers"]
        if wanted is None or f"{here}.".startswith(f"{wanted}."):
            return ""
        return (
            f"; its code was written for transformers {wanted}, and this is {here}: "
            "name the Python of an environment with that version, as in ?code=own&python=/path/to/python"
        )


class _OwnCode:
    """The parts that both kinds of reranker share."""

    def __init__(self, opened: Opened, instruction: str | None, batch_tokens: int | None) -> None:
        self._opened, self._batch_tokens = opened, batch_tokens
        self._fixed = instruction is not None
        template = opened.template
        self._instruction = instruction or (template.instruction if template is not None else "")

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""
        return self._opened.folder.name

    @property
    def identity(self) -> Identity:
        """Everything that can change a score: weights, tokenizer, settings, code, how the model is called, and the
        versions of Python and transformers that run the code."""
        template = self._opened.template
        instructed = template is not None and template.instructed
        return {**self._opened.identity, **({"instruction": self._instruction} if instructed else {})}

    @property
    def remarks(self) -> tuple[str, ...]:
        """Assumptions that a reader of the scores should know."""
        layering = self._opened.layering
        return (layering.remark,) if layering is not None and layering.remark else ()

    def check(self) -> None:
        """Refuse files that cannot be loaded, and an interpreter that cannot be used. Runs no code of the folder.

        Raises:
            ModelError: a file cannot be loaded; the message names the file and what to do.
            UsageError: `python` is not an interpreter with transformers.
        """
        refuse_unsound(self._opened.folder, pickle=self._opened.pickle)
        _ = self._opened.own.digest
        versions_of(self._opened.python)

    @cached_property
    def _process(self) -> OwnCodeProcess:
        return self._opened.process(self._instruction)


class OwnCodeReranker(_OwnCode):
    """Scores pairs with the code of the model's own folder, as raw scores in float32.

    Document tokens are counted before and after truncation, unless a method of the model reads the texts itself.
    """

    def bind(self, setting: Setting) -> OwnCodeReranker:
        """The same model with the instruction of a collection, if its template has a field for it."""
        template = self._opened.template
        if setting.instruction is None or self._fixed or template is None or not template.instructed:
            return self
        bound = copy.copy(self)
        for derived in ("_process", "_pads"):
            bound.__dict__.pop(derived, None)
        bound._instruction = setting.instruction
        return bound

    def reference(self) -> ReferenceCall:
        """Raise NoReference: sentence-transformers would run the same code.

        Raises:
            NoReference: always.
        """
        raise NoReference("sentence-transformers has no class for it, and would run the same code")

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """Raw scores, float32 [len(pairs)].

        Raises:
            ModelError: the code of the folder fails, ends its process or takes too long; a score is not finite; a
                query leaves no space for a document.
        """
        return collect(self.stream(queries, documents, pairs), len(pairs))

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Score batch by batch, longest pairs first; see `score`."""
        pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        if not len(pairs):
            return
        pads = self._pads
        prepared = self._prepare(queries, documents, pairs)
        budget = self._batch_tokens or default_budget(self._process.device.split(":")[0])
        describe = describe_pairs(self.name, queries, documents, pairs)
        yield from stream_batches(prepared, self._scores, budget=budget if pads else 0, describe=describe)

    @cached_property
    def _pads(self) -> bool:
        """Whether inputs of different lengths can share a call."""

        def scores(_: OwnInputs, rows: Integers) -> Floats:
            try:
                return self._scores(rows)
            except CallFailed as error:
                raise RuntimeError(str(error)) from error

        return pads_pairs(self._prepare, scores, self._opened.dtype)

    def _prepare(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> OwnInputs:
        """Send the texts of the pairs to the process, and return the lengths of the inputs."""
        asked, query = np.unique(pairs[:, 0], return_inverse=True)
        named, document = np.unique(pairs[:, 1], return_inverse=True)
        read = self._opened.template.read if self._opened.template is not None else str
        request = {
            "queries": [read(queries[int(index)]) for index in asked],
            "documents": [read(documents[int(index)]) for index in named],
            "pairs": np.stack([query, document], axis=1).tolist(),
        }
        seconds = REQUEST_SECONDS + _PREPARE_SECONDS_A_PAIR * len(pairs)
        return OwnInputs.of(self._process.ask({"prepare": request}, seconds), len(pairs))

    def _scores(self, rows: Integers) -> Floats:
        """Scores of rows of the last prepared request, float32 [len(rows)]."""
        seconds = REQUEST_SECONDS + SECONDS_A_PAIR * len(rows)
        found = self._process.ask({"score": rows.tolist()}, seconds)["scores"]
        scores: Floats = np.array(found, np.float64).astype(np.float32)
        return scores


class OwnCodeListReranker(_OwnCode):
    """Orders whole lists with the code of the model's folder. The order may depend on the whole list."""

    def order(self, query: str, documents: Sequence[str]) -> list[int]:
        """The numbers of the documents, the best one first.

        Raises:
            ModelError: the code of the folder fails, ends its process or takes too long.
        """
        seconds = REQUEST_SECONDS + SECONDS_A_PAIR * len(documents)
        found = self._process.ask({"order": {"query": query, "documents": [*documents]}}, seconds)
        return [int(one) for one in found["order"]]


@dataclass(frozen=True)
class OwnInputs:
    """The inputs of a request, as far as the process can count them."""

    lengths: Integers
    """Tokens of the whole input after truncation; characters if the model counts no tokens."""
    tokens: npt.NDArray[np.int32]
    """Document tokens before truncation; -1 if they are not counted."""
    kept: npt.NDArray[np.int32]
    """Document tokens after truncation; -1 if they are not counted."""
    digests: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, found: dict[str, list[int]], count: int) -> OwnInputs:
        """From the answer of the process."""
        unknown = [-1] * count
        return cls(
            np.array(found["lengths"], np.int64),
            np.array(found.get("tokens", unknown), np.int32),
            np.array(found.get("kept", unknown), np.int32),
            np.array(found.get("inputs", [UNKNOWN_INPUT] * count), np.uint64),
        )

    def inputs(self, rows: Integers) -> npt.NDArray[np.uint64]:
        """Digests of the inputs of some rows."""
        return self.digests[rows]


def _pieces(template: PromptTemplate, instruction: str) -> list[list[str | int]]:
    """The pieces of a template as the process reads them: 0 marks the query, 1 the document."""
    numbers = {Field.QUERY: 0, Field.DOCUMENT: 1}

    def written(part: str | Field) -> str | int:
        if isinstance(part, str):
            return part
        return instruction if part is Field.INSTRUCTION else numbers[part]

    return [[written(part) for part in piece] for piece in template.pieces]

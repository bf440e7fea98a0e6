"""Rerankers that end, stop or fail inside the process of a worker; a spec names them as tests.fake_workers:Class."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from adapters.batching import stream_batches
from adapters.budgets import calls_of
from adapters.dense import DenseRetriever
from adapters.errors import ModelError
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Role, Scored
from tests.fake_adapters import Streaming

Failure = Literal["model", "odd", "warning"]


class Mortal(Streaming):
    """Kills its process before its second batch, as often as `deaths` says over all processes."""

    def __init__(self, *, log: str | None = None, folder: str, deaths: int = 0) -> None:
        super().__init__(log=log)
        self._folder, self._deaths = Path(folder), deaths

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        for number, scored in enumerate(super().stream(queries, documents, pairs)):
            yield scored
            if number == 0:
                self.may_die()

    def may_die(self) -> None:
        for number in range(self._deaths):
            try:
                (self._folder / f"death-{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)


class Letters:
    """Counts letters, ten texts at a time, and kills its process after its first batch of documents."""

    name = "letters"
    identity: ClassVar[Identity] = {"adapter": "letters"}

    def __init__(self, folder: str, deaths: int) -> None:
        self._mortal = Mortal(folder=folder, deaths=deaths)

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        return np.concatenate([vectors for _, vectors in self.batches(texts, role)])

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[tuple[Integers, Floats]]:
        for start in range(0, len(texts), 10):
            rows = np.arange(start, min(start + 10, len(texts)))
            yield rows, np.array([[texts[row].count(letter) + 1 for letter in "aeiou"] for row in rows], np.float32)
            if role == "document":
                self._mortal.may_die()


def letters(*, folder: str, deaths: int = 0) -> DenseRetriever:
    """A first stage."""
    return DenseRetriever.of(Letters(folder, deaths))


class Waiting(Streaming):
    """Writes down its process, and waits after its first batch until a file `go` exists."""

    def __init__(self, *, log: str | None = None, folder: str) -> None:
        super().__init__(log=log)
        self._folder = Path(folder)

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        for scored in super().stream(queries, documents, pairs):
            yield scored
            (self._folder / f"pid-{os.getpid()}").touch()
            while not (self._folder / "go").exists():
                time.sleep(0.01)
                yield scored.__class__(*(getattr(scored, name)[:0] for name in scored.__dataclass_fields__))


class Heavy(Streaming):
    """A model whose calls do not fit into memory above a number of words."""

    def __init__(self, *, log: str | None = None, most: int) -> None:
        super().__init__(log=log)
        self.identity = {"adapter": "heavy", "weights": "many"}
        self._most = most

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        words = np.array([len(documents[d].split()) for d in pairs[:, 1]], np.int32)

        def forward(rows: Integers) -> Floats:
            if len(rows) * words[rows].max() > self._most:
                raise MemoryError("CUDA out of memory")
            return self.score(queries, documents, pairs[rows])

        _, budget = calls_of(self.identity, "cpu", ("plain",), asked=64, name="'heavy'")
        yield from stream_batches(Words(words.astype(np.int64), words, words), forward, budget=budget, describe=str)


@dataclass(frozen=True)
class Words:
    """Inputs of which only the lengths are known."""

    lengths: Integers
    tokens: npt.NDArray[np.int32]
    kept: npt.NDArray[np.int32]

    def inputs(self, rows: Integers) -> npt.NDArray[np.uint64]:
        return np.zeros(len(rows), np.uint64)


class Odd(Exception):
    """An error that cannot be pickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


class Failing(Streaming):
    """Raises an error, or warns."""

    def __init__(self, *, how: Failure) -> None:
        super().__init__()
        self._how = how

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        if self._how == "model":
            raise ModelError(f"'{queries[0]}': the weights are damaged")
        if self._how == "odd":
            raise Odd("very", "odd")
        warnings.warn("the model is old", FutureWarning, stacklevel=1)
        yield from super().stream(queries, documents, pairs)

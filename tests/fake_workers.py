"""Rerankers that end, stop or fail inside the process of a worker; a spec names them as tests.fake_workers:Class."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from adapters.errors import ModelError
from adapters.protocols import IndexPairs, Scored
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
                self._may_die()

    def _may_die(self) -> None:
        for number in range(self._deaths):
            try:
                (self._folder / f"death-{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)


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

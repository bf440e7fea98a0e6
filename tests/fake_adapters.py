"""Adapters as a plug-in author would write them, good and bad; a spec names them as tests.fake_adapters:Class."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np

from adapters.protocols import Floats, Identity, IndexPairs, Integers, Progress, Scored

Death = Literal["error", "interrupt", "kill"]


def score_of(query: str, document: str) -> float:
    """A number in [0, 1) that follows from the two texts."""
    return int.from_bytes(blake2b(f"{query}\0{document}".encode(), digest_size=3).digest(), "big") / 2**24


def asked(log: Path) -> list[str]:
    """The pairs that a model was asked for, in order."""
    return log.read_text("utf-8").splitlines()


class Overlap:
    """A first stage: the share of the query's words."""

    name = "overlap"

    def __init__(self, *, power: float = 1.0) -> None:
        self.identity: Identity = {"adapter": "overlap", "power": power}
        self._power = power

    def search(
        self, queries: Sequence[str], corpus: Sequence[str], depth: int, progress: Progress | None = None
    ) -> tuple[Integers, Integers, Floats]:
        documents, scores = [], []
        for query in queries:
            words = set(query.split())
            values = np.array([len(words & set(text.split())) / len(words) for text in corpus], np.float32)
            best = np.lexsort((np.arange(len(values)), -values))[:depth]
            documents.append(best)
            scores.append(values[best] ** np.float32(self._power))
        offsets = np.cumsum([0, *map(len, documents)])
        return offsets, np.concatenate(documents), np.concatenate(scores)


class Assuming(Overlap):
    """A first stage whose files leave something open."""

    remarks = ("it is asked without a prompt",)


class Generous(Overlap):
    """A first stage that does not care for the depth."""

    def search(
        self, queries: Sequence[str], corpus: Sequence[str], depth: int, progress: Progress | None = None
    ) -> tuple[Integers, Integers, Floats]:
        return super().search(queries, corpus, len(corpus), progress)


class Silent:
    """A first stage and reranker that says nothing of itself: its source is its identity."""

    search = Overlap.search

    def __init__(self) -> None:
        self._power = 1.0

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        return np.array([score_of(queries[q], documents[d]) for q, d in pairs], np.float32)


class Plain:
    """All that a plug-in has to write, and a log of every pair that it was asked for."""

    def __init__(self, *, log: str | None = None, version: int = 1) -> None:
        self.identity: Identity = {"adapter": "hash", "version": version}
        self._log = log

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        self._note(queries, documents, pairs)
        return np.array([self._value(queries[q], documents[d]) for q, d in pairs], np.float32)

    def _value(self, query: str, document: str) -> float:
        return score_of(query, document)

    def _note(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> None:
        if self._log:
            with Path(self._log).open("a", encoding="utf-8") as file:
                file.writelines(f"{queries[q]} | {documents[d]}\n" for q, d in pairs)


class Streaming(Plain):
    """The same scores, two pairs at a time, and a death after some batches if one is wanted."""

    def __init__(self, *, log: str | None = None, lives: int | None = None, death: Death = "error") -> None:
        super().__init__(log=log)
        self._lives, self._death = lives, death
        if lives is not None:
            import harness.scoring.rerank

            # Every batch is written down at once, so that what a death may cost is known: the batch in flight.
            harness.scoring.rerank._FLUSH_SECONDS = -1.0

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        names = [score_of(queries[q], documents[d]) for q, d in pairs]
        for batch, start in enumerate(range(0, len(pairs), 2)):
            if batch == self._lives:
                self._die()
            rows = np.argsort(names, kind="stable")[start : start + 2]
            yield self._scored(rows, queries, documents, pairs)

    def _scored(self, rows: Integers, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Scored:
        scores = self.score(queries, documents, pairs[rows])
        tokens = np.array([len(documents[d].split()) for d in pairs[rows, 1]], np.int32)
        return Scored(rows, scores, tokens, tokens, np.zeros(len(rows), np.uint64))

    def _die(self) -> None:
        if self._death == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise KeyboardInterrupt if self._death == "interrupt" else RuntimeError("the card fell off")


class Short(Streaming):
    """Reads the first words of a document only; `words=0` is a query that fills the window."""

    def __init__(self, *, words: int) -> None:
        super().__init__()
        self.identity = {"adapter": "short", "words": words}
        self._words = words

    def _value(self, query: str, document: str) -> float:
        return score_of(query, " ".join(document.split()[: self._words]))

    def _scored(self, rows: Integers, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Scored:
        found = super()._scored(rows, queries, documents, pairs)
        kept = np.minimum(found.tokens, self._words).astype(np.int32)
        inputs = (found.scores.astype(np.float64) * 2**24 + 1).astype(np.uint64)
        return Scored(rows, found.scores, found.tokens, kept, inputs)


class Constant(Plain):
    """A head that was never trained."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = {"adapter": "constant"}

    def _value(self, query: str, document: str) -> float:
        return 0.5


class Overflowing(Streaming):
    """NaN for every document about winter, as half precision gives it."""

    def __init__(self, *, log: str | None = None, lives: int | None = None) -> None:
        super().__init__(log=log, lives=lives)
        self.identity = {"adapter": "overflowing"}

    def _value(self, query: str, document: str) -> float:
        return float("nan") if "winter" in document else score_of(query, document)


class TooFew(Plain):
    """Leaves the last score out."""

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        return super().score(queries, documents, pairs)[:-1]


class Dropping(Streaming):
    """Streams every batch but the first."""

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        stream = super().stream(queries, documents, pairs)
        next(stream)
        yield from stream


class Repeating(Streaming):
    """Streams the first batch twice."""

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        stream = super().stream(queries, documents, pairs)
        first = next(stream)
        yield from (first, first)
        yield from stream


class Straying(Streaming):
    """Streams rows that nobody asked for."""

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        for found in super().stream(queries, documents, pairs):
            yield Scored(found.rows + len(pairs), found.scores, found.tokens, found.kept, found.inputs)

"""Rerankers with one virtue or one fault each; a spec names them as tests.fake_rankers:Class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from adapters.protocols import Floats, Identity, IndexPairs

Fault = Literal["none", "half", "repeats", "strays", "text", "short"]


def shared(query: str, document: str) -> float:
    """The share of the query's letter pairs that the document has: reads any script."""
    asked, held = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (query, document))
    return len(asked & held) / max(len(asked), 1)


def noted(log: str | None, line: str) -> None:
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


class Good:
    """Scores what a document shares with the query."""

    sign = 1.0

    def __init__(self, *, log: str | None = None, dtype: Literal["float32", "float16"] = "float32") -> None:
        self.identity: Identity = {"adapter": type(self).__name__, "dtype": dtype}
        self._log, self._dtype = log, dtype

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        for query, document in pairs:
            noted(self._log, f"{queries[query]} | {documents[document]}")
        found = [self.value(queries[query], documents[document]) for query, document in pairs]
        return np.array(found, np.float32)

    def value(self, query: str, document: str) -> float:
        return self.sign * shared(query, document)


class Flipped(Good):
    """The logit of the wrong label."""

    sign = -1.0


class OnlyEnglish(Good):
    """Knows Latin letters without accents; everything else is one and the same unknown token."""

    def value(self, query: str, document: str) -> float:
        known = [" ".join(word for word in text.split() if word.isascii()) for text in (query, document)]
        return shared(*known)


class WrongInThai(Good):
    """Right in every language but one."""

    def value(self, query: str, document: str) -> float:
        thai = any("\u0e00" <= letter <= "\u0e7f" for letter in query)
        return -shared(query, document) if thai else shared(query, document)


class Resisting(Good):
    """Was trained that a document that only repeats the query is the worst."""

    def value(self, query: str, document: str) -> float:
        return -1.0 if document.strip() == query.strip() else shared(query, document)


class ByLength(Good):
    """Does not look at the query."""

    def value(self, query: str, document: str) -> float:
        return float(len(document))


class Normalised(Good):
    """Scales the scores of every call to a best of 1, as some services do."""

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        scores = super().score(queries, documents, pairs)
        return scores / max(float(scores.max()), 1e-9)


class Jittering(Good):
    """Adds what a bad kernel adds: a little of the size of the call."""

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        return super().score(queries, documents, pairs) + np.float32(3e-4 * (len(pairs) % 7))


class Window(Good):
    """Reads so many words of a document."""

    def __init__(self, *, max_length: int = 2) -> None:
        super().__init__()
        self.identity = {"adapter": "window", "max_length": max_length}
        self._words = max_length

    def value(self, query: str, document: str) -> float:
        return shared(query, " ".join(document.split()[: self._words]))


class Overflowing(Good):
    """Not finite in half precision."""

    def value(self, query: str, document: str) -> float:
        return float("nan") if self._dtype == "float16" else shared(query, document)


class Lists:
    """A listwise reranker: by shared letters, best first, with a fault if one is wanted."""

    def __init__(
        self, *, fault: Fault = "none", every: int = 1, log: str | None = None, lives: int | None = None
    ) -> None:
        self.identity: Identity = {"adapter": "lists", "fault": fault, "every": every}
        self._fault, self._every, self._log, self._lives, self._calls = fault, every, log, lives, 0

    def order(self, query: str, documents: Sequence[str]) -> Sequence[int]:
        if self._calls == self._lives:
            raise KeyboardInterrupt
        self._calls += 1
        noted(self._log, f"{query} | {' | '.join(documents)}")
        best = sorted(range(len(documents)), key=lambda row: (-shared(query, documents[row]), documents[row]))
        return self._spoiled(best) if self._calls % self._every == 0 else best

    def _spoiled(self, best: list[int]) -> Sequence[int]:
        spoiled: dict[str, object] = {
            "none": best,
            "half": best[: len(best) // 2],
            "repeats": [best[0], *best],
            "strays": [*best, len(best), -1],
            "text": "3 > 1 > 2",
            "short": best[1:],
        }
        return spoiled[self._fault]  # type: ignore[return-value]


class AsGiven:
    """Gives the order of the input back."""

    def __init__(self) -> None:
        self.identity: Identity = {"adapter": "as given"}

    def order(self, query: str, documents: Sequence[str]) -> Sequence[int]:
        return range(len(documents))

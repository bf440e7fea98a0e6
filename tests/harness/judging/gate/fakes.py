"""Rerankers of a known quality, and collections that they can read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adapters.protocols import Floats, Identity, IndexPairs
from harness.data.collection import Collection
from tests.fake_adapters import score_of
from tests.tiny_collection import Place

FAKE = "tests.harness.judging.gate.fakes"


class Reader:
    """Knows the answer by its number, except for a share of the queries, for which it puts the answer last."""

    def __init__(self, *, wrong: float = 0.0, seed: int = 0) -> None:
        self.identity: Identity = {"adapter": "reader", "wrong": wrong, "seed": seed}
        self._wrong, self._seed = wrong, seed

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        return np.array([self._one(queries[q], documents[d]) for q, d in pairs], np.float32)

    def _one(self, query: str, document: str) -> float:
        chance = score_of(query, document)
        if query.split()[-1] != document.split()[-1]:
            return chance
        return -1.0 if score_of(query, str(self._seed)) < self._wrong else 2.0


class Nothing(Reader):
    """NaN for everything."""

    def _one(self, query: str, document: str) -> float:
        return float("nan")


def readable(place: Place, queries: int = 100, name: str = "coll") -> Collection:
    """Query i is answered by the document that ends in the same number."""
    corpus = {f"d{i}": f"{name} has a thing of number {i}" for i in range(queries)}
    texts = {f"q{i}": f"what is the thing of number {i}" for i in range(queries)}
    return place.load(place.beir(name, corpus, texts, [(f"q{i}", f"d{i}", 1) for i in range(queries)]))

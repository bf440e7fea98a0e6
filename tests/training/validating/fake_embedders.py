"""Embedders that need no model: a text is the direction of its words."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from adapters.dense import DenseRetriever
from adapters.protocols import Floats, Identity, Role

DIM = 32


def vector_of(text: str) -> Floats:
    """The sum of a fixed random direction for each word, of length 1."""
    seeds = [int.from_bytes(blake2b(word.encode(), digest_size=4).digest(), "big") for word in text.split()]
    total = np.sum([np.random.default_rng(seed).normal(size=DIM) for seed in seeds], axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


class Words:
    """An embedder that writes down what it was asked."""

    name = "words"

    def __init__(self, log: str | None) -> None:
        self.identity: Identity = {"adapter": "words"}
        self._log = log

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        if self._log:
            with Path(self._log).open("a", encoding="utf-8") as file:
                file.writelines(f"{role} | {text}\n" for text in texts)
        return np.array([vector_of(text) for text in texts], np.float32).reshape(len(texts), DIM)


def words(*, log: str | None = None) -> DenseRetriever:
    """A first stage over these vectors."""
    return DenseRetriever.of(Words(log))


SPEC = f"{__name__}:words"

"""A planted fault as a value, and measures worked out by hand, so that no evaluator is its own judge."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

NDCG, RR = "nDCG@10", "RR@10"
Values = dict[str, float]
"""Measure to mean, as a fraction."""
Scorer = Callable[[Sequence[tuple[str, str]]], list[float]]
"""Pairs of texts to scores, one for each."""
Kind = Literal["scores", "fewer", "run", "twice", "subsets", "stored", "trec", "model", "changed", "imported", "bm25"]
"""How a fault reaches an evaluator: a model's scores, too few of them, a run, a list with a repeat, one of two subsets,
a stored number that was changed, judgments as TREC publishes them, the folder of a model, a folder that is changed
between two evaluations, a published value that is taken in, BM25 on the texts."""


@dataclass(frozen=True)
class Published:
    """A model as somebody publishes it. Every call of `make` writes the same one."""

    make: Callable[[Path], Path]
    """Writes the model below a folder, and returns the folder of the model."""
    scorer: Callable[[Path], Scorer]
    """Reads the model with transformers and torch alone, as its authors do: the right scores."""
    spoil: Callable[[Path], object] = lambda _: None
    """Plants the fault in the folder, after the right scores are known."""
    change: Callable[[Path], object] = lambda _: None
    """What happens to the folder between two evaluations. The right scores are those after it."""
    embedder: bool = False
    """Whether it is named as an embedder."""
    options: str = ""
    """Of the spec of our harness, as in `&pickle=true`."""


@dataclass(frozen=True)
class Case:
    """One planted fault. Query and document ids are keys of `queries` and `corpus`."""

    name: str
    planted: str
    """What is wrong, in a sentence."""
    right: Values
    because: str
    """Why `right` is right."""
    kind: Kind
    queries: Mapping[str, str]
    corpus: Mapping[str, str]
    qrels: Sequence[tuple[str, str, int]]
    lists: Mapping[str, Sequence[str]]
    """The candidates as the first stage lists them."""
    run: Mapping[str, Sequence[tuple[str, float]]]
    """What the reranker gives; a document may stand twice, be missing or be new."""
    unlisted: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)
    """What the model would give documents that the first stage missed, should anyone ask."""
    elsewhere: tuple[float, float] = (14.0, 9.5)
    """What the model gives an answer and an unrelated text that are not of the collection."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Documented switches of single evaluators that the fault needs, and the adapter that ours takes it with."""
    model: Published | None = None
    """The model of a fault of models; its texts are dealt out by `planted.models.dealt`."""
    searched: Values = field(default_factory=dict)
    """What is right for an evaluator that searches the whole corpus with `model`."""

    @property
    def labels(self) -> dict[str, dict[str, int]]:
        """The judgments as most peers take them; of two rows for a pair the later one holds."""
        found: dict[str, dict[str, int]] = {query: {} for query in self.queries}
        for query, document, grade in self.qrels:
            found[query][document] = grade
        return found

    @cached_property
    def scores(self) -> dict[tuple[str, str], float]:
        """(query text, document text) to score: what a model answers when it is asked for a pair."""
        found: dict[tuple[str, str], float] = {}
        for rows in (self.run, self.unlisted):
            for query, some in rows.items():
                for document, score in some:
                    found.setdefault((self.queries[query], self.corpus[document]), score)
        return found

    def written(self, folder: Path) -> Path:
        """The model with the fault, in a folder of its own."""
        if self.model is None:
            raise TypeError(f"'{self.name}' plants nothing in a model")
        place = self.model.make(folder)
        self.model.spoil(place)
        return place


def is_embedder(case: Case) -> bool:
    """Whether the model of a case is named as an embedder."""
    return case.model is not None and case.model.embedder


def mean_of(ranks: Sequence[int | None], relevant: int | Sequence[int] = 1) -> Values:
    """nDCG@10 and RR@10 where every query has `relevant` relevant documents and the list holds at most one of them, at
    the given rank from 1."""
    counts = [relevant] * len(ranks) if isinstance(relevant, int) else relevant
    ideals = [sum(1 / math.log2(rank + 1) for rank in range(1, min(count, 10) + 1)) for count in counts]
    kept = [rank if rank and rank <= 10 else None for rank in ranks]
    ndcg = [1 / math.log2(rank + 1) / ideal if rank else 0.0 for rank, ideal in zip(kept, ideals, strict=True)]
    rr = [1 / rank if rank else 0.0 for rank in kept]
    return {NDCG: sum(ndcg) / len(ranks), RR: sum(rr) / len(ranks)}

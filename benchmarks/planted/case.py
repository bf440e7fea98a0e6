"""A planted fault as a value, and measures worked out by hand, so that no evaluator is its own judge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

NDCG, RR = "nDCG@10", "RR@10"
Values = dict[str, float]
"""Measure to mean, as a fraction."""
Kind = Literal["scores", "fewer", "run", "twice", "subsets", "checkpoint", "stored", "head"]
"""How a fault reaches an evaluator: a model's scores, too few of them, a run, a list with a repeat, one of two subsets,
a checkpoint that was written over, a stored number that was changed, a checkpoint without its head."""


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


def mean_of(ranks: Sequence[int | None], relevant: int = 1) -> Values:
    """nDCG@10 and RR@10 where every query has `relevant` relevant documents and the list holds at most one of them, at
    the given rank from 1."""
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, relevant + 1))
    ndcg = [1 / math.log2(rank + 1) / ideal if rank else 0.0 for rank in ranks]
    rr = [1 / rank if rank else 0.0 for rank in ranks]
    return {NDCG: sum(ndcg) / len(ranks), RR: sum(rr) / len(ranks)}

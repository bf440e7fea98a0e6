"""The labels of the arms: for the same queries and documents, by teachers, people, sources or chance, on one scale from
0 to 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from harness.data.collection import sampling_order
from training.examples import Example
from training.utility.sets import CorpusQueries

ById = Mapping[str, Example]
"""Examples by the id of their query."""


@dataclass(frozen=True)
class Scale:
    """A linear scale for the teacher's scores of all arms: the lowest becomes 0, the highest 1."""

    low: float
    high: float

    def __call__(self, example: Example) -> Example:
        width = self.high - self.low
        return replace(example, scores=tuple((_number(score) - self.low) / width for score in example.scores))


def scale_of(examples: Iterable[Example]) -> Scale:
    """The scale of these scores, which must not all be equal."""
    scores = [_number(score) for example in examples for score in example.scores]
    return Scale(min(scores), max(scores))


def human(examples: ById, real_queries: CorpusQueries) -> dict[str, Example]:
    """Grades as shares of the highest grade. An unjudged document has 0, although it may be relevant. A text has the
    highest grade of the documents with this text. An example whose labels are all equal is left out."""
    queries = {one.id: one.grades for one in real_queries.queries}
    graded = {id_: _graded(example, queries[id_], real_queries) for id_, example in examples.items()}
    return {id_: example for id_, example in graded.items() if len(set(example.scores)) > 1}


def shuffled(example: Example, seed: int) -> Example:
    """The same scores in a random order, which the texts and the seed decide. What is learned from them is not
    relevance."""
    order = sampling_order([f"{example.query}\n{text}" for text in example.documents], seed)
    return replace(example, scores=tuple(example.scores[place] for place in order.tolist()))


def by_source(example: Example) -> Example:
    """1 for the document that the query was written from, 0 for all others."""
    return replace(example, scores=tuple(float(name == example.source) for name in example.ids or ()))


def _graded(example: Example, grades: Mapping[int, int], real_queries: CorpusQueries) -> Example:
    rows = np.array(list(grades), np.int64)
    by_text: dict[str, int] = {}
    for text, grade in zip(real_queries.corpus.corpus.take(rows), grades.values(), strict=True):
        by_text[text] = max(grade, by_text.get(text, 0))
    return replace(example, scores=tuple(by_text.get(text, 0) / real_queries.highest for text in example.documents))


def _number(score: float | None) -> float:
    return float("nan") if score is None else score

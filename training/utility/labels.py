"""The labels of the arms: the same queries and documents, and another's word on them, all on one scale from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from training.examples import Example
from training.utility.sets import CorpusQueries

ById = Mapping[str, Example]
"""Examples by the id of their query."""


@dataclass(frozen=True)
class Scale:
    """One line for the teacher's scores of all arms: its lowest becomes 0, its highest 1."""

    low: float
    high: float

    def __call__(self, example: Example) -> Example:
        width = self.high - self.low
        return replace(example, scores=tuple((_number(score) - self.low) / width for score in example.scores))


def scale_of(examples: Iterable[Example]) -> Scale:
    """The scale of these scores, which are not all the same."""
    scores = [_number(score) for example in examples for score in example.scores]
    return Scale(min(scores), max(scores))


def human(examples: ById, asked: CorpusQueries) -> dict[str, Example]:
    """Grades as shares of the highest grade; 0 for a document that nobody judged, which may be relevant all the same.
    A text has the highest grade of the documents that have it. An example without an order is left out."""
    queries = {one.id: one.grades for one in asked.queries}
    found = {id_: _graded(example, queries[id_], asked) for id_, example in examples.items()}
    return {id_: example for id_, example in found.items() if len(set(example.scores)) > 1}


def by_source(examples: ById) -> dict[str, Example]:
    """1 for the document that the query was written from, 0 for every other."""
    return {id_: _by_source(example) for id_, example in examples.items()}


def _by_source(example: Example) -> Example:
    return replace(example, scores=tuple(float(name == example.source) for name in example.ids or ()))


def _graded(example: Example, grades: Mapping[int, int], asked: CorpusQueries) -> Example:
    rows = np.array(list(grades), np.int64)
    by_text: dict[str, int] = {}
    for text, grade in zip(asked.corpus.corpus.take(rows), grades.values(), strict=True):
        by_text[text] = max(grade, by_text.get(text, 0))
    return replace(example, scores=tuple(by_text.get(text, 0) / asked.highest for text in example.documents))


def _number(score: float | None) -> float:
    return float("nan") if score is None else score

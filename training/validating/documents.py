"""Find the queries that belong to one document, over all compared sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.validating.sets import QuerySet, Rows, Sets


def documents(sets: Sets) -> Rows:
    """The number of each query's document. Queries of one group, and queries whose documents have the same text, share
    a number, also across sets."""
    parent: dict[tuple[str, object], tuple[str, object]] = {}

    def root(key: tuple[str, object]) -> tuple[str, object]:
        while (above := parent.setdefault(key, key)) != key:
            key = above
        return key

    groups = [("group", (number, group)) for number, one in enumerate(sets.all) for group in _groups(one)]
    texts = [text for one in sets.all for text in (one.documents or [""] * len(one))]
    for group, text in zip(groups, texts, strict=True):
        top = root(group)
        if text:
            parent[root(("document", text))] = top
    numbers: dict[tuple[str, object], int] = {}
    return np.array([numbers.setdefault(root(group), len(numbers)) for group in groups], np.int64)


def _groups(one: QuerySet) -> Sequence[int]:
    return one.groups or range(len(one))

"""The questions that the values of a collection belong to: its queries, or the questions of its parallel set."""

from __future__ import annotations

from collections.abc import Sequence

from harness.data.collection import Collection
from harness.measuring.statistics.design import Questions


def questions_of(collection: Collection, ids: Sequence[str] | None = None) -> Questions:
    """The questions of a collection.

    Args:
        ids: the ids of what was measured, such as the questions of p-MRR. Default: the query ids.
    """
    drawn_from = getattr(collection, "parallel", None) or collection.fingerprint
    return Questions(drawn_from, tuple(collection.queries.ids() if ids is None else ids))

"""Votes in a macro average: each group of collections has one, and each collection without a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt


class Grouped(Protocol):
    """A collection that may belong to a group."""

    @property
    def group(self) -> str | None:
        """The name of the group."""


G = TypeVar("G", bound=Grouped)


def parts(collections: Sequence[G]) -> list[list[G]]:
    """Return what has one vote in a macro average: the members of each group, and each collection without a group."""
    found: dict[object, list[G]] = {}
    for place, collection in enumerate(collections):
        found.setdefault(collection.group or place, []).append(collection)
    return list(found.values())


def shares(groups: Sequence[str | None]) -> npt.NDArray[np.float64]:
    """Return the weights of collections in a macro average, float64, summing to 1. The members of a group share one
    vote; a collection without a group has one vote.

    Args:
        groups: the name of the group of each collection, None for a collection without a group.
    """
    sizes = Counter(group for group in groups if group)
    voters = len(sizes) + sum(not group for group in groups)
    return np.array([1 / voters / (sizes[group] if group else 1) for group in groups])

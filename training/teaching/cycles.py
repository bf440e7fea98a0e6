"""Which documents are compared: neighbours in random cycles, as in zELO (arXiv 2509.12541). Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adapters.protocols import Integers
from training.mining.sampling import DrawKeys


def neighbours(keys: Sequence[DrawKeys]) -> Integers:
    """The different pairs of neighbours in cycles through all documents, int64 [pairs, 2], ascending; the smaller
    number comes first.

    Every cycle connects all documents, and gives each of them two comparisons. Pairs that several cycles have are named
    once, so with few documents there are fewer pairs: at most all of them.

    Args:
        keys: for each cycle the numbers that decide its order, one for each document; see `draw_keys`.
    """
    rounds = [np.argsort(one, kind="stable") for one in keys]
    pairs = np.concatenate([np.stack([order, np.roll(order, -1)], axis=1) for order in rounds])
    found = np.unique(np.sort(pairs, axis=1), axis=0)
    return np.asarray(found[found[:, 0] < found[:, 1]], np.int64)


def most(documents: int, cycles: int) -> int:
    """The largest number of pairs that the cycles can have."""
    return min(documents * (documents - 1) // 2, documents * cycles)

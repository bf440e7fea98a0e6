"""Who can be told apart: systems in the order of their value, cut into groups by paired tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.statistics.randomisation import randomisation_p

Floats64 = npt.NDArray[np.float64]

ALPHA = 0.05
_FLIPS = 10_000
_FEW_FLIPS, _HOPELESS = 1_000, 0.1
"""A p-value that a thousand flips put here is not below 5 % with more of them."""


@dataclass(frozen=True)
class Grouped:
    """Where a system stands."""

    letters: str
    """a, b, ..., z, aa: one for each group, from the top."""
    p: float | None
    """Of the paired test against the best of the group above, which begins this group, or of its own; None for the
    first of all."""


def groups(strata: Sequence[Floats64], weights: npt.ArrayLike | None = None, *, seed: int = 0) -> list[Grouped]:
    """Walk down from the best system. Each one is tested against the best of the group so far; it begins a group of its
    own where the stratified randomisation test tells the two apart. So nobody in a group can be told apart from its
    best: neighbours alone would chain, and put the first and the last of a hundred small steps into one group.

    The level of 5 % is divided by the number of tests, systems - 1.

    Args:
        strata: for each collection float64 [systems, queries], the systems in the order of their macro value.
        weights: of the strata; None gives every one the same weight.
    """
    systems = len(strata[0]) if strata else 0
    level, best, number = ALPHA / max(systems - 1, 1), 0, 0
    found = [Grouped(letters(0), None)] if systems else []
    for place in range(1, systems):
        p = _p([values[best] - values[place] for values in strata], weights, level, seed)
        if p <= level:
            best, number = place, number + 1
        found.append(Grouped(letters(number), p))
    return found


def letters(number: int) -> str:
    """0 is a, 25 is z, 26 is aa."""
    head, last = divmod(number, 26)
    return (letters(head - 1) if head else "") + chr(ord("a") + last)


def _p(differences: Sequence[Floats64], weights: npt.ArrayLike | None, level: float, seed: int) -> float:
    quick = randomisation_p(differences, weights, flips=_FEW_FLIPS, seed=seed)
    if not quick < _HOPELESS:
        return quick
    # The smallest p-value possible is 1 / (flips + 1); it has to be well below what many tests leave of the level.
    return randomisation_p(differences, weights, flips=max(_FLIPS, int(4 / level)), seed=seed)

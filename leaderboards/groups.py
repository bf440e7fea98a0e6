"""Who can be told apart: systems in the order of their value, cut into groups by paired tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.statistics.design import Design, Floats64
from harness.statistics.difference import ALPHA, Pairwise


@dataclass(frozen=True)
class Grouped:
    """Where a system stands."""

    letters: str
    """a, b, ..., z, aa: one for each group, from the top."""
    p: float | None
    """Corrected, of the test against the best of the group above, which begins this group, or of its own; None for the
    first of all."""


def groups(design: Design, values: Sequence[Floats64]) -> list[Grouped]:
    """Walk down from the best system. Each one is compared with the best of the group so far; it begins a group of its
    own where the difference is significant. So nobody in a group can be told apart from its best: neighbours alone
    would chain, and put the first and the last of a hundred small steps into one group.

    The best of a group is the baseline of all systems below it: the p-values are corrected over them.

    Args:
        values: for each collection of the design float64 [systems, queries], the systems in the order of their macro
            value; every collection has a query or more.
    """
    systems = len(values[0]) if values else 0
    found, pairs, number = [Grouped(letters(0), None)] if systems else [], Pairwise(design, values), 0
    while len(found) < systems:
        first = len(found)
        p_values = pairs.adjusted(first - 1, range(first, systems))  # the last one found is the best of its group
        beyond = next((place for place, p in enumerate(p_values) if p <= ALPHA), len(p_values))
        found += [Grouped(letters(number), p) for p in p_values[:beyond]]
        if beyond < len(p_values):
            number += 1
            found.append(Grouped(letters(number), p_values[beyond]))
    return found


def letters(number: int) -> str:
    """0 is a, 25 is z, 26 is aa."""
    head, last = divmod(number, 26)
    return (letters(head - 1) if head else "") + chr(ord("a") + last)

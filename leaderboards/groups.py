"""Who can be told apart: systems in the order of their value, cut into groups by paired tests."""

from __future__ import annotations

from collections.abc import Sequence

from harness.measuring.statistics.design import Design, Floats64
from harness.measuring.statistics.difference import Pairwise


def groups(design: Design, values: Sequence[Floats64]) -> list[str]:
    """The letters of the group of each system: a, b, ..., z, aa, from the top.

    Walk down from the best system. Each one is compared with the best of the group so far; it begins a group of its
    own where the difference is significant. So nobody in a group can be told apart from its best: neighbours alone
    would chain, and put the first and the last of a hundred small steps into one group.

    The best of a group is the baseline of all systems below it: the differences are corrected over them.

    Args:
        values: for each collection of the design float64 [systems, queries], the systems in the order of their macro
            value; every collection has a query or more.
    """
    systems, pairs = len(values[0]), Pairwise(design, values)
    found: list[str] = []
    best: int | None = 0
    number = 0
    while best is not None:
        others = range(best + 1, systems)
        beyond = pairs.first_apart(best, others) if others else None
        end = systems if beyond is None else best + 1 + beyond
        found += [letters(number)] * (end - best)
        best, number = (None if beyond is None else end), number + 1
    return found


def letters(number: int) -> str:
    """0 is a, 25 is z, 26 is aa."""
    head, last = divmod(number, 26)
    return (letters(head - 1) if head else "") + chr(ord("a") + last)

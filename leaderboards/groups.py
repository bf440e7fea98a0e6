"""Groups of systems that cannot be distinguished by paired tests."""

from __future__ import annotations

from collections.abc import Sequence

from harness.measuring.statistics.design import Design, Floats64
from harness.measuring.statistics.difference import Pairwise


def groups(design: Design, values: Sequence[Floats64]) -> list[str]:
    """The letters of the group of each system, from the top: a, b, ..., z, aa.

    Each system is compared with the best system of the current group. A system with a significant difference begins a
    new group. So no system of a group can be distinguished from the best one. Comparing neighbours only would chain:
    the first and the last of a hundred small steps would be in one group.

    The best system of a group is the baseline of all systems below it, and the p-values are corrected over them.

    Args:
        design: the questions and weights of the collections.
        values: one float64 [systems, queries] for each collection of the design, with the systems in the order of
            their macro value. Every collection has at least one query.
    """
    systems, pairs = len(values[0]), Pairwise(design, values)
    assigned: list[str] = []
    best: int | None = 0
    number = 0
    while best is not None:
        others = range(best + 1, systems)
        beyond = pairs.first_apart(best, others) if others else None
        end = systems if beyond is None else best + 1 + beyond
        assigned += [letters(number)] * (end - best)
        best, number = (None if beyond is None else end), number + 1
    return assigned


def letters(number: int) -> str:
    """The letters of a group by number: 0 is a, 25 is z, 26 is aa."""
    head, last = divmod(number, 26)
    return (letters(head - 1) if head else "") + chr(ord("a") + last)

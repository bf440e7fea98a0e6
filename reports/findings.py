"""The sentence under a table of differences: what is marked, or how large a difference would have been noticed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.measuring.statistics.difference import ALPHA, FEWEST, Difference
from harness.measuring.statistics.error import detectable
from harness.numbers import points

POWER = 0.8
"""The probability that a difference of the size in the sentence is marked."""
_NAMED = 5
"""The number of systems that are named; the others are counted."""
_HALF_WIDTH = 1.959964
"""Half of a 95 % interval in standard errors."""

Named = tuple[str, Difference | None]
"""The name of a row and its difference; None if it was not tested."""


def finding(rows: Sequence[Named], what: str, baseline: str) -> str:
    """One sentence about the differences of a table; '' if none was tested.

    It calls only marked rows better or worse: rows whose corrected p-value is at most 0.05. If no row is marked, the
    sentence says which true difference would have been marked (see `smallest`).

    Args:
        rows: names and differences.
        what: what a row is, such as `system`.
        baseline: what the rows are compared with, such as `its first stage`.
    """
    tested = [(name, one) for name, one in rows if one is not None and not math.isnan(one.p)]
    marked = [(name, one.value > 0) for name, one in tested if one.significant]
    if not tested:
        return ""
    if len(tested) == 1:
        (name, one), *_ = tested
        word = "is better than" if one.value > 0 else "is worse than"
        return (
            f"{name} {word if marked else 'cannot be distinguished from'} {baseline}{'' if marked else _seen(tested)}."
        )
    many = baseline.replace("its ", "their ", 1)
    if not marked:
        return f"None of {len(tested)} {what}s can be distinguished from {many}{_seen(tested)}."
    parts = list[str]()
    for word, names in (("better", [n for n, up in marked if up]), ("worse", [n for n, up in marked if not up])):
        if names:
            whose = baseline if len(names) == 1 else many
            count, than = ("", "") if parts else (f" of {len(tested)} {what}s", f" than {whose}")
            parts.append(f"{len(names)}{count} {'is' if len(names) == 1 else 'are'} {word}{than} ({_listed(names)})")
    if rest := len(tested) - len(marked):
        parts.append(f"{rest} cannot be distinguished")
    return f"{', '.join(parts[:-1])}{' and ' if parts[:-1] else ''}{parts[-1]}."


def smallest(difference: Difference) -> float | None:
    """The true difference that such an evaluation marks with 80 % probability, a fraction.

    It is (z of the corrected level + z of the power) standard errors. The standard error is half of the 95 % interval
    divided by 1.96. The level is 5 %, two-sided, divided by the size of the family, which the largest difference of a
    family has to reach.

    Returns:
        None if there is no interval or no question differs.
    """
    low, high = difference.interval
    if math.isnan(low) or high - low <= 0:
        return None
    return detectable((high - low) / 2 / _HALF_WIDTH, ALPHA / 2 / max(1, difference.family), POWER)


def _seen(tested: Sequence[Named]) -> str:
    """The difference that would have been marked, or why none could be."""
    if all(one is None or math.isnan(one.interval[0]) for _, one in tested):
        return f"; fewer than {FEWEST} questions cannot show a difference"
    detectable_sizes = (smallest(one) for _, one in tested if one is not None)
    sizes = [points(size) for size in sorted(size for size in detectable_sizes if size is not None)]
    if not sizes:
        return "; they have the same value on every question" if len(tested) > 1 else " on any question"
    between = sizes[0] if sizes[0] == sizes[-1] else f"{sizes[0]} to {sizes[-1]}"
    return f"; a true difference of {between} points would have been marked with {100 * POWER:.0f} % probability"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more

"""What a rule says of a set of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from training.validating.calibration import wilson

Kind = Literal[
    "repeated", "language", "copied", "pairs", "random words", "one form", "form", "phrase", "truncated", "artefacts"
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of faults, in the order in which they are reported."""


@dataclass(frozen=True)
class Fault:
    """One rule on one set."""

    kind: Kind
    share: float | None
    """The share of the queries that have the fault, or for `pairs` and `random words` the figure; None if the rule
    cannot decide."""
    found: bool = False
    line: str = ""
    """The fault in words, or why the rule cannot decide."""
    blocks: bool = True
    """Whether a found fault forbids the use of the set, or is only a reason to look."""
    real: float | None = None
    """The share of the real queries."""


def exceeds(hits: int, of: int, limit: float, real: tuple[int, int] | None = None) -> bool:
    """Whether more than the limit have a fault, for certain: the lower end of the 95 % Wilson interval is above it, and
    above the upper end of that of real queries.

    Args:
        real: the number of real queries with the fault, and of all.
    """
    if not of:
        return False
    usual = wilson(*real)[1] if real is not None and real[1] else 0.0
    return wilson(hits, of)[0] > max(limit, usual)

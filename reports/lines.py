"""The data of one row of a table: the figure of a system, and the results behind it."""

from __future__ import annotations

from dataclasses import dataclass

from harness.result.figure import Figure
from harness.result.result import Result


@dataclass(frozen=True)
class Line:
    """One system by one measure, on one collection or over several. Columns read their values from it."""

    measure: str
    figure: Figure
    results: tuple[Result, ...] = ()
    """One for each collection."""
    each: tuple[Figure, ...] = ()
    """The figure of each single collection."""
    is_first_stage: bool = False

"""The input of the gate's statistics: the questions of the paired collections, and their differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.measuring.statistics.design import Design, Floats64

if TYPE_CHECKING:
    from harness.judging.compare.paired import PairedValues


def drawn(pairs: Sequence[PairedValues], shares: Floats64) -> tuple[Design, list[Floats64]]:
    """Return the questions of the collections, and the differences of every collection, float64 [queries].

    Args:
        shares: the weights of the collections in the macro average.
    """
    return Design(tuple(one.questions for one in pairs), shares), [one.deltas for one in pairs]

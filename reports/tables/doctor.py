"""The table of whether the sources of a collection agree."""

from __future__ import annotations

from collections.abc import Sequence

from harness.data.sources.agreement import SourceAgreement
from reports.table import Cell, Table


def agreement_table(found: Sequence[SourceAgreement]) -> Table:
    """One row per collection and source, with the first differences."""
    rows = tuple(
        (
            Cell(one.collection),
            Cell(one.source),
            Cell(one.state),
            Cell((one.fingerprint or "")[:12]),
            Cell("; ".join(one.differences)),
        )
        for one in found
    )
    notes = ("same: ids, texts, queries and judgments are equal to those of the first source that could be read",)
    return Table("sources", ("collection", "source", "state", "fingerprint", "differences"), rows, notes, left=5)

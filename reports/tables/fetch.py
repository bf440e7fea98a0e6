"""What a mirror holds of what was asked for, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from harness.data.mirror.fetch import Piece
from reports.table import Cell, Table


def fetched_table(pieces: Sequence[Piece]) -> Table:
    """One row per dataset, zip file or model."""
    rows = tuple(
        (
            Cell(piece.kind),
            Cell(piece.name),
            Cell(piece.revision or ""),
            Cell("there" if piece.there else "to be fetched"),
            Cell(str(piece.path)),
            Cell(piece.size),
        )
        for piece in pieces
    )
    return Table("mirror", ("kind", "name", "revision", "state", "folder", "size"), rows, left=5)

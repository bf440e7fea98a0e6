"""The table of what a mirror holds and what is still to be fetched."""

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

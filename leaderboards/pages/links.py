"""The files of pages and the links between them. File names are ids, so that names of systems do not become paths."""

from __future__ import annotations

from dataclasses import dataclass

from harness.result.keys import CollectionKey, SystemKey
from leaderboards.board import Board
from leaderboards.sheets import BoardSheet, collection_id, system_id


@dataclass(frozen=True)
class Link:
    """A link in the navigation."""

    text: str
    href: str
    here: bool = False


def table_file(index: int, sheet: BoardSheet) -> str:
    """The file of a table. The first table is the index."""
    return f"board-{sheet.id}.html" if index else "index.html"


def languages_file(sheet: BoardSheet) -> str:
    return f"languages-{sheet.id}.html"


def cost_file(sheet: BoardSheet) -> str:
    return f"cost-{sheet.id}.html"


def system_file(system: SystemKey) -> str:
    return f"systems/{system_id(system)}.html"


def collection_file(collection: CollectionKey) -> str:
    return f"collections/{collection_id(collection)}.html"


def suites(made: Board, here: int | None, up: str = "") -> list[Link]:
    """A link for each table."""
    return [
        Link(one.sheet.title, up + table_file(index, one.sheet), index == here) for index, one in enumerate(made.tables)
    ]


def views(sheet: BoardSheet, index: int, here: str) -> list[Link]:
    """A link for each view of a table."""
    files = [("Collections", table_file(index, sheet))]
    if len(sheet.languages) > 1:
        files.append(("Languages", languages_file(sheet)))
    files.append(("Quality and cost", cost_file(sheet)))
    return [Link(text, href, text == here) for text, href in files]

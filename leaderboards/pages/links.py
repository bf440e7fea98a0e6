"""Files of pages and the ways between them. Names are ids: nothing that a system is called becomes a path."""

from __future__ import annotations

from dataclasses import dataclass

from harness.result.keys import CollectionKey, SystemKey
from leaderboards.board import Board
from leaderboards.sheets import BoardSheet, collection_id, system_id


@dataclass(frozen=True)
class Link:
    """An entry of the navigation."""

    text: str
    href: str
    here: bool = False


def table_file(index: int, sheet: BoardSheet) -> str:
    """The first table is the index."""
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
    """One link for each table."""
    return [
        Link(one.sheet.title, up + table_file(index, one.sheet), index == here) for index, one in enumerate(made.tables)
    ]


def views(sheet: BoardSheet, index: int, here: str) -> list[Link]:
    """The ways to look at one table."""
    found = [("Collections", table_file(index, sheet))]
    if len(sheet.languages) > 1:
        found.append(("Languages", languages_file(sheet)))
    found.append(("Quality and cost", cost_file(sheet)))
    return [Link(text, href, text == here) for text, href in found]

"""The page of a system: facts, ranks, all numbers, history and identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.result.keys import FIRST_STAGE, SystemKey
from harness.result.result import Result
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from harness.result.stored import Stored
from leaderboards.alarmed import IMPORTED, TRAINED, WRONG, Mark, alarms_by_message, collection_marks
from leaderboards.board import Board
from leaderboards.pages import figures, links
from leaderboards.pages.links import system_file as file_of
from leaderboards.pages.shell import render
from leaderboards.standing import BoardStanding
from reports.html import html_table
from reports.systems_file import DeclaredSystem
from reports.tables.robustness import robustness_tables

__all__ = ["file_of", "page"]

_UP = "../"


@dataclass(frozen=True)
class TablePlace:
    """The rank of the system in a table."""

    title: str
    href: str
    standing: BoardStanding
    of: int


@dataclass(frozen=True)
class Number:
    """A stored value."""

    result: Result
    href: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Past:
    """The value of a stored evaluation by its main measure."""

    made: str
    collection: str
    measure: str
    value: float
    change: float | None
    id: str
    current: bool


def page(made: Board, system: SystemKey) -> str:
    """The page with all stored results of a system."""
    results, declared = made.by_system[system], made.declared_of(system)
    base = system.base if system.reranker and system.base in made.by_system else None
    numbers = [Number(one, _UP + links.collection_file(one.collection), _marks(one, declared)) for one in results]
    stored = list({one.id: one.stored for one in results}.values())
    about = alarms_by_message(results)
    return render(
        "system.html",
        title=declared.name or system.label,
        up=_UP,
        suites=links.suites(made, None, _UP),
        system=system,
        name=declared.name or system.label.removesuffix(FIRST_STAGE),
        declared=declared,
        base=_UP + links.system_file(base) if base else None,
        stemming=bm25_notes(of_stored(stored)),
        places=_places(made, system),
        alarms={message: _about(found) for message, found in about.items()},
        numbers=numbers,
        robustness=[html_table(table) for table in robustness_tables(results).values()],
        marks=list(dict.fromkeys(mark for one in numbers for mark in one.marks)),
        history=_history(made.history.get(system, ()), {one.id for one in results}),
        identity=merged([one.identity for one in stored]),
        environments=_distinct([one.environment.as_dict() for one in stored]),
        commands=list(dict.fromkeys(one.command for one in stored)),
        plain=plain,
        figures=figures,
    )


def merged(identities: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several identities as one tree. Equal values are shown once; values that differ are counted."""
    tree: dict[str, Any] = {}
    for key in dict.fromkeys(key for one in identities for key in one):
        values = _distinct([one[key] for one in identities if key in one])
        everywhere = all(key in one for one in identities)
        if all(isinstance(value, Mapping) for value in values) and everywhere:
            tree[key] = merged(values)
        elif len(values) == 1:
            tree[key] = values[0] if everywhere else f"{plain(values[0])} (not everywhere)"
        else:
            tree[key] = f"{len(values)} different: {', '.join(plain(value)[:16] for value in values[:3])}, ..."
    return tree


def plain(value: object) -> str:
    """A leaf of the tree as text."""
    if isinstance(value, list | tuple):
        return "; ".join(map(plain, value)) or "none"
    if value in (None, {}, ""):
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _places(made: Board, system: SystemKey) -> list[TablePlace]:
    return [
        TablePlace(
            table.sheet.title, _UP + links.table_file(index, table.sheet), row, sum(bool(r.rank) for r in table.rows)
        )
        for index, table in enumerate(made.tables)
        for row in table.rows
        if row.system == system
    ]


def _marks(result: Result, declared: DeclaredSystem) -> tuple[Mark, ...]:
    own = {
        TRAINED: declared.trained_on(result.collection), IMPORTED: result.imported, WRONG: result.wrong is not None
    }  # fmt: skip
    return (*collection_marks(result.collection), *(mark for mark, holds in own.items() if holds))


def _about(results: Sequence[Result]) -> list[str]:
    names = list(dict.fromkeys(f"{one.collection.name} ({one.id})" for one in results))
    return names[:12] + ([f"and {len(names) - 12} more"] if len(names) > 12 else [])


def _history(stored: Sequence[Stored], current: set[str]) -> list[Past]:
    found: list[Past] = []
    before: dict[tuple[str, str], float] = {}
    for one in stored:
        main = one.collection.rules.main_measure
        measure = main if main in one.means else next(iter(one.means), "")
        if not measure:
            continue
        key = (f"{one.collection.name} {one.collection.split}", measure)
        value, last = one.means[measure], before.get(key)
        before[key] = value
        change = None if last is None else value - last
        found.append(
            Past(one.created[:19].replace("T", " "), key[0], measure, value, change, one.id, one.id in current)
        )
    return found


def _distinct(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found

"""The header of a file of judgments: which columns have the query, the document and the grade."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["query", "document", "iteration", "grade"]
_NUMBERED = ("", "id", "no", "num", "number")
_LABELLED = ("", "score", "label", "grade", "judgment", "judgement")
_STEMS: tuple[tuple[Role, str, tuple[str, ...]], ...] = (
    ("query", "q query question topic", _NUMBERED),
    ("document", "d doc document p passage paragraph corpus product item article", _NUMBERED),
    ("iteration", "0 q0 u0 it iter iteration", ("",)),
    ("grade", "rel relevance relevancy relevant score label grade judgment judgement rating gain qrel", _LABELLED),
)
_ROLES: dict[tuple[str, ...], Role] = {
    words: role
    for role, stems, suffixes in _STEMS
    for stem in stems.split()
    for suffix in suffixes
    for words in ((stem + suffix,), (stem, suffix))
}
"""The words of names of columns in lower case, such as ir_datasets' query_id, BEIR's corpus-id, TREC's docno."""
_LONGEST_NAME = 100
"""Longer words are no names, whatever they begin with; the second reading has the same bound."""
_TREC: tuple[Role, ...] = ("query", "iteration", "document", "grade")


@dataclass(frozen=True)
class ColumnOrder:
    """The positions of the columns of a file, from 0."""

    width: int
    query: int
    document: int
    grade: int


def order_of(header: Sequence[str]) -> ColumnOrder | None:
    """The order that a header declares; None if it does not name query, document and grade exactly once each."""
    roles = _roles(header)
    if any(roles.count(role) != 1 for role in ("query", "document", "grade")):
        return None
    return ColumnOrder(len(roles), roles.index("query"), roles.index("document"), roles.index("grade"))


def twice_named(header: Sequence[str]) -> Role | None:
    """What a header that names query, document and grade names more than once; None if nothing, or it is no header."""
    roles = _roles(header)
    needed: tuple[Role, ...] = ("query", "document", "grade")
    if not all(role in roles for role in needed):
        return None
    return next((role for role in needed if roles.count(role) > 1), None)


def contradicts(header: Sequence[str]) -> bool:
    """Whether a name in a header is at another position than in BEIR's three columns or TREC's four."""
    wanted = [role for role in _TREC if role != "iteration" or len(header) > 3]
    return any(role not in {None, usual} for role, usual in zip(_roles(header), wanted, strict=False))


def _roles(header: Sequence[str]) -> list[Role | None]:
    return [_role(name) if len(name) < _LONGEST_NAME else None for name in header]


def _role(name: str) -> Role | None:
    return _ROLES.get(tuple(filter(None, re.split(r"[\W_]+", name.lower()))))

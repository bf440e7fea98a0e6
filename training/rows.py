"""Rows of training examples as sequences that need not be in memory, and what is known of them."""

from __future__ import annotations

import hashlib
import math
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import accumulate
from typing import TYPE_CHECKING, overload

from adapters.identity import digest, text_digest

if TYPE_CHECKING:
    from training.examples import Example


@dataclass(frozen=True)
class RowFacts:
    """What a pass over some examples finds."""

    examples: int = 0
    pairs: int = 0
    """Pairs of a query and a document."""
    lowest: float = math.inf
    """The lowest score; infinite without one."""
    highest: float = -math.inf
    compares: bool = False
    """Whether a query has two different scores."""
    instructed: bool = False
    """Whether a query has an instruction."""
    languages: tuple[str, ...] = ()
    """The languages that rows name, in alphabetical order."""

    def and_(self, other: RowFacts) -> RowFacts:
        """The facts of both."""
        return RowFacts(
            self.examples + other.examples,
            self.pairs + other.pairs,
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
            self.compares or other.compares,
            self.instructed or other.instructed,
            tuple(sorted({*self.languages, *other.languages})),
        )


class KnownRows(Sequence["Example"]):
    """Rows whose facts and digests are known without reading the rows."""

    @property
    @abstractmethod
    def facts(self) -> RowFacts:
        """What a pass over the rows would find."""

    @abstractmethod
    def digests(self) -> Iterator[str]:
        """The digest of each row, as `row_digest` makes it."""

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | Sequence[Example]:
        """One row, read now; or several, in memory."""
        if isinstance(place, slice):
            return tuple(self._row(one) for one in range(*place.indices(len(self))))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self._row(place % len(self))

    @abstractmethod
    def _row(self, place: int) -> Example: ...


class JoinedRows(KnownRows):
    """The rows of several sequences, one after another."""

    def __init__(self, parts: Iterable[Sequence[Example]]) -> None:
        self._parts = tuple(parts)
        self._ends = list(accumulate(map(len, self._parts)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @cached_property
    def facts(self) -> RowFacts:
        """Those of all parts."""
        return reduce(RowFacts.and_, map(facts_of, self._parts), RowFacts())

    def digests(self) -> Iterator[str]:
        """Those of all parts."""
        return (one for part in self._parts for one in digests_of(part))

    def __iter__(self) -> Iterator[Example]:
        return (row for part in self._parts for row in part)

    def _row(self, place: int) -> Example:
        part = bisect_right(self._ends, place)
        return self._parts[part][place - (self._ends[part - 1] if part else 0)]


def facts_of(rows: Sequence[Example]) -> RowFacts:
    """The facts of some rows, known or found in one pass."""
    return rows.facts if isinstance(rows, KnownRows) else reduce(with_row, rows, RowFacts())


def with_row(facts: RowFacts, row: Example) -> RowFacts:
    """The facts of the rows before and of this row."""
    scores = [score for score in row.scores if score is not None]
    return replace(
        facts,
        examples=facts.examples + 1,
        pairs=facts.pairs + len(row.documents),
        lowest=min(facts.lowest, *scores) if scores else facts.lowest,
        highest=max(facts.highest, *scores) if scores else facts.highest,
        compares=facts.compares or len(set(row.scores)) > 1,
        instructed=facts.instructed or row.instruction is not None,
        languages=_with(facts.languages, row.language),
    )


def _with(languages: tuple[str, ...], language: str | None) -> tuple[str, ...]:
    return languages if not language or language in languages else tuple(sorted({*languages, language}))


def digests_of(rows: Sequence[Example]) -> Iterator[str]:
    """The digest of each row, known or made."""
    return rows.digests() if isinstance(rows, KnownRows) else map(row_digest, rows)


def row_digest(row: Example) -> str:
    """32 hex digits over what changes a weight: query, documents, scores, and the instruction if there is one."""
    instruction = {} if row.instruction is None else {"instruction": row.instruction}
    return digest({
        "query": text_digest(row.query).hex(),
        "documents": [text_digest(text).hex() for text in row.documents],
        "scores": row.scores,
        **instruction,
    })  # fmt: skip


def digest_of(digests: Iterable[str]) -> str:
    """The digest of rows by those of each row, in their order: that of `{"examples": [...]}`, made in one pass."""
    state, comma = hashlib.blake2b(b'{"examples":[', digest_size=16), ""
    for one in digests:
        state.update(f'{comma}"{one}"'.encode())
        comma = ","
    state.update(b"]}")
    return state.hexdigest()

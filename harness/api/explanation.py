"""The result of `harness.why`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.api.shown import Shown, listed, named, short
from harness.judging.why.analysis import Why
from harness.judging.why.difference import QueryDifference
from harness.judging.why.stored import Found
from harness.measuring.statistics.difference import Difference

if TYPE_CHECKING:
    from reports.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class Explanation(Shown):
    """The result of `harness.why` for two systems, A and B. A notebook shows it as a table.

    Attributes:
        found: the two systems with their texts and rankings.
        analysis: the differences, groups of queries and explanations that the page shows.
    """

    found: Found
    analysis: Why

    def __repr__(self) -> str:
        named = f"A: {self.a!r}", f"B: {self.b!r}", listed("collection", self.collections)
        return short("Explanation", *named, f"queries: {len(self.analysis.deltas):,}")

    @property
    def a(self) -> str:
        """The name of the first system."""
        return self.found.a

    @property
    def b(self) -> str:
        """The name of the second system."""
        return self.found.b

    @property
    def headline(self) -> str:
        """A sentence: which system lost, how much, and which queries explain it."""
        from harness.judging.why.headline import headline

        return headline(self.analysis)

    @property
    def collections(self) -> list[str]:
        """The names of the collections that both systems were measured on."""
        return [one.collection.name for one in self.analysis.facings]

    @property
    def difference(self) -> Difference:
        """B minus A, macro average, with test and interval. Values are fractions."""
        return self.analysis.tested

    def value(self, system: str, collection: str | None = None) -> float:
        """Return the value of A or of B.

        Args:
            system: the name of one of the two, or at least 6 digits of the id of one of its evaluations.
            collection: a name in `collections`, or at least 6 digits of a fingerprint. Default: the macro average.

        Returns:
            A fraction.

        Raises:
            HarnessError: a name is unknown.
        """
        own = self._side(system)
        if collection is None:
            account = self.analysis.headroom_b if own else self.analysis.headroom_a
            return float(self.analysis.weights @ account.value)
        return float(np.mean(list(self.values(system, collection).values())))

    def values(self, system: str, collection: str | None = None) -> dict[str, float]:
        """Return the values of A or of B, query by query.

        Args:
            system: as in `value`.
            collection: a name in `collections`. Default: the only one.

        Returns:
            A fraction for each query id.

        Raises:
            HarnessError: a name is unknown or left out where there are several.
        """
        pairs = zip(self.analysis.facings, self.analysis.differences, strict=True)
        known = [(one.collection.name, [one.collection.fingerprint], (one, moved)) for one, moved in pairs]
        facing, moved = named("collection", collection, known)
        placed = _of(moved, self._side(system))
        return dict(zip(facing.collection.queries.ids(), placed, strict=True))

    def tables(self) -> list[Table]:
        """Return the table of groups of queries, those that explain the difference best first."""
        from reports.why import groups_table

        return [groups_table(self._data)]

    def as_dict(self) -> dict[str, object]:
        """Return the figures of all queries and of the groups as `harness why --json` prints them, as fractions."""
        from reports.why import summary

        return summary(self._data)

    def write(self, out: str | Path, queries: int = 500) -> None:
        """Write the page: one HTML file that needs no server.

        Args:
            out: the file to write.
            queries: how many queries are shown with their documents, those that changed most first. Default: 500.

        Raises:
            HarnessError: the file cannot be written.
        """
        from harness.api.arguments import whole
        from reports.why import why_data, write_page

        shown = whole("queries", queries, 0)
        write_page(why_data(self.found, self.analysis, shown), Path(out))

    @cached_property
    def _data(self) -> dict[str, Any]:
        from reports.why import why_data

        return why_data(self.found, self.analysis, 0)

    def _side(self, system: str) -> bool:
        ids = [[one.id for one in own] for own in zip(*self.found.evaluations, strict=True)]
        return named("system", system, [(self.a, ids[0], False), (self.b, ids[1], True)])


def _of(moved: QueryDifference, second: bool) -> list[float]:
    values: list[float] = (moved.b if second else moved.a).values.tolist()
    return values

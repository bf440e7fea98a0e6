"""The sets of queries that are compared: synthetic ones, real ones, and those of another domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError
from adapters.protocols import Floats

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class QuerySet:
    """Queries, the document of each, and their vectors if there is an embedder."""

    name: str
    texts: tuple[str, ...]
    documents: tuple[str, ...] | None = None
    """The text of the source document or of a judged positive, "" for a query without one; None if no query has one."""
    groups: tuple[int, ...] = ()
    """Queries of one document share a number and are resampled together. Empty: each query is a group."""
    language: str | None = None
    vectors: Floats | None = None
    """float32 [queries, dim], of unit length."""
    document_vectors: Floats | None = None
    """Vectors of the documents, float32 [queries, dim], of unit length; rows of zeros for missing documents."""
    topics: tuple[int, ...] = ()
    """Queries of one topic share a number, and a half of the queries has all or none of them; see `topics.py`. Empty:
    each group is a topic."""
    languages: tuple[str | None, ...] = ()
    """The declared language of each query, None for that of the set. Empty: all have the language of the set."""

    def __post_init__(self) -> None:
        for name in ("documents", "vectors", "document_vectors"):
            if (found := getattr(self, name)) is not None and len(found) != len(self.texts):
                raise DataError(f"{self.name}: {len(self.texts)} queries and {len(found)} {name}")
        if self.groups and len(self.groups) != len(self.texts):
            raise DataError(f"{self.name}: {len(self.texts)} queries and {len(self.groups)} groups")
        if self.languages and len(self.languages) != len(self.texts):
            raise DataError(f"{self.name}: {len(self.texts)} queries and {len(self.languages)} languages")
        if self.topics and len(self.topics) != len(self.texts):
            raise DataError(f"{self.name}: {len(self.texts)} queries and {len(self.topics)} topics")

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def members(self) -> tuple[Rows, ...]:
        """The rows of each group, in the order of first appearance."""
        return _members(self.groups or range(len(self.texts)))

    def take(self, rows: Rows) -> QuerySet:
        """The queries of these rows, in this order; a row may occur several times. Groups do not change."""
        chosen = rows.tolist()
        return replace(
            self,
            texts=tuple(self.texts[row] for row in chosen),
            documents=None if self.documents is None else tuple(self.documents[row] for row in chosen),
            groups=tuple(self.groups[row] for row in chosen) if self.groups else tuple(chosen),
            topics=tuple(self.topics[row] for row in chosen) if self.topics else (),
            languages=tuple(self.languages[row] for row in chosen) if self.languages else (),
            vectors=None if self.vectors is None else self.vectors[rows],
            document_vectors=None if self.document_vectors is None else self.document_vectors[rows],
        )

    def sample(self, size: int, draw: np.random.Generator) -> QuerySet:
        """At most `size` queries of whole groups, drawn without replacement; the last group may be cut."""
        order = draw.permutation(len(self.members))
        return self.take(np.concatenate([self.members[group] for group in order])[:size])

    def resample(self, draw: np.random.Generator) -> QuerySet:
        """A bootstrap sample over groups."""
        drawn = draw.integers(len(self.members), size=len(self.members))
        return self.take(np.concatenate([self.members[group] for group in drawn]))

    def halves(self, draw: np.random.Generator) -> tuple[QuerySet, QuerySet]:
        """Two random halves of the topics, or of the groups if there are no topics. Halves of topics have nearly equal
        numbers of queries."""
        members = _members(self.topics) if self.topics else self.members
        order = draw.permutation(len(members))
        middle = len(order) // 2
        if self.topics:
            sizes = np.cumsum([len(members[one]) for one in order])
            middle = min(max(1, int(np.abs(sizes - sizes[-1] / 2).argmin()) + 1), len(order) - 1)
        first, second = (np.concatenate([members[one] for one in part]) for part in (order[:middle], order[middle:]))
        return self.take(np.sort(first)), self.take(np.sort(second))


def _members(groups: Sequence[int]) -> tuple[Rows, ...]:
    rows_by_group: dict[int, list[int]] = {}
    for row, group in enumerate(groups):
        rows_by_group.setdefault(group, []).append(row)
    return tuple(np.array(rows, np.int64) for rows in rows_by_group.values())


@dataclass(frozen=True)
class Sets:
    """The sets that a validation compares."""

    synthetic: QuerySet
    real: QuerySet | None = None
    wrong: QuerySet | None = None
    """Synthetic or real queries of another domain, as an example of a large difference."""
    seed: int = 0

    def __post_init__(self) -> None:
        if len({one.name for one in self.all}) < len(self.all):
            raise DataError("two sets of queries have the same name; rename one")

    @property
    def all(self) -> Sequence[QuerySet]:
        """The available sets."""
        return [one for one in (self.synthetic, self.real, self.wrong) if one is not None]

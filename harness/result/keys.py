"""The keys of the rows and columns of tables: systems and collections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from harness.data.suites.targets import SuiteCollection, suites
from harness.result.places import CollectionNames

FIRST_STAGE = " (first stage)"


@dataclass(frozen=True)
class SystemKey:
    """The key of a row: a first stage, or a reranker over a first stage, at a depth."""

    label: str
    """The spec of the reranker, or the spec of the first stage with ` (first stage)`."""
    first_stage: str
    depth: int
    reranker: str | None

    @property
    def base(self) -> SystemKey:
        """The key of its first stage, at the same depth."""
        return system_key(self.first_stage, self.depth, None)


@lru_cache(4096)
def system_key(first_stage: str, depth: int, reranker: str | None) -> SystemKey:
    """Return the key of a first stage (`reranker` is None) or of a reranker over it. Equal keys are the same object."""
    return SystemKey(reranker or first_stage + FIRST_STAGE, first_stage, depth, reranker)


@dataclass(frozen=True)
class CollectionKey:
    """The key of a column: one collection with the queries and judgments that it had."""

    name: str
    split: str
    fingerprint: str
    language: str | None
    group: str | None
    queries: int
    sampled_from: int | None
    main_measure: str

    @property
    def place(self) -> CollectionNames:
        """The names that select the collection."""
        return CollectionNames(self.name, self.fingerprint, self.group)

    @property
    def suite(self) -> str | None:
        """The suite of the collection; None if it belongs to none."""
        head, slash, _ = self.name.partition("/")
        return head if slash and head in suites() else None

    @property
    def entry(self) -> SuiteCollection | None:
        """The entry in the suite's table: licence, contamination, revision; None if there is none."""
        known = suites()[self.suite].collections if self.suite else ()
        return next((one for one in known if one.target == self.place.plain), None)

"""What names a row and a column of a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from harness.data.suites.targets import SuiteCollection, suites
from harness.result.places import CollectionNames

FIRST_STAGE = " (first stage)"


@dataclass(frozen=True)
class SystemKey:
    """What one row of a table is: a first stage, or a reranker over it, at a depth."""

    label: str
    """The reranker's spec, or the first stage's with ` (first stage)`."""
    first_stage: str
    depth: int
    reranker: str | None

    @property
    def base(self) -> SystemKey:
        """Its first stage, at its depth."""
        return system_key(self.first_stage, self.depth, None)


@lru_cache(4096)
def system_key(first_stage: str, depth: int, reranker: str | None) -> SystemKey:
    """The key of a first stage (`reranker` is None) or of a reranker over it; equal ones are one object."""
    return SystemKey(reranker or first_stage + FIRST_STAGE, first_stage, depth, reranker)


@dataclass(frozen=True)
class CollectionKey:
    """What one column of a table is: one collection with the queries and judgments that it had."""

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
        """What it can be named by."""
        return CollectionNames(self.name, self.fingerprint, self.group)

    @property
    def suite(self) -> str | None:
        """The suite, where it is of one."""
        head, slash, _ = self.name.partition("/")
        return head if slash and head in suites() else None

    @property
    def entry(self) -> SuiteCollection | None:
        """Its line in the suite's table: licence, contamination, revision."""
        known = suites()[self.suite].collections if self.suite else ()
        return next((one for one in known if one.target == self.place.plain), None)

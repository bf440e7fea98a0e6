"""Means that somebody else measured, as the store keeps them: a value for each measure, and no value for any query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.data.collection import Rules
from harness.data.suites.targets import SuiteCollection
from harness.result.facts import CountFacts
from harness.result.origin import KEY, Origin
from harness.scoring.system import MadeOf

PREFIX = "mteb:"
"""How the fingerprint of a collection begins that nobody read here: it is known by its place in mteb alone."""


@dataclass(frozen=True)
class Means:
    """One system on one collection that this workspace may never have seen."""

    entry: SuiteCollection
    first_stage: str
    """Marked, where it is the imported system itself."""
    reranker: str | None
    """Marked."""
    depth: int
    """0 where it is not stated."""
    origin: Origin
    values: Mapping[str, float]
    """Fractions, by measure."""

    @property
    def fingerprint(self) -> str:
        """Where the collection is in mteb. Equal to no fingerprint of content."""
        where = self.entry.mteb
        return f"{PREFIX}{where.task}@{where.revision}/{where.split}/{where.subset}"

    @property
    def made_of(self) -> MadeOf:
        """What is known of how it was made."""
        return MadeOf({
            "evaluator": self.origin.evaluator,
            "collection": self.fingerprint,
            "retriever": {"name": self.first_stage},
            "depth": self.depth or None,
            "candidates": self.candidates,
            "reranker": {"name": self.reranker} if self.reranker else None,
            KEY: self.origin.identity,
        })  # fmt: skip

    @property
    def candidates(self) -> str:
        """Not known, and so not equal to those of anything else."""
        return f"not stated: {self.origin.digest}"

    @property
    def counts(self) -> CountFacts:
        """As the suite's table has them."""
        known = self.entry.counts
        return CountFacts(known.queries, documents=known.documents, judgments=known.relevant)

    @property
    def rules(self) -> Rules:
        """As the suite's table has them."""
        entry = self.entry
        return Rules(entry.instruction, None, entry.main_measure, entry.drop_identical_ids, note=entry.note)

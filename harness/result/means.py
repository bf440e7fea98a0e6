"""Means that somebody else measured, as the store keeps them: a value for each measure, and no value for any query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.data.collection import Rules
from harness.data.sources.stored import DRIFTED, with_drift
from harness.data.suites.targets import SuiteCollection
from harness.result.facts import CountFacts
from harness.result.origin import KEY, ImportOrigin
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
    origin: ImportOrigin
    values: Mapping[str, float]
    """Fractions, by measure."""
    revision: str | None
    """Of the data that were measured, as the file states it; None where it does not."""

    @property
    def is_drifted(self) -> bool:
        """Whether they were measured on another revision of the data than the suite's, or on one that is not stated."""
        return self.revision != self.entry.mteb.revision

    @property
    def collection_name(self) -> str:
        """The suite's name of it, with the mark of other data where they are others."""
        return f"{self.entry.target}{DRIFTED if self.is_drifted else ''}"

    @property
    def fingerprint(self) -> str:
        """Where the collection is in mteb. Equal to no fingerprint of content."""
        where = self.entry.mteb
        return f"{PREFIX}{where.task}@{self.revision or 'not-stated'}/{where.split}/{where.subset}"

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
        """As the suite's table has them; of other data with a note of their revision."""
        entry = self.entry
        rules = Rules(entry.instruction, None, entry.main_measure, entry.drop_identical_ids, note=entry.note)
        return with_drift(rules, self._drift) if self.is_drifted else rules

    @property
    def _drift(self) -> str:
        measured, ours = self.revision or "not stated", self.entry.mteb.revision
        return f"other revision of the data of {self.entry.mteb.task} ({measured[:12]}, not {ours[:12]})"

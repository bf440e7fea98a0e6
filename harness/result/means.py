"""Imported means, as they are stored: one value for each measure, and no values per query."""

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
"""The prefix of the fingerprint of a collection that was not read here and is known only by its place in mteb."""


@dataclass(frozen=True)
class Means:
    """The means of one system on one collection, which may be unknown to this workspace."""

    entry: SuiteCollection
    first_stage: str
    """The name; marked as imported if the first stage is the imported system."""
    reranker: str | None
    """The name, marked as imported."""
    depth: int
    """0 if it is not stated."""
    origin: ImportOrigin
    values: Mapping[str, float]
    """Fractions, by measure."""
    revision: str | None
    """The revision of the data, as the file states it; None if it does not."""

    @property
    def is_drifted(self) -> bool:
        """Whether the revision of the data differs from the suite's, or is not stated."""
        return self.revision != self.entry.mteb.revision

    @property
    def collection_name(self) -> str:
        """The suite's name of the collection, with a mark if the data differ."""
        return f"{self.entry.target}{DRIFTED if self.is_drifted else ''}"

    @property
    def fingerprint(self) -> str:
        """The place of the collection in mteb. It differs from every fingerprint of content."""
        where = self.entry.mteb
        return f"{PREFIX}{where.task}@{self.revision or 'not-stated'}/{where.split}/{where.subset}"

    @property
    def made_of(self) -> MadeOf:
        """What is known about how the means were made."""
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
        """The id of the candidates. They are not known, so it differs from every other."""
        return f"not stated: {self.origin.digest}"

    @property
    def counts(self) -> CountFacts:
        """The counts in the suite's table."""
        known = self.entry.counts
        return CountFacts(known.queries, documents=known.documents, judgments=known.relevant)

    @property
    def rules(self) -> Rules:
        """The rules in the suite's table, with a note about the revision if the data differ."""
        entry = self.entry
        rules = Rules(entry.instruction, None, entry.main_measure, entry.drop_identical_ids, note=entry.note)
        return with_drift(rules, self._drift) if self.is_drifted else rules

    @property
    def _drift(self) -> str:
        measured, ours = self.revision or "not stated", self.entry.mteb.revision
        return f"other revision of the data of {self.entry.mteb.task} ({measured[:12]}, not {ours[:12]})"

"""Conformance of a generator to its profile: rejected queries by reason, and the smallest share of accepted ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.errors import ModelError
from training.synthesis.parser import REASONS, ParsedQuery

_ENOUGH = 20
"""Documents before a generator can be refused."""


@dataclass
class Conformance:
    """Counts over all answers so far."""

    wanted: int
    """Queries per document."""
    documents: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """The first rejected text for each reason."""

    def add(self, judged: Iterable[ParsedQuery]) -> None:
        """Count the queries of one answer."""
        self.documents += 1
        for one in judged:
            if one.reason is None:
                self.accepted += 1
            else:
                self.rejected[one.reason] += 1
                self.examples.setdefault(one.reason, one.text[:200])

    @property
    def share(self) -> float:
        """The share of accepted queries, V14 of the validation; 1 before the first answer. An answer that cannot be
        parsed counts as all the queries that were requested."""
        came = self.accepted + self.rejected.total()
        return self.accepted / came if came else 1.0

    @property
    def missing(self) -> int:
        """The number of requested queries that did not come."""
        return max(0, self.wanted * self.documents - self.accepted - self.rejected.total() + self.rejected["surplus"])

    def check(self, floor: float, name: str, *, last: bool = False) -> None:
        """Refuse a generator that does not keep to its profile.

        Args:
            floor: the smallest share of accepted queries, from 0 to 1.
            last: whether this is the last check.

        Raises:
            ModelError: the share is below `floor`, or no query was accepted.
        """
        if not self.documents or (self.documents < _ENOUGH and not last):
            return
        if self.share >= floor and (self.accepted or not last):
            return
        reason, count = self.rejected.most_common(1)[0] if self.rejected else ("nothing came", self.missing)
        first = " ".join(self.examples.get(reason, "").split())[:80]
        raise ModelError(
            f"{name}: {self.share:.0%} of its queries for {self.documents} documents keep to the profile, and "
            f"{floor:.0%} are needed; most are rejected as '{reason}' ({count}; the first: {first!r}); "
            "take another generator or profile, or lower the floor"
        )

    def as_dict(self) -> dict[str, object]:
        """The entries of the manifest."""
        return {
            "documents": self.documents,
            "wanted": self.wanted * self.documents,
            "accepted": self.accepted,
            "missing": self.missing,
            "share": self.share,
            "rejected": {reason: self.rejected[reason] for reason in REASONS if self.rejected[reason]},
            "examples": dict(sorted(self.examples.items())),
        }

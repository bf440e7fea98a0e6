"""How well a generator kept to its profile: counts by reason, and the floor under which nothing is taken from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.errors import ModelError
from training.synthesis.parser import REASONS, ParsedQuery

_ENOUGH = 20
"""Documents before a generator is given up."""


@dataclass
class Conformance:
    """Counts that grow with every answer."""

    wanted: int
    """Queries for each document."""
    documents: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """The first text that was rejected for each reason."""

    def add(self, judged: Iterable[ParsedQuery]) -> None:
        """Count one answer."""
        self.documents += 1
        for one in judged:
            if one.reason is None:
                self.accepted += 1
            else:
                self.rejected[one.reason] += 1
                self.examples.setdefault(one.reason, one.text[:200])

    @property
    def share(self) -> float:
        """Accepted queries over all that came, V14 of the validation; 1 before any came. An answer that cannot be
        parsed counts as all queries that were wanted."""
        came = self.accepted + self.rejected.total()
        return self.accepted / came if came else 1.0

    @property
    def missing(self) -> int:
        """Queries that were wanted and never came."""
        return max(0, self.wanted * self.documents - self.accepted - self.rejected.total() + self.rejected["surplus"])

    def check(self, floor: float, name: str, *, last: bool = False) -> None:
        """Give up a generator that does not do what it is told.

        Args:
            floor: the smallest share of accepted queries, from 0 to 1.
            last: nothing more will come.

        Raises:
            ModelError: the share is below the floor, or no query was accepted at all.
        """
        if not self.documents or (self.documents < _ENOUGH and not last):
            return
        if self.share >= floor and (self.accepted or not last):
            return
        reason, count = self.rejected.most_common(1)[0] if self.rejected else ("nothing came", self.missing)
        said = " ".join(self.examples.get(reason, "").split())[:80]
        raise ModelError(
            f"{name}: {self.share:.0%} of its queries for {self.documents} documents keep to the profile, and "
            f"{floor:.0%} are needed; most are rejected as '{reason}' ({count}; the first: {said!r}); "
            "take another generator or profile, or lower --floor"
        )

    def as_dict(self) -> dict[str, object]:
        """For the manifest."""
        return {
            "documents": self.documents,
            "wanted": self.wanted * self.documents,
            "accepted": self.accepted,
            "missing": self.missing,
            "share": self.share,
            "rejected": {reason: self.rejected[reason] for reason in REASONS if self.rejected[reason]},
            "examples": dict(sorted(self.examples.items())),
        }

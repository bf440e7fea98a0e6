"""The result of `harness.gate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.errors import UsageError
from harness.api.shown import Shown, chosen, named, short
from harness.judging.gate.gate import Gated
from harness.judging.gate.verdict import State
from harness.measuring.statistics.difference import Difference

if TYPE_CHECKING:
    from reports.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class Decision(Shown):
    """The result of `harness.gate`. A notebook shows it as reasons and a table.

    Attributes:
        found: every figure that the verdict depends on.
    """

    found: Gated

    def __repr__(self) -> str:
        return short(
            "Decision", self.verdict or "no verdict (tier dev)",
            f"candidate: {self.candidate!r}", f"anchor: {self.anchor!r}", self.found.measure,
        )  # fmt: skip

    @property
    def verdict(self) -> State | None:
        """pass, refused, inconclusive or invalid; None on the tier dev, which gives no verdict."""
        return None if self.found.tier == "dev" else self.found.verdict.state

    @property
    def passed(self) -> bool:
        """Whether the verdict is pass."""
        return self.verdict == "pass"

    @property
    def candidate(self) -> str:
        """The name of the system that was judged."""
        return self.found.candidate

    @property
    def anchor(self) -> str:
        """The name of the system that the candidate is compared with."""
        return self.found.anchor

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons for the verdict: at most ten lines, the most important first."""
        return self.found.verdict.reasons

    @property
    def collections(self) -> list[str]:
        """The names of the collections."""
        return [part.name for part in self.found.verdict.parts if part.kind == "collection"]

    def value(self, system: str, collection: str | None = None) -> float:
        """Return the value of the candidate or of the anchor, by the measure that decides.

        Args:
            system: `candidate` or `anchor`.
            collection: a name in `collections`. Default: the macro average over all of them.

        Returns:
            A fraction.

        Raises:
            HarnessError: a name is unknown, or the verdict is invalid, so the numbers cannot be trusted.
        """
        macro = self.found.verdict.macro
        if macro is None:
            raise UsageError(f"an invalid verdict has no values: {'; '.join(self.reasons[:1])}")
        own = chosen("system", system, {self.anchor: False, self.candidate: True})
        if collection is None:
            return macro.candidate if own else macro.baseline
        known = [(part.name, list[str](), part) for part in self.found.verdict.parts if part.kind == "collection"]
        part = named("collection", collection, known)
        return part.candidate if own else part.baseline

    @property
    def difference(self) -> Difference | None:
        """The candidate minus the anchor over all collections; None if the verdict is invalid."""
        return None if self.found.verdict.macro is None else self.found.verdict.macro.difference

    def tables(self) -> list[Table]:
        """Return the verdict with its reasons, and a table with a row for each collection and language, if there are
        values."""
        from reports.table import Cell, Table
        from reports.tables.gate import headline, parts_table

        reasons = tuple((Cell(line),) for line in (*self.reasons, *self.found.notes))
        verdict = Table(headline(self.found), ("reason",), reasons)
        return [verdict, *([parts_table(self.found)] if self.found.verdict.parts else [])]

    def as_dict(self) -> dict[str, object]:
        """Return everything as `harness gate --json` prints it. Values are fractions."""
        from reports.tables.gate import as_dict

        return as_dict(self.found)

    def junit(self) -> str:
        """Return the verdict as JUnit XML, as `harness gate --junit` writes it."""
        from reports.tables.gate import junit

        return junit(self.found)

    def summary(self) -> str:
        """Return the verdict as Markdown, as `harness gate --summary` writes it."""
        from reports.tables.gate import summary

        return summary(self.found)

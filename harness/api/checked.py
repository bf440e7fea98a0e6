"""What the check of a reranker found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.shown import Shown, chosen, plural, short
from harness.checks.check import Checked
from harness.checks.invariance import InvarianceFinding
from harness.checks.shift import Verdict

if TYPE_CHECKING:
    from reports.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class CheckReport(Shown):
    """What `harness.check` found. In a notebook it is shown as its table.

    Attributes:
        found: the trials, and how far stored values move when the reranker scores again.
    """

    found: Checked

    def __repr__(self) -> str:
        pairs, alarms = plural("pair", self.found.pairs), plural("alarm", len(self.alarms))
        return short("CheckReport", self.verdict, repr(self.found.reranker), pairs, alarms)

    @property
    def verdict(self) -> Verdict:
        """OK, suspicious or broken: the worst of the trials."""
        return self.found.verdict

    @property
    def trials(self) -> list[str]:
        """The names of the trials."""
        return [one.trial for one in self.found.findings]

    @property
    def alarms(self) -> tuple[str, ...]:
        """Those of all trials."""
        return tuple(alarm.named for alarm in self.found.alarms)

    def trial(self, name: str) -> InvarianceFinding:
        """One trial: its `verdict`, `note`, `alarm`, and `shift`, which says how far scores and order moved.

        Args:
            name: one of `trials`.

        Raises:
            HarnessError: there is no such trial.
        """
        return chosen("trial", name, {one.trial: one for one in self.found.findings})

    def tables(self) -> list[Table]:
        """The table that `harness check` prints."""
        from reports.tables.check import checked_table

        return [checked_table(self.found)]

    def as_dict(self) -> dict[str, object]:
        """Everything, as `harness check --json` prints it; fractions."""
        from reports.tables.check import checked_dict

        return checked_dict(self.found)

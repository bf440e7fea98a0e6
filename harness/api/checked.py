"""The result of `harness.check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.api.shown import Shown, chosen, short
from harness.checks.check import Checked
from harness.checks.invariance import InvarianceFinding
from harness.checks.shift import Verdict
from harness.numbers import plural

if TYPE_CHECKING:
    from reports.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class CheckReport(Shown):
    """The result of `harness.check`. A notebook shows it as a table.

    Attributes:
        found: the trials, and how much stored values change when the reranker scores again.
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
        """The alarms of all trials."""
        return tuple(alarm.named for alarm in self.found.alarms)

    def trial(self, name: str) -> InvarianceFinding:
        """Return one trial: `verdict`, `note`, `alarm`, and `shift`, which says how much scores and order changed.

        Args:
            name: a name in `trials`.

        Raises:
            HarnessError: no trial has this name.
        """
        return chosen("trial", name, {one.trial: one for one in self.found.findings})

    def tables(self) -> list[Table]:
        """The table that `harness check` prints."""
        from reports.tables.check import checked_table

        return [checked_table(self.found)]

    def as_dict(self) -> dict[str, object]:
        """Everything as `harness check --json` prints it. Values are fractions."""
        from reports.tables.check import checked_dict

        return checked_dict(self.found)

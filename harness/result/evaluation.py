"""An evaluation: one system on one collection, with everything that its numbers depend on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.budgets import CallRecord
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.measures import Measure
from harness.measuring.paired_measures import PMRR
from harness.measuring.robustness.perturbed import Perturbed
from harness.result.facts import Made, Timing
from harness.result.known_wrong import known_wrong_alarms
from harness.scoring.alarms.candidates import without_ties
from harness.scoring.audit import Audit
from harness.scoring.ground import CandidatePool
from harness.scoring.system import MadeOf, System


@dataclass(frozen=True)
class Evaluation:
    """One system on one collection."""

    made_of: MadeOf
    """Everything that can change a score: evaluator, collection, first stage, candidates, reranker."""
    ground: CandidatePool
    system: System
    values: npt.NDArray[np.float64]
    """float64 [measures, queries]; a query without candidates has 0."""
    run: Run
    audit: Audit
    fresh: int
    """The number of pairs that were scored now; the others were in the ledger."""
    seconds: float
    """The model's time for these pairs, in seconds."""
    made: Made
    timing: Timing | None = None
    """The time over all occasions on which this system scored pairs of this collection on this machine; None if only
    this occasion is known."""
    calls: tuple[CallRecord, ...] = ()
    """How the reranker's model is called in this workspace, on each kind of device."""
    paired: PMRR | None = None
    """p-MRR, if the collection has pairs of queries."""
    perturbed: tuple[Perturbed, ...] = ()
    """The values on perturbed texts; empty if robustness was not measured."""

    @property
    def id(self) -> str:
        """The id. Equal content has an equal id."""
        return self.made_of.id

    @property
    def collection(self) -> Collection:
        """The collection that was searched."""
        return self.ground.collection

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures, which are the rows of `values`."""
        return self.ground.measures

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms: whatever should keep a reader from trusting the numbers."""
        return (*self._of_candidates, *self.audit.alarms, *self._unpaired, *self._known_wrong)

    @property
    def audited(self) -> dict[str, object]:
        """The audit with all alarms, including those of the candidates, for JSON."""
        calls = {call.device: {"path": call.path, "batch_tokens": call.batch_tokens} for call in self.calls}
        return self.audit.as_dict() | {"alarms": [alarm.as_dict() for alarm in self.alarms], "calls": calls}

    @property
    def _of_candidates(self) -> tuple[Alarm, ...]:
        """The alarms of the candidates that concern this system. Without ties, document ids decide nothing."""
        return self.ground.alarms if self.audit.tied else tuple(map(without_ties, self.ground.alarms))

    @property
    def wrong(self) -> str | None:
        """Why an imported value is known to be wrong; None for all other values."""
        return next((alarm.message for alarm in self._known_wrong), None)

    @property
    def _known_wrong(self) -> tuple[Alarm, ...]:
        content, collection = self.made_of.content, self.collection
        means = {str(one): float(row.mean()) for one, row in zip(self.measures, self.values, strict=True) if len(row)}
        found = known_wrong_alarms(content, self.system.name, collection.name, collection.split, means)
        return tuple(found)

    @property
    def _unpaired(self) -> tuple[Alarm, ...]:
        if self.paired is None or not self.paired.missing:
            return ()
        missing, all_of = self.paired.missing, len(self.paired.missing) + len(self.paired.questions)
        named = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        message = f"p-MRR leaves out {len(missing)} of {all_of} questions that lack one of the two queries: {named}"
        return (Alarm("unpaired-questions", message, PAIRED_MEASURE),)

"""The value that everything is made for: one system on one collection, with all that its numbers rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.collection import Collection
from harness.data.runs import Run
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.measures import Measure
from harness.measuring.paired_measures import PMRR
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
    """Pairs that were scored for it now; the others were known."""
    seconds: float
    """Seconds that the model took for them."""
    pairs_per_second: float | None = None
    """From every time that this system scored pairs of this collection on this machine."""
    paired: PMRR | None = None
    """p-MRR, where the collection asks its questions twice."""

    @property
    def id(self) -> str:
        """Equal content, equal id."""
        return self.made_of.id

    @property
    def collection(self) -> Collection:
        """What was searched."""
        return self.ground.collection

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The rows of `values`."""
        return self.ground.measures

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """Whatever should keep a reader from trusting the number."""
        return (*self._of_candidates, *self.audit.alarms, *self._unpaired, *self._known_wrong)

    @property
    def audited(self) -> dict[str, object]:
        """The audit with every alarm, also those of the candidates; for JSON."""
        return self.audit.as_dict() | {"alarms": [alarm.as_dict() for alarm in self.alarms]}

    @property
    def _of_candidates(self) -> tuple[Alarm, ...]:
        """What is wrong with the candidates, as far as it concerns this system: ids decide nothing without ties."""
        return self.ground.alarms if self.audit.tied else tuple(map(without_ties, self.ground.alarms))

    @property
    def wrong(self) -> str | None:
        """What is known against a value that was imported; None for everything else."""
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
        told = f"p-MRR leaves out {len(missing)} of {all_of} questions, for want of one of the two queries: {named}"
        return (Alarm("unpaired-questions", told, PAIRED_MEASURE),)

"""The record of a run, written to the disk after every event."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from adapters.errors import DataError
from harness.progress import Reporter
from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import AdaptationRecord, ArmRecord, Claim, Event, LookRow, Score
from harness.result.adaptation.vocabulary import FILE, EventState, Stage
from harness.result.adaptation.writing import write_record
from training.adapting.watching import Finished


@dataclass
class StepOutcome:
    """The outcome of a step, set by the code that runs it."""

    state: EventState = "done"
    detail: str = ""


@dataclass
class Journal:
    """Extends the record of a run. A run that continues after a kill keeps the times of its finished steps."""

    record: AdaptationRecord
    out: Path
    reporter: Reporter
    earlier: AdaptationRecord | None = None
    _begun: float = field(default_factory=time.monotonic)

    @classmethod
    def opened(cls, record: AdaptationRecord, out: Path, reporter: Reporter) -> Journal:
        """Begin a record, or continue the record of the same run."""
        try:
            earlier = read_record(out) if (out / FILE).exists() else None
        except DataError:  # the earlier record is only used for times
            earlier = None
        if earlier is not None and earlier.run == record.run:
            return cls(replace(record, started=earlier.started), out, reporter, earlier)
        return cls(record, out, reporter)

    @contextmanager
    def step(self, stage: Stage, name: str) -> Iterator[StepOutcome]:
        """Time a step, and record it if it raises no error."""
        begun, outcome = time.monotonic(), StepOutcome()
        yield outcome
        self._add(stage, name, outcome.state, time.monotonic() - begun, outcome.detail)

    def watch(self, finished: Finished) -> None:
        """Record a finished stage. A stage that a killed run had finished is recorded as done."""
        state: EventState = "done" if finished.state == "known" else finished.state
        self._add(finished.stage, finished.name, state, finished.seconds, finished.detail)

    def add_arms(self, arms: Iterable[ArmRecord]) -> None:
        """Add arms in the order in which they were made; an arm with the same name is replaced. Like all additions,
        they are written with the next event."""
        by_name = {one.name: one for one in (*self.record.arms, *arms)}
        self.record = replace(self.record, arms=tuple(by_name.values()))

    def add_scores(self, scores: Iterable[Score]) -> None:
        """Add scores of an arm on a tier. Repeated scores are kept once."""
        self.record = replace(self.record, scores=tuple(dict.fromkeys((*self.record.scores, *scores))))

    def add_look(self, look: LookRow) -> None:
        """Add a look of an arm. Arms with equal weights share a look, which is kept once."""
        self.record = replace(self.record, looks=tuple(dict.fromkeys((*self.record.looks, look))))

    def add_claims(self, claims: Iterable[Claim]) -> None:
        """Set the claims that were tested on the final split."""
        self.record = replace(self.record, claims=tuple(claims))

    def change(self, **fields: Any) -> None:
        """Replace fields of the record, and write it."""
        self.record = replace(self.record, seconds=round(self._seconds, 3), **fields)
        write_record(self.record, self.out / FILE)

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._begun + (self.earlier.seconds if self.earlier else 0.0)

    def _add(self, stage: Stage, name: str, state: EventState, seconds: float, detail: str) -> None:
        event = Event(round(max(0.0, self._seconds - seconds), 3), round(seconds, 3), stage, name, state, detail)
        if self.earlier is not None:
            before = {(one.stage, one.name): one for one in self.earlier.timeline}.get((stage, name))
            event = event if before is None else replace(event, at=before.at, seconds=before.seconds)
        self.change(timeline=(*self.record.timeline, event))
        self.reporter.note(f"{stage} {name}: {detail or state}")

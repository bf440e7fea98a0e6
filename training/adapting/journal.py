"""Keeps the record of a run: what was done and when, written to the disk after every event."""

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
class Said:
    """What a step says of itself when it is over."""

    state: EventState = "done"
    detail: str = ""


@dataclass
class Journal:
    """The record of a run, as it grows. A killed run finds the times of what it had done already."""

    record: AdaptationRecord
    out: Path
    reporter: Reporter
    earlier: AdaptationRecord | None = None
    _begun: float = field(default_factory=time.monotonic)

    @classmethod
    def opened(cls, record: AdaptationRecord, out: Path, reporter: Reporter) -> Journal:
        """Begin a record, or go on with that of the same run."""
        try:
            earlier = read_record(out) if (out / FILE).exists() else None
        except DataError:  # it is only written, never needed
            earlier = None
        if earlier is not None and earlier.run == record.run:
            return cls(replace(record, started=earlier.started), out, reporter, earlier)
        return cls(record, out, reporter)

    @contextmanager
    def step(self, stage: Stage, name: str) -> Iterator[Said]:
        """Time a step, and write it down if it ends well."""
        begun, said = time.monotonic(), Said()
        yield said
        self._add(stage, name, said.state, time.monotonic() - begun, said.detail)

    def watch(self, finished: Finished) -> None:
        """Write down a step of the making half. What a killed run had finished was done by this run too."""
        state: EventState = "done" if finished.state == "known" else finished.state
        self._add(finished.stage, finished.name, state, finished.seconds, finished.detail)

    def add_arms(self, arms: Iterable[ArmRecord]) -> None:
        """Arms in the order in which they were made; one of the same name is replaced. It is on the disk with the next
        event, as everything that is added."""
        known = {one.name: one for one in (*self.record.arms, *arms)}
        self.record = replace(self.record, arms=tuple(known.values()))

    def add_scores(self, scores: Iterable[Score]) -> None:
        """Scores of an arm on a tier; the same ones again are no others."""
        self.record = replace(self.record, scores=tuple(dict.fromkeys((*self.record.scores, *scores))))

    def add_look(self, look: LookRow) -> None:
        """A look of an arm. Arms of equal weights have the same one."""
        self.record = replace(self.record, looks=tuple(dict.fromkeys((*self.record.looks, look))))

    def add_claims(self, claims: Iterable[Claim]) -> None:
        """What was tested on the final split."""
        self.record = replace(self.record, claims=tuple(claims))

    def change(self, **fields: Any) -> None:
        """Replace fields, and write the record."""
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

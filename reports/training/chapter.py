"""The chapter of a report on the adaptations of a workspace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import AdaptationRecord
from harness.workspace import Workspace
from reports.document import Heading, Image, Part, Text
from reports.table import Cell, Table
from reports.training.page import write
from reports.training.story import decision
from reports.training.tables import arms_table
from reports.training.told import HYPHEN, duration

FOLDER = "adaptations"
"""The folder within a report with a page for each adaptation."""


@dataclass(frozen=True)
class Adaptation:
    """A record and the plots of its page."""

    record: AdaptationRecord
    images: tuple[Image, ...] = ()


def records(workspace: Path) -> list[AdaptationRecord]:
    """The stored records of a workspace, the oldest first.

    Raises:
        DataError: a record is damaged.
    """
    stored = [read_record(file) for file in sorted(Workspace(workspace).adaptations.glob("*.json"))]
    return sorted(stored, key=lambda one: (one.started, one.run))


def write_pages(found: Sequence[AdaptationRecord], out: Path, workspace: Path) -> list[Adaptation]:
    """Write a page for each record into OUT/adaptations/RUN."""
    return [Adaptation(one, write(one, out / FOLDER / one.run, workspace).images) for one in found]


def chapter(found: Sequence[Adaptation]) -> Iterator[Part]:
    """The decision, the arms and the plots of each adaptation; empty if there is none."""
    if not found:
        return
    yield Heading("Adaptations")
    yield _overview([one.record for one in found])
    for one in found:
        yield Heading(f"{one.record.name} ({one.record.run})", 3)
        yield from decision(one.record)
        yield arms_table(one.record)
        yield from one.images
        yield Text(f"All details, with claims, data, licences and looks: {_page(one.record)}")


def _overview(found: Sequence[AdaptationRecord]) -> Table:
    columns = ("adaptation", "started", "base", "state", "accepted", "claims that hold", "took")
    rows = [
        (Cell(one.name, href=_page(one)), Cell(one.started[:16].replace("T", " ")), Cell(one.base_name),
         Cell(one.state), Cell(one.accepted or HYPHEN), Cell(_held(one)), Cell(duration(one.seconds)))
        for one in found
    ]  # fmt: skip
    return Table("adaptations", columns, tuple(rows), left=5)


def _held(record: AdaptationRecord) -> str:
    return f"{sum(one.holds for one in record.claims)} of {len(record.claims)}" if record.claims else HYPHEN


def _page(record: AdaptationRecord) -> str:
    return f"{FOLDER}/{record.run}/adaptation.html"

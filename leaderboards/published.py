"""Published numbers as rows, and whether they are comparable with our own."""

from __future__ import annotations

import csv
import importlib.resources
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePosixPath

from adapters.errors import DataError
from harness.data.suites.targets import find, is_suite_target
from harness.result.known_wrong import wrong_value

WRONG = "wrong: "
"""The beginning of the note of a number that is known to be wrong."""
_TIES_MENDED = (2, 18, 19)
"""The first version of mteb whose reciprocal rank orders ties as trec_eval does (mteb#5092)."""
_CUT_OFF = (2,)
"""The first version with cutoffs: mteb 1 evaluated reranking tasks by `map` and `mrr` of the whole list."""


@dataclass(frozen=True)
class Published:
    """A published number."""

    model: str
    model_revision: str
    """A commit; empty if it is not stated."""
    suite: str
    """A suite of the harness, or the source's name for its set of tasks."""
    collection: str
    """A collection of the suite, a group of them, or empty for the whole set."""
    split: str
    measure: str
    """A measure in the notation of `harness.measuring.measures`."""
    value: float
    """A fraction."""
    source: str
    commit: str
    """The commit of the source."""
    dataset_revision: str
    evaluator: str
    """Name and version such as 'mteb 1.38.9'; empty if it is not stated."""
    first_stage: str
    """'given', 'MODEL top-100' or 'not stated'; empty if the model searched the corpus itself."""
    note: str

    @property
    def target(self) -> str:
        """The target in the form that commands take."""
        return f"{self.suite}/{self.collection}" if self.collection else self.suite

    @property
    def collections(self) -> tuple[str, ...]:
        """The targets that the number covers; empty if the source's set of tasks is not a suite of the harness."""
        return tuple(one.target for one in find(self.target)) if is_suite_target(self.target) else ()

    @property
    def is_average(self) -> bool:
        """Whether the number is an average over several collections."""
        return self.collections != (self.target,)

    @property
    def task(self) -> str | None:
        """mteb's task if the source is a file of mteb's results; None otherwise."""
        file = PurePosixPath(self.source.rsplit(": ", 1)[-1])
        return file.stem if file.suffix == ".json" else None

    @property
    def evaluator_version(self) -> tuple[int, ...]:
        """The version of the evaluator; empty if it is not stated."""
        return tuple(int(part) for part in re.findall(r"\d+", self.evaluator))


@dataclass(frozen=True)
class OwnNumber:
    """A number of our own, with the facts that decide whether a published number is comparable."""

    model: str
    model_revision: str
    suite: str
    collection: str
    split: str
    task: str
    measure: str
    value: float
    dataset_revision: str
    first_stage: str
    """See `Published.first_stage`."""
    altered: str = ""
    """How the collection differs from the published one: a sample, or other data. Empty if it is the same."""


@cache
def published() -> tuple[Published, ...]:
    """All published numbers of the package, file by file. `published/SOURCES.md` lists their sources.

    Raises:
        DataError: a row of a file is not valid.
    """
    folder = importlib.resources.files("leaderboards").joinpath("published")
    tables = sorted((file for file in folder.iterdir() if file.name.endswith(".csv")), key=lambda file: file.name)
    return tuple(_noted(row) for table in tables for row in read_published(table.read_text("utf-8"), table.name))


def read_published(text: str, name: str) -> list[Published]:
    """The rows of a CSV file whose header has the fields of `Published`.

    Args:
        text: the text of the file.
        name: the name of the file, for messages.

    Raises:
        DataError: a row lacks a column or has a wrong value; the message names file and line.
    """
    rows = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            value = float(row["value"])
            rows.append(Published(**{**row, "value": value}))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{name}:{number}: not a published number ({error})") from None
        if not -1 <= value <= 1 or None in row.values():
            raise DataError(f"{name}:{number}: write all columns, and the value as a fraction")
    return rows


def _noted(row: Published) -> Published:
    """The row with a note if its value is known to be wrong. Imported values get the same note."""
    if row.is_average or row.task is None:
        return row
    (entry,) = find(row.target)
    wrong = wrong_value([row.model], row.task, row.split, row.measure, row.value, subset=entry.mteb.subset)
    return row if wrong is None else replace(row, note=f"{WRONG}{wrong.reason}")


def comparable(ours: OwnNumber, row: Published) -> str | None:
    """The reasons why two numbers cannot be compared, in one line; None if they can."""
    return "; ".join(_reasons(ours, row)) or None


def _reasons(ours: OwnNumber, row: Published) -> Iterator[str]:
    if row.note.startswith(WRONG):
        yield f"known to be {row.note}"
    if ours.altered:
        yield f"ours is {ours.altered}"
    if row.model_revision and ours.model_revision not in ("", row.model_revision):
        yield f"revision {row.model_revision[:8]} of the model, ours is {ours.model_revision[:8]}"
    yield from _of_measure(ours, row)
    yield from ["only an average is published"] if row.is_average else _of_data(ours, row)
    if row.first_stage != ours.first_stage:
        yield f"first stage: {_stage(row.first_stage)}; ours: {_stage(ours.first_stage)}"


def _of_measure(ours: OwnNumber, row: Published) -> Iterator[str]:
    version = row.evaluator_version
    if row.measure != ours.measure:
        old = f", by the old evaluator of {row.evaluator}" if row.measure in ("AP", "RR") and version < _CUT_OFF else ""
        yield f"{row.measure}{old}, ours is {ours.measure}"
    if row.measure.startswith("RR") and _CUT_OFF <= version < _TIES_MENDED:
        yield f"{row.evaluator} orders ties by insertion (mteb#5092)"


def _of_data(ours: OwnNumber, row: Published) -> Iterator[str]:
    if row.task and row.task != ours.task:
        yield f"the task {row.task}, ours is {ours.task}"
    if row.split != ours.split:
        yield f"split {row.split or 'not stated'}, ours is {ours.split}"
    if row.dataset_revision != ours.dataset_revision:
        revision = row.dataset_revision[:8] or "not stated"
        yield f"dataset revision {revision}, ours is {ours.dataset_revision[:8]}"


def _stage(first_stage: str) -> str:
    return first_stage or "the model itself"

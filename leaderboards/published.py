"""Published numbers as rows, and whether one of ours may stand beside one of them."""

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
"""How the note of a number begins that is known to be wrong."""
_TIES_MENDED = (2, 18, 19)
"""The first mteb whose reciprocal rank orders ties as trec_eval does (mteb#5092)."""
_CUT_OFF = (2,)
"""mteb 1 scored reranking tasks with an evaluator of its own: `map` and `mrr` of the list, without a cutoff."""


@dataclass(frozen=True)
class Published:
    """One published number."""

    model: str
    model_revision: str
    """A commit; empty where it is not stated."""
    suite: str
    """A suite of ours, or what the source calls its set of tasks."""
    collection: str
    """A collection of the suite, a group of them, or empty for the whole set."""
    split: str
    measure: str
    """As `harness.measuring.measures` writes it."""
    value: float
    """A fraction."""
    source: str
    commit: str
    """Of the source."""
    dataset_revision: str
    evaluator: str
    """Name and version, as in 'mteb 1.38.9'; empty where it is not stated."""
    first_stage: str
    """'given', 'MODEL top-100', 'not stated'; empty where the model searched the corpus itself."""
    note: str

    @property
    def target(self) -> str:
        """As a user would name it."""
        return f"{self.suite}/{self.collection}" if self.collection else self.suite

    @property
    def collections(self) -> tuple[str, ...]:
        """The targets of ours that it covers; none where no suite of ours is the source's set of tasks."""
        return tuple(one.target for one in find(self.target)) if is_suite_target(self.target) else ()

    @property
    def is_average(self) -> bool:
        """Whether it stands for several collections."""
        return self.collections != (self.target,)

    @property
    def task(self) -> str | None:
        """mteb's task, where the source is a file of its results."""
        file = PurePosixPath(self.source.rsplit(": ", 1)[-1])
        return file.stem if file.suffix == ".json" else None

    @property
    def evaluator_version(self) -> tuple[int, ...]:
        """Empty where it is not stated."""
        return tuple(int(part) for part in re.findall(r"\d+", self.evaluator))


@dataclass(frozen=True)
class OwnNumber:
    """One number of ours, with what decides which published ones may stand beside it."""

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
    """As in `Published`."""
    altered: str = ""
    """Why the collection is not the published one: a sample, other data."""


@cache
def published() -> tuple[Published, ...]:
    """Every published number that the package brings, file by file; `published/SOURCES.md` says where they are from.

    Raises:
        DataError: a file cannot be trusted.
    """
    folder = importlib.resources.files("leaderboards").joinpath("published")
    tables = sorted((file for file in folder.iterdir() if file.name.endswith(".csv")), key=lambda file: file.name)
    return tuple(_noted(row) for table in tables for row in read_published(table.read_text("utf-8"), table.name))


def read_published(text: str, name: str) -> list[Published]:
    """Rows of a CSV file with the fields of `Published` as its header.

    Raises:
        DataError: naming file and line.
    """
    found = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        try:
            value = float(row["value"])
            found.append(Published(**{**row, "value": value}))  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{name}:{number}: not a published number ({error})") from None
        if not -1 <= value <= 1 or None in row.values():
            raise DataError(f"{name}:{number}: every column is needed, and the value as a fraction")
    return found


def _noted(row: Published) -> Published:
    """With what is known against the value, which is the same for those who import it."""
    if row.is_average or row.task is None:
        return row
    (entry,) = find(row.target)
    wrong = wrong_value([row.model], row.task, row.split, row.measure, row.value, subset=entry.mteb.subset)
    return row if wrong is None else replace(row, note=f"{WRONG}{wrong.reason}")


def comparable(ours: OwnNumber, row: Published) -> str | None:
    """None where the two numbers may be compared, else every reason why not, in one line."""
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

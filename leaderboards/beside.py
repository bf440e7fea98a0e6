"""Published numbers on a board: separate rows without a rank, with the reasons that speak against a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.result.gathered import Grid
from harness.result.keys import CollectionKey
from harness.result.result import Result
from leaderboards.own import own_number
from leaderboards.published import WRONG, Published, comparable, published
from reports.grid import suite_of


@dataclass(frozen=True)
class BoardPublishedRow:
    """The published numbers of a model with the same revision, evaluator and first stage."""

    model: str
    revision: str
    evaluator: str
    first_stage: str
    cells: Mapping[CollectionKey, Published]
    whole: Published | None
    """The published number for the suite as a whole."""


def published_rows(grid: Grid) -> list[BoardPublishedRow]:
    """The published numbers for the collections and the measure of the grid, sorted by model."""
    suites = {suite_of(one) for one in grid.collections}
    rows: dict[tuple[str, str, str, str], list[Published]] = {}
    for one in published():
        if one.measure == grid.measure and one.suite in suites:
            rows.setdefault((one.model, one.model_revision, one.evaluator, stage(one)), []).append(one)
    made = [_row(key, numbers, grid.collections) for key, numbers in sorted(rows.items())]
    return [row for row in made if row.cells or row.whole]


def stage(one: Published) -> str:
    """The first stage of a published number, in words."""
    return one.first_stage or "the model searched the corpus itself"


def is_wrong(one: Published) -> bool:
    """Whether a published number is known to be wrong; its note says why."""
    return one.note.startswith(WRONG)


def of_collection(collection: CollectionKey) -> list[Published]:
    """All published numbers of a collection, by any measure."""
    entry = collection.entry
    return [one for one in published() if entry is not None and one.target == entry.target]


def measured_here(row: Published, results: Iterable[Result]) -> tuple[Result, str | None] | None:
    """The result of the same model, and why the two cannot be compared (None if they can).

    Returns:
        A comparable result if there is one; None if the model was not measured.
    """
    same = [(one, own_number(one)) for one in results if one.measure == row.measure]
    judged = [(one, comparable(ours, row)) for one, ours in same if ours and ours.model == row.model]
    return min(judged, key=lambda pair: len(pair[1] or ""), default=None)


def _row(
    key: tuple[str, str, str, str], numbers: Iterable[Published], collections: Iterable[CollectionKey]
) -> BoardPublishedRow:
    listed = list(numbers)
    by_name = {one.target: one for one in listed}
    entries = {one: one.entry for one in collections}
    cells = {one: by_name[e.target] for one, e in entries.items() if e is not None and e.target in by_name}
    return BoardPublishedRow(*key, cells, next((one for one in listed if not one.collection), None))

"""Published numbers on a board: separate rows without a rank, with the reasons that speak against a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapters.errors import UsageError
from harness.result.gathered import Grid
from harness.result.keys import CollectionKey
from harness.result.result import Result
from leaderboards.published import WRONG, OwnNumber, Published, comparable, published
from leaderboards.sheets import is_drifted
from reports.grid import suite_of
from reports.model_name import ModelName, model_name


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
    same = [(one, _measured(one, row)) for one in results if one.measure == row.measure]
    judged = [(one, comparable(ours, row)) for one, ours in same if ours is not None]
    return min(judged, key=lambda pair: len(pair[1] or ""), default=None)


def _measured(result: Result, row: Published) -> OwnNumber | None:
    entry, name = result.collection.entry, _name(result.system.reranker or result.system.first_stage)
    if entry is None or name is None or name.name != row.model:
        return None
    return OwnNumber(
        model=name.name,
        model_revision=name.commit or "",
        suite=entry.suite,
        collection=entry.name,
        split=result.collection.split,
        task=entry.mteb.task,
        measure=result.measure,
        value=result.value,
        dataset_revision=entry.mteb.revision,
        first_stage=_first_stage(result),
        altered=_altered(result.collection),
    )


def _name(text: str) -> ModelName | None:
    """The name of a model; None for adapters that are not installed here, which have no published numbers."""
    try:
        return model_name(text)
    except UsageError:
        return None


def _first_stage(result: Result) -> str:
    system = result.system
    if system.reranker is None or system.first_stage == "given":
        return "" if system.reranker is None else "given"
    name = _name(system.first_stage)
    return f"{system.first_stage if name is None or '?' in system.first_stage else name.name} top-{system.depth}"


def _altered(collection: CollectionKey) -> str:
    if collection.sampled_from:
        return f"a sample of {collection.queries:,} of {collection.sampled_from:,} queries"
    return "on data that differ from the suite's" if is_drifted(collection) else ""


def _row(
    key: tuple[str, str, str, str], numbers: Iterable[Published], collections: Iterable[CollectionKey]
) -> BoardPublishedRow:
    listed = list(numbers)
    by_name = {one.target: one for one in listed}
    entries = {one: one.entry for one in collections}
    cells = {one: by_name[e.target] for one, e in entries.items() if e is not None and e.target in by_name}
    return BoardPublishedRow(*key, cells, next((one for one in listed if not one.collection), None))

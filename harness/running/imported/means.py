"""Reads means from results of mteb, and finds the collection of a suite that each is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.result.means import Means
from harness.result.origin import marked, origin_of
from harness.running.imported.formats import MTEB_RESULTS
from harness.running.imported.left_out import NotTaken
from harness.running.imported.mteb_model import META, Model, model_of
from harness.running.imported.mteb_results import TaskPart, parts_of


def means_in(
    path: Path, name: str | None = None, measures: Sequence[str] = (), *, allow_drift: bool = False
) -> list[Means]:
    """Return the means of one result of mteb: the official measure of each collection, and the named measures.

    Args:
        path: the file.
        name: the name of the model. Default: from the file's folder.
        measures: measures besides the official ones. Default: none.
        allow_drift: also import values of another revision of the data. `Means.is_drifted` is true for them. Default:
            False.

    Raises:
        NotTaken: no suite has the task, the data differ, nothing names the model, or a measure is missing.
        DataError: the file is not a result of mteb.
    """
    model = model_of(path, name)
    return [_means(path, model, part, measures) for part in parts_of(path, model, allow_drift=allow_drift)]


def result_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that may be results of mteb, in order."""
    yield from (file for file in sorted(folder.rglob("*.json")) if file.name != META)


def _means(path: Path, model: Model, part: TaskPart, measures: Sequence[str]) -> Means:
    wanted = dict.fromkeys([part.entry.main_measure, *measures])
    missing = [measure for measure in wanted if measure not in part.means]
    if missing:
        there = f"no {missing[0]} of {part.entry.target}; it has {', '.join(part.means) or 'none'}"
        raise NotTaken(path, f"without {missing[0]}", part.entry.mteb.task, there)
    origin = origin_of(path, "mean", MTEB_RESULTS, part.evaluator, model.stated)
    own, values = marked(model.label), {measure: part.means[measure] for measure in wanted}
    if part.first_stage is None:
        return Means(part.entry, own, None, part.depth, origin, values, part.revision)
    return Means(part.entry, part.first_stage, own, part.depth, origin, values, part.revision)

"""Means in the results that mteb writes: which collection of a suite each of them is of."""

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
    """The means of one result of mteb: of each collection's official measure, and of those that are named.

    Args:
        path: the file.
        name: of the model; default: as the file's folder says.
        measures: more than the official ones.
        allow_drift: take values of another revision of the data too. `Means.is_drifted` is true for them.

    Raises:
        LeftOut: no suite has the task, its data are others, nothing names the model, or a measure is not there.
        DataError: it is no result of mteb.
    """
    model = model_of(path, name)
    return [_means(path, model, part, measures) for part in parts_of(path, model, allow_drift=allow_drift)]


def result_files(folder: Path) -> Iterator[Path]:
    """The files of a folder that could be results of mteb, in order."""
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

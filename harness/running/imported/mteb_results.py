"""Results of mteb (`<Task>.json`): means of one task, by split and subset, and whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError, UsageError
from harness.data.suites.targets import PAIRED_MEASURE, SuiteCollection, suites
from harness.running.imported.json_file import json_object

META = "model_meta.json"
_MEASURES = {"ndcg": "nDCG", "map": "AP", "mrr": "RR", "precision": "P", "recall": "R", "hit_rate": "Success"}
_KEY = re.compile(rf"({'|'.join(_MEASURES)})_at_([1-9][0-9]*)")
_UNSTATED = ("", "no_revision_available", "external")


@dataclass(frozen=True)
class Model:
    """Whose results they are."""

    name: str
    revision: str | None
    searches: bool
    """Whether the model searched the corpus itself, where nothing else is stated: all but cross-encoders do."""
    in_file: str | None = None
    """What the file and its folders call the model, where it was given another name."""

    @property
    def label(self) -> str:
        """Name and revision, short enough for a table."""
        return f"{self.name}@{self.revision[:12]}" if self.revision else self.name


@dataclass(frozen=True)
class TaskPart:
    """One split and subset of a task, which is one collection of a suite."""

    entry: SuiteCollection
    evaluator: str
    """Who computed the values."""
    means: Mapping[str, float]
    """Fractions, by measure."""
    first_stage: str | None
    """None where the model searched the corpus itself."""
    depth: int
    """Candidates per query; 0 where that is not stated."""


def model_of(path: Path, name: str | None) -> Model:
    """The model: as named, else as `model_meta.json` beside the file says, else as mteb's folders do.

    Raises:
        UsageError: nothing says so.
    """
    file = path.parent / META
    meta = json_object(file) if file.is_file() else {}
    in_layout = "__" in path.parent.parent.name
    folder = path.parent.parent.name.replace("__", "/", 1) if in_layout else None
    own = _text(meta.get("name")) or folder
    found = name or own
    if found is None:
        raise UsageError(f"{path}: neither {META} nor the folders name the model; give it a --name")
    revision = _text(meta.get("revision")) or (path.parent.name if in_layout else None)
    types = meta.get("model_type")
    crosses = meta.get("is_cross_encoder") is True or (isinstance(types, list) and "cross-encoder" in types)
    searches = bool(meta) and not crosses
    return Model(found, None if revision in _UNSTATED else revision, searches, None if own == found else own)


def parts_of(path: Path, model: Model) -> list[TaskPart]:
    """Every split and subset that a suite has.

    Raises:
        DataError: it is no result of mteb 1.11 or newer.
        UsageError: no suite has the task, or the suite's table has other data.
    """
    content = json_object(path)
    task, scores = content.get("task_name"), content.get("scores")
    if not isinstance(task, str) or not isinstance(scores, Mapping):
        raise DataError(f"{path}: no result of mteb 1.11 or newer: it lacks 'task_name' or 'scores'")
    entries = {(one.mteb.split, one.mteb.subset): one for one in _all() if one.mteb.task == task}
    if not entries:
        raise UsageError(f"{path}: no suite has the task {task}; `harness list` and docs/suites.md name those that are")
    _refuse_other_data(path, content.get("dataset_revision"), next(iter(entries.values())))
    found = [
        _part(path, entry, part, content, model)
        for split, subset, part in _scores(path, scores)
        if (entry := entries.get((split, subset)))
    ]
    if not found:
        raise UsageError(f"{path}: none of its splits and subsets is among those of {task} in our suites")
    return found


def _all() -> Iterator[SuiteCollection]:
    for suite in suites().values():
        yield from suite.collections


def _refuse_other_data(path: Path, revision: object, entry: SuiteCollection) -> None:
    if revision != entry.mteb.revision:
        raise UsageError(
            f"{path}: measured on revision {str(revision)[:8]} of the data, {entry.mteb.task} here is "
            f"{entry.mteb.revision[:8]}; the two are no numbers of one column"
        )


def _scores(path: Path, scores: Mapping[str, object]) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    for split, parts in scores.items():
        for part in parts if isinstance(parts, list) else [None]:
            if not isinstance(part, Mapping) or not isinstance(part.get("hf_subset"), str):
                raise DataError(f"{path}: split '{split}' is no list of scores with 'hf_subset'")
            yield split, str(part["hf_subset"]), part


def _part(
    path: Path, entry: SuiteCollection, part: Mapping[str, object], content: Mapping[str, object], model: Model
) -> TaskPart:
    ours = part.get("harness")
    said: Mapping[str, object] = ours if isinstance(ours, Mapping) else {}
    version = part.get("mteb_version") or content.get("mteb_version") or "of a version that is not stated"
    means = {measure: _value(path, key, value) for key, value in part.items() if (measure := _measure(key))}
    first_stage, depth = _first_stage(entry, said, model)
    return TaskPart(entry, str(said.get("evaluator") or f"mteb {version}"), means, first_stage, depth)


def _first_stage(entry: SuiteCollection, said: Mapping[str, object], model: Model) -> tuple[str | None, int]:
    """Files of ours say it; mteb's do not."""
    if "first_stage" in said:
        depth = said.get("depth")
        return _text(said["first_stage"]), depth if isinstance(depth, int) else 0
    if entry.candidates is not None:
        return "given", 0
    return (None if model.searches else "not stated"), 0


def _measure(key: str) -> str | None:
    matched = _KEY.fullmatch(key)
    if matched:
        return f"{_MEASURES[matched[1]]}@{matched[2]}"
    return PAIRED_MEASURE if key == PAIRED_MEASURE else None


def _value(path: Path, key: str, value: object) -> float:
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if not (-1 if key == PAIRED_MEASURE else 0) <= number <= 1:
        raise DataError(f"{path}: {key} is {value!r}; a fraction from 0 to 1 was expected")
    return number


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None

"""Reads results of any version of mteb (`<Task>.json`): means of one task, by split and subset."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError
from harness.data.suites.targets import PAIRED_MEASURE, SuiteCollection, suites
from harness.measuring.measures import mteb_names
from harness.running.imported.json_file import json_object
from harness.running.imported.left_out import NotTaken
from harness.running.imported.mteb_model import Model

OLD_TASK = "mteb_dataset_name"
"""The key of the task in mteb before 1.11. The splits are top-level keys of such a file."""
_KEY = re.compile(r"(\w+)_at_([1-9][0-9]*)")
_MIRACL = {"NDCG": "nDCG", "MAP": "AP", "P": "P", "Recall": "R"}
_MIRACL_KEY = re.compile(rf"({'|'.join(_MIRACL)})@([1-9][0-9]*)\(MIRACL\)")
_OLD_RERANKING = {"map": ("AP@1000", "AP"), "mrr": ("RR@10",)}
"""Keys of reranking tasks in mteb 1: `map` is over the whole list, which has fewer than 1,000 documents, `mrr` over the
first ten."""
_SAME = 1e-4
"""The largest difference between two values of a measure, which mteb rounds to five decimals in some versions."""
_NO_REVISION = ("", "None", "dataset revision not available")
_OTHER_DATA = "measured on another revision of the data than our suites have; import them, marked, with --allow-drift"


@dataclass(frozen=True)
class TaskPart:
    """One split and subset of a task, which is one collection of a suite."""

    entry: SuiteCollection
    evaluator: str
    """The program that computed the values."""
    means: Mapping[str, float]
    """Fractions, by measure."""
    first_stage: str | None
    """None if the model searched the corpus itself."""
    depth: int
    """Candidates per query; 0 if not stated."""
    revision: str | None
    """The revision of the data, as the file states it; None if it does not."""


@dataclass(frozen=True)
class _Result:
    """A file in the layout of mteb 1.11 and newer."""

    path: Path
    task: str
    revision: str | None
    version: str
    scores: Mapping[str, object]
    """For each split, a list of scores with `hf_subset`."""


def parts_of(path: Path, model: Model, *, allow_drift: bool = False) -> list[TaskPart]:
    """Return every split and subset that a suite has.

    Args:
        path: the file.
        model: the model of the result.
        allow_drift: also import values of another revision of the data; see `TaskPart.revision`. Default: False.

    Raises:
        DataError: the file is not a result of mteb, has a subset of a split twice, or a value is not a fraction or
            contradicts another value of its entry.
        NotTaken: no suite has the task, or the suite's table has another revision of the data.
    """
    result = _read(path)
    entries = _entries(result)
    if not allow_drift:
        _refuse_other_data(result, next(iter(entries.values())))
    found = [
        _part(result, entry, part, model)
        for split, subset, part in _scores(result)
        if (entry := entries.get((split, subset)))
    ]
    if not found:
        raise NotTaken(path, "no suite has any of its splits and subsets", result.task)
    return found


def _read(path: Path) -> _Result:
    content = json_object(path)
    old = OLD_TASK in content and "scores" not in content
    task = content.get(OLD_TASK if old else "task_name")
    scores = _old_scores(path, content) if old else content.get("scores")
    if not isinstance(task, str) or not isinstance(scores, Mapping):
        raise DataError(f"{path}: not a result of mteb: it lacks 'task_name' and 'scores', or '{OLD_TASK}'")
    revision = content.get("dataset_revision")
    stated = revision if isinstance(revision, str) and revision not in _NO_REVISION else None
    version = content.get("mteb_version") or "of a version that is not stated"
    return _Result(path, task, stated, f"mteb {version}", scores)


def _old_scores(path: Path, content: Mapping[str, object]) -> dict[str, object]:
    """Return the splits of a file of mteb before 1.11 in the newer form. A split has subsets, or for tasks without
    subsets the values."""
    scores: dict[str, object] = {}
    for split, found in content.items():
        if split in (OLD_TASK, "mteb_version", "dataset_revision"):
            continue
        if not isinstance(found, Mapping):
            raise DataError(f"{path}: split '{split}' is not an object of scores")
        values = {key: value for key, value in found.items() if key != "evaluation_time"}
        subsets = values if any(isinstance(one, Mapping) for one in values.values()) else {"default": values}
        scores[split] = [{**one, "hf_subset": name} for name, one in subsets.items() if isinstance(one, Mapping)]
    return scores


def _entries(result: _Result) -> dict[tuple[str, str], SuiteCollection]:
    """Return the collections of the task, by split and subset. As in mteb, upper and lower case do not matter."""
    task = result.task.lower()
    found = {(one.mteb.split, one.mteb.subset): one for one in _all() if one.mteb.task.lower() == task}
    if not found:
        reason = "of tasks that no suite has; docs/suites.md lists the tasks"
        raise NotTaken(
            result.path, reason, result.task, f"no suite has the task {result.task}; docs/suites.md lists the tasks"
        )
    return found


def _all() -> Iterator[SuiteCollection]:
    for suite in suites().values():
        yield from suite.collections


def _refuse_other_data(result: _Result, entry: SuiteCollection) -> None:
    if result.revision != entry.mteb.revision:
        measured = f"revision {result.revision[:8]} of the data" if result.revision else "data of no stated revision"
        detail = f"measured on {measured}, and {entry.mteb.task} here is {entry.mteb.revision[:8]}"
        raise NotTaken(result.path, _OTHER_DATA, result.task, f"{detail}; import it, marked, with --allow-drift")


def _scores(result: _Result) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    for split, parts in result.scores.items():
        seen: dict[str, int] = {}
        for number, part in enumerate(parts if isinstance(parts, list) else [None], 1):
            if not isinstance(part, Mapping) or not isinstance(part.get("hf_subset"), str):
                raise DataError(f"{result.path}: split '{split}' is not a list of scores with 'hf_subset'")
            subset = str(part["hf_subset"])
            if (first := seen.setdefault(subset, number)) != number:
                raise DataError(
                    f"{result.path}: split '{split}' has subset '{subset}' in the entries {first} and {number}; keep "
                    "one of them"
                )
            yield split, subset, part


def _part(result: _Result, entry: SuiteCollection, part: Mapping[str, object], model: Model) -> TaskPart:
    ours = part.get("harness")
    said: Mapping[str, object] = ours if isinstance(ours, Mapping) else {}
    version = f"mteb {part['mteb_version']}" if part.get("mteb_version") else result.version
    means = _means(f"{result.path}: {entry.mteb.split}/{entry.mteb.subset}", entry, part)
    first_stage, depth = _first_stage(entry, said, model)
    return TaskPart(entry, str(said.get("evaluator") or version), means, first_stage, depth, result.revision)


def _means(where: str, entry: SuiteCollection, part: Mapping[str, object]) -> dict[str, float]:
    """Return the means by measure. Several keys may have the same measure; then they need the same value."""
    means: dict[str, float] = {}
    keys: dict[str, str] = {}
    for key, value in part.items():
        for measure in _measures(key, given=entry.candidates is not None):
            number = _value(where, key, value)
            if abs(means.setdefault(measure, number) - number) > _SAME:
                raise DataError(f"{where}: {_both(keys[measure], key, part)} are both {measure}; remove the wrong one")
            keys.setdefault(measure, key)
    main, official = part.get("main_score"), entry.main_measure
    if main is not None and official in means and not abs(_value(where, "main_score", main) - means[official]) <= _SAME:
        both = _both("main_score", keys[official], part)
        raise DataError(f"{where}: {both} differ, and {official} is the task's main score; correct the wrong one")
    return means


def _both(one: str, other: str, part: Mapping[str, object]) -> str:
    return f"{one} {part[one]} and {other} {part[other]}"


def _first_stage(entry: SuiteCollection, said: Mapping[str, object], model: Model) -> tuple[str | None, int]:
    """Return first stage and depth. Files of this package state them; mteb's do not."""
    if "first_stage" in said:
        named, depth = said["first_stage"], said.get("depth")
        return named if isinstance(named, str) and named else None, depth if isinstance(depth, int) else 0
    if entry.candidates is not None:
        return "given", 0
    return (None if model.searches else "not stated"), 0


def _measures(key: str, *, given: bool) -> tuple[str, ...]:
    """Return the measures whose value a key of mteb has; `given` is for reranking tasks."""
    for pattern, names in ((_KEY, mteb_names()), (_MIRACL_KEY, _MIRACL)):
        if (matched := pattern.fullmatch(key)) and matched[1] in names:
            return (f"{names[matched[1]]}@{matched[2]}",)
    if key == PAIRED_MEASURE:
        return (PAIRED_MEASURE,)
    return _OLD_RERANKING.get(key, ()) if given else ()


def _value(where: str, key: str, value: object) -> float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    if not (-1 if key in (PAIRED_MEASURE, "main_score") else 0) <= number <= 1:
        raise DataError(f"{where}: {key} is {value!r}; expected a fraction from 0 to 1")
    return float(number)

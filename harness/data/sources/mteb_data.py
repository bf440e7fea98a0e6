"""Load data with mteb's tasks and loaders, without changing mteb's state or the process's."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from adapters.errors import DataError, EnvironmentFailure, HarnessError, class_of, is_of_environment, need
from harness.data.suites.table import PAIRED_MEASURE, SuiteCollection

CHANGED = "qrel_diff"
"""Configuration and split with the documents that a changed instruction makes irrelevant."""


@contextmanager
def own_dice() -> Iterator[None]:
    """Restore the process's random states: mteb seeds them on import and when a task is made."""
    states = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    of_torch = torch.get_rng_state() if torch else None
    of_cuda = torch.cuda.get_rng_state_all() if torch and torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch:
            torch.set_rng_state(of_torch)
        if torch and of_cuda is not None:
            torch.cuda.set_rng_state_all(of_cuda)


@contextmanager
def local_files(folder: Path) -> Iterator[None]:
    """Make `datasets` keep its Arrow copies of local files in `folder`, which the caller deletes, and show no progress
    bars. So a mirror is not copied into the user's cache, and an old copy of another mirror is not used."""
    datasets = need("datasets", "mteb", "reading a mirror")
    before, bars = datasets.config.HF_DATASETS_CACHE, datasets.are_progress_bars_disabled()
    datasets.config.HF_DATASETS_CACHE = folder
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        datasets.config.HF_DATASETS_CACHE = before
        if not bars:
            datasets.enable_progress_bars()


def task_of(entry: SuiteCollection) -> Any:
    """The task with one split and subset, at the revision of the table.

    Its metadata is a copy, because the original dict is shared by all tasks of the class.

    Raises:
        MissingExtra: mteb is not installed.
        DataError: the installed mteb lacks the task or its subset.
    """
    mteb = need("mteb", "mteb", f"reading {entry.target} as mteb does")
    names = entry.mteb
    try:
        task = mteb.get_task(names.task, eval_splits=[names.split], hf_subsets=_subsets(entry))
    except (KeyError, ValueError) as error:
        reason = f"mteb {version('mteb')} has no task '{names.task}' with the subset '{names.subset}'"
        raise DataError(f"{entry.target}: {reason} ({first_line(error)}); update mteb") from None
    task.metadata = task.metadata.model_copy(update={"dataset": dict(task.metadata.dataset)})
    return task


def load(task: Any, entry: SuiteCollection, folder: Path | None) -> Mapping[str, Any]:
    """Load corpus, queries, judgments and candidate lists (`corpus`, `queries`, `relevant_docs`, `top_ranked`) from the
    folder of a mirror or from the hub.

    Raises:
        DataError: a configuration, split or column is missing.
        EnvironmentFailure: the hub cannot be reached.
    """
    if folder is None and Path(entry.mteb.path).exists():
        raise DataError(
            f"./{entry.mteb.path}: would be read instead of the hub's dataset; rename it, or run in another folder"
        )
    task.metadata.dataset["path"] = str(folder or entry.mteb.path)
    task.metadata.dataset["revision"] = entry.mteb.revision
    try:
        task.load_data()
        task.convert_v1_dataset_format_to_v2(num_proc=None)
        data: Mapping[str, Any] = task.dataset[entry.mteb.subset][entry.mteb.split]
    except Exception as error:
        raise _error(task, entry, error, online=folder is None) from error
    if entry.candidates and not data["top_ranked"]:
        raise _error(task, entry, LookupError("no candidate lists"), online=folder is None)
    return data


def changed(task: Any, entry: SuiteCollection) -> dict[str, list[str]]:
    """Load the documents that the changed instruction of each question makes irrelevant, as mteb's tasks do for p-MRR.
    Call it after `load`, which sets the location of the dataset.

    Raises:
        DataError: they cannot be read.
    """
    datasets = need("datasets", "mteb", "reading a dataset")
    place = {"path": task.metadata.dataset["path"], "revision": task.metadata.dataset["revision"]}
    try:
        rows = datasets.load_dataset(name=CHANGED, split=CHANGED, **place)
        documents = {str(row["query-id"]): [str(name) for name in row["corpus-ids"]] for row in rows}
    except Exception as error:
        label = f"{entry.mteb.path}@{entry.mteb.revision[:7]}"
        raise class_of(error, DataError)(
            f"{label}: configuration '{CHANGED}', which p-MRR needs, cannot be read ({first_line(error)})"
        ) from error
    return documents


def is_paired(entry: SuiteCollection) -> bool:
    """Whether its queries form pairs for p-MRR."""
    return entry.main_measure == PAIRED_MEASURE


def first_line(error: BaseException) -> str:
    """The first line of a library's error, at most 300 characters."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}"[:300] if lines else type(error).__name__


def _subsets(entry: SuiteCollection) -> list[str] | None:
    return None if entry.mteb.subset == "default" else [entry.mteb.subset]


def _error(task: Any, entry: SuiteCollection, error: Exception, *, online: bool) -> HarnessError:
    """Why mteb failed: which part of the dataset is missing, or that the hub cannot be reached."""
    reason, reached = _reason(task, entry, error)
    return (DataError if reached or not online else EnvironmentFailure)(reason)


def _reason(task: Any, entry: SuiteCollection, error: Exception) -> tuple[str, bool]:
    """What is missing, and whether the dataset could be reached."""
    label = f"{entry.mteb.path}@{entry.mteb.revision[:7]}"
    place = {"path": task.metadata.dataset["path"], "revision": entry.mteb.revision}
    datasets = need("datasets", "mteb", "reading a dataset")
    try:
        configurations = datasets.get_dataset_config_names(**place)
    except Exception as unreachable:
        reason = f"cannot be fetched from the hub ({first_line(unreachable)}); check the network, or use --mirror"
        return f"{label}: {reason}", False
    for pieces in needed(entry):
        names = [name for name in pieces if name in configurations]
        if not names:
            listed = ", ".join(configurations)
            return f"{label}: no configuration '{pieces[0]}' (configurations: {listed}); its layout has changed", True
        try:
            splits = datasets.get_dataset_split_names(**place, config_name=names[0])
        except Exception as broken:
            return f"{label}: configuration '{names[0]}' cannot be read ({first_line(broken)})", not is_of_environment(
                broken
            )
        if entry.mteb.split not in splits and len(splits) > 1:
            listed = ", ".join(splits)
            return f"{label}: no split '{entry.mteb.split}' in configuration '{names[0]}' (splits: {listed})", True
    return f"{label}: mteb cannot read it ({first_line(error)}); its layout has changed", True


def needed(entry: SuiteCollection) -> list[tuple[str, ...]]:
    """The configurations that mteb reads, each with its alternative names."""
    subset = entry.mteb.subset
    if subset == "default":
        pieces: list[tuple[str, ...]] = [("corpus",), ("queries", "query"), ("default", "qrels")]
        lists = "top_ranked"
    else:
        pieces = [(f"{subset}-corpus",), (f"{subset}-queries", "query"), (f"{subset}-qrels",)]
        lists = f"{subset}-top_ranked"
    return [*pieces, (lists,)] if entry.candidates else pieces

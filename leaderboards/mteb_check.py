"""Check files with mteb's own classes before they are written."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.errors import DataError, need

META = "model_meta.json"


def check_with_mteb(files: Mapping[Path, str], out: Path) -> None:
    """Check files with mteb's `TaskResult`, `ModelMeta`, `ResultCache` and task metadata, in a temporary folder.

    Args:
        files: the texts by path below `out`.
        out: the folder where the files will be written.

    Raises:
        MissingExtra: mteb is not installed.
        DataError: mteb refuses a file, misses a split or a subset, or reads a different score.
    """
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        mteb = need("mteb", "mteb", "harness submit")
        for file, text in files.items():
            staged = Path(folder) / file.relative_to(out)
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.write_text(text, "utf-8")
        tasks = [file for file in files if file.name != META and file.suffix == ".json"]
        for file in tasks:
            _check_task(mteb, Path(folder) / file.relative_to(out), file)
        for file in (file for file in files if file.name == META):
            _check_model(mteb, file, files[file])
        _check_cache(mteb, Path(folder), files, tasks)


def _check_task(mteb: Any, staged: Path, file: Path) -> None:
    task = mteb.get_task(file.stem)
    try:
        result = mteb.TaskResult.from_disk(staged)
    except Exception as error:
        raise DataError(f"{file}: mteb refuses the file: {_one_line(error)}") from None
    if missing := result.get_missing_evaluations(task):
        raise DataError(f"{file}: mteb misses {json.dumps(missing)}; run all of mteb/{file.stem}")
    if not result.is_mergeable(task):
        raise DataError(
            f"{file}: the data have revision {result.dataset_revision}, but mteb's have {task.metadata.revision}"
        )
    languages = task.metadata.hf_subsets_to_langscripts
    for part in (part for parts in result.scores.values() for part in parts):
        where = f"{file}: subset {part['hf_subset']}"
        if part["main_score"] != part.get(task.metadata.main_score):
            raise DataError(f"{where}: main_score is not {task.metadata.main_score}, mteb's official measure")
        if part["languages"] != languages[part["hf_subset"]]:
            raise DataError(
                f"{where}: the languages are {part['languages']}, but mteb has {languages[part['hf_subset']]}"
            )


def _check_model(mteb: Any, file: Path, text: str) -> None:
    kind = mteb.models.ModelMeta
    read = getattr(kind, "model_validate_json_resolved", kind.model_validate_json)
    try:
        meta = read(text)
    except Exception as error:
        raise DataError(f"{file}: mteb refuses it: {_one_line(error)}") from None
    written = json.loads(text)
    if [meta.name, meta.revision, list(meta.model_type)] != [
        written[key] for key in ("name", "revision", "model_type")
    ]:
        raise DataError(f"{file}: mteb reads the model {meta.name}@{meta.revision}, but the file has another one")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _check_cache(mteb: Any, folder: Path, files: Mapping[Path, str], tasks: list[Path]) -> None:
    """Check that `ResultCache` finds all results, and that each score is the mean over the parts."""
    cache = mteb.ResultCache(folder)
    loaded = cache.load_results(tasks=[file.stem for file in tasks], require_model_meta=True, include_remote=False)
    read = {
        (model.model_name, model.model_revision, result.task_name): result.get_score()
        for model in loaded.model_results
        for result in model.task_results
    }
    for file in tasks:
        meta = json.loads(files[file.with_name(META)])
        key = (meta["name"], meta["revision"], file.stem)
        scores = [part["main_score"] for parts in json.loads(files[file])["scores"].values() for part in parts]
        if key not in read:
            raise DataError(f"{file}: mteb.ResultCache does not find it; its {META} is not what mteb reads")
        if abs(read[key] - sum(scores) / len(scores)) > 1e-9:
            raise DataError(f"{file}: mteb reads the score {read[key]}, but the file has {sum(scores) / len(scores)}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence mteb's logs and warnings, which users cannot act on."""
    logger = logging.getLogger("mteb")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)

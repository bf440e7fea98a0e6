"""Imports files of others into the store. Runs are measured; means are stored as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError, UsageError
from harness.data.collection import Collection
from harness.progress import Reporter
from harness.result.evaluation import Evaluation
from harness.result.means import Means
from harness.result.store import Results
from harness.running.experiment import experiment
from harness.running.imported.formats import MTEB_RESULTS, RUN_FORMATS, RunFile, format_of, is_result, run_file
from harness.running.imported.left_out import NotTaken, counted
from harness.running.imported.means import means_in, result_files
from harness.running.imported.systems import imported_systems
from harness.scoring.retrieve import GIVEN, FirstStage, first_stage
from harness.scoring.session import opened
from harness.workspace import Workspace

_RUN = "run:"
_NO_FILES = "It has no JSON files; name a folder of mteb's layout: organisation__model/revision/Task.json"


@dataclass(frozen=True)
class WantedRun:
    """A run file, and how to measure it."""

    path: Path
    name: str | None = None
    format: str | None = None
    """The format; None to recognise it."""
    first_stage_run: Path | None = None
    """The candidates, as a run file of any format."""
    first_stage: str | None = None
    """The candidates, as a spec; `given` for given lists."""
    depth: int = 100
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What was imported."""

    ids: tuple[str, ...]
    skipped: tuple[str, ...]
    """A line for each reason why files of folders were left out, with their number and tasks."""


def is_run(path: Path, format: str | None = None) -> bool:
    """Whether a path is a run file; False for a folder.

    Raises:
        UsageError: the format is not recognised.
        DataError: the file does not exist or cannot be read.
    """
    return not path.is_dir() and format_of(path, format) in RUN_FORMATS


def take_run(
    wanted: WantedRun, collections: Sequence[Collection], workspace: Workspace, reporter: Reporter
) -> list[Evaluation]:
    """Measure and audit a run on collections, and store the results, marked as imported.

    Without a first stage, the run reorders the candidate lists of collections that have them. On other collections, it
    is a first stage.

    Raises:
        UsageError: the run has no name, both first stages are named, or one file is given for several collections.
        DataError: the file is broken, lacks candidates, or has documents that a collection lacks.
    """
    file = run_file(wanted.path, wanted.format)
    if len(collections) > 1 and file.format != "mteb-predictions":
        names = ", ".join(one.name for one in collections[:4])
        raise UsageError(f"{wanted.path}: a run file is for one collection, not for {len(collections)}: {names}, ...")
    systems = imported_systems(file, wanted.name, _first(wanted, collections, workspace), wanted.depth)
    systems[0].first_stage.check()
    with opened(workspace, reporter) as session:
        return list(experiment(collections, systems, wanted.measures, session))


def take_means(
    paths: Sequence[Path],
    workspace: Path,
    name: str | None = None,
    measures: Sequence[str] = (),
    *,
    allow_drift: bool = False,
) -> Taken:
    """Store results of mteb as means. Files of folders that cannot be imported are left out; `Taken.skipped` says why.

    Args:
        paths: results and folders of them, at any depth.
        workspace: the folder to store them in.
        name: the name of the model. Default: from the folders.
        measures: measures besides the official ones. Default: none.
        allow_drift: also import values of another revision of the data, marked. Default: False.

    Raises:
        UsageError: a named file cannot be imported, several models would get the same name, or nothing is left.
        DataError: a file is broken.
    """
    found: list[Means] = []
    skipped: list[NotTaken] = []
    for path in paths:
        for file in _listed(path):
            try:
                found += _means_in(file, path, name, measures, allow_drift=allow_drift)
            except NotTaken as error:
                if not path.is_dir():
                    raise
                skipped.append(error)
    lines = counted(skipped)
    if not found:
        raise UsageError(f"{paths[0]}: nothing was imported. {'; '.join(lines) or _NO_FILES}")
    _refuse_one_name(found, name)
    with Results(Workspace.open(workspace).results) as results:
        results.keep_means(found)
    return Taken(tuple(dict.fromkeys(one.made_of.id for one in found)), lines)


def _means_in(file: Path, given: Path, name: str | None, measures: Sequence[str], *, allow_drift: bool) -> list[Means]:
    if given.is_dir() and not is_result(file):
        raise NotTaken(file, "not results of mteb", file.name)
    return means_in(file, name, measures, allow_drift=allow_drift)


def _first(wanted: WantedRun, collections: Sequence[Collection], workspace: Workspace) -> RunFile | FirstStage | None:
    if wanted.first_stage_run and wanted.first_stage:
        raise UsageError("--first-stage-run and --first-stage both name the candidates; use one of them")
    spec = wanted.first_stage
    if wanted.first_stage_run or (spec and spec.startswith(_RUN)):
        return run_file(wanted.first_stage_run or Path(str(spec).removeprefix(_RUN)))
    if spec is None and not all(one.given is not None for one in collections):
        return None
    return first_stage(spec or GIVEN, workspace)


def _listed(path: Path) -> list[Path]:
    if path.is_dir():
        return list(result_files(path))
    if not path.exists():
        raise DataError(f"no file at {path}")
    if (kind := format_of(path)) != MTEB_RESULTS:
        raise UsageError(f"{path}: is a run ({kind}); import one run at a time, and name its --target")
    return [path]


def _refuse_one_name(found: Sequence[Means], name: str | None) -> None:
    taken: dict[tuple[str, str, str], str] = {}
    for one in found:
        key = (one.fingerprint, one.first_stage, one.reranker or "")
        if taken.setdefault(key, one.origin.digest) != one.origin.digest:
            advice = "import one of them" if name is None else "leave out --name, or import one model at a time"
            system = one.reranker or one.first_stage
            raise UsageError(f"two files have a result of {one.collection_name} for {system}; {advice}")

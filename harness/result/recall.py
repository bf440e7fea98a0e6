"""Stores scores, so that pages and curves can be made later without a model."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, EnvironmentFailure, HarnessError
from adapters.sums import DamagedFile, NoChecksum, load_arrays, load_unproven, save_arrays
from harness.data.collection import Collection, with_queries
from harness.data.label_versions import version_of, with_labels
from harness.data.runs import Run
from harness.data.sources import stored as collections
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from harness.result.store import Results
from harness.result.stored import Stored
from harness.scoring.retrieve import FirstStage, candidates_file, load_candidates
from harness.scoring.system import Scores
from harness.workspace import Workspace


@dataclass(frozen=True)
class Recalled:
    """One stored evaluation with its texts and scores. Arrays are aligned; a row is one candidate of one query."""

    stored: Stored
    collection: Collection
    candidates: Run
    """The candidates with the scores of the first stage."""
    run: Run
    """The candidates with the scores of the system."""
    tokens: npt.NDArray[np.int32] | None
    """Document tokens before truncation, -1 if unknown; None for a system without tokens."""
    kept: npt.NDArray[np.int32] | None
    """Document tokens that reached the model."""


def keep_scores(workspace: Workspace, id: str, scores: Scores) -> None:
    """Store the scores of an evaluation, aligned with its candidates: twelve bytes per pair."""
    file = workspace.scored / f"{id}.npz"
    columns: dict[str, Any] = {"scores": scores.run.scores}
    if scores.entries is not None:
        columns |= {"tokens": scores.entries.tokens, "kept": scores.entries.kept}
    save_arrays(file, id, columns)


def recall(workspace: Workspace, id: str) -> Recalled:
    """Return the evaluation with an id.

    Raises:
        UsageError: no evaluation has this id.
        DataError: its collection, candidates or scores are no longer in the workspace.
    """
    with Results(workspace.results) as results:
        stored = results.find(id)
        queries = results.queries(stored.id)
    collection = collection_of(workspace, stored, queries)
    candidates = _candidates(workspace, stored)
    columns, proven = _scores(workspace, stored)
    try:
        run = candidates.rescored(columns["scores"])
        if not proven:
            _prove(run, collection, stored, workspace)
    except EnvironmentFailure:
        raise
    except (KeyError, HarnessError) as error:
        file = workspace.scored / f"{stored.id}.npz"
        raise DataError(f"{file}: damaged ({error}); run again: {stored.command}") from None
    counted = columns if proven else {}
    return Recalled(stored, collection, candidates, run, counted.get("tokens"), counted.get("kept"))


def prove_candidates(
    results: Results, workspace: Workspace, collection: Collection, stage: FirstStage, depth: int
) -> None:
    """Give stored candidates of an earlier version their checksums, if an evaluation has recorded their digest."""
    file = candidates_file(workspace, collection.fingerprint, stage.identity(collection), depth)
    if not file.exists():
        return
    try:
        load_arrays(file, file.stem, ())
    except NoChecksum:
        for stored in results.all():
            if _candidates_file(workspace, stored) == file:
                with suppress(DamagedFile):
                    load_candidates(file, str(stored.identity.get("candidates")))
                    return
    except DamagedFile:
        return


def _candidates_file(workspace: Workspace, stored: Stored) -> Path | None:
    retriever = stored.identity.get("retriever")
    if not isinstance(retriever, Mapping):  # an imported evaluation
        return None
    return candidates_file(workspace, stored.collection.fingerprint, retriever, stored.depth)


def _candidates(workspace: Workspace, stored: Stored) -> Run:
    """The candidates of an evaluation, which its identity has a digest of."""
    file = _candidates_file(workspace, stored)
    if file is None or not file.exists():
        raise DataError(
            f"the candidate file of {stored.id} is no longer in '{workspace.path}'; run again: {stored.command}"
        )
    try:
        return load_candidates(file, str(stored.identity["candidates"]))
    except DamagedFile as error:
        raise DataError(f"{error}; run again: {stored.command}") from None


def _scores(workspace: Workspace, stored: Stored) -> tuple[dict[str, Any], bool]:
    """The stored scores of an evaluation, and whether checksums prove them; an earlier version wrote none."""
    file = workspace.scored / f"{stored.id}.npz"
    if not file.exists():
        raise DataError(
            f"the file of scores of {stored.id} is no longer in '{workspace.path}'; run again: {stored.command}"
        )
    try:
        return load_arrays(file, stored.id), True
    except NoChecksum:
        return load_unproven(file), False
    except DamagedFile as error:
        raise DataError(f"{error}; run again: {stored.command}") from None


def _prove(run: Run, collection: Collection, stored: Stored, workspace: Workspace) -> None:
    """Prove scores by the values that they had.

    Raises:
        DamagedFile: they have other values now, or none of their measures is one of single queries.
    """
    measures = [name for name in stored.means if name != PAIRED_MEASURE]
    with Results(workspace.results) as results:
        before = [results.result(stored.id, name).values for name in measures]
    again = Judged(run, collection.qrels, len(collection.queries)).values([parse(name) for name in measures])
    if not measures or not np.array_equal(again, np.array(before)):
        raise DamagedFile("the scores do not have the stored values")


def collection_of(workspace: Workspace, stored: Stored, queries: list[str]) -> Collection:
    """Return the collection of an evaluation from the workspace, with the queries that it had.

    Raises:
        DataError: the collection is no longer in the workspace, is damaged, or lacks judgments.
    """
    version = version_of(workspace, stored.collection.whole)
    folder = workspace.collections / (stored.collection.whole if version is None else version.root)
    if not collections.is_there(folder):
        raise DataError(
            f"the texts of {stored.collection.name} are no longer in '{workspace.path}'; run again: {stored.command}"
        )
    try:
        description = collections.description_in(folder)
        if description.lacks_judgments:
            raise DataError(
                f"{stored.collection.name}: an earlier version left judged documents that the corpus lacks out of the "
                f"ideal ranking of {stored.id}; run again: {stored.command}"
            )
        whole = collections.read(folder, description, partial(_refuse, stored))
        return as_measured(whole if version is None else with_labels(whole, version, workspace), stored, queries)
    except DamagedFile as damage:
        _refuse(stored, damage)


def as_measured(whole: Collection, stored: Stored, queries: list[str]) -> Collection:
    """Return a collection with the queries and the declarations that it had in an evaluation.

    Raises:
        DataError: its texts or judgments are others.
    """
    facts, wanted = stored.collection, set(queries)
    found = with_queries(whole, np.flatnonzero([name in wanted for name in whole.queries.ids()]))
    if found.fingerprint != facts.fingerprint:
        raise DataError(
            f"{facts.name}: not the texts and judgments that {stored.id} was measured on; run again: {stored.command}"
        )
    return replace(
        found, name=facts.name, language=facts.language, rules=facts.rules, group=facts.group, parallel=facts.parallel,
        parallel_by=facts.parallel_by,
    )  # fmt: skip


def _refuse(stored: Stored, damage: DamagedFile) -> NoReturn:
    raise DataError(f"{damage}; run again, which reads the source again: {stored.command}") from None

"""Stores scores, so that pages and curves can be made later without a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, HarnessError, damaged
from harness.data.collection import Collection, with_queries
from harness.data.runs import Run
from harness.data.sources import stored as collections
from harness.result.store import Results
from harness.result.stored import Stored
from harness.scoring.retrieve import candidates_file, load_candidates
from harness.scoring.system import Scores
from harness.workspace import Workspace, write_atomically


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
    with write_atomically(file) as temporary, temporary.open("wb") as out:
        np.savez(out, **columns)


def recall(workspace: Workspace, id: str) -> Recalled:
    """Return the evaluation with an id.

    Raises:
        UsageError: no evaluation has this id.
        DataError: its collection, candidates or scores are no longer in the workspace.
    """
    with Results(workspace.results) as results:
        stored = results.find(id)
        queries = results.queries(stored.id)
    missing = f"of {stored.id} is no longer in '{workspace.path}'; run again: {stored.command}"
    collection = collection_of(workspace, stored, queries)
    retriever, fingerprint = stored.identity["retriever"], stored.collection.fingerprint
    file = candidates_file(workspace, fingerprint, retriever, stored.depth)  # type: ignore[arg-type]
    if not file.exists():
        raise DataError(f"the candidate file {missing}")
    candidates = load_candidates(file)
    try:
        file = workspace.scored / f"{stored.id}.npz"
        with file.open("rb") as kept, np.load(kept, allow_pickle=False) as arrays:
            columns = {name: arrays[name] for name in arrays.files}
        run = candidates.rescored(columns["scores"])
    except FileNotFoundError:
        raise DataError(f"the file of scores {missing}") from None
    except (OSError, ValueError, KeyError, BadZipFile, HarnessError) as error:
        raise damaged(file, error, "delete it and run again") from None
    return Recalled(stored, collection, candidates, run, columns.get("tokens"), columns.get("kept"))


def collection_of(workspace: Workspace, stored: Stored, queries: list[str]) -> Collection:
    """Return the collection of an evaluation, with the queries that it had.

    Raises:
        DataError: the collection is no longer in the workspace, or lacks judgments.
    """
    fingerprint = stored.collection.fingerprint
    folder = workspace.collections / stored.collection.whole
    if not collections.is_there(folder):
        raise DataError(
            f"the texts of {stored.collection.name} are no longer in '{workspace.path}'; run again: {stored.command}"
        )
    description = collections.description_in(folder)
    if description.lacks_judgments:
        raise DataError(
            f"{stored.collection.name}: an earlier version left judged documents that the corpus lacks out of the "
            f"ideal ranking of {stored.id}; run again: {stored.command}"
        )
    whole = collections.read(folder, description)
    wanted = set(queries)
    found = with_queries(whole, np.flatnonzero([name in wanted for name in whole.queries.ids()]))
    if found.fingerprint != fingerprint:
        raise DataError(f"{folder}: not the texts that {stored.id} was measured on; run again: {stored.command}")
    facts = stored.collection
    return replace(found, name=facts.name, parallel=facts.parallel, parallel_by=facts.parallel_by)

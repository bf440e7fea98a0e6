"""A folder in BEIR's layout with training qrels: judged documents, and negatives from a first stage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.data.sources import load
from harness.data.sources.build import collection_of
from harness.data.sources.origin import ANYWHERE, SourceChoice
from harness.data.sources.suite_source import other_split
from harness.progress import Silent
from harness.scoring.retrieve import FirstStage, first_stage, retrieve
from harness.scoring.session import opened
from harness.workspace import Workspace
from training.examples import Example, distinct
from training.opened import Found, OpenedSource
from training.stages import General

_VERSION = 1


@dataclass(frozen=True)
class Negatives:
    """How the negatives of a BEIR folder are drawn: unjudged candidates of a first stage."""

    stage: str = General.negatives
    """A first stage: a retriever's spec, or run:FILE."""
    split: str = "train"
    depth: int = 100
    per_query: int = 7
    """The number of negatives per query, drawn without replacement."""
    seed: int = 0
    workspace: Workspace | None = None
    origin: SourceChoice = ANYWHERE
    """Where the collections of suites are read from."""


def read(folder: Path, negatives: Negatives) -> OpenedSource:
    """One example per query with a relevant document: the judged documents with their grades, and unjudged candidates
    with grade 0. An unjudged document may still be relevant; scores of a teacher avoid this error.

    Raises:
        UsageError: the folder has more than one collection, or lacks the split.
        DataError: a file of the folder has errors.
    """
    workspace = negatives.workspace or Workspace.open()
    collections = load(str(folder), workspace, split=negatives.split)
    if len(collections) != 1:
        raise UsageError(f"{folder}: {len(collections)} collections; name one of them")
    return of_collection(collections[0], negatives, workspace)


def read_suite(target: str, negatives: Negatives) -> OpenedSource:
    """The examples of a collection of a suite, such as `miracl/sw`, with the judgments of the split; see `read`.

    Raises:
        UsageError: the target is unknown or is not one collection, or it has no such split.
        DataError: the data has errors, or no such split.
        EnvironmentFailure: it cannot be fetched.
    """
    workspace = negatives.workspace or Workspace.open()
    source = other_split(target, negatives.split, negatives.origin, workspace)
    return of_collection(collection_of(source, workspace), negatives, workspace)


def of_collection(collection: Collection, negatives: Negatives, workspace: Workspace) -> OpenedSource:
    """The examples of a collection; see `read`."""
    stage = first_stage(negatives.stage, workspace)
    stage.check()
    drawn = {name: getattr(negatives, name) for name in ("depth", "per_query", "seed")}
    made_of = {"collection": collection.fingerprint, "name": collection.name, "language": collection.language}
    identity = {"version": _VERSION, **made_of, "stage": dict(stage.identity(collection)), **drawn}
    return OpenedSource(identity, _examples(collection, stage, negatives, workspace))


def _examples(collection: Collection, stage: FirstStage, negatives: Negatives, workspace: Workspace) -> Found:
    with opened(workspace, Silent()) as session:
        run = retrieve(collection, stage, negatives.depth, session)
    left_out = collection.counts.queries_without_relevant
    for query in range(len(collection.queries)):
        grades = _grades(collection, query)
        if any(grades.values()):
            example, repeats = _example(collection, query, grades, _drawn(run, query, grades, negatives))
            first = {"queries without a relevant document": left_out} if left_out else {}
            left_out = 0
            yield example, repeats | first


def _grades(collection: Collection, query: int) -> dict[int, int]:
    start, stop = np.searchsorted(collection.qrels.queries, [query, query + 1])
    documents, grades = collection.qrels.documents[start:stop], collection.qrels.grades[start:stop]
    return dict(zip(documents.tolist(), grades.tolist(), strict=True))


def _drawn(run: Run, query: int, grades: dict[int, int], negatives: Negatives) -> list[int]:
    candidates = run.documents[run.offsets[query] : run.offsets[query + 1]]
    free: npt.NDArray[np.int32] = np.sort(candidates[~np.isin(candidates, list(grades))])
    rng = np.random.default_rng((negatives.seed, query))
    return [int(row) for row in rng.choice(free, min(negatives.per_query, len(free)), replace=False)]


def _example(
    collection: Collection, query: int, grades: dict[int, int], drawn: list[int]
) -> tuple[Example, dict[str, int]]:
    wanted = [*grades, *drawn]
    texts = collection.corpus.take(np.array(wanted, np.int64))
    scored = zip(texts, [float(grades.get(row, 0)) for row in wanted], strict=True)
    place = f"{collection.name}: query '{collection.queries.ids(np.array([query]))[0]}'"
    return distinct(collection.queries[query], scored, place, language=collection.language, source=collection.name)

"""Real questions of a collection as the queries of a pool. Its judgments only say which queries a split has."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from adapters.errors import DataError, HarnessError, UsageError
from adapters.paths import user_path
from harness.data.collection import Collection, sample_queries
from harness.data.columns import texts_digest
from harness.data.sources import load
from harness.data.sources.beir_folder import Folder
from harness.data.sources.jsonl import records
from harness.data.sources.recognise import chosen_sources
from harness.workspace import Workspace
from training.job import MANIFEST, begin, finish
from training.mining.mine import SourcedQueries, read_queries, write_queries
from training.mining.pool import ABSENT
from training.settings import SEED
from training.synthesis.synthesize import QUERIES

STAGE = "questions"
_JUDGED = "qrels"
_VERSION = 1


@dataclass(frozen=True)
class AskedQuestions:
    """What to ask: the queries of a collection, or a file of queries."""

    target: str
    """A collection; or a folder of `train synthesize` or a JSONL file with `_id` and `text`."""
    split: str | None = None
    """The split of the collection. A collection has no default here, because that of an evaluation is test."""
    sample: int | None = None
    """The number of queries to take from the collection, drawn by a hash of their ids; None for all."""
    seed: int = SEED

    def __str__(self) -> str:
        return self.target if self.split is None else f"{self.target} ({self.split})"

    @property
    def are_a_file(self) -> bool:
        """Whether the target is a file of queries and not a collection."""
        path = user_path(self.target)
        listed = path.is_file() or ((path / QUERIES).is_file() and not (path / _JUDGED).exists())
        return self.split is None and listed


def asked_by(questions: AskedQuestions, corpus: Collection, workspace: Workspace) -> SourcedQueries:
    """The queries to mine candidates for.

    Raises:
        UsageError: the target is unknown, is several collections, or is a collection without a split.
        DataError: the file or the collection has errors, or no queries.
    """
    if questions.are_a_file:
        if questions.sample is not None:
            raise UsageError("a sample is drawn from the queries of a collection; name one with its split")
        return _with_texts(read_queries(user_path(questions.target), corpus), questions.target)
    path = user_path(questions.target)
    if replace(questions, split=None).are_a_file and ((path / MANIFEST).is_file() or _holds_queries(path)):
        what = "folder" if path.is_dir() else "file"
        raise UsageError(f"'{questions.target}' is a {what} of queries and has no splits; leave out the split")
    return asked_in(question_collection(questions, workspace), questions)


def collect(questions: AskedQuestions, corpus: Collection, out: Path, workspace: Workspace) -> dict[str, Any]:
    """Write the queries as `queries.jsonl`, and `manifest.json`.

    Raises:
        UsageError: see `asked_by`; or the folder holds another job.
        DataError: see `asked_by`.
    """
    asked = asked_by(questions, corpus, workspace)
    about = {"version": _VERSION, "corpus": corpus.fingerprint, "queries_digest": asked.digest}
    if finished := begin(out, STAGE, about):
        return finished
    write_queries(out, asked, corpus)
    return finish(out, STAGE, {**about, "queries": len(asked.ids), "asked_in": asked.asked_in, "named": str(questions)})


def question_collection(questions: AskedQuestions, workspace: Workspace) -> Collection:
    """The collection whose queries are asked, or the sample of it.

    Raises:
        UsageError: the target is unknown, names several collections, or no split is named.
    """
    if questions.split is None:
        _check_target(questions.target, workspace)
        raise UsageError(
            f"'{questions.target}' is a collection; name the split whose queries may be trained on, such as train"
        )
    found = load(questions.target, workspace, split=questions.split)
    if len(found) != 1:
        named = ", ".join(one.name for one in found[:4])
        raise UsageError(f"'{questions.target}' names {len(found)} collections; name one, such as {named}")
    return found[0] if questions.sample is None else sample_queries(found[0], questions.sample, questions.seed)


def _holds_queries(file: Path) -> bool:
    """Whether a file begins with a query and not with a row of a collection."""
    if not file.is_file():
        return False
    with suppress(HarnessError):
        first = next(iter(records(Folder(file.parent), file.name)), None)
        return first is not None and first.has("_id") and first.has("text")
    return False


def _check_target(target: str, workspace: Workspace) -> None:
    try:
        chosen_sources([target], None, (), None, workspace=workspace)
    except UsageError as error:
        raise UsageError(f"'{target}' is no file of queries and no folder of train synthesize; {error}") from None


def _with_texts(queries: SourcedQueries, named: str) -> SourcedQueries:
    """The queries, all of which have a text."""
    if empty := [id_ for id_, text in zip(queries.ids, queries.texts, strict=True) if not text.strip()]:
        raise DataError(f"{named}: the query '{empty[0]}' has no text; leave it out")
    return queries


def asked_in(collection: Collection, questions: AskedQuestions) -> SourcedQueries:
    """The queries of a collection, without source documents.

    Raises:
        DataError: the collection has no query with a text.
    """
    named = zip(collection.queries.ids(), collection.queries, strict=True)
    rows = [(id_, text) for id_, text in named if text.strip()]
    if not rows:
        raise DataError(f"{collection.name}: the split {collection.split} has no queries; name another split")
    ids, texts = zip(*rows, strict=True)
    sources = np.full(len(rows), ABSENT, np.int64)
    digest = texts_digest(collection.queries)
    asked = {"collection": collection.name, "split": questions.split, "fingerprint": collection.fingerprint}
    return SourcedQueries(ids, texts, sources, collection.language, digest, asked)

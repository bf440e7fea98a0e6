"""Rows of a dataset from the Hugging Face hub, read in batches of Arrow columns, and judgments from dicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from adapters.errors import DataError
from harness.data.collection import GivenCandidates
from harness.data.qrels import Qrels
from harness.data.sources.dirt import Dirt, shown
from harness.data.sources.jsonl import clean_id, underscored
from harness.data.sources.judgments import sorted_qrels
from harness.data.sources.source import join
from harness.data.sources.texts import Row

_BATCH = 2048
_TEXT = ("string", "large_string")

Judged = Mapping[str, Mapping[str, int]]
"""Grades of documents, by query."""


def document_rows(dataset: Any, label: str, dirt: Dirt) -> Iterator[Row]:
    """Documents: columns `id`, `text` and optionally `title`. A null text is empty, as in mteb.

    Raises:
        DataError: a column is missing or has another type, or an id is null.
    """
    for number, identifier, title, text in _rows(dataset, label, "title"):
        if text is None:
            dirt.take("missing-texts")
        yield number, clean_id(identifier, f"{label}:{number}", dirt), join(title, text or "")


def query_rows(dataset: Any, label: str, dirt: Dirt) -> Iterator[Row]:
    """Queries: columns `id`, `text` and optionally `instruction`, which is appended to the text, as in mteb.

    Raises:
        DataError: as `document_rows`.
    """
    for number, identifier, instruction, text in _rows(dataset, label, "instruction"):
        query = (text or "") if instruction is None else f"{text or ''} {instruction}"
        yield number, clean_id(identifier, f"{label}:{number}", dirt), query


def with_clean_ids(judged: Judged, dirt: Dirt) -> Judged:
    """Judgments with ids changed by the declared rules, as those of the texts. If two ids become the same, the higher
    grade is kept."""
    if not dirt.allows("white-space-ids"):
        return judged
    renamed: dict[str, dict[str, int]] = {}
    for query, grades in judged.items():
        by_document = renamed.setdefault(underscored(query), {})
        for document, grade in grades.items():
            name = underscored(document)
            by_document[name] = max(grade, by_document.get(name, grade))
    return renamed


def lists_with_clean_ids(lists: Mapping[str, Sequence[str]], dirt: Dirt) -> Mapping[str, Sequence[str]]:
    """As `with_clean_ids`, for lists of documents."""
    if not dirt.allows("white-space-ids"):
        return lists
    return {underscored(query): [underscored(document) for document in listed] for query, listed in lists.items()}


def resolved(judged: Judged, queries: Mapping[str, int], documents: Mapping[str, int], label: str, dirt: Dirt) -> Qrels:
    """The judgments as rows. `queries` and `documents` have -1 for ids without a text. Judgments of such documents are
    kept by id.

    Raises:
        DataError: a query or document has no text, and no rule lets it through.
    """
    rows: list[tuple[int, int, int]] = []
    ids: list[str] = []
    dirt.read(sum(map(len, judged.values())))
    for query in sorted(judged, key=lambda name: (queries[name], name)):
        if queries[query] < 0:
            dirt.meet("unknown-queries", f"{label}: the judged query {shown(query)} is not in the queries")
            continue
        for document, grade in sorted(judged[query].items()):
            _is_there(documents, document, f"{label}: document {shown(document)}, judged for {shown(query)},", dirt)
            if grade < 0:
                dirt.take("negative-grades")
            rows.append((queries[query], documents[document], max(grade, 0)))
            ids.append(document)
    if all(document < 0 for _, document, _ in rows):
        raise DataError(f"{label}: no judgment has both its query and its document; the dataset cannot be used")
    columns = np.array(rows, np.int32)
    return sorted_qrels(columns[:, 0], columns[:, 1], columns[:, 2], ids)


def given_lists(
    lists: Mapping[str, Sequence[str]], queries: Mapping[str, int], documents: Mapping[str, int], label: str, dirt: Dirt
) -> tuple[GivenCandidates, int]:
    """The candidate lists in the order of the queries, each list in the order of the corpus, and the number of repeated
    candidates that were dropped. A query without a list gets an empty one and counts with the value 0, as in mteb.

    Raises:
        DataError: a candidate is not in the corpus and no rule lets it through.
    """
    found, listed = [], 0
    for query, row in sorted(queries.items(), key=lambda item: item[1]):
        if row >= 0:
            kept = _candidates(lists.get(query, ()), query, documents, label, dirt)
            listed += len(kept)
            found.append(np.unique(np.array(kept, np.int32)))
    dirt.read(sum(map(len, lists.values())))
    offsets = np.concatenate([[0], np.cumsum([len(rows) for rows in found])]).astype(np.int64)
    return GivenCandidates(offsets, np.concatenate(found)), listed - int(offsets[-1])


def _candidates(names: Sequence[str], query: str, documents: Mapping[str, int], label: str, dirt: Dirt) -> list[int]:
    where = f"{label}: candidate %s of query {shown(query)}"
    return [documents[name] for name in names if _is_there(documents, name, where % shown(name), dirt)]


def _is_there(documents: Mapping[str, int], document: str, message: str, dirt: Dirt) -> bool:
    if documents[document] >= 0:
        return True
    dirt.meet("unknown-documents", f"{message} is not in the corpus")
    return False


def _rows(dataset: Any, label: str, optional: str) -> Iterator[tuple[int, str, str | None, str | None]]:
    names = [name for name in ("id", optional, "text") if name in dataset.column_names]
    _check_columns(dataset, label, optional)
    number = 0
    for batch in dataset.select_columns(names).with_format("arrow").iter(_BATCH):
        columns = {name: batch[name].to_pylist() for name in names}
        extra = columns.get(optional) or [None] * len(columns["id"])
        for identifier, more, text in zip(columns["id"], extra, columns["text"], strict=True):
            number += 1
            if identifier is None:
                raise DataError(f"{label}:{number}: column 'id' is null; the dataset cannot be used")
            yield number, str(identifier), more, text


def _check_columns(dataset: Any, label: str, optional: str) -> None:
    names = ", ".join(dataset.column_names)
    for name in ("id", "text"):
        if name not in dataset.column_names:
            raise DataError(f"{label}: no column '{name}' (columns: {names}); its layout has changed")
    for name in {"text", optional} & set(dataset.column_names):
        kind = getattr(dataset.features[name], "dtype", None)
        if kind not in (*_TEXT, "null"):
            raise DataError(f"{label}: column '{name}' holds {kind or 'lists'}, not text; its layout has changed")

"""`harness judge export`: the unjudged documents of two systems' top k with their texts, for people or a judge."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import numpy as np

from adapters.errors import DataError
from adapters.identity import digest
from harness.judging.compare.unjudged import UnjudgedPair
from harness.labelling.label_file import COLUMNS

TEXTS = ("instruction", "query_text", "document_text")


@dataclass(frozen=True)
class ToLabel:
    """One document to label for one query. It names no system and no rank."""

    collection: str
    query_id: str
    document_id: str
    instruction: str
    query: str
    document: str


@dataclass(frozen=True)
class LabelSheet:
    """Documents to label."""

    items: tuple[ToLabel, ...]
    grades: tuple[int, ...]
    """The grades that a label can have, ascending: 0 and those in the judgments of the collections."""
    unjudged: int
    """The number of all unjudged documents in either top k; `items` are the first of them."""
    labels: tuple[int, ...] = ()
    """The grades that a judge gave, one for each item; empty without a judge."""
    remarks: tuple[str, ...] = ()
    """What has to be known about the judge."""

    @property
    def key(self) -> str:
        """A digest of the ids, under which the page keeps its labels."""
        return digest({"items": [[one.collection, one.query_id, one.document_id] for one in self.items]})


def sheet(pair: UnjudgedPair, first: int | None = None) -> LabelSheet:
    """Return the documents to label: those that can move the difference most, in an order that says nothing.

    The documents are chosen in the order of `UnjudgedPair.order`, within a query by how much they move the difference.
    What was chosen is then shuffled by a digest of the ids: first the queries, then the documents of each.

    Args:
        first: the number of documents. Default: all.

    Raises:
        DataError: there is no unjudged document.
    """
    chosen = [
        (one.part, one.query, row)
        for one in pair.order
        for row in pair.parts[one.part].documents(one.query).tolist()
    ]  # fmt: skip
    if not chosen:
        raise DataError(f"every document in the top k of {pair.baseline} and {pair.candidate} is judged")
    items = [_item(pair, *one) for one in islice(chosen, first)]
    grades = sorted({0, *(int(grade) for part in pair.parts for grade in np.unique(part.labels.grades))})
    return LabelSheet(tuple(sorted(items, key=_shuffled)), tuple(grades), len(chosen))


def as_csv(found: LabelSheet) -> str:
    """The sheet as CSV. The column `grade` has the labels of a judge, or is empty, to be filled in."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*COLUMNS, *TEXTS])
    for one, grade in zip(found.items, found.labels or [""] * len(found.items), strict=True):
        writer.writerow(
            [one.collection, one.query_id, one.document_id, grade, one.instruction, one.query, one.document]
        )
    return out.getvalue()


def _item(pair: UnjudgedPair, part: int, query: int, document: int) -> ToLabel:
    collection = pair.parts[part].baseline.collection
    queries, documents = np.array([query]), np.array([document])
    return ToLabel(
        collection.name, collection.queries.ids(queries)[0], collection.corpus.ids(documents)[0],
        collection.rules.instruction or "", collection.queries.take(queries)[0], collection.corpus.take(documents)[0],
    )  # fmt: skip


def _shuffled(one: ToLabel) -> tuple[bytes, bytes]:
    return _digest(one.collection, one.query_id), _digest(one.collection, one.query_id, one.document_id)


def _digest(*parts: Sequence[str]) -> bytes:
    return blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest()

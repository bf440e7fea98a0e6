"""p-MRR: how ranks change when the instruction of a query changes (FollowIR, https://arxiv.org/abs/2403.15246)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.collection import CHANGED, ORIGINAL
from harness.data.runs import Run
from harness.measuring.ranking import lookup, ranks

Indices = npt.NDArray[np.int64]
ChangedDocuments = Mapping[str, Sequence[int] | Indices]
"""For each question (a query id without its suffix) the rows of the documents that the changed instruction makes
irrelevant; -1 for a document that the corpus lacks. A row that is listed twice counts twice, as in mteb."""


@dataclass(frozen=True)
class PMRR:
    """The p-MRR of each question."""

    questions: tuple[str, ...]
    values: npt.NDArray[np.float64]
    """float64 [questions], between -1 (all documents that became irrelevant rise to the top) and 1; 0 if no rank
    changes."""
    missing: tuple[str, ...]
    """Questions without a value: one of the two queries is missing, or no document becomes irrelevant. mteb also leaves
    them out of the mean."""


def p_mrr(run: Run, query_ids: Sequence[str], changed: ChangedDocuments) -> PMRR:
    """Return the p-MRR of each question.

    It is the mean over the changed documents of 1 - og/new, or of new/og - 1 for a document that rose. og and new are
    the document's ranks with the original and the changed instruction. For scores that differ in float32 the result is
    the same as that of mteb's `calculate_pmrr`. Equal scores are ordered by document id, larger first. A document that
    is not a candidate has the rank after the last candidate, which is 1 in an empty list.

    Args:
        run: a run over the queries with both instructions.
        query_ids: the ids of all queries of the run.
        changed: see `ChangedDocuments`.

    Raises:
        DataError: a score is not finite.
    """
    rows = {name: row for row, name in enumerate(query_ids)}
    present = [name for name in changed if len(changed[name]) and {name + ORIGINAL, name + CHANGED} <= rows.keys()]
    question = np.repeat(np.arange(len(present)), [len(changed[name]) for name in present])
    documents = np.concatenate([np.empty(0, np.int64), *(np.asarray(changed[name], np.int64) for name in present)])
    original, new = (
        _ranks(run, np.array([rows[name + end] for name in present], np.int64)[question], documents)
        for end in (ORIGINAL, CHANGED)
    )
    change = np.where(original >= new, new / original - 1, 1 - original / new)
    sizes = np.bincount(question, minlength=len(present))
    values = np.bincount(question, weights=change, minlength=len(present)) / sizes
    return PMRR(tuple(present), values, tuple(name for name in changed if name not in set(present)))


def changed_documents(named: Mapping[str, Sequence[str]], document_ids: Sequence[str]) -> dict[str, Indices]:
    """Convert document ids, as listed in the configuration `qrel_diff` of the hub's datasets, to `ChangedDocuments`."""
    rows = {name: row for row, name in enumerate(document_ids)}
    return {question: np.array([rows.get(name, -1) for name in ids], np.int64) for question, ids in named.items()}


def _ranks(run: Run, queries: Indices, documents: Indices) -> Indices:
    """The rank of each (query, document), from 1."""
    order = np.argsort(queries, kind="stable")
    found = np.empty(len(queries), np.int64)
    found[order] = lookup(run, queries[order], documents[order])
    after_the_last = np.diff(run.offsets)[queries] + 1
    if not len(run):
        return after_the_last
    return np.where(found >= 0, ranks(run)[found], after_the_last)

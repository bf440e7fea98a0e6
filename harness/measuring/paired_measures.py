"""p-MRR: how the ranks of a query change when its instruction does (FollowIR, https://arxiv.org/abs/2403.15246)."""

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
"""For each question (a query id without its end) the rows of the documents that the changed instruction makes
irrelevant; -1 for a document that the corpus does not have. A row that stands twice counts twice, as in mteb."""


@dataclass(frozen=True)
class PMRR:
    """Values of questions that are asked twice."""

    questions: tuple[str, ...]
    values: npt.NDArray[np.float64]
    """float64 [questions], from -1 (every document that became irrelevant rises to the top) over 0 (nothing changes) to
    1."""
    missing: tuple[str, ...]
    """Questions that have no value, because one of their two queries is not there, or no document of theirs changes;
    mteb leaves them out of the mean as well."""


def p_mrr(run: Run, query_ids: Sequence[str], changed: ChangedDocuments) -> PMRR:
    """p-MRR of each question: the mean over its changed documents of 1 - og/new, or new/og - 1 where the document rose,
    with og and new the document's ranks under the original and the changed instruction.

    The same as mteb's `calculate_pmrr` for scores that differ in float32: equal scores are ordered by document id,
    larger first, and a document that is no candidate has the rank after the last one, which is 1 in an empty list.

    Args:
        run: a run over the queries of both instructions.
        query_ids: of all queries of the run.
        changed: see `ChangedDocuments`.

    Raises:
        DataError: a score is not finite.
    """
    rows = {name: row for row, name in enumerate(query_ids)}
    there = [name for name in changed if len(changed[name]) and {name + ORIGINAL, name + CHANGED} <= rows.keys()]
    question = np.repeat(np.arange(len(there)), [len(changed[name]) for name in there])
    documents = np.concatenate([np.empty(0, np.int64), *(np.asarray(changed[name], np.int64) for name in there)])
    original, new = (
        _ranks(run, np.array([rows[name + end] for name in there], np.int64)[question], documents)
        for end in (ORIGINAL, CHANGED)
    )
    change = np.where(original >= new, new / original - 1, 1 - original / new)
    sizes = np.bincount(question, minlength=len(there))
    values = np.bincount(question, weights=change, minlength=len(there)) / sizes
    return PMRR(tuple(there), values, tuple(name for name in changed if name not in set(there)))


def changed_documents(named: Mapping[str, Sequence[str]], document_ids: Sequence[str]) -> dict[str, Indices]:
    """`ChangedDocuments` of ids, as the configuration `qrel_diff` of the hub's datasets lists them."""
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

"""V9: the round trip. Does a search with the query find the document that it was written from?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.data.collection import Collection
from harness.scoring.session import Session
from training.validating.measured import Name, ValidationRow, matched
from training.validating.numbered import compared, each, numbered, rows_of
from training.validating.searching import DEPTH, in_corpus, searched_together, source_ranks
from training.validating.sets import QuerySet, Rows, Sets
from training.validating.two_samples import wasserstein

WITHIN = (1, 5, 20)


def measure(
    sets: Sets, corpus: Collection, stages: Sequence[str], session: Session, *, depth: int = DEPTH
) -> list[ValidationRow]:
    """For each first stage, the Wasserstein-1 distance between the ranks of the source document for synthetic queries
    and of the judged document for real ones; and RT@1, RT@5, RT@20, the shares of queries whose document is within this
    rank (InPars and similar methods filter by it). Queries may differ by being too easy or too hard.

    A document that is not among the first `depth` has the rank `depth` + 1. `levels` are the mean rank and RT@k of each
    set; without real queries there is nothing else. Queries without a document in the corpus are left out and counted
    in the note. `parts` of the first row: `ranks`, the number of documents of each set at rank 1, 2, ..., depth, and
    beyond.
    """
    return [row for stage in stages for row in _of_stage(sets, corpus, stage, depth, session)]


def within(ranks: Rows, k: int) -> float:
    """RT@k: the share of ranks that are at most k."""
    return float((ranks <= k).mean())


def _of_stage(sets: Sets, corpus: Collection, stage: str, depth: int, session: Session) -> list[ValidationRow]:
    found: list[Rows] = []
    missing: list[str] = []
    known_here = [one for one in sets.all if any(one.documents or ()) and in_corpus(one, corpus).any()]
    runs = searched_together(known_here, corpus, stage, depth, session) if known_here else []
    run_of = {one.name: run for one, run in zip(known_here, runs, strict=True)}

    def with_documents(one: QuerySet) -> QuerySet:
        ranks = np.zeros(len(one), np.int64)
        if one.name in run_of:
            ranks = source_ranks(one, corpus, run_of[one.name], depth)
        if lost := int((ranks == 0).sum()):
            missing.append(f"{lost} of {len(one)} {one.name} queries have no document in the corpus and are left out")
        found.append(ranks[ranks > 0])
        return one.take(np.flatnonzero(ranks))

    known = _with_any(each(sets, with_documents))
    table = np.concatenate(found)
    return _rows(known, table, stage, depth, "; ".join([*missing, *_reasons(known)]))


def _rows(sets: Sets, table: Rows, stage: str, depth: int, note: str) -> list[ValidationRow]:
    known = numbered(sets)
    own = {one.name: table[rows_of(one)] for one in known.all if len(one)}
    counts = {name: np.bincount(ranks, minlength=depth + 2)[1:].tolist() for name, ranks in own.items()}
    means: dict[str, float | None] = {name: float(ranks.mean()) for name, ranks in own.items()}
    exact = table.astype(np.float64)
    rank_name = Name("V9", f"rank of the source document, {stage}", "Wasserstein-1", f"ranks (at most {depth + 1})")
    first = compared(
        rank_name, known, lambda a, b: wasserstein(exact[a], exact[b]), means, note, {"ranks": counts, "depth": depth}
    )
    return [first, *(_share(known, table, own, stage, k, note) for k in WITHIN)]


def _share(  # noqa: PLR0917
    sets: Sets, table: Rows, own: dict[str, Rows], stage: str, k: int, note: str
) -> ValidationRow:
    name = Name("V9", f"round trip, {stage}", f"RT@{k}", "share")
    levels: dict[str, float | None] = {one: within(ranks, k) for one, ranks in own.items()}
    return compared(name, sets, lambda a, b: abs(within(table[a], k) - within(table[b], k)), levels, note)


def _with_any(sets: Sets) -> Sets:
    """The sets without those that have no query left."""
    real, wrong = (one if one is not None and len(one) else None for one in (sets.real, sets.wrong))
    return replace(sets, real=real, wrong=wrong)


def _reasons(sets: Sets) -> list[str]:
    if sets.real is None:
        return ["no real queries with a judged document: only the ranks of synthetic ones are given"]
    if matched(sets) is None:
        return [f"{len(sets.synthetic)} synthetic and {len(sets.real)} real queries are too few to compare"]
    return []

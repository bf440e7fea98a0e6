"""Labels from comparisons: a sparse graph of each query's documents, preferences of all teachers in both orders, and
the Bradley-Terry strengths that fit them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.protocols import Integers
from harness.scoring.session import Session
from harness.workspace import write_atomically
from training.mining.pool import Pool
from training.sources.bradley_terry import Comparison, groups, strengths
from training.teaching.answers import ComparisonQuestions, answers
from training.teaching.blend import Scores, logistic
from training.teaching.cycles import neighbours
from training.teaching.drawing import keys_of
from training.teaching.lesson import TeachingSet
from training.teaching.parallel import TaughtTexts
from training.teaching.teachers import ComparingTeacher

FILE = "comparisons.npz"


@dataclass(frozen=True)
class BothOrders:
    """What a teacher answered when it saw two documents in both orders."""

    comparisons: int
    answers: int
    """Answers that could be read, of two for each comparison."""
    unread: int
    asked_now: int
    first: float | None
    """The mean preference for the document that is shown first; 0.5 without a bias. None without answers."""
    same: float | None
    """The share of the comparisons in which the same document is preferred in both orders."""


@dataclass(frozen=True)
class Votes:
    """The preferences of one teacher."""

    values: Scores
    """float64 [comparisons]: how far the first document is preferred, the mean of both orders; NaN if one of the two
    answers could not be read."""
    orders: BothOrders | None = None
    """None for a teacher whose preferences are differences of scores, which have no order."""


def graph(teaching_set: TeachingSet, drawn: Sequence[Integers], cycles: int, seed: int) -> Integers:
    """The comparisons of all queries: rows of the pool, int64 [comparisons, 2]. They depend on the texts and the seed,
    not on the order of a file."""
    keys = [keys_of(teaching_set, _seed(seed, number)) for number in range(cycles)]
    pairs = [rows[neighbours([one[rows] for one in keys])] for rows in drawn if len(rows) > 1]
    return np.concatenate([np.empty((0, 2), np.int64), *pairs])


def questions_of(pairs: Integers, pool: Pool, texts: TaughtTexts) -> ComparisonQuestions:
    """Both orders of all comparisons: the first half shows the first document first."""
    queries, documents = pool.queries[pairs[:, 0]], texts.run.documents.astype(np.int64)[pairs]
    shown = np.concatenate([documents, documents[:, ::-1]])
    return ComparisonQuestions(texts.collection, np.tile(queries, 2), shown[:, 0], shown[:, 1])


def asked(teacher: ComparingTeacher, questions: ComparisonQuestions, session: Session) -> Votes:
    """The votes of a teacher that compares."""
    found = answers(teacher, questions, session)
    forward, backward = np.split(found.values, 2)
    both = np.isfinite(forward) & np.isfinite(backward)
    shown_first = np.concatenate([forward[both], backward[both]])
    same = np.sign(forward[both] - 0.5) == np.sign(0.5 - backward[both])
    unread = int(np.isnan(found.values).sum())
    return Votes((forward + 1 - backward) / 2, BothOrders(
        len(forward), len(found.values) - unread, unread, found.fresh,
        float(shown_first.mean()) if both.any() else None, float(same.mean()) if both.any() else None,
    ))  # fmt: skip


def scored(pairs: Integers, scores: npt.NDArray[np.floating], *, alone: bool) -> Votes:
    """The votes of a teacher that scores: the logistic function of the difference of two scores. Scores are
    standardised over the pool, unless the teacher is the only one."""
    exact = scores.astype(np.float64)
    values = exact if alone else (exact - exact.mean()) / exact.std()
    return Votes(logistic(values[pairs[:, 0]] - values[pairs[:, 1]]))


def together(votes: Sequence[Votes], shares: Sequence[float]) -> Scores:
    """The weighted mean of the preferences, float64 [comparisons]; NaN if any teacher's is missing."""
    return np.asarray(sum(share * one.values for share, one in zip(shares, votes, strict=True)))


def labels_of(pool: Pool, drawn: Sequence[Integers], pairs: Integers, preferences: Scores) -> Scores:
    """The strengths of the documents, float64 [pool], with mean 0 in each query; NaN for documents that are not in
    `drawn` and for queries whose documents are not connected by comparisons with a preference."""
    labels = np.full(len(pool), np.nan)
    queries = pool.queries[pairs[:, 0]]
    cuts = np.searchsorted(queries, np.arange(len(drawn) + 1))
    for query, rows in enumerate(drawn):
        own = slice(int(cuts[query]), int(cuts[query + 1]))
        found = list(_comparisons(rows, pairs[own], preferences[own]))
        if found and len(groups(len(rows), found)) == 1:
            labels[rows] = strengths(len(rows), found)
    return labels


def described(votes: Sequence[Votes], preferences: Scores, cycles: int) -> dict[str, object]:
    """The entry of the manifest; `teachers` has null for a teacher that scores."""
    return {
        "cycles": cycles,
        "comparisons": len(preferences),
        "left_out": int(np.isnan(preferences).sum()),
        "teachers": [None if one.orders is None else asdict(one.orders) for one in votes],
    }


def write(folder: Path, pairs: Integers, votes: Sequence[Votes]) -> None:
    """Write the comparisons: `rows` of the pool, int64 [comparisons, 2], and the `preferences` of each teacher, float64
    [comparisons, teachers]."""
    columns: Mapping[str, npt.NDArray[np.generic]] = {
        "rows": pairs, "preferences": np.stack([one.values for one in votes], axis=1),
    }  # fmt: skip
    with write_atomically(folder / FILE) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **columns)  # type: ignore[arg-type]


def _comparisons(rows: Integers, pairs: Integers, preferences: Scores) -> Iterator[Comparison]:
    """The comparisons of one query that have a preference, with the places of the documents in `rows`."""
    places = np.searchsorted(rows, pairs)
    for (a, b), better in zip(places.tolist(), preferences.tolist(), strict=True):
        if not np.isnan(better):
            yield a, b, better


def _seed(seed: int, cycle: int) -> int:
    """A seed of its own for every cycle, and none that the sample is drawn with."""
    return (seed + 1) * 1_000_003 + cycle

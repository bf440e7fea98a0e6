"""Planted questions: exact answers, compared with the answers of other questions, in the language of a collection.

With four questions and four answers, each answer is compared with three others. A model that looks only at the document
is right in exactly six of the twelve comparisons, so a preference for a length or a script does not look like reading.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import ceil, comb

import numpy as np

from adapters.protocols import Floats, IndexPairs
from harness.data.collection import Collection, sampling_order

FACTS = 4
_LOOKED_THROUGH = 64
WRONG = 0.01
"""The sign is wrong if a fair coin gets so few comparisons right with less than this probability."""
READS = 0.95
"""The share of right comparisons below which there is an alarm."""
ENOUGH = 12
"""The fewest comparisons that can show a wrong sign."""


@dataclass(frozen=True)
class Planted:
    """Questions with their answers; answers[i] belongs to queries[i]."""

    language: str
    queries: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def pairs(self) -> IndexPairs:
        """All pairs of a question and an answer, question by question."""
        count = len(self.queries)
        return np.stack(np.divmod(np.arange(count * count, dtype=np.int64), max(count, 1)), axis=1)


@dataclass(frozen=True)
class ProbeRanking:
    """How a reranker ranked the planted questions of one language."""

    language: str
    right: float
    """The number of comparisons in which the answer got the higher score. Equal scores count half."""
    of: int
    constant: bool
    """Whether every pair got the same score."""

    @property
    def reads(self) -> bool:
        """Whether nearly all comparisons are right."""
        return self.right >= READS * self.of


def language_code(language: str | None) -> str | None:
    """Return the code with which a language has planted questions, None if it has none. `nb`, `nob-Latn` and `no` are
    the same."""
    if not language:
        return None
    return _codes().get(language.replace("_", "-").split("-")[0].casefold())


def languages() -> tuple[str, ...]:
    """Return every language with planted questions."""
    return tuple(_tables())


def planted(language: str) -> Planted:
    """Return the planted questions of a language in `languages`."""
    facts = _tables()[language]["facts"]
    return Planted(language, tuple(query for query, _ in facts), tuple(answer for _, answer in facts))


def planted_in(collection: Collection) -> Planted:
    """Return the planted questions of a collection's language, declared or detected; if there are none, queries and
    relevant documents of the collection."""
    code = language_code(collection.spoken)
    return planted(code) if code else planted_relevant(collection)


def planted_from(collection: Collection) -> Planted:
    """Return some of the collection's own queries, each as its own answer."""
    order = sampling_order(collection.queries.ids())[:_LOOKED_THROUGH]
    texts = tuple(dict.fromkeys(text for text in collection.queries.take(order) if text.strip()))[:FACTS]
    return Planted(_language(collection), texts, texts)


def planted_relevant(collection: Collection) -> Planted:
    """Return queries of the collection, each with a relevant document that is relevant to none of the others.

    There are fewer than `FACTS` if the first queries in the order of sampling have no more of them. A query is not its
    own answer: a sound reranker may have learned that a document that only repeats the query is useless.

    A space begins every answer. So no pair is a candidate's pair in the ledger, and the batches and counts of a
    run are the same with and without the probe.
    """
    chosen: list[_Pair] = []
    for pair in _relevant_pairs(collection):
        if not any(map(pair.conflicts, chosen)):
            chosen.append(pair)
        if len(chosen) == FACTS:
            break
    queries, answers = tuple(one.query for one in chosen), tuple(f" {one.answer}" for one in chosen)
    return Planted(_language(collection), queries, answers)


def _language(collection: Collection) -> str:
    return collection.spoken or f"the language of {collection.name}"


@dataclass(frozen=True)
class _Pair:
    """A query, its answer, and the rows of all documents that are relevant to it."""

    query: str
    answer: str
    row: int
    relevant: frozenset[int]

    def conflicts(self, other: _Pair) -> bool:
        """Whether the two share a text, or one's answer also answers the other."""
        shared = self.query == other.query or self.answer == other.answer
        return shared or self.row in other.relevant or other.row in self.relevant


def _relevant_pairs(collection: Collection) -> Iterator[_Pair]:
    """Yield the first queries in the order of sampling, each with the first of its most relevant documents."""
    order, qrels = sampling_order(collection.queries.ids())[:_LOOKED_THROUGH], collection.qrels
    for row, query in zip(order.tolist(), collection.queries.take(order), strict=True):
        own = slice(*np.searchsorted(qrels.queries, [row, row + 1]))
        documents, grades = qrels.documents[own], qrels.grades[own]
        if not (grades >= 1).any():
            continue
        best = int(documents[np.argmax(grades)])
        (answer,) = collection.corpus.take(np.array([best], np.int64))
        if query.strip() and answer.strip() and answer.strip() != query.strip():
            yield _Pair(query, answer, best, frozenset(documents[grades >= 1].tolist()))


def ranked(asked: Planted, scores: Floats) -> ProbeRanking:
    """Count the comparisons in which the answer has the higher score.

    Args:
        scores: float32, aligned with `asked.pairs`.
    """
    count = len(asked.queries)
    table = np.asarray(scores, np.float64).reshape(count, count)
    answer, others = np.diag(table)[:, None], ~np.eye(count, dtype=bool)
    tied = int((answer == table)[others].sum())
    right = int((answer > table)[others].sum()) + tied / 2
    return ProbeRanking(asked.language, right, int(others.sum()), bool(count and (table == table[0, 0]).all()))


def wrong_sign(found: Sequence[ProbeRanking]) -> ProbeRanking | None:
    """Return the language, or all languages together, whose answers rank significantly below unrelated texts: a fair
    coin would be right so rarely in one of a hundred runs (binomial, corrected for the number of languages). None if
    there is none."""
    together = ProbeRanking(
        ", ".join(one.language for one in found),
        sum(one.right for one in found),
        sum(one.of for one in found),
        all(one.constant for one in found),
    )
    if together.of >= ENOUGH and coin(together.right, together.of) < WRONG:
        return together
    limit = WRONG / max(len(found), 1)
    return next((one for one in found if one.of >= ENOUGH and coin(one.right, one.of) < limit), None)


def coin(right: float, of: int) -> float:
    """Return the probability that a fair coin is right at most `right` times out of `of`."""
    return float(sum(comb(of, k) for k in range(ceil(right) + 1)) / 2**of)


@cache
def _tables() -> dict[str, dict[str, list[list[str]]]]:
    return tomllib.loads(files("harness.checks").joinpath("probes.toml").read_text("utf-8"))


@cache
def _codes() -> dict[str, str]:
    return {also: code for code, table in _tables().items() for also in (code, *_also(table))}


def _also(table: dict[str, list[list[str]]]) -> list[str]:
    return [str(code) for code in table.get("also", [])]

"""BM25 as a first stage and as a reranker, with the same terms and the same formulas."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise, repeat
from typing import ClassVar, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from adapters.analysis import OF_COLLECTION, Analyzer
from adapters.batching import UNKNOWN_INPUT, collect
from adapters.errors import ModelError, UsageError
from adapters.postings import Weigh, postings
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Progress, Scored, Setting
from adapters.terms import Statistics, TermIds, corpus_statistics, corpus_terms

Method = Literal["lucene", "robertson", "atire"]
Doubles = npt.NDArray[np.float64]

_VERSION = 1
_ROWS = 4096
"""Pairs per chunk of a stream; a query is never cut."""
_PROFILES = 1 << 14
"""Documents of a stream whose counts are kept for later queries. It bounds the memory."""
_WEIGHTS: dict[str, Callable[[int, int], float]] = {
    "lucene": lambda n, df: math.log(1 + (n - df + 0.5) / (df + 0.5)),
    "robertson": lambda n, df: math.log(max((n - df + 0.5) / (df + 0.5), 1)),
    "atire": lambda n, df: math.log(n / df),
}
"""The weights of terms in the index, with the rounding of bm25s."""
_IDF: dict[str, Callable[[int, Doubles], Doubles]] = {
    "lucene": lambda n, df: np.log(1 + (n - df + 0.5) / (df + 0.5)),
    "robertson": lambda n, df: np.log(np.maximum((n - df + 0.5) / (df + 0.5), 1)),
    "atire": lambda n, df: np.log(n / df),
}


class _BM25:
    """Options, identity and binding, which the first stage and the reranker share.

    Args:
        language: an ISO 639 code, None for terms without stemming whatever the collection's language is, or
            `collection` (the default) for that of the collection.
    """

    def __init__(
        self,
        *,
        k1: float = 1.2,
        b: float = 0.75,
        method: Method = "lucene",
        stem: bool = True,
        language: str | None = OF_COLLECTION,
    ) -> None:
        if not (0 <= k1 < math.inf and 0 <= b <= 1):
            raise UsageError(f"bm25: k1={k1}&b={b} is not possible; k1 is 0 or more, b from 0 to 1")
        if method not in get_args(Method):
            raise UsageError(f"bm25: method={method} is not possible; write one of {', '.join(get_args(Method))}")
        self._k1, self._b, self._method = k1, b, method
        self._language = language
        self._analyzer = Analyzer(None if self.uses_language else language, stem=stem)
        self._setting: Setting | None = None

    @property
    def name(self) -> str:
        return "bm25"

    @property
    def uses_language(self) -> bool:
        """Whether its terms are cut for the language of the collection."""
        return self._language == OF_COLLECTION

    @property
    def identity(self) -> Identity:
        """The bm25s version is not in it: the formulas are fixed by `method`, and a test holds bm25s to them."""
        return {
            "adapter": "bm25",
            "version": _VERSION,
            "analyzer": self._analyzer.describe(),
            "k1": float(self._k1),
            "b": float(self._b),
            "method": self._method,
        }

    def bind(self, setting: Setting) -> Self:
        """A copy for one collection. The language is the option's, else the collection's."""
        bound = copy.copy(self)
        bound.__dict__.pop("_statistics", None)
        bound._setting = setting
        bound._analyzer = Analyzer(setting.language if self.uses_language else self._language, stem=self._analyzer.stem)
        return bound


class BM25Retriever(_BM25):
    """First stage over an index in files. It gives the scores of bm25s to the last bit (Lù 2024, arXiv:2407.03618;
    variants in Kamphuis et al., ECIR 2020).

    Documents that score 0 are no candidates: they hold no term of the query, or (`robertson`, `atire`) only terms that
    the formula gives no weight. Equal scores are ordered by corpus row, also at the cut. A term that occurs twice in
    the query counts twice.

    Raises:
        MissingExtra: PyStemmer or regex is not installed.
    """

    def search(
        self, queries: Sequence[str], corpus: Sequence[str], depth: int, progress: Progress | None = None
    ) -> tuple[Integers, Integers, Floats]:
        """Return the candidates of each query as (offsets, documents, scores).

        `progress` is called with the number of documents read; the numbers add up to len(corpus).
        """
        read = corpus_terms(corpus, self._analyzer, self._setting, progress)
        statistics, index = read.statistics, None
        if statistics.vocabulary and queries:
            index = postings(read, self._weight(statistics), None if self._setting is None else self._setting.cache)
        del read
        found: list[tuple[Integers, Floats]] = []
        for query in queries:
            terms = statistics.known(self._analyzer.terms(query))
            found.append(_best(_NOTHING if index is None or not len(terms) else index.scored(terms), depth))
        offsets = np.cumsum([0, *(len(rows) for rows, _ in found)], dtype=np.int64)
        documents = np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in found)])
        return offsets, documents, np.concatenate([_NOTHING, *(scores for _, scores in found)])

    def _weight(self, statistics: Statistics) -> Weigh:
        """What a term adds to a score, computed and rounded as bm25s does it: the weight of the term in float32, the
        rest in float64."""
        frequencies, inverse = np.unique(statistics.frequencies, return_inverse=True)
        weights = [_WEIGHTS[self._method](statistics.documents, int(frequency)) for frequency in frequencies]
        of_term = np.array(weights, np.float32)[inverse]
        scale = self._k1 + 1 if self._method == "atire" else 1

        def weight(terms: TermIds, counts: Floats, lengths: Integers) -> Doubles:
            norms = self._k1 * (1 - self._b + self._b * lengths / statistics.average_length)
            return of_term[terms] * (counts * scale / (counts + norms))

        return weight


class BM25Reranker(_BM25):
    """BM25 of any pair of texts, under the document frequencies and the average length of the collection's corpus.

    Gives the scores of `BM25Retriever` to float32 precision; pairs without a common term score 0.

    Raises:
        ModelError: on use, if it is not bound to a collection.
    """

    in_process: ClassVar[bool] = True
    """Scoring takes less time than sending the texts to another process."""

    @property
    def identity(self) -> Identity:
        return {**super().identity, "corpus": self._bound().corpus_digest}

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """Return float32 [len(pairs)]."""
        return collect(self.stream(queries, documents, pairs), len(pairs))

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Score whole queries in the order of their index, at least 4096 pairs a chunk as long as there are."""
        self._bound()
        profiles: dict[int, _Profile] = {}
        for chunk in _whole_queries(pairs):
            rows = np.concatenate(chunk)
            if len(profiles) > _PROFILES:
                profiles.clear()
            self._profile([d for d in np.unique(pairs[rows, 1]).tolist() if d not in profiles], documents, profiles)
            held = [profiles[document] for document in pairs[rows, 1].tolist()]
            lengths = np.array([profile.length for profile in held], dtype=np.int32)
            starts = np.cumsum([0, *map(len, chunk)]).tolist()
            parts = [
                self._scores(queries[int(pairs[one[0], 0])], held[start : start + len(one)])
                for one, start in zip(chunk, starts[:-1], strict=True)
            ]
            scores = np.concatenate(parts).astype(np.float32)
            yield Scored(rows, scores, lengths, lengths, np.full(len(rows), UNKNOWN_INPUT, dtype=np.uint64))

    def _bound(self) -> Setting:
        if self._setting is None:
            raise ModelError(
                "the reranker 'bm25' needs the statistics of a collection; bind it with bind(Setting(corpus, digest))"
            )
        return self._setting

    @cached_property
    def _statistics(self) -> Statistics:
        return corpus_statistics(self._analyzer, self._bound())

    def _profile(self, new: Sequence[int], documents: Sequence[str], profiles: dict[int, _Profile]) -> None:
        """Add the profiles of some documents, with the counts of all at once."""
        cut = [self._analyzer.terms(documents[document]) for document in new]
        lengths = [len(terms) for terms in cut]
        found = map(self._statistics.vocabulary.get, chain.from_iterable(cut), repeat(-1))
        terms = np.fromiter(found, np.int64, sum(lengths))
        held = np.sort((np.repeat(np.arange(len(new)), lengths) << 32 | terms)[terms >= 0])
        first = np.flatnonzero(np.concatenate([[True] * bool(len(held)), held[1:] != held[:-1]]))
        counts, distinct = np.diff(first, append=len(held)), held[first]
        ids = (distinct & 0xFFFFFFFF).astype(np.int32)
        bounds = np.searchsorted(distinct, np.arange(len(new) + 1) << 32).tolist()
        for document, length, (start, end) in zip(new, lengths, pairwise(bounds), strict=True):
            profiles[document] = _Profile(ids[start:end], counts[start:end], length)

    def _scores(self, query: str, documents: Sequence[_Profile]) -> Doubles:
        """Scores of one query's documents: every term count of every document at once."""
        corpus = self._statistics
        asked, times = np.unique(corpus.known(self._analyzer.terms(query)), return_counts=True)
        if not len(asked):
            return np.zeros(len(documents))
        terms = np.concatenate([document.terms for document in documents])
        owners = np.repeat(np.arange(len(documents)), [len(document.terms) for document in documents])
        places = np.searchsorted(asked, terms).clip(max=len(asked) - 1)
        shared = asked[places] == terms
        weights = times * _IDF[self._method](corpus.documents, corpus.frequencies[asked].astype(np.float64))
        counts = np.concatenate([document.counts for document in documents])[shared].astype(np.float64)
        lengths = np.array([document.length for document in documents], dtype=np.float64)[owners[shared]]
        values = weights[places[shared]] * self._saturated(counts, lengths / corpus.average_length)
        return np.asarray(np.bincount(owners[shared], weights=values, minlength=len(documents)), dtype=np.float64)

    def _saturated(self, counts: Doubles, lengths: Doubles) -> Doubles:
        scale = self._k1 + 1 if self._method == "atire" else 1.0
        return scale * counts / (counts + self._k1 * (1 - self._b + self._b * lengths))


@dataclass(frozen=True)
class _Profile:
    """A document's distinct known terms, how often each occurs, and the document's length in all terms."""

    terms: npt.NDArray[np.int32]
    counts: Integers
    length: int


_NOTHING: Floats = np.empty(0, dtype=np.float32)


def _best(scores: Floats, depth: int) -> tuple[Integers, Floats]:
    rows = np.flatnonzero(scores > 0)
    if len(rows) > depth:
        least = np.partition(scores[rows], len(rows) - depth)[len(rows) - depth]
        above, level = rows[scores[rows] > least], rows[scores[rows] == least]
        rows = np.concatenate([above, level[: depth - len(above)]])
    rows = rows[np.lexsort((rows, -scores[rows]))].astype(np.int64)
    return rows, scores[rows]


def _whole_queries(pairs: IndexPairs) -> Iterator[list[Integers]]:
    order = np.argsort(pairs[:, 0], kind="stable")
    chunk: list[Integers] = []
    held = 0
    for rows in np.split(order, np.flatnonzero(np.diff(pairs[order, 0])) + 1) if len(order) else []:
        chunk.append(rows)
        held += len(rows)
        if held >= _ROWS:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk

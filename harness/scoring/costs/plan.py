"""Plan a run: estimate its cost from the tables of the suites, without fetching anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np

from adapters.errors import UsageError
from harness.data.collection import Collection, sampled_rows
from harness.data.suites.targets import SuiteCollection
from harness.data.texts import Texts
from harness.scoring.costs.scripts import script_of, tokens

DIMENSION = 1024
"""The dimension of the vectors of Qwen3-Embedding-0.6B and bge-m3."""
_VECTOR_BYTES = 4 * DIMENSION
_ROW_BYTES = 48
"""Bytes of a text in its Arrow file in addition to its characters: an id of some 20 bytes, a digest and two offsets."""
_READ = 1000
"""Number of texts of a loaded collection that are read for its average length."""
WITHOUT_MODEL = ("run:", "control:")

Entry = SuiteCollection | Collection


@dataclass(frozen=True)
class Amounts:
    """Amounts of work and memory, which can be added."""

    queries: int = 0
    documents: int = 0
    pairs: int = 0
    """For each reranker, if none of them are in the ledger."""
    pair_tokens: int = 0
    """Tokens of the pairs, before truncation."""
    text_tokens: int = 0
    """Tokens of the corpus and the queries, which an embedder reads once; 0 if there is no search."""
    text_bytes: int = 0
    vector_bytes: int = 0
    """float32 vectors of `DIMENSION` numbers for the same texts."""

    def __add__(self, other: Self) -> Amounts:
        names = [each.name for each in fields(self)]
        return Amounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True)
class CollectionCost:
    """The cost of one collection."""

    name: str
    group: str | None
    task: str | None
    """The name of the task in mteb."""
    language: str | None
    """The declared language, else the detected one."""
    query_characters: float
    document_characters: float
    amounts: Amounts
    is_detected: bool = False
    """Whether the language is detected."""


@dataclass(frozen=True)
class RunPlan:
    """The cost of a run."""

    costs: tuple[CollectionCost, ...]
    depth: int
    rerankers: tuple[str, ...] = ()
    first_stage: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    """Tokens of pairs per second, by the spec of the reranker, for the measured ones; see `calibration`."""
    search_rate: float | None = None
    """Tokens of texts per second that the first stage reads."""

    @property
    def total(self) -> Amounts:
        """The sum over the collections. Pairs and their tokens are those of one reranker."""
        return sum((cost.amounts for cost in self.costs), Amounts())

    def hours(self, reranker: str, amounts: Amounts | None = None) -> float | None:
        """The hours of a reranker for some amounts. Default: for all. None if its rate is not known."""
        if reranker.startswith(WITHOUT_MODEL):
            return 0.0
        return (amounts or self.total).pair_tokens / self.rates[reranker] / 3600 if reranker in self.rates else None

    def search_hours(self, amounts: Amounts | None = None) -> float | None:
        """The hours of the first stage for some amounts. Default: for all. None if its rate is not known."""
        tokens_read = (amounts or self.total).text_tokens
        if not tokens_read:
            return 0.0
        return tokens_read / self.search_rate / 3600 if self.search_rate else None

    @property
    def warning(self) -> str | None:
        """One sentence on the part that costs more than all others together; None if there is none."""
        by_part: dict[str, list[CollectionCost]] = {}
        for cost in self.costs:
            by_part.setdefault(cost.group or cost.name, []).append(cost)
        pairs = {part: sum(cost.amounts.pairs for cost in costs) for part, costs in by_part.items()}
        largest, total = max(pairs, key=lambda part: pairs[part], default=""), sum(pairs.values())
        if len(pairs) < 2 or 2 * pairs[largest] <= total:
            return None
        task = by_part[largest][0].task
        named = f"{largest} ({task})" if task else largest
        return (
            f"{named} alone has {rounded(pairs[largest])} of the {rounded(total)} pairs "
            f"({100 * pairs[largest] / total:.0f} %); --budget-pairs or --sample-queries take fewer of its queries"
        )


def plan(
    entries: Sequence[Entry],
    depth: int,
    rerankers: Sequence[str] = (),
    rates: Mapping[str, float] | None = None,
    *,
    first_stage: str | None = None,
    search_rate: float | None = None,
    samples: Sequence[int] | None = None,
) -> RunPlan:
    """Estimate the cost of a run over some collections. For a collection of a suite only the table is read.

    Args:
        entries: collections from the table of a suite, or loaded ones.
        rerankers: specs.
        rates: tokens of pairs per second, by reranker.
        first_stage: a spec. Default: given candidates if a collection has some, else a search by an embedder.
        search_rate: tokens of texts per second of the first stage.
        samples: the number of queries of each collection. Default: all.
    """
    wanted = samples or [_queries(entry) for entry in entries]
    costs = [_cost(entry, depth, first_stage, count) for entry, count in zip(entries, wanted, strict=True)]
    return RunPlan(tuple(costs), depth, tuple(rerankers), first_stage, dict(rates or {}), search_rate)


def within_budget(
    entries: Sequence[Entry], depth: int, pairs: int, *, first_stage: str | None = None
) -> tuple[int, ...]:
    """Return the number of queries of each collection for which one reranker scores at most `pairs` pairs in total. The
    number is as large as possible and the same for all collections; smaller collections are taken whole.

    Raises:
        UsageError: one query of each collection already has more pairs.
    """

    def total(count: int) -> int:
        return sum(_pairs(entry, depth, first_stage, count) for entry in entries)

    if (least := total(1)) > pairs:
        raise UsageError(
            f"--budget-pairs {pairs:,}: one query of each of the {len(entries)} collections is already {least:,} "
            "pairs; give at least that number, or name fewer collections"
        )
    enough, too_many = 1, max(map(_queries, entries), default=1) + 1
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        enough, too_many = (middle, too_many) if total(middle) <= pairs else (enough, middle)
    return tuple(min(enough, _queries(entry)) for entry in entries)


def rounded(count: int) -> str:
    """A number in readable form."""
    return f"{count / 1e6:,.1f} million" if count >= 1_000_000 else f"{count:,}"


def _cost(entry: Entry, depth: int, first_stage: str | None, wanted: int) -> CollectionCost:
    queries, documents = _taken(entry, wanted), _documents(entry)
    of_query, of_document = _characters(entry)
    pairs = _pairs(entry, depth, first_stage, queries)
    characters = queries * of_query + documents * of_document
    search = _is_searched(entry, first_stage)
    embedded = queries + documents if search and (first_stage or "").partition("?")[0] != "bm25" else 0
    language = entry.language if isinstance(entry, SuiteCollection) else entry.spoken
    script = script_of(language)
    amounts = Amounts(
        queries=queries,
        documents=documents,
        pairs=pairs,
        pair_tokens=round(pairs * tokens(of_query + of_document, language)),
        text_tokens=round(tokens(characters, language)) if search else 0,
        text_bytes=round(characters * script.bytes_per_character) + _ROW_BYTES * (queries + documents),
        vector_bytes=_VECTOR_BYTES * embedded,
    )
    task = entry.mteb.task if isinstance(entry, SuiteCollection) else None
    detected = language != entry.language
    return CollectionCost(_name(entry), entry.group, task, language, of_query, of_document, amounts, detected)


def _pairs(entry: Entry, depth: int, first_stage: str | None, wanted: int) -> int:
    queries = _taken(entry, wanted)
    if first_stage not in (None, "given"):
        return queries * min(depth, _documents(entry))
    if isinstance(entry, SuiteCollection) and entry.candidates is not None:
        return math.ceil(queries * entry.candidates / entry.counts.queries)
    if isinstance(entry, Collection) and entry.given is not None:
        lengths = np.diff(entry.given.offsets)
        return int(lengths[sampled_rows(entry, queries)].sum())
    return queries * min(depth, _documents(entry))


def _taken(entry: Entry, wanted: int) -> int:
    """The number of queries in a sample. Queries that form a pair are kept together."""
    if isinstance(entry, Collection) and entry.changes is not None:
        return len(sampled_rows(entry, wanted))
    return min(wanted, _queries(entry))


def _is_searched(entry: Entry, first_stage: str | None) -> bool:
    if first_stage is not None:
        return first_stage != "given" and not first_stage.startswith(WITHOUT_MODEL)
    return (entry.candidates if isinstance(entry, SuiteCollection) else entry.given) is None


def _name(entry: Entry) -> str:
    return entry.target if isinstance(entry, SuiteCollection) else entry.name


def _queries(entry: Entry) -> int:
    return entry.counts.queries


def _documents(entry: Entry) -> int:
    return entry.counts.documents


def _characters(entry: Entry) -> tuple[float, float]:
    """Average characters of a query and of a document."""
    if isinstance(entry, SuiteCollection):
        return entry.average_characters.query, entry.average_characters.document
    return _average(entry.queries), _average(entry.corpus)


def _average(texts: Texts) -> float:
    rows = np.unique(np.linspace(0, len(texts) - 1, min(_READ, len(texts))).astype(np.int64))
    return sum(map(len, texts.take(rows))) / max(len(rows), 1)

"""What a run costs, told before it is paid: from the tables of the suites, so that nothing is fetched for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np

from adapters.errors import UsageError
from harness.data.collection import Collection, Texts, sampled_rows
from harness.data.suites.targets import SuiteCollection
from harness.scoring.costs.scripts import script_of, tokens

DIMENSION = 1024
"""Of the vectors of Qwen3-Embedding-0.6B and bge-m3."""
_VECTOR_BYTES = 4 * DIMENSION
_ROW_BYTES = 48
"""What a text takes in its Arrow file beside its characters: an id of some 20 bytes, its digest and two offsets."""
_READ = 1000
"""Texts of a loaded collection that are read for its average length."""
WITHOUT_MODEL = ("run:", "control:")

Entry = SuiteCollection | Collection


@dataclass(frozen=True)
class Amounts:
    """What adds up."""

    queries: int = 0
    documents: int = 0
    pairs: int = 0
    """For each reranker, where the ledger knows none of them."""
    pair_tokens: int = 0
    """Tokens of the pairs, before any truncation."""
    text_tokens: int = 0
    """Tokens of the corpus and the queries, which an embedder reads once; 0 where nothing is searched."""
    text_bytes: int = 0
    vector_bytes: int = 0
    """float32 vectors of `DIMENSION` numbers for the same texts."""

    def __add__(self, other: Self) -> Amounts:
        names = [each.name for each in fields(self)]
        return Amounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True)
class CollectionCost:
    """What one collection costs."""

    name: str
    group: str | None
    task: str | None
    """As mteb names it, if it does."""
    language: str | None
    """Declared, or else detected."""
    query_characters: float
    document_characters: float
    amounts: Amounts
    is_detected: bool = False
    """Whether the language is."""


@dataclass(frozen=True)
class RunPlan:
    """What a run costs."""

    costs: tuple[CollectionCost, ...]
    depth: int
    rerankers: tuple[str, ...] = ()
    first_stage: str | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    """Tokens of pairs per second, by the spec of the reranker, where measured; see `calibration`."""
    search_rate: float | None = None
    """Tokens of texts per second that the first stage reads."""

    @property
    def total(self) -> Amounts:
        """The sum over the collections; pairs and their tokens are still those of one reranker."""
        return sum((cost.amounts for cost in self.costs), Amounts())

    def hours(self, reranker: str, amounts: Amounts | None = None) -> float | None:
        """The hours of one reranker for some amounts, or for all; None where its rate is not known."""
        if reranker.startswith(WITHOUT_MODEL):
            return 0.0
        return (amounts or self.total).pair_tokens / self.rates[reranker] / 3600 if reranker in self.rates else None

    def search_hours(self, amounts: Amounts | None = None) -> float | None:
        """The hours of the first stage for some amounts, or for all; None where its rate is not known."""
        tokens_read = (amounts or self.total).text_tokens
        if not tokens_read:
            return 0.0
        return tokens_read / self.search_rate / 3600 if self.search_rate else None

    @property
    def warning(self) -> str | None:
        """One sentence on the part that costs more than all others together, if there is one."""
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
    """What a run over these collections costs. Of a suite's collection nothing but its table is looked at.

    Args:
        entries: from the table of a suite, or loaded.
        first_stage: a spec. None takes given candidates where there are some, and else a search by an embedder.
        samples: how many queries of each collection; None for all.
    """
    wanted = samples or [_queries(entry) for entry in entries]
    costs = [_cost(entry, depth, first_stage, count) for entry, count in zip(entries, wanted, strict=True)]
    return RunPlan(tuple(costs), depth, tuple(rerankers), first_stage, dict(rates or {}), search_rate)


def within_budget(
    entries: Sequence[Entry], depth: int, pairs: int, *, first_stage: str | None = None
) -> tuple[int, ...]:
    """How many queries of each collection cost at most so many pairs together for one reranker: the same number for
    all, as large as possible, and all queries where a collection has no more.

    Raises:
        UsageError: one query of each is already more.
    """

    def total(count: int) -> int:
        return sum(_pairs(entry, depth, first_stage, count) for entry in entries)

    if (least := total(1)) > pairs:
        raise UsageError(
            f"--budget-pairs {pairs:,}: one query of each of the {len(entries)} collections is already {least:,} "
            "pairs; give at least so many, or name fewer collections"
        )
    enough, too_many = 1, max(map(_queries, entries), default=1) + 1
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        enough, too_many = (middle, too_many) if total(middle) <= pairs else (enough, middle)
    return tuple(min(enough, _queries(entry)) for entry in entries)


def rounded(count: int) -> str:
    """A number as one says it."""
    return f"{count / 1e6:,.1f} million" if count >= 1_000_000 else f"{count:,}"


def _cost(entry: Entry, depth: int, first_stage: str | None, wanted: int) -> CollectionCost:
    queries, documents = _taken(entry, wanted), _documents(entry)
    asked, held = _characters(entry)
    pairs = _pairs(entry, depth, first_stage, queries)
    characters = queries * asked + documents * held
    search = _is_searched(entry, first_stage)
    embedded = queries + documents if search and (first_stage or "").partition("?")[0] != "bm25" else 0
    language = entry.language if isinstance(entry, SuiteCollection) else entry.spoken
    script = script_of(language)
    amounts = Amounts(
        queries=queries,
        documents=documents,
        pairs=pairs,
        pair_tokens=round(pairs * tokens(asked + held, language)),
        text_tokens=round(tokens(characters, language)) if search else 0,
        text_bytes=round(characters * script.bytes_per_character) + _ROW_BYTES * (queries + documents),
        vector_bytes=_VECTOR_BYTES * embedded,
    )
    task = entry.mteb.task if isinstance(entry, SuiteCollection) else None
    return CollectionCost(_name(entry), entry.group, task, language, asked, held, amounts, language != entry.language)


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
    """The queries that a sample has: queries that come in pairs are not torn apart."""
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

"""Measure the speed of a model on this machine, on texts with the lengths and languages of a plan."""

from __future__ import annotations

import importlib.resources
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np

from adapters.errors import UsageError
from adapters.identity import array_digest, text_digests
from adapters.protocols import Bindable, Reranker, Retriever, Setting
from adapters.spec import open_reranker, open_retriever
from harness.scoring.costs.plan import WITHOUT_MODEL, CollectionCost, RunPlan
from harness.scoring.costs.scripts import script_of, tokens

SECONDS = 10.0
_WARM, _FIRST, _LARGEST, _GROWTH = 1, 1, 4096, 4
_DEPTH = 10


@dataclass(frozen=True)
class Work:
    """Sample texts in place of those of a plan, one query for each document."""

    queries: list[str]
    documents: list[str]
    tokens: float
    """Tokens of all pairs, as the plan counts them."""
    setting: Setting


def calibrate(
    spec: str, plan: RunPlan, *, seconds: float = SECONDS, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Measure how many tokens of pairs a reranker scores per second, for `RunPlan.rates`. Tokens are counted as in the
    plan.

    The model is loaded and warmed up. Then it gets more and more pairs until a round takes a large part of `seconds`;
    that round is the measurement. The model truncates these texts as it will truncate those of the plan.

    Raises:
        UsageError: there is nothing to measure, because there are no pairs or the spec has no model.
    """
    _refuse_without_model(spec)

    def score(work: Work) -> None:
        reranker = cast(Reranker, _bound(opened, work))
        pairs = np.arange(len(work.queries), dtype=np.int64)[:, None].repeat(2, axis=1)
        reranker.score(work.queries, work.documents, pairs)

    opened = open_reranker(spec)
    return _rate(score, plan, seconds, clock)


def calibrate_first_stage(
    spec: str, plan: RunPlan, *, seconds: float = SECONDS, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Measure how many tokens of texts a first stage reads per second, for `RunPlan.search_rate`. The rate includes
    only a search of a small corpus; searching takes little time compared with reading.

    Raises:
        UsageError: there is nothing to measure, because there are no pairs or the first stage has no model.
    """
    _refuse_without_model(spec)

    def search(work: Work) -> None:
        cast(Retriever, _bound(opened, work)).search(work.queries, work.documents, _DEPTH)

    opened = open_retriever(spec)
    return _rate(search, plan, seconds, clock)


def stand_ins(plan: RunPlan, count: int, start: int = 0) -> Work:
    """Make pairs from the texts of the packaged sample, in the proportions of the plan. Each pair has the average
    lengths of its collection. Another `start` gives other texts.

    Raises:
        UsageError: the plan has no pairs.
    """
    costs = _in_proportion(plan, count)
    queries = [_text(cost.language, cost.query_characters, start + i) for i, cost in enumerate(costs)]
    documents = [_text(cost.language, cost.document_characters, start + i + 1) for i, cost in enumerate(costs)]
    work = sum(tokens(cost.query_characters + cost.document_characters, cost.language) for cost in costs)
    setting = Setting(documents, array_digest(text_digests(documents)), costs[len(costs) // 2].language)
    return Work(queries, documents, work, setting)


def _rate(run: Callable[[Work], None], plan: RunPlan, seconds: float, clock: Callable[[], float]) -> float:
    run(stand_ins(plan, _WARM))
    start = _WARM
    for count in _rounds():
        work = stand_ins(plan, count, start)
        began = clock()
        run(work)
        took = clock() - began
        if _GROWTH * took > seconds / 2 or count == _LARGEST:
            break
        start += count
    return work.tokens / max(took, 1e-9)


def _rounds() -> Iterator[int]:
    count = _FIRST
    while count <= _LARGEST:
        yield count
        count *= _GROWTH


def _in_proportion(plan: RunPlan, count: int) -> list[CollectionCost]:
    pairs = np.cumsum([cost.amounts.pairs for cost in plan.costs])
    if not len(pairs) or not pairs[-1]:
        raise UsageError("there are no pairs to score, so there is no speed to measure")
    wanted = (np.arange(count) + 0.5) / count * pairs[-1]
    return [plan.costs[place] for place in np.searchsorted(pairs, wanted, side="right")]


def _text(language: str | None, characters: float, start: int) -> str:
    """A piece of the sample with a number of characters. Texts with different starts differ from the beginning."""
    source = _sample(script_of(language).sample)
    length = max(1, round(characters))
    first = start * 97 % len(source)
    return (source * math.ceil((first + length) / len(source) + 1))[first : first + length]


@cache
def _sample(language: str) -> str:
    file = importlib.resources.files("harness.data").joinpath("sample", language, "corpus.jsonl")
    return " ".join(json.loads(line)["text"] for line in file.read_text("utf-8").splitlines())


def _bound(adapter: object, work: Work) -> object:
    return adapter.bind(work.setting) if isinstance(adapter, Bindable) else adapter


def _refuse_without_model(spec: str) -> None:
    if spec == "given" or spec.startswith(WITHOUT_MODEL):
        raise UsageError(f"'{spec}' runs no model; there is no speed to measure")

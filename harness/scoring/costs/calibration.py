"""How fast a model is on this machine, measured on texts of the length and the languages of the work ahead."""

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
    """Texts that stand in for those of a plan, one query for each document."""

    queries: list[str]
    documents: list[str]
    tokens: float
    """Of all pairs, as the plan counts them."""
    setting: Setting


def calibrate(
    spec: str, plan: RunPlan, *, seconds: float = SECONDS, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Tokens of pairs per second that a reranker scores, in the tokens of the plan: for `Plan.rates`.

    The model is loaded, warmed up, and given ever more pairs until a round has taken a good part of `seconds`; the last
    round is the measurement. What the model truncates is as fast here as it will be there.

    Raises:
        UsageError: there is nothing to measure: no pairs, or a spec without a model.
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
    """Tokens of texts per second that a first stage reads: for `Plan.search_rate`. Of a search itself, which is short
    beside it, only as much is in the number as so small a corpus takes.

    Raises:
        UsageError: there is nothing to measure: no pairs, or a first stage without a model.
    """
    _refuse_without_model(spec)

    def search(work: Work) -> None:
        cast(Retriever, _bound(opened, work)).search(work.queries, work.documents, _DEPTH)

    opened = open_retriever(spec)
    return _rate(search, plan, seconds, clock)


def stand_ins(plan: RunPlan, count: int, start: int = 0) -> Work:
    """Pairs in the proportions of the plan's own, each with the average lengths of its collection, made of the texts of
    the packaged sample. Another `start` gives other texts.

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
    """So many characters of the sample. Texts of different starts differ from their first characters on."""
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

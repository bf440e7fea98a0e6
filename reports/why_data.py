"""The data of the page of `harness why` as plain JSON: columns for all queries, texts for those that moved most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from harness.judging.why.analysis import Why
from harness.judging.why.difference import divisors
from harness.judging.why.facing import ComparedSystem, Floats64, PairedTexts
from harness.judging.why.groups import Group
from harness.judging.why.headline import headline, phrase
from harness.judging.why.headroom import Headroom
from harness.judging.why.swaps import Listed, listed, swaps

TOP = 10
"""The number of top ranks of each ranking that are shown."""
RELEVANT = 40
"""The largest number of relevant documents below them that are shown."""
CHARACTERS = 800
"""The characters of a document that are kept. A page of 500 queries stays under about 10 MB."""
QUERY_CHARACTERS = 2000
LISTED_CHARACTERS = 200
"""The characters of a query whose documents are not on the page."""


def page_data(why: Why, shown: int) -> dict[str, Any]:
    """The data of the page without the names of the systems. Values are fractions.

    Args:
        why: the analysis.
        shown: the number of queries whose documents are included: those that moved most.
    """
    most = np.sort(np.argsort(-abs(why.deltas), kind="stable")[:shown])
    documents = _Documents(why)
    starts = np.cumsum([0, *(len(one.deltas) for one in why.differences)])
    details = {}
    for place in most.tolist():
        part = int(np.searchsorted(starts, place, side="right")) - 1
        accounts = [[_fraction(getattr(one, f.name)[place]) for f in fields(Headroom)] for one in _sides(why)]
        details[str(place)] = {"headroom": accounts, **_details(why, part, place - int(starts[part]), documents)}
    return {
        "headline": headline(why),
        "measures": list(why.measures),
        "figures": _figures(why),
        "headroom": {
            "parts": [f.name for f in fields(Headroom)],
            "sides": [[_fraction(value) for value in one.mean(why.weights).values()] for one in _sides(why)],
        },
        "collections": [_collection(why, part) for part in range(len(why.facings))],
        "labels": [{"dimension": one.dimension, "value": one.value} for one in why.labels],
        "groups": [_group(group, why) for group in why.groups],
        "queries": _queries(why, set(most.tolist())),
        "details": details,
        "documents": documents.columns,
        "limits": {"queries": shown, "top": TOP, "relevant": RELEVANT, "characters": CHARACTERS},
    }


class _Documents:
    """The texts of documents, each once."""

    def __init__(self, why: Why) -> None:
        self._corpora = [one.collection.corpus for one in why.facings]
        self._places: dict[tuple[int, int], int] = {}
        self.columns: dict[str, list[Any]] = {"id": [], "text": [], "length": []}

    def place(self, part: int, row: int) -> int:
        """The index of a document in the columns. A new document is added."""
        index = self._places.setdefault((part, row), len(self._places))
        if index == len(self.columns["id"]):
            rows = np.array([row])
            (text,) = self._corpora[part].take(rows)
            self.columns["id"] += self._corpora[part].ids(rows)
            self.columns["text"].append(text[:CHARACTERS])
            self.columns["length"].append(len(text))
        return index


def _figures(why: Why) -> dict[str, Any]:
    deltas = why.deltas
    return {
        "a": _fraction(why.weights @ why.headroom_a.value),
        "b": _fraction(why.weights @ why.headroom_b.value),
        "delta": _fraction(why.delta),
        "interval": [*map(_fraction, why.interval)],
        "p": _fraction(why.tested.p),
        "decided": why.decided,
        "wins": int((deltas > 0).sum()),
        "ties": int((deltas == 0).sum()),
        "losses": int((deltas < 0).sum()),
        "queries": len(deltas),
        "questions": why.questions,
    }


def _sides(why: Why) -> tuple[Headroom, Headroom]:
    return why.headroom_a, why.headroom_b


def _collection(why: Why, part: int) -> dict[str, Any]:
    facing, moved = why.facings[part], why.differences[part]
    collection = facing.collection
    return {
        "name": collection.name,
        "split": collection.split,
        "language": collection.language,
        "measure": str(facing.measure),
        "queries": len(moved.deltas),
        "a": _fraction(np.mean(moved.a.values)),
        "b": _fraction(np.mean(moved.b.values)),
        "delta": _fraction(np.mean(moved.deltas)),
        "same_candidates": facing.same_candidates,
        "tokens": [bool(np.isfinite(side.lost).any()) for side in facing.sides],
    }


def _group(group: Group, why: Why) -> dict[str, Any]:
    return {
        "labels": list(group.labels),
        "also": list(group.also),
        "phrase": phrase(group, why.labels),
        "queries": group.queries,
        "mean": _fraction(group.mean),
        "interval": [*map(_fraction, group.interval)],
        "rest": _fraction(group.rest),
        "share": _fraction(group.contribution / why.delta) if why.decided else None,
        "contribution": _fraction(group.contribution),
        "stands_out": group.stands_out,
        "outcome": group.outcome,
    }


def _queries(why: Why, detailed: set[int]) -> dict[str, list[Any]]:
    ids = [name for one in why.facings for name in one.collection.queries.ids()]
    texts = [text for one in why.facings for text in one.collection.queries]
    cut = [QUERY_CHARACTERS if place in detailed else LISTED_CHARACTERS for place in range(len(texts))]
    has = np.array([label.queries for label in why.labels], bool).reshape(len(why.labels), len(ids))
    return {
        "id": ids,
        "text": [text if len(text) <= most else f"{text[:most]} …" for text, most in zip(texts, cut, strict=True)],
        "collection": np.repeat(np.arange(len(why.facings)), [len(one.deltas) for one in why.differences]).tolist(),
        "a": _column(np.concatenate([one.a.values for one in why.differences])),
        "b": _column(np.concatenate([one.b.values for one in why.differences])),
        "delta": _column(why.deltas),
        "labels": [np.flatnonzero(column).tolist() for column in has.T] if len(has) else [[] for _ in ids],
    }


def _details(why: Why, part: int, query: int, documents: _Documents) -> dict[str, Any]:
    facing, moved = why.facings[part], why.differences[part]
    found = listed(facing, query)
    added = dict(zip(moved.documents[moved.of(query)], moved.contributions[moved.of(query)], strict=True))
    divisor = float(divisors(facing.measure, facing.judged[0].ideal)[query])
    turned = swaps(found, facing.measure, divisor)
    chosen, left_out = _chosen(found, {place for swap in turned for place in (swap.better, swap.worse)})
    row_of = {row: at for at, row in enumerate(chosen)}
    return {
        "rows": [
            [documents.place(part, int(found.documents[row])), *_row(facing, found, row, added)] for row in chosen
        ],
        "swaps": [[row_of[swap.better], row_of[swap.worse], _fraction(swap.effect)] for swap in turned],
        "left_out": left_out,
        "missing": int(facing.judged[0].relevant[query]) - len(moved.documents[moved.of(query)]),
    }


def _chosen(found: Listed, named: Iterable[int]) -> tuple[list[int], int]:
    """The rows of the documents that are shown, and the number of relevant ones that are not."""
    top = [(ranks > 0) & (ranks <= TOP) for ranks in (found.ranks_a, found.ranks_b)]
    shown = {*np.flatnonzero(top[0] | top[1]).tolist(), *named}
    best = np.where(found.ranks_a > 0, found.ranks_a, np.iinfo(np.int64).max)
    below = [row for row in np.argsort(best, kind="stable").tolist() if found.grades[row] >= 1 and row not in shown]
    return [*sorted(shown), *below[:RELEVANT]], max(len(below) - RELEVANT, 0)


def _row(facing: PairedTexts, found: Listed, row: int, added: Mapping[int, float]) -> list[Any]:
    """Grade, ranks, [tokens, tokens that were read] of both sides, and what the document adds to the delta."""
    tokens = [
        _tokens(side, int(rows[row])) for side, rows in zip(facing.sides, (found.rows_a, found.rows_b), strict=True)
    ]
    gain = added.get(int(found.documents[row]))
    ranks = int(found.ranks_a[row]), int(found.ranks_b[row])
    return [int(found.grades[row]), *ranks, *tokens, None if gain is None else _fraction(gain)]


def _tokens(side: ComparedSystem, row: int) -> list[int] | None:
    if row < 0 or side.tokens is None or side.kept is None or side.tokens[row] < 0:
        return None
    return [int(side.tokens[row]), int(side.kept[row])]


def _column(values: Floats64) -> list[float]:
    return [round(value, 6) for value in values.tolist()]


def _fraction(value: Any) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None

"""The bounds of a difference over all labels of unjudged documents, as tables and as plain values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.judging.compare.unjudged import ROUNDING, Unjudged, UnjudgedPair, UnjudgedPart
from harness.numbers import count, points, share, signed, signed_interval
from reports.table import Cell, Table

LISTED = 10
"""The number of queries in the table of what to judge first; JSON has all."""
NOTES = (
    "bounds: the smallest and the largest difference (candidate - baseline) over all labels of the unjudged documents "
    "in either top k; a label is 0 or a grade that occurs in the collection's judgments",
    "measured: unjudged documents count as not relevant, as always; those outside both top k are taken as not relevant "
    "in the bounds too",
    "to judge, optimistic: judgments, in the order of the last table, that would settle the sign if all of them were "
    "not relevant; -: no number would. Guaranteed: judgments that settle it whatever they are",
)


def verdict(pair: UnjudgedPair, name: str = "") -> str:
    """One sentence: whether the sign of the difference is settled.

    Args:
        name: the display name of the candidate. Default: its label.
    """
    low, high = pair.interval
    within = f"between {signed(low)} and {signed(high)} points, whatever the {pair.unjudged:,} unjudged documents are"
    against = f"{name or pair.candidate} against {pair.baseline}"
    if pair.settled:
        return f"The sign is settled: {against} is {'better' if low > 0 else 'worse'}, {within}."
    if high - low <= ROUNDING:
        return f"There is no difference: {against} is {signed(low)} points, and no unjudged document could change it."
    return f"The sign is not settled: {against} is {within}; the measured difference is {signed(pair.measured)}."


def unjudged_tables(found: Unjudged, names: Sequence[str] = ()) -> list[Table]:
    """The tables of `harness compare --unjudged`. The title of the first one says whether the sign is settled.

    Args:
        names: display names of the candidates. Default: their labels.
    """
    shown = list(names) or [pair.candidate for pair in found.pairs]
    tables = [_macro(found, shown)]
    for pair, name in zip(found.pairs, shown, strict=True):
        if len(pair.parts) > 1:
            tables.append(_collections(pair, name))
        if pair.order and not pair.settled:
            tables.append(_first(pair, name))
    return tables


def _macro(found: Unjudged, names: Sequence[str]) -> Table:
    heads = (
        "system", "measured", "bounds", "sign", "unjudged, baseline", "unjudged, candidate", "unjudged documents",
        "to judge, optimistic", "to judge, guaranteed",
    )  # fmt: skip
    rows = tuple(
        tuple(map(Cell, (name, *_figures(pair), count(pair.unjudged), count(pair.optimistic), count(pair.guaranteed))))
        for name, pair in zip(names, found.pairs, strict=True)
    )
    title = " ".join(verdict(pair, name) for pair, name in zip(found.pairs, names, strict=True))
    return Table(title, heads, rows, (_measures(found.pairs[0].parts), *NOTES, *found.notes))


def _figures(pair: UnjudgedPair) -> tuple[str, ...]:
    each = [part.top.shares() for part in pair.parts]
    weights = [part.weight for part in pair.parts]
    both = [float(np.dot(weights, side)) for side in zip(*each, strict=True)]
    sign = "settled" if pair.settled else "open"
    return signed(pair.measured), signed_interval(pair.interval), sign, share(both[0]), share(both[1])


def _measures(parts: Sequence[UnjudgedPart]) -> str:
    measures = ", ".join(dict.fromkeys(part.measure for part in parts))
    over = parts[0].name if len(parts) == 1 else f"macro average of {len(parts)} collections"
    return f"{measures} x 100, {over}, {sum(len(part.measured) for part in parts):,} queries"


def _collections(pair: UnjudgedPair, name: str) -> Table:
    rows = tuple(tuple(map(Cell, _collection(part))) for part in pair.parts)
    heads = ("collection", "measured", "bounds", "unjudged, baseline", "unjudged, candidate", "unjudged documents")
    return Table(f"By collection: {name} against {pair.baseline}", heads, rows)


def _collection(part: UnjudgedPart) -> tuple[str, ...]:
    low, high = part.interval
    both = map(share, part.top.shares())
    interval = signed_interval((low, high))
    return part.name, signed(float(part.measured.mean())), interval, *both, count(int(part.unjudged.sum()))


def _first(pair: UnjudgedPair, name: str) -> Table:
    rows = []
    for one in pair.order[:LISTED]:
        part = pair.parts[one.part]
        (query,) = part.baseline.collection.queries.ids(np.array([one.query]))
        ends = signed_interval([float(end[one.query]) for end in part.bounds])
        figures = ends, points(float(part.gaps[one.query])), count(int(part.unjudged[one.query]))
        rows.append(tuple(map(Cell, (part.name, query, *figures))))
    notes = (f"{len(pair.order):,} queries have unjudged documents; `harness judge export` writes them in this order",)
    heads = ("collection", "query", "bounds", "of the average", "unjudged documents")
    return Table(f"What to judge first: {name} against {pair.baseline}", heads, tuple(rows), notes, left=2)


def as_dict(found: Unjudged) -> dict[str, object]:
    """The bounds as plain values, differences as fractions."""
    return {"pairs": list(map(_pair, found.pairs)), "notes": list(found.notes)}


def _pair(pair: UnjudgedPair) -> dict[str, object]:
    return {
        "baseline": pair.baseline, "candidate": pair.candidate, "measured": pair.measured,
        "bounds": list(pair.interval), "settled": pair.settled, "verdict": verdict(pair),
        "unjudged_documents": pair.unjudged, "optimistic": pair.optimistic, "guaranteed": pair.guaranteed,
        "collections": list(map(_part, pair.parts)),
        "order": [_to_judge(pair.parts[one.part], one.query) for one in pair.order],
    }  # fmt: skip


def _part(part: UnjudgedPart) -> dict[str, object]:
    sides = zip(("baseline", "candidate"), part.top.shares(), strict=True)
    return {
        "collection": part.name, "fingerprint": part.baseline.collection.fingerprint, "measure": part.measure,
        "measured": float(part.measured.mean()), "bounds": list(part.interval), "weight": part.weight,
        "unjudged_share": {side: None if np.isnan(one) else one for side, one in sides},
        "unjudged_documents": int(part.unjudged.sum()),
    }  # fmt: skip


def _to_judge(part: UnjudgedPart, query: int) -> dict[str, object]:
    collection = part.baseline.collection
    return {
        "collection": part.name, "query": collection.queries.ids(np.array([query]))[0],
        "documents": collection.corpus.ids(part.documents(query)),
        "bounds": [float(end[query]) for end in part.bounds],
    }  # fmt: skip

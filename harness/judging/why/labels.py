"""Labels of queries: each is a property that some queries have, with a phrase for sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.languages import named
from harness.judging.why.difference import QueryDifference
from harness.judging.why.facing import Floats64, Indices, PairedTexts
from harness.judging.why.texts import overlap, script

Bools = npt.NDArray[np.bool_]
_READ = 20
"""The number of relevant documents of a query whose texts are read, those with the best grades first."""
_HALF = 0.5


@dataclass(frozen=True, eq=False)
class QueryLabel:
    """A property that some of the queries have."""

    dimension: str
    value: str
    phrase: str
    """The text that follows 'queries' in a sentence."""
    queries: Bools
    """bool [queries of all collections]."""
    truncation: bool = False
    """Whether the label says that one system truncated what the other read. Such an explanation is preferred."""
    outcome: bool = False
    """Whether the label follows from A's own result. Where A is best it can only lose, so such a label is biased."""


def labels(facings: Sequence[PairedTexts], differences: Sequence[QueryDifference]) -> list[QueryLabel]:
    """Return every label, with queries ordered by collection. Labels of no query or of all queries are left out."""
    read = [_read(one, moved) for one, moved in zip(facings, differences, strict=True)]
    facts = {key: np.concatenate([part[key] for part in read]) for key in read[0]}
    found = [*_named(facts), *_lengths(facts), *_truncation(facts), *_shares(facts), *_counts(facts)]
    return [label for label in found if 0 < label.queries.sum() < len(label.queries)]


def _read(facing: PairedTexts, moved: QueryDifference) -> dict[str, npt.NDArray[np.generic]]:
    """Return one array per fact, aligned with the queries of the collection."""
    collection, size = facing.collection, len(facing.collection.queries)
    queries, relevant = list(collection.queries), _texts(facing, moved)
    lengths = [np.median([len(text) for text in texts]) if texts else np.nan for texts in relevant]
    shares = [overlap(query, texts) for query, texts in zip(queries, relevant, strict=True)]
    facts: dict[str, npt.NDArray[np.generic]] = {
        "collection": np.array([collection.name] * size, object),
        "language": np.array([collection.language or ""] * size, object),
        "script": np.array([script(query) or "" for query in queries], object),
        "query length": np.array([len(query) for query in queries], np.float64),
        "document length": np.array(lengths, np.float64),
        "overlap": np.array([np.nan if share is None else share for share in shares], np.float64),
        "relevant": facing.judged[0].relevant,
        "first": _first(moved, size),
    }
    for name, side, placed in (("A", facing.a, moved.a), ("B", facing.b, moved.b)):
        there = placed.rows >= 0
        facts[f"relevant lost {name}"] = _most(side.lost[placed.rows[there]], moved.queries[there], size)
        facts[f"any lost {name}"] = _most(side.lost, side.run.queries, size)
    return facts


def _texts(facing: PairedTexts, moved: QueryDifference) -> list[list[str]]:
    found = []
    for query in range(len(facing.collection.queries)):
        rows = moved.of(query)
        best = np.argsort(-moved.grades[rows], kind="stable")[:_READ]
        found.append(facing.collection.corpus.take(moved.documents[rows][best]))
    return found


def _first(moved: QueryDifference, size: int) -> Indices:
    """Return the rank of the first relevant document in A; 0 if there is none."""
    there = moved.a.ranks > 0
    first = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(first, moved.queries[there], moved.a.ranks[there])
    return np.where(first == np.iinfo(np.int64).max, 0, first)


def _most(lost: Floats64, queries: Indices, size: int) -> Floats64:
    """Return the largest share of tokens that a document of each query lost; 0 without documents, NaN if none is
    known."""
    most = np.full(size, -1.0)
    known = ~np.isnan(lost)
    np.maximum.at(most, queries[known], lost[known])
    documents = np.bincount(queries, minlength=size)
    return np.where(most >= 0, most, np.where(documents > 0, np.nan, 0.0))


def _named(facts: dict[str, npt.NDArray[np.generic]]) -> Iterator[QueryLabel]:
    phrases: dict[str, Callable[[str], str]] = {
        "language": lambda code: f"in {named(code)}",
        "script": lambda name: "in mixed scripts" if name == "mixed" else f"in {name} script",
        "collection": lambda name: f"of {name}",
    }
    for dimension, phrase in phrases.items():
        values = facts[dimension]
        for value in dict.fromkeys(str(one) for one in values if one):
            shown = named(value) if dimension == "language" else value
            yield QueryLabel(dimension, shown, phrase(value), np.asarray(values == value))


def _lengths(facts: dict[str, npt.NDArray[np.generic]]) -> Iterator[QueryLabel]:
    """Yield labels for quarters of lengths. What is long differs between collections, and a quarter always has enough
    queries."""
    for dimension, phrase in (("query length", ""), ("document length", "with relevant documents ")):
        values = np.asarray(facts[dimension], np.float64)
        for low, high, inside in _quarters(values):
            shown = f"{low:,.0f} characters" if low == high else f"{low:,.0f} to {high:,.0f} characters"
            yield QueryLabel(dimension, shown, f"{phrase}of {shown}", inside)


def _quarters(values: Floats64) -> Iterator[tuple[float, float, Bools]]:
    known = values[~np.isnan(values)]
    if not len(known):
        return
    edges = np.unique(np.quantile(known, (0, 0.25, 0.5, 0.75, 1), method="lower"))
    for place, low in enumerate(edges[:-1] if len(edges) > 1 else edges):
        last = place >= len(edges) - 2
        inside = (values >= low) & ((values <= edges[-1]) if last else (values < edges[place + 1]))
        if inside.any():
            yield float(values[inside].min()), float(values[inside].max()), inside


def _truncation(facts: dict[str, npt.NDArray[np.generic]]) -> Iterator[QueryLabel]:
    for kind, documents in (("relevant", "relevant documents"), ("any", "candidates")):
        a, b = (np.asarray(facts[f"{kind} lost {name}"], np.float64) for name in "AB")
        if np.array_equal(a, b, equal_nan=True):
            yield from _cut(documents, "", a, a)
        else:
            yield from _cut(documents, " by A", a, b)
            yield from _cut(documents, " by B", b, a)


def _cut(documents: str, by: str, lost: Floats64, other: Floats64) -> Iterator[QueryLabel]:
    phrases = {
        "yes": (lost > 0, f"with {documents} truncated{by}"),
        "half or more": (lost >= _HALF, f"with {documents} truncated by half or more{by}"),
        "no": (lost == 0, f"without {documents} truncated{by}"),
    }
    for value, (queries, phrase) in phrases.items():
        more = queries & (lost > np.nan_to_num(other))
        yield QueryLabel(
            f"{documents} truncated{by}", value, phrase, queries, truncation=bool(2 * more.sum() > queries.sum())
        )


def _shares(facts: dict[str, npt.NDArray[np.generic]]) -> Iterator[QueryLabel]:
    values = np.asarray(facts["overlap"], np.float64)
    for low, high in ((0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1)):
        inside = (values >= low) & ((values < high) | ((high == 1) & (values == 1)))
        shown = f"{100 * low:.0f} to {100 * high:.0f} %"
        yield QueryLabel(
            "lexical overlap", shown, f"that share {shown} of their wording with a relevant document", inside
        )


def _counts(facts: dict[str, npt.NDArray[np.generic]]) -> Iterator[QueryLabel]:
    first, relevant = (np.asarray(facts[name], np.int64) for name in ("first", "relevant"))
    for low, high in ((1, 1), (2, 3), (4, 10), (11, 100), (101, None)):
        shown, inside = _range(first, low, high)
        phrase = f"whose first relevant document A has at rank {shown}"
        yield QueryLabel("first relevant in A", f"rank {shown}", phrase, inside, outcome=True)
    yield QueryLabel("relevant", "no candidate", "without a relevant document among A's candidates", first == 0)
    for low, high in ((1, 1), (2, 3), (4, 10), (11, None)):
        shown, inside = _range(relevant, low, high)
        plural = "" if shown == "1" else "s"
        yield QueryLabel("relevant", shown, f"with {shown} relevant document{plural}", inside)


def _range(values: Indices, low: int, high: int | None) -> tuple[str, Bools]:
    if high is None:
        return f"{low} or more", values >= low
    shown = str(low) if low == high else f"{low} to {high}"
    return shown, (values >= low) & (values <= high)

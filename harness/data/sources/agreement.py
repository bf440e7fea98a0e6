"""Compare the sources of a collection: whether they give the same ids, texts and judgments in the same order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from adapters.errors import HarnessError
from harness.data.arrow import rows_of, strings
from harness.data.collection import Collection
from harness.data.sources.build import collection_of
from harness.data.sources.dirt import shown
from harness.data.sources.origin import SourceChoice
from harness.data.sources.source import Source
from harness.data.texts import Texts
from harness.workspace import Workspace

Name = Literal["mteb", "beir", "irds"]
State = Literal["first", "same", "other", "unavailable"]
NAMES: tuple[Name, ...] = ("mteb", "beir", "irds")


@dataclass(frozen=True)
class SourceAgreement:
    """One source of a collection, compared with the first source that could be read."""

    collection: str
    source: str
    state: State
    """`first`: the others are compared with it; `unavailable`: it could not be read."""
    fingerprint: str | None
    differences: tuple[str, ...] = ()
    """A line per difference, with the number and the first id; for an unavailable source, the reason."""


def compare_sources(target: str, origin: SourceChoice, workspace: Workspace) -> list[SourceAgreement]:
    """Load every collection of a target from each source, and compare the results.

    Raises:
        UsageError: the target is unknown.
    """
    from harness.data.suites.targets import find

    rows = []
    for entry in find(target):
        rows += compare(
            entry.target, {name: _opener(entry.target, name, origin, workspace) for name in NAMES}, workspace
        )
    return rows


def compare(name: str, openers: Mapping[str, Callable[[], Source]], workspace: Workspace) -> list[SourceAgreement]:
    """Load one collection from several sources. A source that fails is a row, not an error."""
    rows: list[SourceAgreement] = []
    first: Collection | None = None
    for source, opener in openers.items():
        try:
            collection = collection_of(opener(), workspace)
        except HarnessError as error:
            rows.append(SourceAgreement(name, source, "unavailable", None, (str(error),)))
            continue
        lines = differences(first, collection) if first is not None else ()
        state: State = "first" if first is None else "other" if lines else "same"
        rows.append(SourceAgreement(name, source, state, collection.fingerprint, lines))
        first = first or collection
    return rows


def differences(first: Collection, other: Collection) -> tuple[str, ...]:
    """The differences of two collections, each with the first id; () if the fingerprints are the same."""
    if first.fingerprint == other.fingerprint:
        return ()
    found = [
        *_of_texts("document", first.corpus, other.corpus),
        *_of_texts("query", first.queries, other.queries),
        *_of_grades(_grades(first), _grades(other)),
    ]
    if (first.given is None) != (other.given is None):
        found.append("only one of them has candidate lists")
    if first.rules.drop_identical_ids != other.rules.drop_identical_ids:
        found.append("only one of them drops identical ids")
    return tuple(found) or ("the fingerprints differ, the ids, texts and judgments do not",)


def _of_texts(kind: str, first: Texts, other: Texts) -> list[str]:
    rows = _rows(first, other)
    in_both = np.flatnonzero(rows >= 0)
    differing = in_both[(first.digests[in_both] != other.digests[rows[in_both]]).any(axis=1)]
    found = [
        *_first(f"{kind}: id only in the first", first, np.flatnonzero(rows < 0)),
        *_first(f"{kind}: id only in this one", other, np.flatnonzero(_rows(other, first) < 0)),
    ]
    if len(differing):
        row = differing[:1]
        (line,) = _first(f"{kind}: other text", first, differing)
        found.append(f"{line}: {_apart(first.take(row)[0], other.take(rows[row])[0])}")
    moved = in_both[1:][np.diff(rows[in_both]) < 0]
    return found + _first(f"{kind}: other place in the order", first, moved)


def _rows(texts: Texts, other: Texts) -> npt.NDArray[np.int64]:
    """For every text the row in `other` with the same id, or -1."""
    return rows_of(texts.id_column, strings(other.ids()))


def _first(what: str, texts: Texts, rows: npt.NDArray[np.int64]) -> list[str]:
    return [f"{what}, {len(rows)} times, first {shown(texts.ids(rows[:1])[0])}"] if len(rows) else []


def _apart(first: str, other: str) -> str:
    """The first character where two texts differ, with the following characters of both."""
    both = min(len(first), len(other))
    at = next((place for place in range(both) if first[place] != other[place]), both)
    return f"at character {at + 1} {shown(first[at : at + 20])} and {shown(other[at : at + 20])}"


def _grades(collection: Collection) -> dict[tuple[str, str], int]:
    qrels = collection.qrels
    queries, documents = collection.queries.ids(), [*collection.corpus.ids(qrels.documents), *qrels.missing.ids]
    judged = (queries[row] for row in qrels.all_queries.tolist())
    return dict(zip(zip(judged, documents, strict=True), qrels.all_grades.tolist(), strict=True))


def _of_grades(first: dict[tuple[str, str], int], other: dict[tuple[str, str], int]) -> list[str]:
    changed = [pair for pair in first if pair in other and first[pair] != other[pair]]
    kinds = {
        "judgment only in the first": [pair for pair in first if pair not in other],
        "judgment only in this one": [pair for pair in other if pair not in first],
        "other grade": changed,
    }
    found = [
        f"{what}, {len(pairs)} times, first query {shown(pairs[0][0])}, document {shown(pairs[0][1])}"
        for what, pairs in kinds.items()
        if pairs
    ]
    if changed:
        found[-1] += f": {first[changed[0]]} and {other[changed[0]]}"
    return found


def _opener(target: str, name: Name, origin: SourceChoice, workspace: Workspace) -> Callable[[], Source]:
    def opener() -> Source:
        from harness.data.sources.suite_source import suite_sources

        (source,) = suite_sources(target, (), replace(origin, source=name), workspace)
        return source

    return opener

"""`harness history`: the checkpoints of a family of systems by number, and revisions with the same name by time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from adapters.errors import UsageError
from adapters.identity import digest
from harness.judging.gate.looks import Look, LookLog
from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design
from harness.result.gathered import Grid, view
from harness.result.keys import CollectionKey, SystemKey
from harness.result.left_out import LeftOut
from harness.result.result import Result
from harness.result.stemming import Stemming, of_stored

Bases = Mapping[tuple[SystemKey, CollectionKey, str], Result]
"""First stages, by system, collection and candidates."""


@dataclass(frozen=True)
class Looked:
    """A verdict of the gate on a system."""

    state: str
    tier: str
    at: str


@dataclass(frozen=True)
class Point:
    """One revision of one system: the macro average over the collections that all points of the series have."""

    system: SystemKey
    revision: str
    """Digest of the content of the system."""
    first: str
    """When it was first evaluated, ISO 8601."""
    last: str
    """When it was last evaluated, ISO 8601."""
    evaluations: tuple[str, ...]
    """The ids of the evaluations, aligned with `collections`."""
    collections: tuple[CollectionKey, ...]
    left_out: int
    """The number of collections that this revision has, but another point of the series lacks."""
    measure: str
    value: float
    interval: tuple[float, float]
    """95 % percentile bootstrap over questions."""
    first_stage: float | None
    """The same average of the first stage; None if it was not evaluated."""
    looks: tuple[Looked, ...] = ()
    """The verdicts of the gate, oldest first."""
    wrong: str | None = None
    """Why an imported value in it is known to be wrong; None if there is none."""
    stemming: tuple[Stemming, ...] = ()
    """How BM25 stems, in the system or its first stage."""


@dataclass(frozen=True)
class History:
    """The points of a family, and the results that they leave out."""

    points: tuple[Point, ...]
    left_out: LeftOut


def history(
    workspace: Path,
    pattern: str,
    measure: str | None = None,
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
) -> History:
    """Return every stored revision of the systems that a pattern names, ordered by the numbers in their names, then by
    time.

    Points with the same first stage and depth are a series and are listed together. Of a collection and its samples, a
    series uses the largest that all its points have, as `harness compare` does.

    Args:
        pattern: a system; see `harness.result.select`.
        measure: the name of the measure. Default: the main measure of the collections.
        collections, languages: use only these. Default: all.

    Raises:
        UsageError: the pattern matches nothing, the collections have different main measures, or the points have no
            collection in common.
    """
    shown = view(workspace, [pattern], collections, languages, [measure] if measure else (), revisions=True)
    found = _of_measure(shown.results, measure)
    bases = {_ground(one.system, one): one for one in found if one.system.reranker is None}
    wanted = [one for one in found if one.id in shown.named]
    series: dict[tuple[str, int], dict[tuple[str, str], dict[CollectionKey, Result]]] = {}
    for one in wanted:  # the newest result on a collection is used
        own = series.setdefault((one.system.first_stage, one.system.depth), {})
        own.setdefault((one.system.label, revision(one)), {})[one.collection] = one
    points = [point for _, own in sorted(series.items()) for point in _points(own, bases)]
    return History(tuple(_with_looks(points, LookLog(workspace / "results.sqlite").all())), shown.left_out)


def revision(result: Result) -> str:
    """Return the digest of the content of a result's system."""
    identity = result.stored.identity
    made = identity.get("reranker") if result.system.reranker else identity.get("retriever")
    return digest({"made of": made or result.id})[:12]


def natural(label: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that orders checkpoint-900 before checkpoint-1000."""
    parts = re.split(r"(\d+)", label)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _of_measure(found: Sequence[Result], measure: str | None) -> list[Result]:
    if measure is None:
        mains = sorted({one.collection.main_measure for one in found})
        if len(mains) > 1:
            raise UsageError(f"these collections have the main measures {', '.join(mains)}; name one with --measure")
        measure = mains[0]
    kept = [one for one in found if one.measure == measure and len(one.values)]
    if not kept:
        raise UsageError(f"no results of {measure}; stored: {', '.join(sorted({one.measure for one in found}))}")
    return kept


def _ground(system: SystemKey, result: Result) -> tuple[SystemKey, CollectionKey, str]:
    return system, result.collection, result.stored.candidates


def _points(
    own: Mapping[tuple[str, str], Mapping[CollectionKey, Result]],
    bases: Bases,
) -> list[Point]:
    shared = _largest([key for key in next(iter(own.values())) if all(key in one for one in own.values())])
    if not shared:
        raise UsageError("no collection that all of them were evaluated on; name fewer systems, or evaluate the others")
    made = [_point(found, shared, bases) for found in own.values()]
    return sorted(made, key=lambda one: (natural(one.system.label), one.first, one.revision))


def _largest(shared: Sequence[CollectionKey]) -> list[CollectionKey]:
    """Return, for each collection and its samples, the one with the most queries, so that no question counts twice."""
    most: dict[tuple[str, str], CollectionKey] = {}
    for key in shared:
        most[key.name, key.split] = max(most.get((key.name, key.split), key), key, key=lambda one: one.queries)
    return list(most.values())


def _point(
    found: Mapping[CollectionKey, Result],
    shared: Sequence[CollectionKey],
    bases: Bases,
) -> Point:
    row = [found[key] for key in shared]
    weights = Grid(row[0].measure, (), tuple(shared), {}).weights()
    before = [bases.get(_ground(one.system.base, one)) for one in row]
    known = [one.value for one in before if one is not None]
    return Point(
        system=row[0].system,
        revision=revision(row[0]),
        first=min(one.stored.created for one in row),
        last=max(one.stored.updated for one in row),
        evaluations=tuple(one.id for one in row),
        collections=tuple(shared),
        left_out=len(found) - len(shared),
        measure=row[0].measure,
        value=float(np.average([one.value for one in row], weights=weights)),
        interval=value_interval(Design(tuple(one.questions for one in row), weights), [one.values for one in row]),
        first_stage=float(np.average(known, weights=weights)) if len(known) == len(row) else None,
        wrong=next((one.wrong for one in row if one.wrong), None),
        stemming=tuple(of_stored(one.stored for one in row)),
    )


def _with_looks(points: Sequence[Point], looks: Sequence[Look]) -> list[Point]:
    owned: dict[int, list[Looked]] = {}
    for look in looks:
        for place in _owners(points, look):
            owned.setdefault(place, []).append(Looked(look.verdict, look.tier, look.at))
    return [replace(one, looks=tuple(owned.get(place, ()))) for place, one in enumerate(points)]


def _owners(points: Sequence[Point], look: Look) -> list[int]:
    """Return the points that a look belongs to: points with the same evaluations; else, because the gate evaluates
    parts of collections, which have other ids, the newest revision with the same name at that time."""
    exact = [place for place, one in enumerate(points) if set(look.candidate.evaluations) & set(one.evaluations)]
    if exact:
        return exact
    found: dict[SystemKey, list[int]] = {}
    for place, one in enumerate(points):
        if one.system.label == look.candidate.name:
            found.setdefault(one.system, []).append(place)
    there = [[place for place in own if len(own) == 1 or points[place].first <= look.at] for own in found.values()]
    return [max(own, key=lambda place: points[place].first) for own in there if own]

"""Stored results as values for tables, plots and pages. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from adapters.errors import UsageError, did_you_mean
from harness.measuring.measures import stored_name
from harness.measuring.votes import shares
from harness.result.keys import CollectionKey, SystemKey
from harness.result.left_out import LeftOut, of_other_labels, replaced, superseded
from harness.result.means import PREFIX
from harness.result.opening import stored_in
from harness.result.places import collections_named, named_by_fingerprint
from harness.result.result import Floats64, Result
from harness.result.select import systems_named
from harness.result.stored import Stored

OFFICIAL = "official measures"
"""The name of a mean over collections, each measured by its task's main measure."""


@dataclass(frozen=True)
class Grid:
    """The results of one measure: systems by collections. Missing cells stay missing."""

    measure: str
    systems: tuple[SystemKey, ...]
    """First stages first, each before its rerankers."""
    collections: tuple[CollectionKey, ...]
    cells: Mapping[tuple[SystemKey, CollectionKey], Result]
    notes: tuple[str, ...] = ()

    @cached_property
    def bases(self) -> list[SystemKey]:
        """The first stages at their depths, in the order of the systems."""
        return list(dict.fromkeys(system.base for system in self.systems))

    def row(self, system: SystemKey) -> list[Result | None]:
        """Return the results of a system, aligned with `collections`; None for a missing one."""
        return [self.cells.get((system, collection)) for collection in self.collections]

    def is_complete(self, system: SystemKey) -> bool:
        """Whether the system has a result on every collection, so that an average makes sense."""
        return all(cell is not None for cell in self.row(system))

    def weights(self, collections: Sequence[CollectionKey] | None = None) -> Floats64:
        """Return the weight of each collection in a macro average, summing to 1. Members of a group share one vote."""
        wanted = self.collections if collections is None else collections
        return shares([one.group for one in wanted])

    def part(self, collections: Iterable[CollectionKey]) -> Grid:
        """Return the grid with only these collections."""
        kept = set(collections)
        cells = {key: cell for key, cell in self.cells.items() if key[1] in kept}
        return replace(self, collections=tuple(one for one in self.collections if one in kept), cells=cells)


@dataclass(frozen=True)
class SelectedResults:
    """The results that a table, a page or a file shows, and what it leaves out."""

    results: tuple[Result, ...]
    """Oldest first."""
    left_out: LeftOut
    named: frozenset[str]
    """The ids of the evaluations that the names select. The others are their first stages."""


def view(
    workspace: Path,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
    *,
    revisions: bool = False,
) -> SelectedResults:
    """Return the stored results of a selection.

    An older result of a system is left out if there is a newer one. A sample, or a tier of a gate, is left out if every
    selected system that has it also has the whole collection. Of several label versions of a collection, the published
    judgments are shown, or else the version that was measured last.

    Args:
        systems: names; see `harness.result.select`. The first stage of each is included. Default: all.
        collections: names. A sample that is named by its fingerprint is kept, and a label version that is named.
            Default: all.
        languages: codes, as the collections declare them. Default: all.
        measures: names. Default: all.
        revisions: keep the older results of a system. Default: False.

    Raises:
        UsageError: there is no store, or a name matches nothing in it.
    """
    with stored_in(workspace / "results.sqlite") as results:
        found = results.results()
    everything = list({one.id: one.stored for one in found}.values())
    keys = _columns(everything)
    places = {id: key.place for id, key in keys.items()}
    chosen = collections_named(collections, places.values())
    kept = [one for one in everything if places[one.id] in chosen]
    kept = _in_languages(kept, keys, languages)
    named = systems_named(systems, kept, everything)
    shown = {one.id for one in _with_first_stages(named, kept, keys)}
    found = [replace(one, collection=keys[one.id]) for one in found if one.id in shown]
    found = _measured(found, [stored_name(name) for name in measures])
    older = [] if revisions else replaced(found)
    found = _without(found, older)
    by_fingerprint = named_by_fingerprint(collections, places.values())
    parts = superseded(found, by_fingerprint, revisions=revisions)
    found = _without(found, parts)
    versions = of_other_labels(found, {*collections, *by_fingerprint})
    left_out = LeftOut(tuple(older), tuple(parts), tuple(versions))
    return SelectedResults(tuple(_without(found, versions)), left_out, frozenset(one.id for one in named))


def gathered(
    workspace: Path,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
) -> list[Result]:
    """Return only the results of a `view`, for callers that do not show what is left out."""
    return list(view(workspace, systems, collections, languages, measures).results)


def grids(results: Sequence[Result]) -> list[Grid]:
    """Return one grid per measure. A collection is in the grid of its main measure. A measure that is the main measure
    of no collection gets a grid of all collections that have it."""
    mains = {one.measure for one in results if one.measure == one.collection.main_measure}
    measures = list(dict.fromkeys(one.measure for one in results))
    found = []
    for measure in measures:
        own = [one for one in results if one.measure == measure]
        if measure in mains:
            own = [one for one in own if one.collection.main_measure == measure]
        found.append(grid_of(measure, own))
    return found


def all_grids(results: Sequence[Result]) -> list[Grid]:
    """Return `grids`, and for every measure another grid of the collections that have a different main measure."""
    found = grids(results)
    shown = {(one.measure, key) for one in found for key in one.collections}
    rest: dict[str, list[Result]] = {}
    for one in results:
        if (one.measure, one.collection) not in shown:
            rest.setdefault(one.measure, []).append(one)
    return [*found, *(grid_of(measure, own) for measure, own in rest.items())]


def grid_of(measure: str, results: Sequence[Result]) -> Grid:
    """Return the grid of one measure, in the order of the results, first stages first."""
    seen = dict.fromkeys(one.system for one in results)
    systems = sorted(seen, key=lambda key: (key.first_stage, key.depth, key.reranker is not None))
    collections = tuple(dict.fromkeys(one.collection for one in results))
    return Grid(measure, tuple(systems), collections, {(one.system, one.collection): one for one in results})


def speed_of(results: Iterable[Result]) -> float | None:
    """Return the pairs per second of one system over all its pairs; None if one of the results was not scored on this
    machine."""
    timed = [(one.stored.audit.candidates, one.pairs_per_second) for one in results]
    known = [(count, speed) for count, speed in timed if count and speed]
    if not known or len(known) < len(timed):
        return None
    return sum(count for count, _ in known) / sum(count / speed for count, speed in known)


def _columns(everything: Iterable[Stored]) -> dict[str, CollectionKey]:
    """Return the collection of each evaluation, by the id of the evaluation. Imported means of a suite's collection
    belong to the column of that collection if all of it was measured here."""
    keys = {one.id: one.collection.key for one in everything}
    measured = [key for key in keys.values() if not key.fingerprint.startswith(PREFIX)]
    whole = {(key.name, key.split): key for key in measured if key.sampled_from is None}
    return {
        id: whole.get((key.name, key.split), key) if key.fingerprint.startswith(PREFIX) else key
        for id, key in keys.items()
    }


def _in_languages(kept: list[Stored], keys: Mapping[str, CollectionKey], languages: Sequence[str]) -> list[Stored]:
    known = {language for one in kept if (language := keys[one.id].language)}
    for language in languages:
        if language not in known:
            raise UsageError(f"no results in a language '{language}'.{did_you_mean(language, known)}")
    return [one for one in kept if keys[one.id].language in languages] if languages else kept


def _with_first_stages(
    named: Sequence[Stored], kept: Sequence[Stored], keys: Mapping[str, CollectionKey]
) -> list[Stored]:
    """Return the named evaluations and their first stages on the same collections, in the order of `kept`."""

    def ground(one: Stored) -> tuple[object, ...]:
        return one.first_stage, one.depth, keys[one.id]

    ids = {one.id for one in named}
    first = {ground(one) for one in named if one.reranker is None}
    under = {ground(one) for one in named} - first
    return [one for one in kept if one.id in ids or (one.reranker is None and ground(one) in under)]


def _measured(found: list[Result], measures: Sequence[str]) -> list[Result]:
    known = {one.measure for one in found}
    for measure in measures:
        if measure not in known:
            raise UsageError(f"no results of a measure '{measure}'.{did_you_mean(measure, known)}")
    if not found:
        raise UsageError("no results yet; use `harness run`")
    return [one for one in found if one.measure in measures] if measures else found


def _without(results: Iterable[Result], some: Iterable[Result]) -> list[Result]:
    left = set(map(id, some))
    return [one for one in results if id(one) not in left]

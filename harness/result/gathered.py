"""The results store as values for tables, plots and pages. Nothing is measured here: what was stored is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError, did_you_mean
from harness.data.suites.targets import SuiteCollection, suites
from harness.measuring.questions import questions_of_stored
from harness.measuring.statistics.design import Questions
from harness.result.left_out import LeftOut, replaced, superseded
from harness.result.means import PREFIX
from harness.result.opening import stored_in
from harness.result.places import Place, collections_named, named_by_fingerprint
from harness.result.select import FIRST_STAGE, label_of, systems_named
from harness.result.store import Results
from harness.result.stored import Stored

Floats64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SystemKey:
    """What one row of a table is: a first stage, or a reranker over it, at a depth."""

    label: str
    """The reranker's spec, or the first stage's with ` (first stage)`."""
    first_stage: str
    depth: int
    reranker: str | None

    @property
    def base(self) -> SystemKey:
        """The first stage that it stands on."""
        return SystemKey(self.first_stage + FIRST_STAGE, self.first_stage, self.depth, None)


@dataclass(frozen=True)
class CollectionKey:
    """What one column of a table is: one collection with the queries and judgments that it had."""

    name: str
    split: str
    fingerprint: str
    language: str | None
    group: str | None
    queries: int
    sampled_from: int | None
    main_measure: str

    @property
    def suite(self) -> str | None:
        """The suite, where it is of one."""
        head, slash, _ = self.name.partition("/")
        return head if slash and head in suites() else None

    @property
    def entry(self) -> SuiteCollection | None:
        """Its line in the suite's table: licence, contamination, revision."""
        plain = Place(self.name, self.fingerprint).plain
        known = suites()[self.suite].collections if self.suite else ()
        return next((one for one in known if one.target == plain), None)


@dataclass(frozen=True)
class Result:
    """One measure of one system on one collection, as stored. Fractions."""

    stored: Stored
    system: SystemKey
    collection: CollectionKey
    measure: str
    values: Floats64
    """float64 [queries]; [questions] for p-MRR; empty where only a mean was taken in."""
    ids: tuple[str, ...]
    """Of the queries or questions, aligned with `values`."""
    pairs_per_second: float | None
    """On this machine; None where nothing was scored here."""
    latency: tuple[float, float, float | None] | None = None
    """Median and 95th percentile of a query's seconds, and peak MB, on this machine; None where nobody timed it."""

    @cached_property
    def value(self) -> float:
        """The mean; NaN where there is none."""
        if len(self.values):
            return float(np.mean(self.values))
        return self.stored.means.get(self.measure, float("nan"))

    @cached_property
    def questions(self) -> Questions:
        """What the values belong to."""
        return questions_of_stored(self.stored.collection, self.ids)

    @property
    def candidates(self) -> str:
        """What identifies the frozen candidates."""
        return self.stored.candidates

    @property
    def is_mean_only(self) -> bool:
        """Whether somebody else measured it and gave no values per query: there is no interval, no test and no rank."""
        return self.imported and not len(self.values)

    @property
    def id(self) -> str:
        """For `harness show`."""
        return self.stored.id

    @property
    def chance(self) -> float | None:
        """What a random order of the same candidates expects."""
        return self._control("chance")

    @property
    def ceiling(self) -> float | None:
        """What a perfect order of the same candidates gets."""
        return self._control("oracle")

    @property
    def tie_span(self) -> float | None:
        """Best minus worst value over the orders of equal scores."""
        ties = self.stored.audit.get("ties")
        found = ties.get(self.measure) if isinstance(ties, Mapping) else None
        return float(found[1] - found[0]) if found else None

    @property
    def truncated(self) -> float | None:
        """The share of candidates that lost a token or more; None where the system has no tokens."""
        tokens, candidates = self.stored.audit.get("tokens"), self.stored.audit.get("candidates")
        if not isinstance(tokens, Mapping) or not isinstance(candidates, int) or not candidates:
            return None
        return float(tokens["truncated"]) / candidates

    @property
    def imported(self) -> bool:
        """Whether somebody else computed it, and this store only took it in."""
        return "imported" in self.stored.identity

    @cached_property
    def wrong(self) -> str | None:
        """What is known against an imported value; None for everything else. Such a value is never the best."""
        return self.stored.wrong

    def _control(self, name: str) -> float | None:
        values = self.stored.controls.get(name)
        found = values.get(self.measure) if isinstance(values, Mapping) else None
        return None if found is None else float(found)


@dataclass(frozen=True)
class Grid:
    """The results of one measure: systems by collections. Where a cell is missing it is missing; nothing stands in."""

    measure: str
    systems: tuple[SystemKey, ...]
    """First stages first, each before the rerankers over it."""
    collections: tuple[CollectionKey, ...]
    cells: Mapping[tuple[SystemKey, CollectionKey], Result]
    notes: tuple[str, ...] = ()

    @cached_property
    def bases(self) -> list[SystemKey]:
        """The first stages at their depths, in the order of the systems."""
        return list(dict.fromkeys(system.base for system in self.systems))

    def row(self, system: SystemKey) -> list[Result | None]:
        """The system's results, aligned with `collections`."""
        return [self.cells.get((system, collection)) for collection in self.collections]

    def is_complete(self, system: SystemKey) -> bool:
        """Whether an average over this row means anything."""
        return all(cell is not None for cell in self.row(system))

    def weights(self, collections: Sequence[CollectionKey] | None = None) -> Floats64:
        """What each collection weighs in a macro average, summing to 1: members of a group share one vote."""
        wanted = self.collections if collections is None else collections
        names = [one.group or (one.name, one.fingerprint) for one in wanted]
        voters = len(set(names))
        return np.array([1 / voters / names.count(name) for name in names])

    def part(self, collections: Iterable[CollectionKey]) -> Grid:
        """The grid with only these collections."""
        kept = set(collections)
        cells = {key: cell for key, cell in self.cells.items() if key[1] in kept}
        return replace(self, collections=tuple(one for one in self.collections if one in kept), cells=cells)


@dataclass(frozen=True)
class View:
    """What a table, a page or a file shows, and what it does not show."""

    results: tuple[Result, ...]
    """Oldest first."""
    left_out: LeftOut
    named: frozenset[str]
    """Ids of the evaluations that the names mean; the others are first stages that came along."""


def view(
    workspace: Path,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
    *,
    revisions: bool = False,
) -> View:
    """The stored results of a selection. First it is selected, and then decided what gives way: an older result of a
    system to its newest one, and a sample or a tier of a gate to its whole collection where every system of the
    selection that has the one has the other.

    Args:
        systems: names; see `harness.result.select`. The first stage of each comes along.
        collections: names. A sample that is named by its fingerprint stays.
        languages: codes, as the collections declare them.
        revisions: keep the older results of a system.

    Raises:
        UsageError: there is no store, or nothing in it is named so.
    """
    with stored_in(workspace / "results.sqlite") as results:
        everything = list(results.all())
        keys = _columns(everything)
        places = {id: _place(key) for id, key in keys.items()}
        chosen = collections_named(collections, places.values())
        kept = [one for one in everything if places[one.id] in chosen]
        kept = _in_languages(kept, keys, languages)
        named = systems_named(systems, kept, everything)
        kept = _with_first_stages(named, kept, keys)
        found = _measured([one for stored in kept for one in _of(stored, keys[stored.id], results)], measures)
    older = [] if revisions else replaced(found)
    found = _without(found, older)
    parts = superseded(found, named_by_fingerprint(collections, places.values()), revisions=revisions)
    return View(tuple(_without(found, parts)), LeftOut(tuple(older), tuple(parts)), frozenset(one.id for one in named))


def gathered(
    workspace: Path,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
) -> list[Result]:
    """The results of a `view`, for those who have nobody to say to what is left out."""
    return list(view(workspace, systems, collections, languages, measures).results)


def grids(results: Sequence[Result]) -> list[Grid]:
    """One grid per measure: each collection in the grid of its main measure; a measure that is nobody's main one has a
    grid of the collections that have it."""
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
    """As `grids`, and for every measure a grid of the collections that have another main one."""
    found = grids(results)
    shown = {(one.measure, key) for one in found for key in one.collections}
    rest: dict[str, list[Result]] = {}
    for one in results:
        if (one.measure, one.collection) not in shown:
            rest.setdefault(one.measure, []).append(one)
    return [*found, *(grid_of(measure, own) for measure, own in rest.items())]


def grid_of(measure: str, results: Sequence[Result]) -> Grid:
    """The results of one measure, in the order in which they come, first stages first."""
    seen = dict.fromkeys(one.system for one in results)
    systems = sorted(seen, key=lambda key: (key.first_stage, key.depth, key.reranker is not None))
    collections = tuple(dict.fromkeys(one.collection for one in results))
    return Grid(measure, tuple(systems), collections, {(one.system, one.collection): one for one in results})


def _collection_of(stored: Stored) -> CollectionKey:
    rules, counts = stored.collection.rules, stored.collection.counts
    assert isinstance(rules, Mapping) and isinstance(counts, Mapping)
    sampled = stored.collection.sampled_from
    return CollectionKey(
        name=stored.collection.name,
        split=stored.collection.split,
        fingerprint=stored.collection.fingerprint,
        language=_text(stored.collection.language),
        group=_text(stored.collection.group),
        queries=int(counts["queries"]),
        sampled_from=int(sampled) if isinstance(sampled, int) else None,
        main_measure=str(rules["main_measure"]),
    )


def _columns(everything: Iterable[Stored]) -> dict[str, CollectionKey]:
    """The collection of each evaluation, by the evaluation's id. Imported means of a suite's collection stand in the
    column of that collection, if it was measured whole here."""
    keys = {one.id: _collection_of(one) for one in everything}
    measured = [key for key in keys.values() if not key.fingerprint.startswith(PREFIX)]
    whole = {(key.name, key.split): key for key in measured if key.sampled_from is None}
    return {
        id: whole.get((key.name, key.split), key) if key.fingerprint.startswith(PREFIX) else key
        for id, key in keys.items()
    }


def _place(key: CollectionKey) -> Place:
    return Place(key.name, key.fingerprint, key.group)


def _in_languages(kept: list[Stored], keys: Mapping[str, CollectionKey], languages: Sequence[str]) -> list[Stored]:
    known = {language for one in kept if (language := keys[one.id].language)}
    for language in languages:
        if language not in known:
            raise UsageError(f"no results in a language '{language}'.{did_you_mean(language, known)}")
    return [one for one in kept if keys[one.id].language in languages] if languages else kept


def _with_first_stages(
    named: Sequence[Stored], kept: Sequence[Stored], keys: Mapping[str, CollectionKey]
) -> list[Stored]:
    """What was named, and the first stages under it on the same collections, in the old order."""

    def ground(one: Stored) -> tuple[object, ...]:
        return one.first_stage, one.depth, keys[one.id]

    ids = {one.id for one in named}
    first = {ground(one) for one in named if one.reranker is None}
    under = {ground(one) for one in named} - first
    return [one for one in kept if one.id in ids or (one.reranker is None and ground(one) in under)]


def _of(stored: Stored, collection: CollectionKey, results: Results) -> list[Result]:
    system = SystemKey(label_of(stored), stored.first_stage, stored.depth, stored.reranker)
    speed, waited, asked = results.speed_of(stored.id), results.latency(stored.id), results.asked(stored.id)
    return [
        Result(stored, system, collection, measure, values, asked[measure] if len(values) else (), speed, waited)
        for measure, values in results.values(stored.id).items()
    ]


def _measured(found: list[Result], measures: Sequence[str]) -> list[Result]:
    known = {one.measure for one in found}
    for measure in measures:
        if measure not in known:
            raise UsageError(f"no results of a measure '{measure}'.{did_you_mean(measure, known)}")
    if not found:
        raise UsageError("no results yet; `harness run` makes them")
    return [one for one in found if one.measure in measures] if measures else found


def _without(results: Iterable[Result], some: Iterable[Result]) -> list[Result]:
    left = set(map(id, some))
    return [one for one in results if id(one) not in left]


def _text(value: object) -> str | None:
    return None if value is None else str(value)

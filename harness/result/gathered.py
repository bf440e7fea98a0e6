"""The results store as values for tables, plots and pages. Nothing is measured here: what was stored is looked up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError, did_you_mean
from harness.data.suites.targets import SuiteCollection, suites
from harness.measuring.questions import questions_of_stored
from harness.measuring.statistics.design import Questions
from harness.result.store import Results
from harness.result.stored import Stored

Floats64 = npt.NDArray[np.float64]
FIRST_STAGE = " (first stage)"


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
        plain = self.name.replace("†", "").strip()
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


def gathered(
    workspace: Path,
    systems: Sequence[str] = (),
    collections: Sequence[str] = (),
    languages: Sequence[str] = (),
    measures: Sequence[str] = (),
) -> list[Result]:
    """The newest result of every system on every collection and measure, oldest first. A sample, or a tier of a gate,
    gives way to its whole collection where that was measured too (`parts_left_out` names them).

    Args:
        systems: names as `harness list systems` prints them, `*` for anything; the first stage of each comes along.
        collections: names, suites, patterns such as `miracl/*`, or the first digits of a fingerprint, six or more,
            which also name a sample.

    Raises:
        UsageError: there is no store, or nothing in it is named so.
    """
    kept = _of_systems(every(workspace, collections, languages), systems)
    kept = [one for one in kept if not measures or one.measure in measures]
    if not kept:
        raise UsageError(f"no results of these systems, collections and measures in '{workspace}'; see `harness list`")
    return list({(one.system, one.collection, one.measure): one for one in kept}.values())


def every(workspace: Path, collections: Sequence[str] = (), languages: Sequence[str] = ()) -> list[Result]:
    """As `gathered`, with the older results of a system too.

    Raises:
        UsageError: there is no store, or no collection in it is named so.
    """
    file = workspace / "results.sqlite"
    if not file.is_file():
        raise UsageError(f"no results in '{workspace}' yet; `harness run` makes them, or name another --workspace")
    with Results(file) as results:
        found = _in_measured_columns([one for stored in list(results.all()) for one in _of(stored, results)])
    kept = _of_collections(found, collections, languages)
    parts = _parts(dict.fromkeys(one.collection for one in kept), collections)
    return [one for one in kept if one.collection not in parts]


def parts_left_out(workspace: Path, collections: Sequence[str] = ()) -> str | None:
    """One line on the samples and tiers that `gathered` leaves out; None if there are none."""
    with Results(workspace / "results.sqlite") as results:
        keys = dict.fromkeys(map(_collection_of, results.one_of_each_collection()))
    wanted = [one for one in keys if not collections or any(_is_of(one, pattern) for pattern in collections)]
    parts = _parts(wanted, collections)
    names = ", ".join(list(dict.fromkeys(one.name for one in parts))[:3])
    if not parts:
        return None
    more = ", ..." if len({one.name for one in parts}) > 3 else ""
    return (
        f"left out: {len(parts)} samples or tiers of collections that were measured whole ({names}{more}); "
        "--collection FINGERPRINT names one"
    )


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


def _of(stored: Stored, results: Results) -> list[Result]:
    collection = _collection_of(stored)
    label = stored.reranker or stored.first_stage + FIRST_STAGE
    system = SystemKey(label, stored.first_stage, stored.depth, stored.reranker)
    speed, waited, asked = results.speed_of(stored.id), results.latency(stored.id), results.asked(stored.id)
    return [
        Result(stored, system, collection, measure, values, asked[measure] if len(values) else (), speed, waited)
        for measure, values in results.values(stored.id).items()
    ]


def _in_measured_columns(found: list[Result]) -> list[Result]:
    """Imported means of a suite's collection stand in the column of that collection, if it was measured whole here."""
    whole = {
        (one.collection.name, one.collection.split): one.collection
        for one in found
        if not one.is_mean_only and one.collection.sampled_from is None
    }
    return [
        replace(one, collection=whole.get((one.collection.name, one.collection.split), one.collection))
        if one.is_mean_only
        else one
        for one in found
    ]


def _parts(keys: Collection[CollectionKey], wanted: Sequence[str]) -> list[CollectionKey]:
    """Collections that are some of the queries of another one that is here, unless they are named by fingerprint."""
    whole = {(key.name, key.split) for key in keys if key.sampled_from is None}
    return [
        key
        for key in keys
        if key.sampled_from is not None
        and (key.name, key.split) in whole
        and not any(_is_fingerprint(key, pattern) for pattern in wanted)
    ]


def _is_fingerprint(key: CollectionKey, pattern: str) -> bool:
    return len(pattern) >= 6 and key.fingerprint.startswith(pattern)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _of_collections(found: list[Result], wanted: Sequence[str], languages: Sequence[str]) -> list[Result]:
    names = dict.fromkeys(one.collection.name for one in found)
    for pattern in wanted:
        if not any(_is_of(one.collection, pattern) for one in found):
            raise UsageError(f"no results of a collection '{pattern}'.{did_you_mean(pattern, list(names))}")
    return [
        one
        for one in found
        if (not wanted or any(_is_of(one.collection, pattern) for pattern in wanted))
        and (not languages or one.collection.language in languages)
    ]


def _is_of(key: CollectionKey, pattern: str) -> bool:
    return _named(key.name, pattern) or _is_fingerprint(key, pattern)


def _named(name: str, pattern: str) -> bool:
    return name == pattern or name.startswith(f"{pattern}/") or fnmatchcase(name, pattern)


def _of_systems(found: list[Result], wanted: Sequence[str]) -> list[Result]:
    labels = dict.fromkeys(one.system.label for one in found)
    for pattern in wanted:
        if not any(is_named(label, pattern) for label in labels):
            raise UsageError(f"no results of a system '{pattern}'.{did_you_mean(pattern, list(labels))}")
    if not wanted:
        return found
    named = {one.system for one in found if any(is_named(one.system.label, pattern) for pattern in wanted)}
    shown = named | {key.base for key in named}
    return [one for one in found if one.system in shown]


def is_named(label: str, pattern: str) -> bool:
    return pattern in (label, label.removesuffix(FIRST_STAGE)) or fnmatchcase(label, pattern)

"""`harness compare`: reads a baseline and candidates from the results store and compares them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adapters.errors import UsageError
from harness.judging.compare.paired import PairedValues, design_of, joined
from harness.judging.compare.remarks import alarms, declared, wrong
from harness.judging.compare.rows import Row, Slice, averaged, row, slices
from harness.judging.compare.selection import Chosen, Shelf, StoredSelection, select, select_across
from harness.judging.compare.shared_questions import on_common_questions, with_values
from harness.judging.compare.side import ComparedSide, stored_side, together
from harness.measuring.measures import is_of_some, parse, stored_name
from harness.measuring.statistics.difference import Difference, Differences, differences
from harness.measuring.statistics.seeds import SeedEffect, seed_effect
from harness.result.opening import is_same_store, stored_in
from harness.result.select import ANY, Wanted
from harness.result.store import Results
from harness.result.stored import Stored


@dataclass(frozen=True)
class Compared:
    """One candidate compared with the baseline, by one measure."""

    system: str
    macro: Row
    """Over all collections."""
    collections: tuple[Row, ...]
    groups: tuple[Row, ...]
    languages: tuple[Row, ...]
    seeds: SeedEffect | None
    """The effect with seeds and questions resampled, if a side is a group; else None."""


@dataclass(frozen=True)
class MeasureComparison:
    """All candidates by one measure, on the collections that are compared by it."""

    measure: str
    candidates: tuple[Compared, ...]
    left_out: int = 0
    """Questions that are left out because a system has no value of them, such as the precision of an answer without
    citations."""


@dataclass(frozen=True)
class ComparedSystems:
    """The result of comparing candidates with a baseline."""

    baseline: str
    measures: tuple[MeasureComparison, ...]
    margin: float | None
    """The margin of equivalence, a fraction; None if equivalence is not tested."""
    notes: tuple[str, ...]
    """Lines about what was left out or chosen, and what is declared for the collections."""
    alarms: tuple[str, ...]
    """The alarms that were raised when the systems were evaluated."""
    wrong: tuple[str, ...] = ()
    """Systems with an imported value that is known to be wrong. They are not marked as best."""
    workspaces: tuple[Path, Path] | None = None
    """The workspaces of the baseline and of the candidates, if these are two; else None."""


def compare(
    store: Path,
    baseline: str,
    candidates: Sequence[str],
    *,
    measures: Sequence[str] = (),
    groups: Sequence[str] = (),
    wanted: Wanted = ANY,
    against: Path | None = None,
    unpaired: bool = False,
    margin: float | None = None,
) -> ComparedSystems:
    """Compare stored evaluations.

    Args:
        store: the file of results.
        baseline, candidates: names; see `harness.result.select`.
        measures: each is compared on all collections. Default: the main measure of every collection.
        groups: see `selection.select`.
        wanted: the evaluations to use. Default: all.
        against: the file of results of another workspace, with the candidates. It is only read. Default: the same file.
        unpaired: also compare systems that ranked different candidates, and mark them. Default: False.
        margin: the margin of equivalence, a fraction. Default: equivalence is not tested.

    Raises:
        UsageError: a name, a measure or the margin is wrong, or no system has the measure.
        DataError: the systems cannot be compared. The message says why.
    """
    if margin is not None and not 0 < margin < 1:
        raise UsageError(f"equivalence within {100 * margin:g} points: the margin must be above 0 and below 100")
    named = [canonical(measure) for measure in measures]
    if against is not None and is_same_store(store, against):
        against = None
    with ExitStack() as stack:
        own = stack.enter_context(stored_in(store))
        other = own if against is None else stack.enter_context(stored_in(against, "--against"))
        if against is None:
            selection = select(list(own.all()), baseline, candidates, groups, wanted)
        else:
            here, there = (Shelf(list(one.all()), str(file.parent)) for one, file in ((own, store), (other, against)))
            selection = select_across(here, there, baseline, candidates, groups, wanted)
        able, lost = with_values(selection, named)
        places, notes = _by_measure(selection, named, able)
        measured = [
            _measured((own, other), able.get(measure, selection), measure, at, unpaired=unpaired, margin=margin)
            for measure, at in places.items()
        ]
        notes += lost
    each = tuple(dict.fromkeys([*_origins(selection), *declared(selection), *selection.notes, *notes]))
    return ComparedSystems(
        selection.baseline.label, tuple(measured), margin, each, alarms(selection, places), wrong(selection),
        None if against is None else (store.parent, against.parent),
    )  # fmt: skip


def _origins(selection: StoredSelection) -> list[str]:
    """Return a line about the workspace of each system, if there are two workspaces."""
    systems = (selection.baseline, *selection.candidates)
    return [f"{one.label}: from the workspace {one.workspace}" for one in systems if one.workspace]


def canonical(measure: str) -> str:
    """Return the name of a measure in the store, such as `nDCG@10` for `ndcg@10`.

    Raises:
        UsageError: the measure is unknown.
    """
    name = stored_name(measure)
    return name if is_of_some(name) else str(parse(measure))


def margin_of(points: float | None) -> float | None:
    """Return a margin in points as a fraction.

    Raises:
        UsageError: the margin is not between 0 and 100 points.
    """
    if points is None:
        return None
    if not (math.isfinite(points) and 0 < points < 100):
        raise UsageError(f"equivalence within {points:g} points: a number above 0 and below 100 is needed, such as 0.2")
    return points / 100


def _by_measure(
    selection: StoredSelection, named: Sequence[str], able: Mapping[str, StoredSelection]
) -> tuple[dict[str, list[int]], list[str]]:
    """Return the indices of the collections that each measure is compared on, and lines about what is left out.

    Args:
        able: the selection for the measures that some candidates have no value of.
    """
    places: dict[str, list[int]] = {}
    lacking: dict[str, list[str]] = {}
    evaluations = _evaluations(selection)
    for place, first in enumerate(evaluations[0]):
        for measure in named or [_main_measure(first)]:
            everyone = [member[place] for member in _evaluations(able.get(measure, selection))]
            without = next((one for one in everyone if measure not in one.means), None)
            if without is not None:
                what = f"{without.collection.name} ({without.key.label}, {without.id})"
                lacking.setdefault(measure, []).append(what)
            else:
                places.setdefault(measure, []).append(place)
    if not places:
        stored = set.intersection(*(set(one.means) for member in evaluations for one in member))
        missing = "; ".join(f"no {measure} is stored for {', '.join(names[:3])}" for measure, names in lacking.items())
        raise UsageError(f"{missing}; --measure can name what all have: {', '.join(sorted(stored)) or 'nothing'}")
    notes = [f"left out, because no {measure} is stored: {', '.join(names)}" for measure, names in lacking.items()]
    return places, notes


def _evaluations(selection: StoredSelection) -> list[tuple[Stored, ...]]:
    return [member for system in (selection.baseline, *selection.candidates) for member in system.members]


def _main_measure(stored: Stored) -> str:
    return canonical(stored.collection.rules.main_measure)


def _measured(
    results: tuple[Results, Results],
    selection: StoredSelection,
    measure: str,
    places: Sequence[int],
    *,
    unpaired: bool,
    margin: float | None,
) -> MeasureComparison:
    baseline = _sides(results[0], selection.baseline, measure, places)
    sides = [_sides(results[1], chosen, measure, places) for chosen in selection.candidates]
    (baseline, *sides), lost = on_common_questions([baseline, *sides], measure)
    pairs = [[joined(one, other, unpaired=unpaired) for one, other in zip(baseline, own, strict=True)] for own in sides]
    found = zip(selection.candidates, sides, pairs, _differences(pairs), strict=True)
    compared = []
    for chosen, own, parts, difference in found:
        seeds = _seeds(baseline, own, parts) if chosen.group or selection.baseline.group else None
        compared.append(_compared(chosen.label, parts, difference, measure=measure, margin=margin, seeds=seeds))
    return MeasureComparison(measure, tuple(compared), lost)


def _differences(pairs: Sequence[Sequence[PairedValues]]) -> list[Differences]:
    """Return the differences of all candidates, which were measured on the same queries as the baseline."""
    first = pairs[0]
    deltas = [np.stack([part.deltas for part in parts]) for parts in zip(*pairs, strict=True)]
    families = [[averaged(one, first) for one in family] for family in slices(first)]
    return differences(design_of(first), deltas, families)


def _sides(results: Results, chosen: Chosen, measure: str, places: Sequence[int]) -> list[ComparedSide]:
    return [
        together(chosen.label, [stored_side(results, member[place], measure) for member in chosen.members])
        for place in places
    ]


def _compared(
    label: str,
    parts: Sequence[PairedValues],
    found: Differences,
    *,
    measure: str,
    margin: float | None,
    seeds: SeedEffect | None,
) -> Compared:
    def made(one: Slice, difference: Difference) -> Row:
        own = [parts[place] for place in one.places]
        return row(one.kind, one.name, own, difference, measure=measure, margin=margin)

    whole = Slice("macro", parts[0].collection if len(parts) == 1 else "macro average", tuple(range(len(parts))))
    families = zip(slices(parts), found.local, strict=True)
    collections, groups, languages = (tuple(map(made, *family)) for family in families)
    return Compared(label, made(whole, found.macro), collections, groups, languages, seeds)


def _seeds(
    baseline: Sequence[ComparedSide], candidate: Sequence[ComparedSide], parts: Sequence[PairedValues]
) -> SeedEffect:
    ours, theirs = ([side.rows for side in sides] for sides in (candidate, baseline))
    return seed_effect(design_of(parts), ours, theirs)

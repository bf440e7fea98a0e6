"""A baseline and candidates, read from the results store and compared: what `harness compare` tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.errors import UsageError
from harness.compare.paired import Paired, joined, weights
from harness.compare.remarks import alarms, declared, wrong
from harness.compare.rows import LEVEL, RESAMPLES, SEED, Row, adjusted, collection_rows, group_rows, language_rows, row
from harness.compare.selection import Chosen, Selection, select
from harness.compare.side import Side, stored_side, together
from harness.compare.wanted import ANY, Wanted
from harness.ground import is_paired
from harness.measuring.measures import parse
from harness.statistics.seeds import SeedEffect, seed_effect
from harness.store import Results, Stored
from harness.suites.table import PAIRED_MEASURE


@dataclass(frozen=True)
class Compared:
    """One candidate against the baseline by one measure."""

    system: str
    macro: Row
    """Over all collections, or over the only one."""
    collections: tuple[Row, ...]
    groups: tuple[Row, ...]
    languages: tuple[Row, ...]
    seeds: SeedEffect | None
    """With seeds and queries resampled, where a side is a group."""


@dataclass(frozen=True)
class Measured:
    """All candidates by one measure, on the collections that it is for."""

    measure: str
    candidates: tuple[Compared, ...]


@dataclass(frozen=True)
class Comparison:
    """What can be said of candidates against a baseline."""

    baseline: str
    measures: tuple[Measured, ...]
    margin: float | None
    """Of equivalence, a fraction; None where it was not asked for."""
    notes: tuple[str, ...]
    """What was left out or picked, and what is declared for the collections."""
    alarms: tuple[str, ...]
    """Whatever was found wrong with the evaluations when they were made."""
    wrong: tuple[str, ...] = ()
    """Systems with an imported value that is known to be wrong; none of them is the best."""


def compare(
    store: Path,
    baseline: str,
    candidates: Sequence[str],
    *,
    measures: Sequence[str] = (),
    groups: Sequence[str] = (),
    wanted: Wanted = ANY,
    unpaired: bool = False,
    margin: float | None = None,
) -> Comparison:
    """Compare stored evaluations.

    Args:
        store: the file of results.
        measures: each compared on all collections; empty for the main measure of every collection.
        groups: see `selection.select`.
        unpaired: let systems through that ranked other candidates, and mark them.
        margin: of equivalence, a fraction.

    Raises:
        UsageError: a name, a measure or the margin is wrong, or nobody has the measure.
        DataError: the systems cannot be compared; the message says why.
    """
    if margin is not None and not 0 < margin < 1:
        raise UsageError(f"equivalence within {100 * margin:g} points: the margin is above 0 and below 100")
    named = [canonical(measure) for measure in measures]
    if not store.is_file():
        raise UsageError(f"no results in '{store.parent}' yet; `harness run` makes them, or name another --workspace")
    with Results(store) as results:
        selection = select(list(results.all()), baseline, candidates, groups, wanted)
        places, notes = _by_measure(selection, named)
        measured = [
            _measured(results, selection, measure, there, unpaired=unpaired, margin=margin)
            for measure, there in places.items()
        ]
    notes = [*declared(selection), *selection.notes, *notes]
    found = alarms(selection, places)
    each = tuple(dict.fromkeys(notes))
    return Comparison(selection.baseline.label, tuple(measured), margin, each, found, wrong(selection))


def canonical(measure: str) -> str:
    """The name under which the store keeps a measure: `ndcg@10` is `nDCG@10`.

    Raises:
        UsageError: there is no such measure.
    """
    return PAIRED_MEASURE if is_paired(measure) else str(parse(measure))


def margin_of(points: float | None) -> float | None:
    """A margin as people give it, as a fraction.

    Raises:
        UsageError: it is no number of points between 0 and 100.
    """
    if points is None:
        return None
    if not (math.isfinite(points) and 0 < points < 100):
        raise UsageError(f"equivalence within {points:g} points: a number above 0 and below 100 is needed, such as 0.2")
    return points / 100


def _by_measure(selection: Selection, named: Sequence[str]) -> tuple[dict[str, list[int]], list[str]]:
    """Which collections each measure is compared on, by their place, and what is left out."""
    places: dict[str, list[int]] = {}
    lacking: dict[str, list[str]] = {}
    evaluations = [member for system in (selection.baseline, *selection.candidates) for member in system.members]
    for place, everyone in enumerate(zip(*evaluations, strict=True)):
        for measure in named or [_main_measure(everyone[0])]:
            without = [one for one in everyone if measure not in one.means]
            if without:
                lacking.setdefault(measure, []).append(f"{without[0].collection['name']} ({without[0].id})")
            else:
                places.setdefault(measure, []).append(place)
    if not places:
        stored = set.intersection(*(set(one.means) for member in evaluations for one in member))
        told = "; ".join(f"no {measure} is stored for {', '.join(names[:3])}" for measure, names in lacking.items())
        raise UsageError(f"{told}; --measure can name what all have: {', '.join(sorted(stored)) or 'nothing'}")
    notes = [f"left out, for no {measure} is stored there: {', '.join(names)}" for measure, names in lacking.items()]
    return places, notes


def _main_measure(stored: Stored) -> str:
    rules = stored.collection["rules"]
    return canonical(str(rules["main_measure"])) if isinstance(rules, dict) else ""


def _measured(
    results: Results,
    selection: Selection,
    measure: str,
    places: Sequence[int],
    *,
    unpaired: bool,
    margin: float | None,
) -> Measured:
    baseline = _sides(results, selection.baseline, measure, places)
    compared = []
    for chosen in selection.candidates:
        sides = _sides(results, chosen, measure, places)
        parts = [joined(one, other, unpaired=unpaired) for one, other in zip(baseline, sides, strict=True)]
        seeds = _seeds(baseline, sides, parts) if chosen.group or selection.baseline.group else None
        compared.append(_compared(chosen.label, parts, measure, margin, seeds))
    macros = adjusted([one.macro for one in compared])
    return Measured(measure, tuple(replace(one, macro=macro) for one, macro in zip(compared, macros, strict=True)))


def _sides(results: Results, chosen: Chosen, measure: str, places: Sequence[int]) -> list[Side]:
    return [
        together(chosen.label, [stored_side(results, member[place], measure) for member in chosen.members])
        for place in places
    ]


def _compared(
    label: str, parts: Sequence[Paired], measure: str, margin: float | None, seeds: SeedEffect | None
) -> Compared:
    collections = collection_rows(parts, measure, margin)
    if len(parts) == 1:
        macro = replace(collections[0], kind="macro")
    else:
        macro = row("macro", "macro average", parts, measure, margin)
    groups = group_rows(parts, measure, margin)
    return Compared(label, macro, collections, groups, language_rows(collections, measure, margin), seeds)


def _seeds(baseline: Sequence[Side], candidate: Sequence[Side], parts: Sequence[Paired]) -> SeedEffect:
    ours, theirs = ([side.rows for side in sides] for sides in (candidate, baseline))
    return seed_effect(ours, theirs, weights(parts), resamples=RESAMPLES, level=LEVEL, seed=SEED)

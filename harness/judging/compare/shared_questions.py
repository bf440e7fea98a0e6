"""Measures that not every question has a value of: the comparison is over the questions that have one on all sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from adapters.errors import DataError
from harness.judging.compare.selection import Chosen, StoredSelection
from harness.judging.compare.side import ComparedSide
from harness.measuring.measures import CITATION_MEASURES
from harness.result.result import Result


def on_common_questions(sides: Sequence[Sequence[ComparedSide]], measure: str) -> tuple[list[list[ComparedSide]], int]:
    """Return the sides with the questions that all of them have, if the measure is one of citations.

    Args:
        sides: for the baseline and every candidate, its side of every collection.

    Returns:
        the sides, and the number of questions that are left out because a side has no value of them.

    Raises:
        DataError: no question is left.
    """
    if measure not in CITATION_MEASURES:
        return [list(own) for own in sides], 0
    places = [_common(of_place) for of_place in zip(*sides, strict=True)]
    kept = [[_only(side, ids) for side, (ids, _) in zip(own, places, strict=True)] for own in sides]
    return kept, sum(lost for _, lost in places)


def with_values(selection: StoredSelection, named: Sequence[str]) -> tuple[dict[str, StoredSelection], list[str]]:
    """Return, for the measures of citations that some candidates have no value of, such as the precision of answers
    that cite nothing, the selection without these candidates, and lines that name them."""
    able, notes = dict[str, StoredSelection](), list[str]()
    for measure in named:
        has = [one for one in selection.candidates if _has(one, measure)]
        some = 0 < len(has) < len(selection.candidates)
        if some and measure in CITATION_MEASURES and _has(selection.baseline, measure):
            able[measure] = replace(selection, candidates=tuple(has))
            lost = ", ".join(one.label for one in selection.candidates if one not in has)
            notes.append(f"{measure}: {lost} left out, because no answer has a value; the others are compared")
    return able, notes


def _has(chosen: Chosen, measure: str) -> bool:
    return all(measure in one.means for member in chosen.members for one in member)


def _common(sides: Sequence[ComparedSide]) -> tuple[frozenset[str], int]:
    known = [frozenset(one.ids) for side in sides for one in side.results]
    common = frozenset.intersection(*known)
    if not common:
        about, measure = sides[0].collection.name, sides[0].results[0].measure
        raise DataError(f"{about}: no question has {measure} in all systems; compare them by another --measure")
    return common, len(frozenset.union(*known) - common)


def _only(side: ComparedSide, ids: frozenset[str]) -> ComparedSide:
    return replace(side, results=tuple(_part(one, ids) for one in side.results))


def _part(result: Result, ids: frozenset[str]) -> Result:
    places = [at for at, id in enumerate(result.ids) if id in ids]
    return replace(result, values=np.asarray(result.values)[places], ids=tuple(result.ids[at] for at in places))

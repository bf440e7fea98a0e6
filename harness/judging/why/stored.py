"""Reads two systems from the workspace, on every collection that both were measured on."""

from __future__ import annotations

from dataclasses import dataclass

from harness.judging.compare.selection import StoredSelection, select
from harness.judging.why.facing import PairedTexts, facing
from harness.measuring.measures import parse
from harness.result.opening import stored_in
from harness.result.recall import Recalled, recall
from harness.result.select import ANY, Wanted
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from harness.result.stored import Stored
from harness.scoring.ground import ordinary_measures
from harness.workspace import Workspace

MAIN = "main"
"""The name for the main measure of each collection."""


@dataclass(frozen=True)
class Found:
    """The two systems from the workspace; `evaluations` are the (A, B) of each item in `facings`."""

    a: str
    b: str
    facings: tuple[PairedTexts, ...]
    evaluations: tuple[tuple[Stored, Stored], ...]
    notes: tuple[str, ...]
    """Lines about what was left out or chosen, notes of the collections, and how BM25 stems."""


def find(workspace: Workspace, a: str, b: str, measure: str = MAIN, wanted: Wanted = ANY) -> Found:
    """Return two systems with their texts and scores.

    Args:
        a, b: names of systems or ids of evaluations; see `harness.result.select`.
        measure: a measure of `harness.measuring.measures`, or `MAIN`. Default: `MAIN`.
        wanted: the evaluations to use. Default: all.

    Raises:
        UsageError: a name or the measure is unknown, or there are no results.
        DataError: there is no common collection, or its stored texts or scores are missing.
    """
    if measure != MAIN:
        parse(measure)
    with stored_in(workspace.results) as results:
        selection = select(list(results.all()), a, [b], wanted=wanted)
    pairs = _pairs(selection)
    faced = tuple(_faced(recall(workspace, one.id), recall(workspace, other.id), measure) for one, other in pairs)
    known = [*selection.notes, *(note for pair in pairs for note in pair[0].collection.notes)]
    notes = tuple(dict.fromkeys([*known, *bm25_notes(of_stored(one for pair in pairs for one in pair))]))
    return Found(selection.baseline.label, selection.candidates[0].label, faced, pairs, notes)


def _pairs(selection: StoredSelection) -> tuple[tuple[Stored, Stored], ...]:
    return tuple(zip(selection.baseline.members[0], selection.candidates[0].members[0], strict=True))


def _faced(a: Recalled, b: Recalled, measure: str) -> PairedTexts:
    (name,) = ordinary_measures(a.collection, [] if measure == MAIN else [measure])
    return facing(a, b, parse(name))

"""Remarks about the evaluations in a comparison."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.judging.compare.selection import StoredSelection
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from harness.result.stored import Stored


def declared(selection: StoredSelection) -> list[str]:
    """Return lines about samples, notes of the collections, BM25's stemming, and imported values that are known to be
    wrong, each once."""
    about = [note for one in selection.baseline.members[0] for note in _of(one)]
    known = [f"{one.key.label} on {one.collection.name}: {one.wrong}" for one in _all(selection) if one.wrong]
    return list(dict.fromkeys([*about, *bm25_notes(of_stored(_all(selection))), *known]))


def wrong(selection: StoredSelection) -> tuple[str, ...]:
    """Return the systems with a value that is known to be wrong."""
    systems = (selection.baseline, *selection.candidates)
    return tuple(one.label for one in systems if any(e.wrong for member in one.members for e in member))


def alarms(selection: StoredSelection, measures: Iterable[str]) -> tuple[str, ...]:
    """Return every stored alarm of the evaluations, except those about other measures, each once."""
    return tuple(
        dict.fromkeys(
            f"{one.collection.name}: {one.key.label}: {alarm.named}"
            for one in _all(selection)
            for alarm in one.audit.about(*measures)
        )
    )


def _all(selection: StoredSelection) -> list[Stored]:
    systems = (selection.baseline, *selection.candidates)
    return [one for system in systems for member in system.members for one in member]


def _of(stored: Stored) -> Iterator[str]:
    about = stored.collection
    if about.sampled_from:
        yield f"{about.name}: a sample of {about.counts.queries:,} of its {about.sampled_from:,} queries"
    yield from about.notes

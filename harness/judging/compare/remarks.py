"""What a reader of a comparison has to know of the evaluations that it rests on."""

from __future__ import annotations

from collections.abc import Container, Iterator

from harness.data.notes import stored_notes
from harness.judging.compare.selection import StoredSelection
from harness.measuring.alarms.alarm import as_stored
from harness.result.select import label_of
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from harness.result.stored import Stored


def declared(selection: StoredSelection) -> list[str]:
    """Samples and notes of the collections, how BM25 stems, and what is known against imported values, each once."""
    about = [note for one in selection.baseline.members[0] for note in _of(one)]
    known = [f"{label_of(one)} on {one.collection.name}: {one.wrong}" for one in _all(selection) if one.wrong]
    return list(dict.fromkeys([*about, *bm25_notes(of_stored(_all(selection))), *known]))


def wrong(selection: StoredSelection) -> tuple[str, ...]:
    """The systems with a value that is known to be wrong."""
    systems = (selection.baseline, *selection.candidates)
    return tuple(one.label for one in systems if any(e.wrong for member in one.members for e in member))


def alarms(selection: StoredSelection, measures: Container[str]) -> tuple[str, ...]:
    """Every stored alarm of the evaluations, but for those about other measures, each once."""
    return tuple(
        dict.fromkeys(
            f"{one.collection.name}: {label_of(one)}: {alarm['message']} [{alarm['name']}]"
            for one in _all(selection)
            for alarm in as_stored(one.audit.get("alarms"))
            if alarm.get("measure") is None or alarm["measure"] in measures
        )
    )


def _all(selection: StoredSelection) -> list[Stored]:
    systems = (selection.baseline, *selection.candidates)
    return [one for system in systems for member in system.members for one in member]


def _of(stored: Stored) -> Iterator[str]:
    about, counts = stored.collection, stored.collection.counts
    if about["sampled_from"] and isinstance(counts, dict):
        yield f"{about['name']}: a sample of {counts['queries']:,} of its {about['sampled_from']:,} queries"
    yield from stored_notes(about)

"""What a reader of a comparison has to know of the evaluations that it rests on."""

from __future__ import annotations

from collections.abc import Container, Iterator

from harness.compare.naming import label_of
from harness.compare.selection import Selection
from harness.hazards.alarm import as_stored
from harness.stemming import notes, of_stored
from harness.store import Stored


def declared(selection: Selection) -> list[str]:
    """Samples and declared notes of the collections, and how BM25 stems, each once."""
    about = [note for one in selection.baseline.members[0] for note in _of(one)]
    return list(dict.fromkeys([*about, *notes(of_stored(_evaluations(selection)))]))


def alarms(selection: Selection, measures: Container[str]) -> tuple[str, ...]:
    """Every stored alarm of the evaluations, but for those about other measures, each once."""
    return tuple(
        dict.fromkeys(
            f"{one.collection['name']}: {label_of(one)}: {alarm['message']} [{alarm['name']}]"
            for one in _evaluations(selection)
            for alarm in as_stored(one.audit.get("alarms"))
            if alarm.get("measure") is None or alarm["measure"] in measures
        )
    )


def _evaluations(selection: Selection) -> list[Stored]:
    systems = (selection.baseline, *selection.candidates)
    return [one for system in systems for member in system.members for one in member]


def _of(stored: Stored) -> Iterator[str]:
    about, counts, rules = stored.collection, stored.collection["counts"], stored.collection["rules"]
    if about["sampled_from"] and isinstance(counts, dict):
        yield f"{about['name']}: a sample of {counts['queries']:,} of its {about['sampled_from']:,} queries"
    if isinstance(rules, dict) and rules.get("note"):
        yield str(rules["note"])

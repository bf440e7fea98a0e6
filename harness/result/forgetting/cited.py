"""Results that something else refers to: accepted systems, the anchor of a policy, records of adaptations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from adapters.errors import UsageError
from harness.result.adaptation.reading import read_record
from harness.result.rows import Row
from harness.result.select import systems_named
from harness.result.store import Results
from harness.result.stored import Stored
from harness.result.typed import parsed, typed
from harness.workspace import Workspace


def citations(workspace: Workspace, stored: Sequence[Stored], anchors: Sequence[str] = ()) -> dict[str, str]:
    """Why results are needed, by their ids.

    Args:
        anchors: the names that policies give as their anchors.

    Raises:
        DataError: a look, or the record of an adaptation, cannot be read, so it is not known what it refers to.
    """
    found: dict[str, str] = {}
    for file in sorted(workspace.adaptations.glob("*.json")):
        record = read_record(file)
        found |= {one.evaluation: f"the record {file.name} cites it" for one in record.scores if one.evaluation}
    for name in anchors:
        with suppress(UsageError):  # it was not measured here
            found |= {one.id: f"the policy has the anchor '{name}'" for one in systems_named([name], stored)}
    with Results(workspace.results) as results:
        for accepted in results.looks(_accepted):
            found |= accepted
    return found


def _accepted(look: Row) -> dict[str, str]:
    """Why the evaluations of a look are needed: it accepted a system."""
    if not look["accepted"]:
        return {}
    sides = [typed(_Side, parsed(look[side], side), side) for side in ("anchor", "candidate")]
    reason = f"accepted by {look['id']}, or its anchor"
    return {id: reason for side in sides for id in side.evaluations}


@dataclass(frozen=True)
class _Side:
    evaluations: tuple[str, ...]

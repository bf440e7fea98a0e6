"""Anchors that rest on candidates of a BM25 with another language than the first stage has now: refused, with the way
back. What is compared is what made the candidates, never a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.protocols import Identity
from harness.collection import Collection
from harness.gate.looks import Looks
from harness.gate.stage import Stage
from harness.retrieve import first_stage
from harness.stemming import spelled_as
from harness.store import Results, Stored


def refuse_accepted(stage: Stage, looks: Looks) -> None:
    """Refuse the best accepted system where all that was accepted by this measure rests on such candidates.

    Raises:
        UsageError: with the first stage that finds the old candidates.
    """
    systems = [
        system
        for look in looks.all()
        if look.accepted and look.measure == stage.measure
        for system in (look.anchor, look.candidate)
    ]
    with Results(stage.bench.workspace.results) as results:
        known = {one.id: one for one in results.all()}
    stored = [(one.name, [known[id] for id in one.evaluations if id in known]) for one in systems]
    refusals = [_refusal(stage, name, own) for name, own in stored if any(_collection(stage, one) for one in own)]
    if refusals and all(refusals):
        raise UsageError(refusals[-1])


def refuse_named(stage: Stage, name: str, stored: Iterable[Stored]) -> None:
    """Refuse an anchor of the store where all that is known of it on one of these collections rests on such candidates.

    Raises:
        UsageError: with the first stage that finds the old candidates.
    """
    by_collection: dict[object, list[str]] = {}
    for one in stored:
        by_collection.setdefault(one.collection["fingerprint"], []).append(_refusal(stage, name, [one]))
    for refusals in by_collection.values():
        if all(refusals):
            raise UsageError(refusals[-1])


def _refusal(stage: Stage, name: str, stored: Sequence[Stored]) -> str:
    """The refusal of a system; empty where the first stage finds the candidates of now."""
    for one in stored:
        collection = _collection(stage, one)
        other = collection and _other_spec(stage, collection, one)
        if other:
            return (
                f"{one.collection['name']}: '{name}' was measured on candidates of '{other}', and "
                f"'{stage.first_stage}' finds others, because it stems with the collection's language now; give "
                f"--first-stage '{other}', or measure the anchor again: name it with --anchor"
            )
    return ""


def _other_spec(stage: Stage, collection: Collection, stored: Stored) -> str | None:
    """The first stage that found the stored candidates, where it is the stage's own with another language."""

    def identity(spec: str) -> Identity:
        return first_stage(spec, stage.bench.workspace).identity(collection)

    then = stored.identity.get("retriever")
    if not isinstance(then, dict) or digest(identity(stage.first_stage)) == digest(then):
        return None
    return spelled_as(stage.first_stage, then, identity)


def _collection(stage: Stage, stored: Stored) -> Collection | None:
    return next((one for one in stage.collections if one.fingerprint == stored.collection["fingerprint"]), None)

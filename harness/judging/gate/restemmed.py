"""Refuses anchors that were measured on candidates of a BM25 with another language than the first stage has now, and
says what to do. The identities of the candidates are compared, not names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.protocols import Identity
from harness.judging.gate.looks import LookLog
from harness.judging.gate.stage import Stage
from harness.result.stemming import spelled_as
from harness.result.store import Results
from harness.result.stored import Stored
from harness.scoring.retrieve import first_stage


def refuse_accepted(stage: Stage, looks: LookLog) -> None:
    """Refuse the best accepted system if all accepted systems with this measure were measured on such candidates.

    Raises:
        UsageError: they were. The message names the first stage that finds the old candidates.
    """
    systems = [
        system
        for look in looks.all()
        if look.accepted and look.measure == stage.measure
        for system in (look.anchor, look.candidate)
    ]
    with Results(stage.reference.results) as results:
        known = {one.id: one for one in results.all()}
    held = _Held(stage)
    stored = [(one.name, [known[id] for id in one.evaluations if id in known]) for one in systems]
    _refuse([held.refusal(name, own) for name, own in stored])


def refuse_named(stage: Stage, name: str, stored: Iterable[Stored]) -> None:
    """Refuse a stored anchor if all its results on one of these collections are on such candidates.

    Raises:
        UsageError: they are. The message names the first stage that finds the old candidates.
    """
    held = _Held(stage)
    by_collection: dict[object, list[str | None]] = {}
    for one in stored:
        by_collection.setdefault(one.collection.fingerprint, []).append(held.refusal(name, [one]))
    for refusals in by_collection.values():
        _refuse(refusals)


def _refuse(refusals: Iterable[str | None]) -> None:
    """Raise the first refusal, unless a system has the current candidates. Other first stages do not count."""
    known = [one for one in refusals if one is not None]
    if known and all(known):
        raise UsageError(known[-1])


class _Held:
    """The identities of the first stages of the collections, each computed once."""

    def __init__(self, stage: Stage) -> None:
        self._spec, self._workspace = stage.first_stage, stage.session.workspace
        self._collections = {one.fingerprint: one for one in stage.collections}
        self._known: dict[tuple[str, str], Identity] = {}

    def refusal(self, name: str, stored: Sequence[Stored]) -> str | None:
        """Return why a system cannot be the anchor; empty if it was measured on the current candidates, None if it was
        not measured on candidates of this first stage."""
        found = [self._refusal(name, one) for one in stored]
        known = [one for one in found if one is not None]
        return max(known, key=bool) if known else None

    def _refusal(self, name: str, stored: Stored) -> str | None:
        fingerprint, then = stored.collection.fingerprint, stored.identity.get("retriever")
        if fingerprint not in self._collections or not isinstance(then, dict):
            return None
        if digest(self._identity(self._spec, fingerprint)) == digest(then):
            return ""
        other = spelled_as(self._spec, then, lambda spec: self._identity(spec, fingerprint))
        if other is None:
            return None
        return (
            f"{stored.collection.name}: '{name}' was measured on candidates of '{other}', and '{self._spec}' finds "
            f"others, because it stems with the collection's language now; use --first-stage '{other}', or name the "
            "anchor with --anchor to measure it again"
        )

    def _identity(self, spec: str, fingerprint: str) -> Identity:
        if (spec, fingerprint) not in self._known:
            collection = self._collections[fingerprint]
            self._known[spec, fingerprint] = first_stage(spec, self._workspace).identity(collection)
        return self._known[spec, fingerprint]

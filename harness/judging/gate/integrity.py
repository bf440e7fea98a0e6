"""Checks whether the numbers of two systems may be compared. Nothing overrides these checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.judging.gate.verdict import Findings
from harness.measuring.alarms.alarm import is_hard
from harness.result.stored import Stored

ALWAYS = ("tied-order", "constant-scores", "changed-membership")
"""Alarms that always make a candidate's number invalid. Other hard alarms count only if the anchor does not have them,
because an alarm of both systems comes from the data."""


@dataclass(frozen=True)
class _Found:
    """One alarm on one collection."""

    collection: str
    name: str
    message: str
    stops: bool


def findings(
    names: Mapping[str, str],
    anchor: Mapping[str, Stored],
    candidate: Mapping[str, Stored],
    measures: Mapping[str, str],
    cautions: Sequence[str] = (),
) -> Findings:
    """Return what makes a comparison invalid, and cautions.

    Args:
        names: the names of the collections, by fingerprint. Both sides need all of them.
        anchor, candidate: evaluations by fingerprint of the collection.
        measures: the primary measure, by fingerprint.
        cautions: cautions that are already known. Default: none.
    """
    hard, alarms = [], []
    for fingerprint, name in names.items():
        theirs, ours = anchor.get(fingerprint), candidate.get(fingerprint)
        if theirs is None or ours is None:
            hard.append(f"{name}: not measured on these queries by the {'anchor' if theirs is None else 'candidate'}")
            continue
        hard += [f"{name}: {line}" for line in _apart(theirs, ours)]
        alarms += list(_alarms(name, theirs, ours, measures[fingerprint]))
    stopping, cautioning = ([one for one in alarms if one.stops is stops] for stops in (True, False))
    return Findings((*hard, *_lines(stopping)), (*cautions, *_lines(cautioning)))


def _apart(anchor: Stored, candidate: Stored) -> Iterator[str]:
    """Yield lines about digests that must be equal for a comparison, but differ."""
    evaluators = anchor.identity.get("evaluator"), candidate.identity.get("evaluator")
    if evaluators[0] != evaluators[1]:
        yield f"the anchor was measured by evaluator {evaluators[0]}, the candidate by {evaluators[1]}; run it again"
    if anchor.collection.fingerprint != candidate.collection.fingerprint:
        yield "the anchor was measured on different content or queries; run it again"
    if None not in (anchor.dtype, candidate.dtype) and anchor.dtype != candidate.dtype:
        yield (
            f"the anchor was scored in {anchor.dtype}, the candidate in {candidate.dtype}; score both in one number "
            f"format: give the candidate ?dtype={anchor.dtype}, or accept an anchor in {candidate.dtype}"
        )
    if anchor.candidates != candidate.candidates:
        yield "anchor and candidate ranked different documents; run both with the same first stage and depth"


def _alarms(collection: str, anchor: Stored, candidate: Stored, measure: str) -> Iterator[_Found]:
    """Yield the alarms about the primary measure, and whether each stops the gate. Those of only the anchor are
    cautions."""
    theirs, ours = _messages(anchor, measure), _messages(candidate, measure)
    for name, message in ours.items():
        yield _Found(collection, name, message, is_hard(name) and (name in ALWAYS or name not in theirs))
    for name in sorted(theirs.keys() - ours.keys()):
        if is_hard(name):
            yield _Found(collection, name, f"the anchor: {theirs[name]}", False)


def _messages(one: Stored, measure: str) -> dict[str, str]:
    return {alarm.name: alarm.message for alarm in one.audit.about(measure)}


def _lines(found: Sequence[_Found]) -> Iterator[str]:
    """Yield a line per alarm, with the first collection that has it and the number of others."""
    for name in dict.fromkeys(one.name for one in found):
        same = [one for one in found if one.name == name]
        more = {0: "", 1: f"; so does {same[-1].collection}"}.get(len(same) - 1, f"; so do {len(same) - 1} more")
        yield f"{same[0].collection}: {same[0].message} [{name}]{more}"

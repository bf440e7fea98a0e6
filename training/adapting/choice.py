"""What is proposed to the gate, and in which order: chosen on dev alone. Pure functions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import KINDS, Kind

_SIMPLICITY = tuple(kind for kind in KINDS if kind not in {"base", "stage-1"})
"""Of two equally good ones the earlier is proposed. Base and stage 1 are no proposals."""


def best_first(singles: Sequence[ArmRecord], values: Mapping[str, float]) -> list[ArmRecord]:
    """Measured singles by their value on dev; equal ones in the order in which they were made."""
    return sorted((one for one in singles if one.name in values), key=lambda one: -values[one.name])


def proposals(
    arms: Sequence[ArmRecord], values: Mapping[str, float], identities: Mapping[str, Hashable], anchor: float
) -> list[ArmRecord]:
    """What may ask the gate: ahead of the anchor on dev, the best first, equal ones by simplicity.

    Args:
        values: on dev, by the name of the arm; one that was refused has none.
        identities: equal where weights are equal; of those only the first is proposed.
        anchor: the anchor's value on dev.
    """
    ahead = [one for one in arms if one.kind in _SIMPLICITY and values.get(one.name, anchor) > anchor]
    ordered = sorted(ahead, key=lambda one: (-values[one.name], _SIMPLICITY.index(one.kind)))
    once: dict[Hashable, ArmRecord] = {}
    for one in ordered:
        once.setdefault(identities[one.name], one)
    return list(once.values())


def best_of(arms: Sequence[ArmRecord], kinds: Sequence[Kind], values: Mapping[str, float]) -> ArmRecord | None:
    """The best measured arm of some kinds on dev, equal ones by simplicity; None where there is none."""
    found = [one for one in arms if one.kind in kinds and one.name in values]
    return min(found, key=lambda one: (-values[one.name], _SIMPLICITY.index(one.kind)), default=None)

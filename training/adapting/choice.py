"""Choose the proposals for the gate and their order, on dev only. Pure functions."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import KINDS, Kind

_SIMPLICITY = tuple(kind for kind in KINDS if kind not in {"base", "stage-1"})
"""Of equally good arms, the kind that comes first here is proposed. Base and stage 1 are not proposed."""


def best_first(singles: Sequence[ArmRecord], values: Mapping[str, float]) -> list[ArmRecord]:
    """The measured singles, best on dev first. Equal ones keep their order."""
    return sorted((one for one in singles if one.name in values), key=lambda one: -values[one.name])


def proposals(
    arms: Sequence[ArmRecord], values: Mapping[str, float], identities: Mapping[str, Hashable], anchor: float
) -> list[ArmRecord]:
    """The arms to propose to the gate: those ahead of the anchor on dev, best first, equal ones by simplicity.

    Args:
        values: values on dev by the name of the arm; refused arms have none.
        identities: equal for equal weights; of arms with equal weights only the first is proposed.
        anchor: the value of the anchor on dev.
    """
    ahead = [one for one in arms if one.kind in _SIMPLICITY and values.get(one.name, anchor) > anchor]
    ordered = sorted(ahead, key=lambda one: (-values[one.name], _SIMPLICITY.index(one.kind)))
    unique: dict[Hashable, ArmRecord] = {}
    for one in ordered:
        unique.setdefault(identities[one.name], one)
    return list(unique.values())


def best_of(arms: Sequence[ArmRecord], kinds: Sequence[Kind], values: Mapping[str, float]) -> ArmRecord | None:
    """The measured arm of these kinds with the best value on dev, equal ones by simplicity; None if there is none."""
    measured = [one for one in arms if one.kind in kinds and one.name in values]
    return min(measured, key=lambda one: (-values[one.name], _SIMPLICITY.index(one.kind)), default=None)

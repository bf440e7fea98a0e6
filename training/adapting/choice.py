"""Choose the proposals for the gate and their order, on dev only. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from harness.result.adaptation.record import ArmRecord
from harness.result.adaptation.vocabulary import KINDS, Kind

_SIMPLICITY = tuple(kind for kind in KINDS if kind not in {"base", "stage-1"})
"""Of equally good arms, the kind that comes first here is proposed. Base and stage 1 are not proposed."""
_FAMILY: Mapping[Kind, str] = {"linear": "soup", "slerp": "soup", "greedy": "soup", "bag": "union"}
"""The family of a kind that is not a family of its own."""


def best_first(singles: Sequence[ArmRecord], values: Mapping[str, float]) -> list[ArmRecord]:
    """The measured singles, best on dev first. Equal ones keep their order."""
    return sorted((one for one in singles if one.name in values), key=lambda one: -values[one.name])


def no_worse(parts: Sequence[ArmRecord], values: Mapping[str, float], than: str) -> list[ArmRecord]:
    """The measured parts whose value on dev is not below that of the arm `than`, in their order."""
    return [one for one in parts if one.name in values and values[one.name] >= values[than]]


def proposals(
    arms: Sequence[ArmRecord], values: Mapping[str, float], answers: Mapping[str, Hashable], anchor: float
) -> list[ArmRecord]:
    """The arms to propose to the gate: those ahead of the anchor on dev, best first, equal ones by simplicity.

    Looks go to arms that differ, so each family has one proposal: the singles, the given checkpoints, the union and its
    bags, the merges of all singles (linear, slerp and greedy), the merge of the bags, and the points of the curve. Arms
    with the same answers are one arm.

    Args:
        values: values on dev by the name of the arm; refused arms have none.
        answers: the values of every query of dev; equal for arms that dev does not distinguish.
        anchor: the value of the anchor on dev.
    """
    ahead = [one for one in arms if one.kind in _SIMPLICITY and values.get(one.name, anchor) > anchor]
    ordered = sorted(ahead, key=lambda one: (-values[one.name], _SIMPLICITY.index(one.kind)))
    unique = _first_of_each(ordered, lambda one: answers[one.name])
    return _first_of_each(unique, lambda one: _FAMILY.get(one.kind, one.kind))


def _first_of_each(arms: Iterable[ArmRecord], key: Callable[[ArmRecord], Hashable]) -> list[ArmRecord]:
    found: dict[Hashable, ArmRecord] = {}
    for one in arms:
        found.setdefault(key(one), one)
    return list(found.values())


def best_of(arms: Sequence[ArmRecord], kinds: Sequence[Kind], values: Mapping[str, float]) -> ArmRecord | None:
    """The measured arm of these kinds with the best value on dev, equal ones by simplicity; None if there is none."""
    measured = [one for one in arms if one.kind in kinds and one.name in values]
    return min(measured, key=lambda one: (-values[one.name], _SIMPLICITY.index(one.kind)), default=None)

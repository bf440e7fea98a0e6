"""Which systems are the best of a table, and what is known against those that can never be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.result.evaluation import Evaluation
from harness.result.figure import Figure


def best_of(systems: Mapping[str, Sequence[Evaluation]], values: Mapping[str, Figure]) -> list[str]:
    """The systems with the highest value; one whose value is known to be wrong is none of them."""
    sound = {name: found.value for name, found in values.items() if not any(one.wrong for one in systems[name])}
    known = [value for value in sound.values() if value is not None]
    return [name for name, value in sound.items() if known and value == max(known)]


def wrong_notes(systems: Mapping[str, Sequence[Evaluation]]) -> list[str]:
    """One sentence for every value that is known to be wrong."""
    wrong = [(name, one) for name, measured in systems.items() for one in measured if one.wrong]
    return list(dict.fromkeys(f"{name} on {one.collection.name}: {one.wrong}" for name, one in wrong))

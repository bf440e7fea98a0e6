"""What is said of one candidate against the baseline: on each collection, in each group and language, and over all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.data.suites.table import PAIRED_MEASURE
from harness.judging.compare.paired import PairedValues, design_of, weights
from harness.measuring.statistics.difference import DesignPart, Difference
from harness.measuring.statistics.effects import Effect, effect
from harness.measuring.statistics.equivalence import Equivalence, tost

Kind = Literal["macro", "collection", "group", "language"]


@dataclass(frozen=True)
class Row:
    """A candidate against the baseline over some collections. Fractions, not points."""

    kind: Kind
    name: str
    parts: tuple[PairedValues, ...]
    """One for each collection; several are macro-averaged, see `paired.weights`."""
    difference: Difference
    """Corrected over the candidates in a macro row, in any other over the rows of its kind and candidate."""
    effect: Effect
    equivalence: Equivalence | None
    """None where it was not asked for."""
    both_zero: int | None
    """Queries on which both systems have 0. A query without a relevant candidate is always among them. None for p-MRR,
    of which 0 says that nothing changed."""

    @property
    def baseline(self) -> float:
        """The macro average of the baseline's values."""
        return float(weights(self.parts) @ [np.mean(part.baseline) for part in self.parts])

    @property
    def candidate(self) -> float:
        """The macro average of the candidate's values."""
        return float(weights(self.parts) @ [np.mean(part.candidate) for part in self.parts])

    @property
    def noise(self) -> float | None:
        """The most by which scoring again can have moved the average; None unless it was measured on every part."""
        known = [part.noise for part in self.parts if part.noise is not None]
        return float(weights(self.parts) @ known) if len(known) == len(self.parts) else None

    @property
    def same_candidates(self) -> bool:
        """Whether both systems ranked the same lists, everywhere."""
        return all(part.same_candidates for part in self.parts)

    @property
    def language(self) -> str | None:
        """The language of all parts; None where they have several, or none."""
        languages = {part.language for part in self.parts}
        return next(iter(languages)) if len(languages) == 1 else None

    @property
    def in_the_noise(self) -> bool:
        """Whether scoring the same checkpoint twice has moved it as much."""
        return self.noise is not None and abs(self.difference.value) <= self.noise


@dataclass(frozen=True)
class Slice:
    """The collections of one row, by their place among all."""

    kind: Kind
    name: str
    places: tuple[int, ...]


Slices = tuple[tuple[Slice, ...], tuple[Slice, ...], tuple[Slice, ...]]
"""The rows of collections, of groups and of languages: three families of one candidate, each corrected by itself."""


def slices(parts: Sequence[PairedValues]) -> Slices:
    """A row for each collection; one for each group of several collections, such as the forums of CQADupStack, unless
    it is all there is; and one for each language, where there are several."""
    groups = [one for one in _named("group", [part.group for part in parts]) if 1 < len(one.places) < len(parts)]
    languages = _named("language", [part.language for part in parts])
    collections = (Slice("collection", part.collection, (place,)) for place, part in enumerate(parts))
    return tuple(collections), tuple(groups), tuple(languages if len(languages) > 1 else ())


def averaged(one: Slice, parts: Sequence[PairedValues]) -> DesignPart:
    """What the difference of a row is an average of."""
    return DesignPart(one.places, tuple(weights([parts[place] for place in one.places]).tolist()))


def row(
    kind: Kind, name: str, parts: Sequence[PairedValues], found: Difference, *, measure: str, margin: float | None
) -> Row:
    """One row.

    Args:
        found: the difference over these collections.
        margin: differences below it count as none, a fraction; None does not ask for equivalence.
    """
    design, deltas = design_of(parts), [part.deltas for part in parts]
    zero = sum(int(np.count_nonzero((part.baseline == 0) & (part.candidate == 0))) for part in parts)
    return Row(
        kind=kind,
        name=name,
        parts=tuple(parts),
        difference=found,
        effect=effect(design, deltas),
        equivalence=None if margin is None else tost(design, deltas, margin=margin),
        both_zero=None if measure == PAIRED_MEASURE else zero,
    )


def _named(kind: Kind, names: Sequence[str | None]) -> list[Slice]:
    found: dict[str, tuple[int, ...]] = {}
    for place, name in enumerate(names):
        if name:
            found[name] = (*found.get(name, ()), place)
    return [Slice(kind, name, places) for name, places in found.items()]

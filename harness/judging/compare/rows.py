"""The rows of a comparison: a candidate and the baseline on each collection, group and language, and over all."""

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
    """A candidate compared with the baseline over some collections. Values are fractions."""

    kind: Kind
    name: str
    parts: tuple[PairedValues, ...]
    """One for each collection. Several are macro-averaged; see `paired.weights`."""
    difference: Difference
    """A macro row is corrected over the candidates, any other row over the rows of the same kind and candidate."""
    effect: Effect
    equivalence: Equivalence | None
    """None if equivalence is not tested."""
    both_zero: int | None
    """The number of queries on which both systems have 0, including all queries without a relevant candidate. None for
    p-MRR, where 0 means that nothing changed."""

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
        """How much the average changed at most when it was scored again; None unless measured on every part."""
        known = [part.noise for part in self.parts if part.noise is not None]
        return float(weights(self.parts) @ known) if len(known) == len(self.parts) else None

    @property
    def same_candidates(self) -> bool:
        """Whether both systems ranked the same candidates on every part."""
        return all(part.same_candidates for part in self.parts)

    @property
    def language(self) -> str | None:
        """The language of all parts; None if they have several, or none."""
        languages = {part.language for part in self.parts}
        return next(iter(languages)) if len(languages) == 1 else None

    @property
    def in_the_noise(self) -> bool:
        """Whether the difference is not larger than that of the same checkpoint scored twice."""
        return self.noise is not None and abs(self.difference.value) <= self.noise


@dataclass(frozen=True)
class Slice:
    """The collections of one row, by their index among all."""

    kind: Kind
    name: str
    places: tuple[int, ...]


Slices = tuple[tuple[Slice, ...], tuple[Slice, ...], tuple[Slice, ...]]
"""The rows of collections, groups and languages: three families of one candidate, which are corrected separately."""


def slices(parts: Sequence[PairedValues]) -> Slices:
    """Return a row for each collection; for each group of several collections, such as the forums of CQADupStack,
    unless it contains all collections; and for each language, if there are several."""
    groups = [one for one in _named("group", [part.group for part in parts]) if 1 < len(one.places) < len(parts)]
    languages = _named("language", [part.language for part in parts])
    collections = (Slice("collection", part.collection, (place,)) for place, part in enumerate(parts))
    return tuple(collections), tuple(groups), tuple(languages if len(languages) > 1 else ())


def averaged(one: Slice, parts: Sequence[PairedValues]) -> DesignPart:
    """Return the part of the design that the difference of a row is averaged over."""
    return DesignPart(one.places, tuple(weights([parts[place] for place in one.places]).tolist()))


def row(
    kind: Kind, name: str, parts: Sequence[PairedValues], found: Difference, *, measure: str, margin: float | None
) -> Row:
    """Return one row.

    Args:
        found: the difference over these collections.
        margin: the margin of equivalence, a fraction; None if equivalence is not tested.
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

"""What is said of one candidate against the baseline: on each collection, in each group and language, and over all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from harness.compare.paired import Paired, weights
from harness.statistics.effects import Effect, effect
from harness.statistics.equivalence import Equivalence, tost
from harness.statistics.multiplicity import holm
from harness.suites.table import PAIRED_MEASURE

SEED = 0
FLIPS = 10_000
RESAMPLES = 10_000
LEVEL = 0.95
ALPHA = 0.05

Kind = Literal["macro", "collection", "group", "language"]


@dataclass(frozen=True)
class Row:
    """A candidate against the baseline over some collections. Fractions, not points."""

    kind: Kind
    name: str
    parts: tuple[Paired, ...]
    """One for each collection; several are macro-averaged, see `paired.weights`."""
    effect: Effect
    adjusted_p: float
    """Holm: a macro row over the candidates, any other over the rows of its kind."""
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
    def significant(self) -> bool:
        """Whether the adjusted p-value is at most 0.05."""
        return self.adjusted_p <= ALPHA

    @property
    def in_the_noise(self) -> bool:
        """Whether scoring the same checkpoint twice has moved it as much."""
        return self.noise is not None and abs(self.effect.delta) <= self.noise


def row(kind: Kind, name: str, parts: Sequence[Paired], measure: str, margin: float | None) -> Row:
    """One row; the p-value is not adjusted yet, see `adjusted`.

    Args:
        margin: differences below it count as none, a fraction; None does not ask for equivalence.
    """
    deltas, votes = [part.deltas for part in parts], weights(parts)
    zero = sum(int(np.count_nonzero((part.baseline == 0) & (part.candidate == 0))) for part in parts)
    found = effect(deltas, votes, resamples=RESAMPLES, flips=FLIPS, level=LEVEL, seed=SEED)
    return Row(
        kind=kind,
        name=name,
        parts=tuple(parts),
        effect=found,
        adjusted_p=found.p,
        equivalence=None if margin is None else tost(deltas, votes, margin=margin),
        both_zero=None if measure == PAIRED_MEASURE else zero,
    )


def adjusted(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with their p-values adjusted for each other."""
    p_values = holm([one.effect.p for one in rows])
    return tuple(replace(one, adjusted_p=p) for one, p in zip(rows, p_values, strict=True))


def collection_rows(parts: Sequence[Paired], measure: str, margin: float | None) -> tuple[Row, ...]:
    """One row for each collection."""
    return adjusted([row("collection", part.collection, [part], measure, margin) for part in parts])


def group_rows(parts: Sequence[Paired], measure: str, margin: float | None) -> tuple[Row, ...]:
    """One row for each group of several collections, such as the forums of CQADupStack, unless it is all there is."""
    groups = dict.fromkeys(part.group for part in parts if part.group)
    members = {str(group): [part for part in parts if part.group == group] for group in groups}
    several = {group: found for group, found in members.items() if 1 < len(found) < len(parts)}
    return adjusted([row("group", group, found, measure, margin) for group, found in several.items()])


def language_rows(collections: Sequence[Row], measure: str, margin: float | None) -> tuple[Row, ...]:
    """One row for each language, where there are several, from the rows of the collections."""
    members: dict[str, list[Row]] = {}
    for one in collections:
        if one.language:
            members.setdefault(one.language, []).append(one)
    if len(members) < 2:
        return ()
    return adjusted(
        [
            replace(found[0], kind="language", name=name)
            if len(found) == 1
            else row("language", name, [part for one in found for part in one.parts], measure, margin)
            for name, found in members.items()
        ]
    )

"""The values of a system under one perturbation, query by query: what is stored, shown and tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.measuring.robustness.perturbations import PERTURBATIONS

Floats64 = npt.NDArray[np.float64]
RELEVANT, ANY = "margin to relevant", "margin to all"
"""What is stored of an attack: the score of the attacking document minus that of the best candidate that is judged
relevant, and minus that of the best candidate. The attack succeeds where it is not below 0."""
MARGINS = (RELEVANT, ANY)


@dataclass(frozen=True, eq=False)
class Perturbed:
    """One measure of one system on one collection, under one perturbation."""

    name: str
    """The name of the perturbation."""
    measure: str
    """A measure such as nDCG@10, whose values are fractions; for an attack, one of `MARGINS`, in units of scores."""
    version: int
    """The version of the perturbation's definition."""
    ids: tuple[str, ...]
    """The ids of the queries."""
    values: Floats64
    """float64 [queries]."""
    changed: int
    """The number of queries with another text than without the perturbation."""
    eligible: int
    """The number of queries of the collection of which these are a sample: those with a relevant candidate and an
    unrelated document."""

    @property
    def is_attack(self) -> bool:
        """Whether the values are margins of an attack."""
        return self.measure in MARGINS

    @property
    def is_current(self) -> bool:
        """Whether the perturbation is still defined as it was."""
        known = PERTURBATIONS.get(self.name)
        return known is not None and known.version == self.version

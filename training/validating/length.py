"""V1: the lengths of queries."""

from __future__ import annotations

import numpy as np

from training.synthesis.parser import words_of
from training.validating.drawn import FULL, Effort, Features, levels_of, measured_values, roles
from training.validating.histograms import whole_numbers
from training.validating.measured import Name, ValidationRow
from training.validating.sets import QuerySet, Sets
from training.validating.two_samples import Values, kolmogorov_smirnov, wasserstein
from training.validating.words import unit_name, units


def measure(
    sets: Sets, window: tuple[int, int] | None = None, unit: str = "words", effort: Effort = FULL
) -> list[ValidationRow]:
    """Wasserstein-1 and Kolmogorov-Smirnov distances of the lengths, in words (in characters for scripts without
    spaces), and the share of queries outside of the window of the prompt.

    Args:
        window: the shortest and the longest query of the profile. None leaves this row out.
        unit: the unit of the window, `words` or `characters`.
    """
    counted = unit_name(sets.synthetic.texts)
    found = {role: _values(one) for role, one in roles(sets).items()}
    parts = {"histogram": whole_numbers({one.name: found[role] for role, one in roles(sets).items()})}
    means = levels_of(sets, found, _mean)
    rows = [
        measured_values(
            Name("V1", "length", "Wasserstein-1", counted), sets, found, wasserstein, means, "levels are means", parts,
            effort,
        ),
        measured_values(
            Name("V1", "length", "Kolmogorov-Smirnov", "share"), sets, found, kolmogorov_smirnov, effort=effort
        ),
    ]  # fmt: skip
    return rows if window is None else [*rows, _outside(sets, window, unit, effort)]


def _values(one: QuerySet) -> Values:
    return np.array([len(units(text, one.language)) for text in one.texts], float)


def _outside(sets: Sets, window: tuple[int, int], unit: str, effort: Effort) -> ValidationRow:
    found: Features[Values] = {
        role: np.array([not window[0] <= len(words_of(text, unit)) <= window[1] for text in one.texts], float)
        for role, one in roles(sets).items()
    }
    name = Name("V1", "length", f"share outside of {window[0]} to {window[1]} {unit}", "share")
    note = "`train synthesize` accepts no query outside; compare with the real ones to check the window"
    return measured_values(
        name, sets, found, lambda a, b: abs(_mean(a) - _mean(b)), levels_of(sets, found, _mean), note, effort=effort
    )


def _mean(values: Values) -> float:
    return float(values.mean()) if len(values) else float("nan")

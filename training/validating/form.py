"""V3: the types of queries, and their shares compared with those of real queries."""

from __future__ import annotations

import numpy as np

from training.validating.drawn import FULL, Effort, Features, measured_differences, measured_values, roles
from training.validating.faults.languages import asked_language
from training.validating.measured import Name, ValidationRow
from training.validating.query_types import TYPES, grammar_of, query_type
from training.validating.sets import Rows, Sets
from training.validating.two_samples import Values, chi_square, entropy, jensen_shannon

Types = Rows
"""Indices of TYPES."""


def measure(sets: Sets, effort: Effort = FULL) -> list[ValidationRow]:
    """The Jensen-Shannon divergence, in bits, of the shares of query types, with a chi-square test in `parts`; and the
    entropy of the types, which is near 0 if nearly all queries have one form.

    `parts` has the counts and shares of each set by type. The test assumes independent queries, but queries of one
    document are not independent, so rely on the floor.
    """
    declared = sets.synthetic.language
    found = {
        role: _types(one.texts, asked_language(one.texts, one.language or declared))
        for role, one in roles(sets).items()
    }
    test, note = _test(found)
    parts = {"types": list(TYPES), "counts": _by_name(sets, found), "shares": _shares(sets, found), **test}
    return [
        measured_values(
            Name("V3", "query types", "Jensen-Shannon", "bits"), sets, found,
            lambda a, b: jensen_shannon(counts(a), counts(b)), None, note, parts, effort,
        ),
        measured_differences(
            Name("V3", "entropy of the query types", "difference", "bits"), sets, found,
            lambda types: entropy(counts(types)), lambda types, rows: types[rows],
            "levels at equal numbers of queries", effort=effort,
        ),
    ]  # fmt: skip


def counts(types: Values) -> Values:
    """The number of queries of each type, in the order of TYPES."""
    return np.bincount(types.astype(np.int64), minlength=len(TYPES)).astype(float)


def _types(texts: tuple[str, ...], language: str | None) -> Values:
    grammar = grammar_of(language)
    return np.array([TYPES.index(query_type(text, grammar)) for text in texts], float)


def _test(found: Features[Values]) -> tuple[dict[str, object], str]:
    if "real" not in found:
        return {}, ""
    statistic, freedom, p = chi_square(counts(found["synthetic"]), counts(found["real"]))
    note = f"chi-square {statistic:.1f} with {freedom} degrees of freedom, p = {p:.2g}"
    return {"chi_square": statistic, "degrees_of_freedom": freedom, "p": p}, note


def _by_name(sets: Sets, found: Features[Values]) -> dict[str, list[int]]:
    return {one.name: counts(found[role]).astype(int).tolist() for role, one in roles(sets).items()}


def _shares(sets: Sets, found: Features[Values]) -> dict[str, list[float]]:
    counted = {name: np.array(each) for name, each in _by_name(sets, found).items()}
    return {name: (each / max(1, each.sum())).tolist() for name, each in counted.items()}

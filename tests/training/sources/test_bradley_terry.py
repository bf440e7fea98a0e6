"""Strengths from comparisons. What a user would lose: labels that the votes do not say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.sources.bradley_terry import Comparison, groups, strengths

VOTES = [(0, 1), (0, 1), (1, 0), (1, 2), (2, 3), (3, 1), (0, 3), (3, 4), (4, 2), (0, 4)]
BY_CHOIX = [1.3549655966570733, 0.18018913490247004, -0.8537881804090246, -0.02343900035172322, -0.6579275507987956]
"""choix 0.4.1: opt_pairwise(5, VOTES, alpha=0.01, tol=1e-12), minus the mean."""

CYCLES = [
    (2, 1),
    (3, 1),
    (6, 3),
    (6, 0),
    (0, 4),
    (5, 4),
    (7, 5),
    (7, 2),
    (5, 4),
    (2, 4),
    (3, 2),
    (1, 3),
    (6, 1),
    (7, 6),
    (7, 0),
    (0, 5),
    (2, 4),
    (7, 4),
    (6, 7),
    (6, 3),
    (3, 1),
    (5, 1),
    (5, 0),
    (2, 0),
]
CYCLES_BY_CHOIX = [
    -0.890288646,
    -1.418190962,
    -0.016796176,
    0.0292403,
    -4.397539218,
    -0.332694481,
    3.52092097,
    3.505348213,
]
"""The same for CYCLES, with tol=1e-13. 40 random sets of 3 to 100 documents differ by at most 2.1e-7."""


def wins(votes: list[tuple[int, int]]) -> list[Comparison]:
    return [(a, b, 1.0) for a, b in votes]


def test_the_strengths_are_those_of_choix() -> None:
    assert strengths(5, wins(VOTES)) == pytest.approx(BY_CHOIX, abs=1e-6)


def test_the_strengths_of_three_random_cycles_are_those_of_choix() -> None:
    assert strengths(8, wins(CYCLES)) == pytest.approx(CYCLES_BY_CHOIX, abs=1e-6)


def test_a_probability_is_that_share_of_wins() -> None:
    shares: list[Comparison] = [(0, 1, 0.75), (1, 2, 0.5)]
    votes = wins([(0, 1)] * 3 + [(1, 0)] + [(1, 2)] * 2 + [(2, 1)] * 2)
    assert strengths(3, shares * 4, 0.04) == pytest.approx(strengths(3, votes, 0.04))
    assert strengths(3, [(1, 0, 0.25), (2, 1, 0.5)]) == pytest.approx(strengths(3, shares))


def test_many_comparisons_find_the_true_strengths() -> None:
    true = np.array([1.5, 0.2, -0.4, -1.3])
    pairs = [(a, b) for a in range(4) for b in range(a)]
    shares: list[Comparison] = [(a, b, 1 / (1 + math.exp(true[b] - true[a]))) for a, b in pairs] * 500
    assert strengths(4, shares) == pytest.approx(true, abs=0.01)


def test_a_document_that_always_wins_has_a_finite_strength() -> None:
    found = strengths(3, wins([(0, 1), (0, 2), (1, 2)] * 1000))
    assert np.isfinite(found).all() and found[0] > found[1] > found[2] and found.mean() == pytest.approx(0)


def test_groups_are_what_comparisons_connect() -> None:
    assert groups(5, wins([(0, 1), (3, 4)])) == [{0, 1}, {2}, {3, 4}]
    assert groups(3, wins([(0, 2), (2, 1)])) == [{0, 1, 2}]

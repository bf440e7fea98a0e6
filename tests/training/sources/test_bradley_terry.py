"""Strengths from comparisons. What a user would lose: labels that the votes do not say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.sources.bradley_terry import PENALTY, Comparison, groups, strengths

VOTES = [(0, 1), (0, 1), (1, 0), (1, 2), (2, 3), (3, 1), (0, 3), (3, 4), (4, 2), (0, 4)]
BY_CHOIX = [1.3549655966570733, 0.18018913490247004, -0.8537881804090246, -0.02343900035172322, -0.6579275507987956]
"""choix 0.4.1: opt_pairwise(5, VOTES, alpha=0.01, tol=1e-12), minus the mean."""


def wins(votes: list[tuple[int, int]]) -> list[Comparison]:
    return [(a, b, 1.0) for a, b in votes]


def test_the_strengths_are_those_of_choix() -> None:
    assert strengths(5, wins(VOTES)) == pytest.approx(BY_CHOIX, abs=1e-6)


def test_the_strengths_of_random_cycles_are_those_of_choix() -> None:
    choix = pytest.importorskip("choix", reason="choix is not installed")
    draw = np.random.default_rng(0)
    for documents in (3, 8, 30):
        true = 2 * draw.normal(size=documents)
        votes = []
        for _ in range(3):
            cycle = draw.permutation(documents).tolist()
            for a, b in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
                votes.append((a, b) if draw.random() < 1 / (1 + math.exp(true[b] - true[a])) else (b, a))
        theirs = choix.opt_pairwise(documents, votes, alpha=PENALTY, tol=1e-13)
        assert strengths(documents, wins(votes)) == pytest.approx(theirs - theirs.mean(), abs=1e-6)


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

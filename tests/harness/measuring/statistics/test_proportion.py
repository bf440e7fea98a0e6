"""Exact intervals of a share: a user would lose that 95 % is at least 95 %."""

from __future__ import annotations

import math

import pytest

from harness.measuring.statistics.proportion import share_interval


@pytest.mark.parametrize(
    ("hits", "drawn", "wanted"),
    [(0, 30, (0.0, 0.11570)), (1, 30, (0.00084, 0.17217)), (3, 10, (0.06674, 0.65245)), (10, 10, (0.69150, 1.0))],
)
def test_without_a_population_it_is_the_interval_of_clopper_and_pearson(
    hits: int, drawn: int, wanted: tuple[float, float]
) -> None:
    assert share_interval(hits, drawn, None, 0.95) == pytest.approx(wanted, abs=1e-5)
    assert share_interval(hits, drawn, 10**6, 0.95) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(("hits", "drawn"), [(1, 1_200), (600, 1_200), (1_199, 1_200), (12_000, 20_000)])
def test_thousands_of_labels_have_the_interval_of_clopper_and_pearson(hits: int, drawn: int) -> None:
    beta = pytest.importorskip("scipy.stats").beta
    wanted = beta.ppf(0.025, hits, drawn - hits + 1), beta.ppf(0.975, hits + 1, drawn - hits)
    assert share_interval(hits, drawn, None, 0.95) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize(("drawn", "items"), [(5, 7), (10, 12), (10, 60), (30, 40)])
def test_every_share_of_a_population_is_held_with_95_percent(drawn: int, items: int) -> None:
    for marked in range(items + 1):
        chance = 0.0
        for hits in range(drawn + 1):
            low, high = share_interval(hits, drawn, items, 0.95)
            if low - 1e-12 <= marked / items <= high + 1e-12:
                chance += math.comb(marked, hits) * math.comb(items - marked, drawn - hits) / math.comb(items, drawn)
        assert chance >= 0.95 - 1e-9, marked


def test_if_everything_is_drawn_there_is_nothing_to_estimate() -> None:
    assert share_interval(3, 10, 10, 0.95) == pytest.approx((0.3, 0.3))

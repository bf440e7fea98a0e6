"""Distances by hand, and against scipy where it is installed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.validating.two_samples import (
    chi_square,
    chi_square_tail,
    entropy,
    jensen_shannon,
    kolmogorov_smirnov,
    wasserstein,
)


def array(*values: float) -> np.ndarray:
    return np.array(values, float)


def test_wasserstein_is_how_far_the_mass_has_to_go() -> None:
    assert wasserstein(array(1, 2, 3), array(4, 5, 6)) == pytest.approx(3)
    assert wasserstein(array(0, 1), array(0, 1, 0, 1)) == 0
    assert wasserstein(array(0), array(0, 4)) == pytest.approx(2)


def test_kolmogorov_smirnov_is_the_largest_gap() -> None:
    assert kolmogorov_smirnov(array(1, 2, 3, 4), array(3, 4, 5, 6)) == pytest.approx(0.5)
    assert kolmogorov_smirnov(array(1, 2), array(1, 2, 1, 2)) == 0
    assert kolmogorov_smirnov(array(1), array(2)) == 1


def test_jensen_shannon_is_a_divergence_in_bits() -> None:
    assert jensen_shannon(array(5, 0), array(0, 3)) == pytest.approx(1)
    assert jensen_shannon(array(1, 1), array(10, 10)) == 0
    # Half of [1, 0] and half of [1/2, 1/2] is [3/4, 1/4], whose entropy is 0.811278 bits; less (0 + 1) / 2.
    assert jensen_shannon(array(4, 0), array(2, 2)) == pytest.approx(0.311278, abs=1e-6)


def test_entropy_is_in_bits() -> None:
    assert entropy(array(1, 1, 1, 1)) == 2
    assert entropy(array(9, 0)) == 0
    assert math.isnan(entropy(array(0, 0)))


def test_chi_square_of_a_table_of_two_by_two() -> None:
    # Expected are 15 and 15 in both rows: 4 * 25 / 15.
    statistic, freedom, p = chi_square(array(10, 20), array(20, 10))
    assert statistic == pytest.approx(6.66667, abs=1e-5)
    assert freedom == 1
    assert p == pytest.approx(0.00982, abs=1e-5)


def test_empty_columns_add_no_degree_of_freedom() -> None:
    assert chi_square(array(10, 0, 20), array(20, 0, 10)) == chi_square(array(10, 20), array(20, 10))
    assert chi_square(array(10, 0), array(20, 0)) == (0.0, 0, 1.0)


@pytest.mark.parametrize(
    ("statistic", "freedom", "p"), [(3.841459, 1, 0.05), (5.991465, 2, 0.05), (7.814728, 3, 0.05), (18.307, 10, 0.05)]
)
def test_the_tail_is_that_of_the_tables(statistic: float, freedom: int, p: float) -> None:
    assert chi_square_tail(statistic, freedom) == pytest.approx(p, abs=1e-5)


def test_a_huge_statistic_has_no_chance_and_no_overflow() -> None:
    assert chi_square_tail(5000, 9) == pytest.approx(0, abs=1e-300)
    assert chi_square_tail(0, 3) == 1


def test_no_values_have_no_distance() -> None:
    assert math.isnan(wasserstein(array(), array(1)))
    assert math.isnan(kolmogorov_smirnov(array(1), array()))
    assert math.isnan(jensen_shannon(array(0, 0), array(1, 0)))


def test_scipy_agrees() -> None:
    stats = pytest.importorskip("scipy.stats")
    spatial = pytest.importorskip("scipy.spatial.distance")
    draw = np.random.default_rng(0)
    for _ in range(20):
        a, b = draw.poisson(8, 37).astype(float), draw.poisson(9, 50).astype(float)
        assert wasserstein(a, b) == pytest.approx(stats.wasserstein_distance(a, b))
        assert kolmogorov_smirnov(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic)
        p, q = draw.poisson(6, 7).astype(float) + 1, draw.poisson(9, 7).astype(float) + 1
        assert jensen_shannon(p, q) == pytest.approx(spatial.jensenshannon(p, q, 2) ** 2)
        expected = stats.chi2_contingency(np.array([p, q]), correction=False)
        assert chi_square(p, q) == pytest.approx((expected.statistic, expected.dof, expected.pvalue))

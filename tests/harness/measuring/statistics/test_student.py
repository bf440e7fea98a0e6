"""The t distribution without scipy gives scipy's values."""

from __future__ import annotations

import math

import pytest

from harness.measuring.statistics.student import quantile, survival


@pytest.mark.parametrize(
    ("t", "freedom", "tail"),  # scipy.stats.t.sf
    [
        (0.0, 3, 0.5),
        (1.5, 1, 0.18716704181099886),
        (2.0, 7.3, 0.041970519667051565),
        (-1.0, 12, 0.8314754710232077),
        (6.0, 40, 2.3632275663940903e-07),
        (12.0, 200, 1.2110680026233124e-25),
    ],
)
def test_tails_are_scipys(t: float, freedom: float, tail: float) -> None:
    assert survival(t, freedom) == pytest.approx(tail, rel=1e-9)


@pytest.mark.parametrize(
    ("level", "freedom", "t"),  # scipy.stats.t.ppf
    [
        (0.95, 1, 6.313751514675037),
        (0.95, 2.5, 2.5582186141359355),
        (0.975, 9, 2.262157162798205),
        (0.99, 30, 2.457261542400591),
        (0.95, 161.12, 1.6543659263853163),
        (0.9, 12345.0, 1.281620146428643),
        (0.05, 4, -2.131846786326651),
    ],
)
def test_quantiles_are_scipys(level: float, freedom: float, t: float) -> None:
    assert quantile(level, freedom) == pytest.approx(t, rel=1e-8)


def test_many_degrees_of_freedom_are_the_normal_distribution() -> None:
    assert quantile(0.975, math.inf) == pytest.approx(1.959963984540054)
    assert survival(1.959963984540054, math.inf) == pytest.approx(0.025)
    assert quantile(0.975, 9.9e6) == pytest.approx(quantile(0.975, 1.1e7), rel=1e-6)


def test_the_quantile_undoes_the_tail() -> None:
    for freedom in (0.5, 1, 3.3, 77, 1e6):
        for level in (0.5001, 0.8, 0.999, 1 - 1e-9):
            assert survival(quantile(level, freedom), freedom) == pytest.approx(1 - level, rel=1e-6)


def test_what_is_unknown_stays_unknown() -> None:
    assert math.isnan(survival(math.nan, 3))
    assert math.isnan(quantile(0.9, math.nan))
    assert survival(math.inf, 3) == 0
    assert survival(-math.inf, 3) == 1
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(1.0, 3)

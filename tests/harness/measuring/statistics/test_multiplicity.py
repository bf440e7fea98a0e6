"""Many comparisons at once must not find something by chance more often than one would."""

from __future__ import annotations

import math

import pytest

from harness.measuring.statistics.multiplicity import holm


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_keeps_the_order_given_and_never_exceeds_one() -> None:
    assert holm([0.9, 0.8, 0.01]) == pytest.approx([1.0, 1.0, 0.03])
    assert holm([]) == []


def test_a_comparison_that_could_not_be_made_does_not_make_the_others_stricter() -> None:
    adjusted = holm([None, 0.02, float("nan"), 0.03])
    assert math.isnan(adjusted[0])
    assert math.isnan(adjusted[2])
    assert [adjusted[1], adjusted[3]] == pytest.approx([0.04, 0.04])


def test_a_p_value_of_zero_is_a_test() -> None:
    assert holm([0.0, 0.04]) == pytest.approx([0.0, 0.04])

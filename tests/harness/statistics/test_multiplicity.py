"""Many comparisons at once must not find something by chance more often than one would."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.statistics.multiplicity import holm, max_t
from harness.statistics.randomisation import randomisation_p


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


def test_one_system_needs_no_correction() -> None:
    deltas = np.random.default_rng(0).normal(0.02, 0.1, 60)
    assert max_t([[deltas]]) == [randomisation_p([deltas])]


def test_systems_that_are_copies_pay_for_one_test_only() -> None:
    deltas = np.random.default_rng(1).normal(0.02, 0.1, 60)
    alone = randomisation_p([deltas])
    assert max_t([[deltas]] * 5) == pytest.approx([alone] * 5)
    assert max(holm([alone] * 5)) == pytest.approx(5 * alone)


def test_max_t_lies_between_no_correction_and_holms() -> None:
    generator = np.random.default_rng(2)
    systems = [[generator.normal(mean, 0.1, 200)] for mean in (0.025, 0.0, 0.01)]
    alone = [randomisation_p(strata) for strata in systems]
    found = max_t(systems)
    assert all(p - 0.01 <= ours <= theirs + 0.01 for p, ours, theirs in zip(alone, found, holm(alone), strict=True))
    assert found[0] == pytest.approx(3 * alone[0], abs=0.002), "with nothing in common, three tests cost three"


def test_a_sure_winner_does_not_make_the_next_test_stricter() -> None:
    generator = np.random.default_rng(5)
    winner, next_one = generator.normal(0.1, 0.1, 200), generator.normal(0.01, 0.1, 200)
    assert randomisation_p([next_one]) > 0.05
    assert max_t([[winner], [next_one]])[1] == pytest.approx(randomisation_p([next_one]), abs=0.015)


def test_systems_of_other_spread_are_compared_by_their_evidence() -> None:
    """Without a common scale the loud system would hide the quiet one."""
    generator = np.random.default_rng(3)
    quiet, loud = generator.normal(0.005, 0.01, 100), generator.normal(0.0, 0.5, 100)
    assert max_t([[loud], [quiet]])[1] < 0.01


def test_the_correction_keeps_the_chance_of_any_false_finding() -> None:
    generator = np.random.default_rng(4)
    false = 0
    for seed in range(300):
        shared = generator.normal(0, 0.1, 30)
        systems = [[shared + generator.normal(0, 0.1, 30)] for _ in range(4)]
        false += min(max_t(systems, flips=299, seed=seed)) <= 0.1
    assert 0.05 < false / 300 < 0.155


def test_systems_on_other_queries_are_refused() -> None:
    with pytest.raises(ValueError, match="same queries"):
        max_t([[np.ones(3)], [np.ones(4)]])


def test_nothing_to_compare_has_no_p_value() -> None:
    assert max_t([]) == []
    assert all(map(math.isnan, max_t([[np.zeros(0)], [np.zeros(0)]])))
    assert max_t([[np.zeros(9)]]) == [1.0]

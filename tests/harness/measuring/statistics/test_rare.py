"""The bound under rare large losses: Student's t would let a candidate pass that fails one question in twenty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from harness.measuring.statistics.design import Floats64
from harness.measuring.statistics.equivalence import lower_bound
from harness.measuring.statistics.rare import betting_bound, cautious_bound, skewness, tail_of_losses
from tests.harness.measuring.statistics.designs import alone, like_ndcg, of, parallel

LOSS = 0.05
Law = Callable[[np.random.Generator, int], Floats64]


def rare(lost: float, gained: float = 0.0) -> Law:
    """A share of the questions loses 1.0, another gains 0.1."""

    def law(generator: np.random.Generator, size: int) -> Floats64:
        drawn = generator.random(size)
        return np.where(drawn < lost, -1.0, np.where(drawn < lost + gained, 0.1, 0.0))

    return law


def excluded(law: Law, alpha: float, size: int = 150, runs: int = 400) -> tuple[float, float]:
    """The shares of samples in which t alone and the rule exclude a loss of 5 points."""
    generator, design = np.random.default_rng(1), alone(size)
    samples = [[law(generator, size)] for _ in range(runs)]
    t = np.mean([lower_bound(design, one, alpha) > -LOSS for one in samples])
    rule = np.mean([cautious_bound(design, one, alpha).value > -LOSS for one in samples])
    return float(t), float(rule)


@pytest.mark.parametrize("law", [rare(0.05), rare(0.06, 0.1), rare(0.08, 0.3)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_a_true_loss_by_rare_losses_is_excluded_no_more_often_than_alpha(law: Law, alpha: float) -> None:
    t, rule = excluded(law, alpha)
    assert t > 1.5 * alpha, "this is what the rule is for"
    assert rule <= alpha


def test_ordinary_differences_keep_the_power_of_t() -> None:
    t, rule = excluded(like_ndcg, 0.05)
    assert t - rule < 0.03
    assert rule > 0.8


def test_the_bound_is_never_higher_than_students() -> None:
    generator = np.random.default_rng(2)
    for law in (like_ndcg, rare(0.03), rare(0.02, 0.4)):
        values = [law(generator, 80)]
        assert cautious_bound(alone(80), values, 0.05).value <= lower_bound(alone(80), values, 0.05)


def test_rare_gains_and_small_losses_do_not_change_the_test() -> None:
    losses = np.where(np.arange(150) < 5, -1.0, 0.0)
    assert tail_of_losses(alone(150), [losses]) < -0.25
    assert cautious_bound(alone(150), [losses], 0.05).test == "betting"
    for values in (-losses, losses / 10, np.zeros(150)):  # no question lost more than 20 points
        assert tail_of_losses(alone(150), [values]) == 0
        assert cautious_bound(alone(150), [values], 0.05).test == "t"


def test_a_short_tail_of_losses_enlarges_the_quantile_of_t() -> None:
    values = np.where(np.arange(500) < 40, -0.6, np.where(np.arange(500) < 240, 0.1, 0.0))
    found, student = cautious_bound(alone(500), [values], 0.05), lower_bound(alone(500), [values], 0.05)
    assert found.test == "skewed t"
    se, skew = values.std(ddof=1) / 500**0.5, skewness(alone(500), [values])
    assert found.value == pytest.approx(student + skew * (2 * 1.6479**2 + 1) / 6 * se, abs=1e-6)


def test_large_samples_with_rare_losses_keep_their_level() -> None:
    """Betting is not needed there; Student's t alone errs in 7 %."""
    _, rule = excluded(rare(0.08, 0.3), 0.05, size=500, runs=600)
    assert rule <= 0.065


def test_a_long_tail_of_losses_is_a_negative_skewness() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = rare(0.05)(np.random.default_rng(0), 150)
    assert skewness(alone(150), [values]) == pytest.approx(stats.skew(values) / 150**0.5)
    assert skewness(alone(150), [np.full(150, 0.1)]) == 0


def test_betting_does_not_depend_on_the_order_and_counts_a_question_once() -> None:
    values = rare(0.04, 0.2)(np.random.default_rng(3), 120)
    bound = betting_bound(alone(120), [values], 0.05)
    assert betting_bound(alone(120), [values[::-1]], 0.05) == pytest.approx(bound)
    assert betting_bound(parallel(3, 120), [values] * 3, 0.05) == pytest.approx(bound)


def test_differences_beyond_one_are_halved_for_betting() -> None:
    """Differences of p-MRR lie in [-2, 2]."""
    values = np.where(np.arange(100) < 4, -2.0, 0.0)
    assert betting_bound(of(values), [values], 0.05) == pytest.approx(2 * betting_bound(of(values), [values / 2], 0.05))

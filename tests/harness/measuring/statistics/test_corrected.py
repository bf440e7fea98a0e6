"""Means that labels of people correct: a user would lose that 95 % means 95 %, or the labels that a judge saves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.measuring.statistics.corrected import CorrectedMean, corrected_mean
from harness.measuring.statistics.student import quantile
from tests.skips import OPTIONAL


def made(seed: int, n: int = 40, others: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.choice([0.0, 0.5, 1.0], n + others)
    values = np.clip(0.6 * truth + generator.normal(0, 0.2, n + others) - 0.1, 0, 1)
    return truth[:n], values[:n], values[n:]


def by_hand(labels: np.ndarray, values: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """Value and half of the interval for the mean of these items, with loops."""
    n, everything = len(labels), [*values, *others]
    mean = sum(everything) / len(everything)
    corrected = []
    for left in range(n):
        rest = [row for row in range(n) if row != left]
        y, f = np.mean(labels[rest]), np.mean(values[rest])
        slope = sum((labels[row] - y) * (values[row] - f) for row in rest) / sum((values[row] - f) ** 2 for row in rest)
        corrected.append(labels[left] - slope * (values[left] - mean))
    variance = np.var(corrected, ddof=1) / n * (1 - n / len(everything))
    return float(np.mean(corrected)), quantile(0.975, n - 1) * math.sqrt(variance)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_formula_written_with_loops(seed: int) -> None:
    data = made(seed)
    found, (value, half) = corrected_mean(*data), by_hand(*data)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((value - half, value + half), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_with_many_labels_it_is_the_estimate_of_ppi_py(seed: int) -> None:
    ppi = pytest.importorskip("ppi_py", reason=OPTIONAL)
    labels, values, others = made(seed, 4000, 12000)
    found = corrected_mean(labels, values, others, population="infinite")
    theirs = float(np.ravel(ppi.ppi_mean_pointestimate(labels, values, others))[0])
    low, high = (float(np.ravel(end)[0]) for end in ppi.ppi_mean_ci(labels, values, others, alpha=0.05))
    assert found.value == pytest.approx(theirs, abs=2e-4)
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-4)


def test_what_ppi_py_gave() -> None:
    """ppi-python's power-tuned mean, for 4,000 labels and 12,000 other values."""
    found = corrected_mean(*made(0, 4000, 12000), population="infinite")
    assert (found.value, found.low, found.high) == pytest.approx(PPI, abs=2e-4)


PPI = (0.4995306, 0.49005012, 0.50901108)


@pytest.mark.parametrize("population", ["finite", "infinite"])
@pytest.mark.parametrize("n", [10, 30, 120])
def test_95_percent_of_the_intervals_hold_the_truth_and_of_the_naive_ones_hardly_any(n: int, population: str) -> None:
    generator = np.random.default_rng(n)
    truth = generator.choice([0.0, 0.5, 1.0], 400)
    values = np.clip(0.6 * truth + generator.normal(0, 0.2, 400), 0, 1)
    held = naive = 0
    for _ in range(1000):
        if population == "infinite":
            truth = generator.choice([0.0, 0.5, 1.0], 400)
            values = np.clip(0.6 * truth + generator.normal(0, 0.2, 400), 0, 1)
        order = generator.permutation(400)
        rows, rest = order[:n], order[n:]
        found = corrected_mean(truth[rows], values[rows], values[rest], population=population)  # type: ignore[arg-type]
        wanted = truth.mean() if population == "finite" else 0.5
        held += found.low <= wanted <= found.high
        naive += found.naive_low <= wanted <= found.naive_high
    assert 925 <= held <= 975
    assert naive < 100


def test_the_gain_is_the_share_of_the_variance_that_is_left() -> None:
    labels, values, others = made(3, 60, 600)
    found = corrected_mean(labels, values, others, population="infinite")
    r = np.corrcoef(labels, values)[0, 1]
    assert found.gain == pytest.approx(1 - r**2 * 600 / 660)
    ratio = ((found.high - found.low) / (found.labels_high - found.labels_low)) ** 2
    assert ratio == pytest.approx(found.gain, abs=0.06)


def test_a_judge_that_knows_nothing_is_ignored() -> None:
    labels, _, _ = made(4)
    found = corrected_mean(labels, np.full(40, 0.5), np.full(300, 0.5))
    assert (found.weight, found.correlation, found.gain) == (0.0, 0.0, 1.0)
    assert (found.value, found.low, found.high) == (found.labels_only, found.labels_low, found.labels_high)


def test_a_judge_of_one_odd_value_does_not_break_the_weight() -> None:
    labels, _, others = made(5)
    odd = np.zeros(40)
    odd[7] = 1.0
    assert np.isfinite(corrected_mean(labels, odd, others).value)


def test_without_other_items_it_is_the_mean_of_the_labels() -> None:
    labels, values, _ = made(6)
    found = corrected_mean(labels, values, np.empty(0))
    assert found.low == found.high == pytest.approx(found.value)
    assert found.value == pytest.approx(labels.mean(), abs=0.01)


def test_a_perfect_judge_needs_no_labels_but_its_own() -> None:
    labels, _, _ = made(7)
    others = np.random.default_rng(1).choice([0.0, 0.5, 1.0], 300)
    found = corrected_mean(labels, labels, others)
    assert found.value == pytest.approx(np.concatenate([labels, others]).mean())
    assert found.high - found.low < 1e-9


@pytest.mark.parametrize(
    ("labels", "values", "said"),
    [([1, 0], [1, 0], "at least 3"), ([1, 0, 1], [1, 0], "3"), ([1, 0, float("nan")], [1, 0, 1], "finite")],
)
def test_too_few_or_broken_numbers_are_refused(labels: list[float], values: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        corrected_mean(np.array(labels, float), np.array(values, float), np.zeros(3))


def test_a_mean_has_no_remarks_of_its_own() -> None:
    found: CorrectedMean = corrected_mean(*made(8))
    assert found.remarks == ()

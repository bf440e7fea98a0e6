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
    """Value and half of the interval for the mean of these items, with numpy's least squares and a loop."""
    n, items = len(labels), len(labels) + len(others)
    mean = float(np.concatenate([values, others]).mean())
    value = float(np.polyval(np.polyfit(values, labels, 1), mean))
    squares = []
    for left in range(n):
        rest = [row for row in range(n) if row != left]
        squares.append((labels[left] - np.polyval(np.polyfit(values[rest], labels[rest], 1), values[left])) ** 2)
    moved = (mean - values.mean()) ** 2 / ((values - values.mean()) ** 2).sum()
    variance = np.mean(squares) * (n - 1) / n * (1 / n - 1 / items + moved)
    return value, quantile(0.975, n - 2) * math.sqrt(variance)


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


LAWS = ("normal", "probability", "yes or no")


def population(law: str, r: float, items: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Truth and the judge's values of all items."""
    truth = generator.standard_normal(items)
    seen = r * truth + math.sqrt(1 - r * r) * generator.standard_normal(items)
    if law == "normal":
        return truth, seen
    return (truth < 0.25).astype(float), 1 / (1 + np.exp(2 * seen)) if law == "probability" else (seen < 0.25) * 1.0


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [10, 30, 60, 120])
@pytest.mark.parametrize("others", [0, 2, 10, 100, 1000])
def test_the_interval_holds_the_truth_for_few_labels_and_few_other_items(law: str, n: int, others: int) -> None:
    """93 to 97 %, with an allowance for 600 draws. Labels of 0 and 1 may be held more often."""
    generator, held = np.random.default_rng([n, others, LAWS.index(law)]), 0
    for draw in range(600):
        truth, values = population(law, (0.0, 0.5, 0.9)[draw % 3], n + others, generator)
        found = corrected_mean(truth[:n], values[:n], values[n:])
        held += found.low - 1e-12 <= truth.mean() <= found.high + 1e-12
    assert held / 600 >= 0.92
    if law == "normal" and others:
        assert held / 600 <= 0.98


@pytest.mark.parametrize("n", [3, 5])
def test_with_five_labels_the_judge_is_ignored_and_the_labels_alone_hold_the_truth(n: int) -> None:
    generator, held = np.random.default_rng(n), 0
    for _ in range(600):
        truth, values = population("yes or no", 0.9, n + 200, generator)
        found = corrected_mean(truth[:n], values[:n], values[n:])
        held += found.low <= truth.mean() <= found.high
        assert (found.weight, found.value) == (0.0, found.labels_only)
    assert held / 600 > 0.94
    assert f"{n} labels and 200 other items" in found.remarks[0]


def test_four_percent_positives_among_thirty_labels_of_a_thousand_items_are_covered() -> None:
    generator, held = np.random.default_rng(4), 0
    truth = (np.arange(1000) < 40).astype(float)
    for _ in range(600):
        order = generator.permutation(1000)
        values = np.clip(0.2 * truth + generator.uniform(0, 0.5, 1000), 0, 1)
        found = corrected_mean(truth[order[:30]], values[order[:30]], values[order[30:]])
        held += found.low <= 0.04 <= found.high
        assert found.high > found.low
    assert held / 600 > 0.94


def test_labels_that_are_all_the_same_do_not_give_a_width_of_0() -> None:
    values, others = np.linspace(0, 1, 30), np.linspace(0, 1, 970)
    found = corrected_mean(np.zeros(30), values, others)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.116, abs=0.003)  # Clopper and Pearson's is 1 - .025^(1/30) = .116
    assert "too few labels that differ (0 of 30)" in found.remarks[1]
    halves = corrected_mean(np.full(30, 0.5), values, others)
    assert math.isnan(halves.low) and math.isnan(halves.labels_high)
    assert "there is no valid interval" in halves.remarks[-1]


def test_a_judge_that_is_right_in_the_sample_does_not_give_a_width_of_0() -> None:
    labels = np.array([0.0, 1.0] * 15)
    found = corrected_mean(labels, labels, np.array([0.0, 1.0] * 100))
    assert (found.low, found.high) == (found.labels_low, found.labels_high)
    assert found.high - found.low > 0.2
    assert "too few labels differ from what it says" in found.remarks[0]


def test_the_printed_text_has_the_gain_and_the_ratio_of_the_widths() -> None:
    labels, values, others = made(3, 60, 600)
    found = corrected_mean(labels, values, others)
    ratio = (found.high - found.low) / (found.labels_high - found.labels_low)
    assert found.width_ratio == pytest.approx(ratio)
    assert f"gain 1 - r^2 N/(N + n): {found.gain:.2f}; width against labels only: {ratio:.2f}" in str(found)
    assert "naive" in str(found) and "labels only" in str(found)


def test_the_gain_is_the_formula_of_an_infinite_population() -> None:
    labels, values, others = made(3, 60, 600)
    found = corrected_mean(labels, values, others, population="infinite")
    r = np.corrcoef(labels, values)[0, 1]
    assert found.gain == pytest.approx(1 - r**2 * 600 / 660)
    assert found.width_ratio**2 == pytest.approx(found.gain, abs=0.06)


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


@pytest.mark.parametrize("labels", [[1, 0, 1, 1, 0, 1, 1, 0, 1, 1], [0, 0.5, 1, 0.5, 0.2, 0, 0.7, 1, 1, 0.1, 0.9]])
def test_if_everything_is_labelled_it_is_the_mean_of_the_labels(labels: list[float]) -> None:
    values = np.random.default_rng(6).uniform(0, 1, len(labels))
    found = corrected_mean(np.array(labels), values, np.empty(0))
    assert found.value == found.low == found.high == pytest.approx(np.mean(labels), abs=1e-15)
    assert found.remarks == ()


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

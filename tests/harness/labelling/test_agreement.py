"""Figures of agreement are those of scikit-learn, and thresholds are the best ones. A user would lose comparability."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from harness.labelling import agreement
from harness.labelling.agreement import JudgedClaims, best_cut, confusion, graded, grades_of, logistic
from tests.skips import OPTIONAL

GRADES = (0.0, 0.5, 1.0)
TRUTH = np.array([0, 0, 1, 1, 1, 2, 2, 2, 2, 1, 0, 2])
GIVEN = np.array([0, 1, 1, 2, 1, 2, 2, 1, 0, 1, 0, 2])
VALUES = np.array([0.1, 0.4, 0.4, 0.8, 0.5, 0.9, 0.7, 0.4, 0.2, 0.6, 0.1, 1.0])
ONES = np.ones((1, len(TRUTH)))
SKLEARN = {"accuracy": 0.666667, "kappa": 0.494737, "weighted kappa": 0.522727, "AUC": 0.714286, "balanced": 0.672222}
"""By scikit-learn 1.9, to six digits."""


def ours() -> dict[str, float]:
    counts = confusion(TRUTH, GIVEN, 3, ONES)
    return {
        "accuracy": float(agreement.accuracy(counts)[0]),
        "kappa": float(agreement.kappa(counts)[0]),
        "weighted kappa": float(agreement.kappa(counts, np.array(GRADES))[0]),
        "AUC": float(agreement.auc(TRUTH == 2, VALUES, ONES)[0]),
        "balanced": float(agreement.balanced_accuracy(counts)[0]),
    }


def test_figures_are_those_that_scikit_learn_gave() -> None:
    assert ours() == pytest.approx(SKLEARN, abs=1e-6)


def test_figures_are_those_of_scikit_learn_on_many_lists() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason=OPTIONAL)
    generator = np.random.default_rng(0)
    for _ in range(50):
        truth, given = generator.integers(0, 3, (2, 40))
        values = generator.integers(0, 8, 40) / 7
        counts, ones = confusion(truth, given, 3, np.ones((1, 40))), np.ones((1, 40))
        assert agreement.kappa(counts)[0] == pytest.approx(metrics.cohen_kappa_score(truth, given))
        weighted = metrics.cohen_kappa_score(truth, given, weights="quadratic")
        assert agreement.kappa(counts, np.array(GRADES))[0] == pytest.approx(weighted)
        assert agreement.auc(truth == 2, values, ones)[0] == pytest.approx(metrics.roc_auc_score(truth == 2, values))
        assert agreement.balanced_accuracy(counts)[0] == pytest.approx(metrics.balanced_accuracy_score(truth, given))


def test_a_weight_of_two_is_a_unit_that_is_drawn_twice() -> None:
    times = np.array([[2, 0, 1, 1, 3, 1, 0, 2, 1, 1, 1, 0]], np.float64)
    rows = np.repeat(np.arange(12), times[0].astype(int))
    ones = np.ones((1, len(rows)))
    for figure in (agreement.auc, agreement.calibration_error):
        twice = figure(TRUTH == 2, VALUES, times)
        assert twice == pytest.approx(figure(TRUTH[rows] == 2, VALUES[rows], ones))
    assert confusion(TRUTH, GIVEN, 3, times) == pytest.approx(confusion(TRUTH[rows], GIVEN[rows], 3, ones))


def test_the_calibration_error_is_the_mean_distance_of_the_bins() -> None:
    chances, supported = np.array([0.1, 0.15, 0.95, 1.0]), np.array([False, True, True, True])
    wanted = 0.5 * abs(0.125 - 0.5) + 0.5 * abs(0.975 - 1)
    assert agreement.calibration_error(supported, chances, np.ones((1, 4)))[0] == pytest.approx(wanted)


def test_the_threshold_is_the_best_of_all() -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        values, above = generator.integers(0, 6, 20) / 5, generator.random(20) < 0.5
        if len(np.unique(values)) < 2 or len(np.unique(above)) < 2:
            continue

        def balanced(cut: float, values=values, above=above) -> float:  # type: ignore[no-untyped-def]
            given = values >= cut
            return float((given[above].mean() + (~given[~above]).mean()) / 2)

        cuts = (np.unique(values)[1:] + np.unique(values)[:-1]) / 2
        assert balanced(best_cut(values, above)) == pytest.approx(max(map(balanced, cuts)))
    assert best_cut(np.array([0.3, 0.3]), np.array([True, False])) == 0.3


def test_the_logistic_function_is_finite_where_a_threshold_separates_all() -> None:
    values = np.array([-3.0, -2, -1, 1, 2, 3])
    slope, intercept = logistic(values, values > 0)
    assert np.isfinite([slope, intercept]).all()
    assert slope > 0
    assert abs(intercept) < 1e-6
    assert np.isfinite(logistic(np.full(4, 2.0), np.array([True, False, True, True]))).all()


def test_the_logistic_function_finds_the_one_that_made_the_data() -> None:
    generator = np.random.default_rng(2)
    values = generator.normal(2, 3, 20_000)
    supported = generator.random(20_000) < 1 / (1 + np.exp(-(0.7 * values - 1)))
    assert logistic(values, supported) == pytest.approx((0.7, -1), abs=0.06)


def test_many_different_labels_are_two_grades() -> None:
    labels = np.linspace(0, 1, 11)
    assert grades_of(labels) == (0.0, 1.0)
    assert graded(labels, (0.0, 1.0), 0.8).tolist() == [0] * 8 + [1] * 3
    assert graded(np.array([1, 0, 0.5]), GRADES, 1.0).tolist() == [2, 0, 1]


def verdicts(clusters: tuple[str, ...]) -> JudgedClaims:
    return JudgedClaims(GRADES, TRUTH, GIVEN, TRUTH == 2, VALUES >= 0.65, VALUES, VALUES, clusters, "data")


def test_every_figure_has_an_interval_of_whole_clusters() -> None:
    alone = verdicts(tuple(f"q{n}" for n in range(12))).figures
    for name, figure in alone.items():
        assert not figure.low > figure.value, name
        assert not figure.value > figure.high + 1e-12 or name == "ECE", name
    together = verdicts(tuple(f"q{n // 4}" for n in range(12))).figures
    assert together["accuracy"].value == alone["accuracy"].value
    assert together["accuracy"] != alone["accuracy"]
    one = verdicts(("q",) * 12).figures["accuracy"]
    assert one.value == alone["accuracy"].value
    assert np.isnan([one.low, one.high]).all()


def test_the_reliability_has_every_claim_once() -> None:
    bins = verdicts(("q",) * 12).reliability
    assert sum(size for _, _, size in bins) == 12
    assert all(0 <= chance <= 1 and 0 <= share <= 1 for chance, share, _ in bins)


def test_precision_and_recall_are_those_of_the_grades() -> None:
    found = verdicts(tuple(f"q{n}" for n in range(12))).figures
    for place, grade in product(range(3), ("precision", "recall")):
        given, truth = np.equal(GIVEN, place), np.equal(TRUTH, place)
        right = (given & truth).sum() / (given if grade == "precision" else truth).sum()
        assert found[f"{grade} {GRADES[place]:g}"].value == pytest.approx(right)

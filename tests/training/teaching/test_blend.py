"""Scores of teachers on one scale. What a user would lose: a teacher that drowns the others, or noisy labels."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.errors import ModelError, UsageError
from training.teaching.blend import Map, blended, calibrate, mapped, shares_of

LOGITS = np.array([-9.0, -3.0, 2.0, 10.0], np.float32)
COSINES = np.array([0.9, 0.4, 0.5, 0.6], np.float32)


def test_one_teachers_scores_stay_raw() -> None:
    assert blended([LOGITS], [], ["a"]).tolist() == LOGITS.tolist()


def test_teachers_of_other_scales_have_the_say_that_their_weights_give_them() -> None:
    both = blended([LOGITS, COSINES], [1, 1], ["a", "b"])
    assert both == pytest.approx(blended([LOGITS * 100, COSINES], [1, 1], ["a", "b"]))
    standard = (LOGITS - LOGITS.mean()) / LOGITS.std()
    other = (COSINES - COSINES.mean()) / COSINES.std()
    assert blended([LOGITS, COSINES], [3, 1], ["a", "b"]) == pytest.approx(0.75 * standard + 0.25 * other)


def test_a_teacher_with_nan_is_refused() -> None:
    with pytest.raises(ModelError, match="a: 1 scores are not finite"):
        blended([np.array([1.0, np.nan]), np.array([1.0, 2.0])], [], ["a", "b"])


def test_a_teacher_that_says_one_thing_is_refused() -> None:
    with pytest.raises(ModelError, match=r"a: all 3 scores are 0\.5"):
        calibrate(np.full(3, 0.5), "a")


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, float("inf")], [1.0, 1.0, 1.0]])
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(UsageError, match="one weight above 0"):
        blended([LOGITS, COSINES], weights, ["a", "b"])


@pytest.mark.parametrize("name", ["none", "standard", "logistic", "unit"])
def test_every_map_keeps_the_order(name: Map) -> None:
    scores = mapped(LOGITS.astype(np.float64), name)
    assert (np.diff(scores) > 0).all()
    assert name != "unit" or (scores.min(), scores.max()) == (0, 1)


def test_calibration_tells_how_the_scores_lie() -> None:
    known = calibrate(LOGITS, "a")
    assert (known.pairs, known.distinct, known.smallest, known.largest) == (4, 4, -9, 10)
    assert known.sd == pytest.approx(LOGITS.std())
    assert known.quantiles["0.5"] == pytest.approx(-0.5)


def test_weights_whose_sum_is_no_number_are_refused() -> None:
    with pytest.raises(UsageError, match="too large"):
        shares_of([1e308, 1e308], 2)

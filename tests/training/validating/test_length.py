"""V1: a user would lose to see that synthetic queries are longer than real ones."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.validating.planted_queries import QUICK, Draw, asked, compared, natural, words
from training.validating.length import measure
from training.validating.sets import QuerySet, Sets


def longer(text: str, draw: Draw) -> str:
    return f"{natural(text, draw)} {' '.join(words(4, draw))}"


def test_longer_queries_are_above_the_floor_and_equal_ones_are_not() -> None:
    same, _ = measure(compared(natural), effort=QUICK)
    distance, gap = measure(compared(longer), effort=QUICK)
    assert not same.above_floor
    assert distance.above_floor and gap.above_floor
    assert distance.value == pytest.approx(4, abs=0.6)
    assert distance.levels["synthetic"] == pytest.approx(distance.levels["real"] + 4, abs=0.6)  # type: ignore[operator]
    assert gap.value is not None and 0.5 < gap.value <= 1
    assert {distance.id, gap.id} == {"V1"}


def test_the_unit_is_that_of_the_script() -> None:
    row, _ = measure(Sets(QuerySet("synthetic", ("东京在哪里", "猫"))))
    assert (row.unit, row.levels) == ("characters", {"synthetic": 3})
    row, _ = measure(Sets(QuerySet("synthetic", ("where is Tokyo", "cat"))))
    assert (row.unit, row.levels) == ("words", {"synthetic": 2})


def test_real_queries_tell_whether_the_window_is_the_right_one() -> None:
    sets = Sets(asked("synthetic", 1), asked("real", 2, query=longer))
    *_, outside = measure(sets, window=(1, 7))
    assert outside.levels["synthetic"] == 0
    assert outside.levels["real"] is not None and outside.levels["real"] > 0.5
    assert outside.above_floor
    assert "1 to 7 words" in outside.statistic


def test_the_window_counts_as_the_profile_does() -> None:
    *_, outside = measure(Sets(QuerySet("synthetic", ("东京在哪里", "猫"))), window=(2, 5), unit="characters")
    assert outside.levels == {"synthetic": 0.5}
    *_, mixed = measure(Sets(QuerySet("synthetic", ("iPhone手机",))), window=(8, 8), unit="characters")
    assert mixed.levels == {"synthetic": 0}  # a profile in characters counts Latin letters too


def test_the_histograms_of_all_sets_have_the_same_bins() -> None:
    sets = compared(longer)
    histogram = measure(sets)[0].parts["histogram"]
    counts = histogram["counts"]
    assert {name: sum(each) for name, each in counts.items()} == {"synthetic": 120, "real": 120}
    assert len({len(each) for each in counts.values()} | {len(histogram["edges"]) - 1}) == 1


def test_no_queries_are_no_error() -> None:
    empty = asked("synthetic", 1).take(np.arange(0))
    assert measure(Sets(empty), window=(1, 2))[0].levels == {"synthetic": None}
    assert measure(Sets(empty, asked("real", 2)))[0].value is None

"""Corrections belong to a selection: a mark does not depend on what else is in the table, nor on its order."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.measuring.statistics import difference as module
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import DesignPart, Difference, difference, differences
from harness.measuring.statistics.flips import FLIPS, flipped_sums
from tests.harness.measuring.statistics.designs import alone, ids, like_ndcg, numbers, parallel, same, several, stacked

# The correction


def step_down(design: Design, rows: Sequence[Sequence[Floats64]]) -> list[float]:
    """Westfall and Young's Algorithm 4.1 in loops: the signs of a question are the same for all."""
    units = np.array([design.sums(own) for own in rows])
    flipped = sum(
        flipped_sums(Questions(name, tuple(names)), units[:, design.set_of == place])
        for place, (name, names) in enumerate(design.sets.items())
    )
    spread = np.sqrt((units**2).sum(axis=1))
    observed = np.abs(units.sum(axis=1)) / spread
    under = np.abs(units.sum(axis=1)[:, None] - 2 * flipped) / spread[:, None]
    left, adjusted, largest = list(range(len(rows))), [0.0] * len(rows), 0.0
    while left:
        first = max(left, key=lambda row: observed[row])
        count = sum(1 for flip in range(FLIPS) if max(under[row, flip] for row in left) >= observed[first] - 1e-12)
        largest = max(largest, (1 + count) / (FLIPS + 1))
        adjusted[first] = largest
        left.remove(first)
    return adjusted


@pytest.mark.parametrize("design", [alone(40), alone(30, 15, weights=[1, 2]), parallel(3, 25)])
def test_the_correction_is_the_step_down_of_westfall_and_young(design: Design) -> None:
    rows = several(1, design, (0.0, 0.06, 0.03, 0.05))
    found = [one.macro for one in differences(design, stacked(rows))]
    expected = step_down(design, rows)
    assert [one.adjusted_p for one in found] == pytest.approx(expected, abs=0.02), "p doubles the smaller tail"
    assert [one.family for one in found] == [4] * 4


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), means=st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=6))
def test_a_corrected_p_value_is_never_smaller_and_a_mark_means_an_interval_without_zero(
    seed: int, means: list[float]
) -> None:
    design = parallel(2, 12)
    for one in (one.macro for one in differences(design, stacked(several(seed, design, means)))):
        assert one.p <= one.adjusted_p <= 1
        assert not one.significant or one.interval[0] > 0 or one.interval[1] < 0


def test_systems_that_are_copies_pay_for_one_test_only() -> None:
    design = alone(60)
    (row,) = several(1, design, [0.02])
    alone_p = difference(design, row).p
    found = differences(design, stacked([row] * 5))
    assert [one.macro.adjusted_p for one in found] == pytest.approx([alone_p] * 5, abs=0.006)


def test_systems_with_nothing_in_common_pay_for_every_test() -> None:
    design = alone(200)
    found = [one.macro for one in differences(design, stacked(several(11, design, (0.02, 0.0, 0.0))))]
    assert 0.005 < found[0].p < 0.05
    assert found[0].adjusted_p == pytest.approx(1 - (1 - found[0].p) ** 3, abs=0.01)


def test_a_sure_winner_does_not_make_the_next_test_stricter() -> None:
    design = alone(200)
    winner, second = several(5, design, (0.1, 0.01))
    found = differences(design, stacked([winner, second]))
    assert found[0].macro.significant
    assert found[1].macro.adjusted_p == difference(design, second).p


def test_systems_of_other_spread_are_compared_by_their_evidence() -> None:
    """Without a common scale the loud system would hide the quiet one."""
    generator = np.random.default_rng(3)
    quiet, loud = generator.normal(0.005, 0.01, 100), generator.normal(0.0, 0.5, 100)
    assert differences(alone(100), [np.stack([loud, quiet])])[1].macro.adjusted_p < 0.01


FAMILIES = [
    [DesignPart((place,), (1.0,)) for place in range(3)],
    [DesignPart((0, 1), (0.5, 0.5)), DesignPart((2,), (1.0,))],
]
DESIGN = Design((Questions("set", ids(20)), Questions("set", ids(20)[5:]), Questions("other", ids(40))), [1, 1, 2])
ROWS = several(8, DESIGN, (0.05, 0.0, -0.03, 0.02))


def test_a_local_family_are_the_parts_of_one_system_and_no_others() -> None:
    for row, found in zip(ROWS, differences(DESIGN, stacked(ROWS), FAMILIES), strict=True):
        for family, parts in zip(FAMILIES, found.local, strict=True):
            assert [one.family for one in parts] == [len(family)] * len(family)
            for part, one in zip(family, parts, strict=True):
                own = Design(tuple(DESIGN.collections[place] for place in part.places), part.weights)
                alone_ = difference(own, [row[place] for place in part.places])
                same(replace(one, adjusted_p=one.p, family=1), alone_)


def test_the_local_correction_is_the_step_down_over_the_collections() -> None:
    """Collections that share questions are flipped together, so their maximum is no larger than it must be."""
    deltas, family = [like_ndcg(np.random.default_rng(9), 60, 0.06)] * 3, FAMILIES[0]
    copies = differences(parallel(3, 60), [own[None] for own in deltas], [family])[0].local[0]
    apart = differences(alone(60, 60, 60), [own[None] for own in deltas], [family])[0].local[0]
    assert [one.adjusted_p for one in copies] == pytest.approx([copies[0].p] * 3, abs=0.006)
    assert max(one.adjusted_p for one in apart) > 1.5 * copies[0].p


def test_a_local_difference_does_not_change_when_systems_are_added() -> None:
    few = differences(DESIGN, stacked(ROWS[:1]), FAMILIES)[0]
    many = differences(DESIGN, stacked(ROWS), FAMILIES)[0]
    for one, other in zip(itertools.chain(*few.local), itertools.chain(*many.local), strict=True):
        same(one, other)
    assert few.macro.family == 1 and many.macro.family == 4


# What must not matter


def reversed_systems(rows: Sequence[Sequence[Floats64]]) -> list[Difference]:
    return [one.macro for one in differences(DESIGN, stacked(rows[::-1]))][::-1]


def reversed_collections(rows: Sequence[Sequence[Floats64]]) -> list[Difference]:
    design = Design(DESIGN.collections[::-1], DESIGN.weights[::-1])
    return [one.macro for one in differences(design, stacked([row[::-1] for row in rows]))]


def shuffled_queries(rows: Sequence[Sequence[Floats64]]) -> list[Difference]:
    orders = [np.random.default_rng(place).permutation(len(one.ids)) for place, one in enumerate(DESIGN.collections)]
    collections = tuple(
        replace(one, ids=tuple(one.ids[row] for row in order))
        for one, order in zip(DESIGN.collections, orders, strict=True)
    )
    moved = [[own[order] for own, order in zip(row, orders, strict=True)] for row in rows]
    return [one.macro for one in differences(Design(collections, DESIGN.weights), stacked(moved))]


@pytest.mark.parametrize("change", [reversed_systems, reversed_collections, shuffled_queries])
def test_the_order_of_systems_collections_and_queries_changes_nothing(
    change: Callable[[Sequence[Sequence[Floats64]]], list[Difference]],
) -> None:
    for one, other in zip(differences(DESIGN, stacked(ROWS)), change(ROWS), strict=True):
        same(one.macro, other)


def test_splitting_the_systems_into_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = differences(DESIGN, stacked(ROWS), FAMILIES)
    monkeypatch.setattr(module, "_CELLS", 1)
    for one, other in zip(whole, differences(DESIGN, stacked(ROWS), FAMILIES), strict=True):
        same(one.macro, other.macro)
        for before, after in zip(itertools.chain(*one.local), itertools.chain(*other.local), strict=True):
            same(before, after)


def test_the_correction_keeps_the_chance_of_any_false_finding() -> None:
    generator, false = np.random.default_rng(4), 0
    for _ in range(300):
        shared = generator.normal(0, 0.1, 30)
        rows = [[shared + generator.normal(0, 0.1, 30)] for _ in range(4)]
        false += any(one.macro.significant for one in differences(alone(30), stacked(rows)))
    assert 0.015 < false / 300 < 0.09


def test_a_system_with_a_nan_has_no_difference_and_takes_no_place_in_the_family() -> None:
    broken = [np.array([np.nan, *row[1:]]) if place == 2 else row for place, row in enumerate(ROWS[1])]
    found = differences(DESIGN, stacked([ROWS[0], broken, ROWS[2]]), FAMILIES)
    without = differences(DESIGN, stacked([ROWS[0], ROWS[2]]), FAMILIES)
    assert all(map(math.isnan, numbers(found[1].macro)[:-2]))
    assert [one.macro.family for one in found] == [2, 2, 2]
    same(found[0].macro, without[0].macro)
    same(found[2].macro, without[1].macro)
    parts = found[1].local[0]
    assert [one.family for one in parts] == [2, 2, 2]
    assert [math.isnan(one.adjusted_p) for one in parts] == [False, False, True]
    assert not parts[2].significant

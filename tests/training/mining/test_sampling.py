"""Which candidates a student sees. What a user would lose: the range of the teacher's scores, and repeatability."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from adapters.errors import UsageError
from adapters.identity import text_digests
from training.mining.sampling import bins_of, counts_per_bin, draw_keys, plausibility, sample
from training.stages import Plan

SCORES = np.concatenate([np.linspace(0.0, 0.1, 90), np.linspace(0.2, 1.0, 10)])
"""As of a real pool: most candidates are bad."""
OFFSETS = np.array([0, 100])
SOURCE = np.zeros(100, bool)
SOURCE[95] = True
KEYS = draw_keys(text_digests(["q"] * 100), text_digests(map(str, range(100))), seed=0)


def drawn(**changes: Any) -> list[int]:
    rows: list[int] = sample(OFFSETS, SCORES, SOURCE, KEYS, replace(Plan(per_query=10), **changes)).rows.tolist()
    return rows


def test_strata_cover_the_range_that_random_draws_miss() -> None:
    stratified, random = SCORES[drawn()], SCORES[drawn(strategy="random")]
    assert (stratified > 0.15).sum() >= 7
    assert (random > 0.15).sum() < 4


def test_no_stratum_gives_a_second_candidate_before_all_have_given_one() -> None:
    rows = np.array(drawn())
    bins = bins_of(SCORES, OFFSETS, Plan())
    assert len(set(bins[rows])) == min(10, len(set(bins)))


def test_the_source_counts_as_its_stratums_first() -> None:
    first = np.zeros(100, bool)
    first[0] = True
    bins = bins_of(SCORES, OFFSETS, Plan())
    filled = len(set(bins.tolist()))
    rows = sample(OFFSETS, SCORES, first, KEYS, Plan(per_query=filled)).rows
    assert sorted(bins[rows].tolist()) == sorted(set(bins.tolist()))


def test_top_takes_the_best_and_the_source() -> None:
    assert drawn(strategy="top", per_query=3) == [95, 98, 99]


@pytest.mark.parametrize("strategy", ["stratified", "top", "random"])
def test_the_source_is_always_shown_with_the_score_that_it_has(strategy: str) -> None:
    bad = np.zeros(100, bool)
    bad[0] = True
    rows = sample(OFFSETS, SCORES, bad, KEYS, Plan(strategy=strategy, per_query=4)).rows.tolist()  # type: ignore[arg-type]
    assert rows[0] == 0
    assert len(rows) == 4


def test_neither_the_order_of_the_pool_nor_its_company_changes_the_draw() -> None:
    order = np.random.default_rng(3).permutation(100)
    turned = sample(OFFSETS, SCORES[order], SOURCE[order], KEYS[order], Plan(per_query=10)).rows
    assert sorted(order[turned].tolist()) == drawn()


def test_another_seed_draws_others() -> None:
    other = draw_keys(text_digests(["q"] * 100), text_digests(map(str, range(100))), seed=1)
    assert sample(OFFSETS, SCORES, SOURCE, other, Plan(per_query=10)).rows.tolist() != drawn()


def test_documents_above_the_share_of_the_source_go_only_where_it_is_asked_for() -> None:
    limit = 0.95 * SCORES[95]
    kept = sample(OFFSETS, SCORES, SOURCE, KEYS, Plan(per_query=10, strategy="top"))
    dropped = sample(OFFSETS, SCORES, SOURCE, KEYS, Plan(per_query=10, strategy="top", drop_above=0.95))
    assert kept.above.tolist() == dropped.above.tolist()
    assert kept.above.sum() == 4
    assert 99 in kept.rows
    assert all(SCORES[row] <= limit or row == 95 for row in dropped.rows)


def test_a_share_of_a_logit_is_taken_where_it_means_something() -> None:
    logits = np.array([-8.0, -2.0, -1.95, 3.0])
    assert 0 <= plausibility(logits).min() < plausibility(logits).max() <= 1
    assert plausibility(SCORES).tolist() == SCORES.tolist()
    source = np.array([False, True, False, False])
    found = sample(np.array([0, 4]), logits, source, KEYS[:4], Plan(drop_above=0.95))
    assert found.above.tolist() == [False, False, True, True]  # of -2.0 itself 0.95 would be -1.9


def test_bins_have_equal_widths_over_all_queries_or_each() -> None:
    scores, offsets = np.array([0.0, 1.0, 8.0, 16.0]), np.array([0, 2, 2, 4])
    assert bins_of(scores, offsets, Plan(bins=16)).tolist() == [0, 1, 8, 15]
    assert bins_of(scores, offsets, Plan(bins=16, scope="query")).tolist() == [0, 15, 0, 15]
    assert bins_of(np.array([2.0, 2.0]), np.array([0, 2]), Plan()).tolist() == [0, 0]


def test_counts_per_bin_are_reported() -> None:
    bins = np.array([0, 0, 2])
    assert counts_per_bin(bins, np.array([0, 2]), 3) == {"pool": [2, 0, 1], "sample": [1, 0, 1]}


@pytest.mark.parametrize("wrong", [{"per_query": 1}, {"bins": 0}, {"drop_above": 1.5}])
def test_a_plan_that_cannot_be_drawn_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Plan(**wrong)

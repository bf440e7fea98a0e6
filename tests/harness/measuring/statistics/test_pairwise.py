"""Groups of a board rest on the same corrected test as every table."""

from __future__ import annotations

import numpy as np

from harness.measuring.statistics.bootstrap import rank_intervals
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import Pairwise, differences

SIZES = {"a": 60, "b": 40}
DESIGN = Design(tuple(Questions(name, tuple(map(str, range(size)))) for name, size in SIZES.items()), [0.3, 0.7])


def test_the_first_that_differs_from_the_best_is_the_one_that_the_differences_mark() -> None:
    found = []
    for seed in range(12):
        draw = np.random.default_rng(seed)
        steps = np.linspace(0, 0.05, 10)[:, None]
        values = [draw.normal(0, 0.1, (10, size)) - steps for size in SIZES.values()]
        marked = [one.macro.significant for one in differences(DESIGN, [own[:1] - own[1:] for own in values])]
        found.append(Pairwise(DESIGN, values).first_apart(0, range(1, 10)))
        assert found[-1] == next((place for place, mark in enumerate(marked) if mark), None)
    assert len(set(found)) > 2


def test_ranks_have_the_tails_of_the_ranks_under_all_draws() -> None:
    resampled = np.random.default_rng(0).normal(size=(5, 2_500)) + np.arange(5)[:, None]
    ranks = 1 + (resampled[:, None] < resampled[None]).sum(axis=1)
    low, high = np.quantile(ranks, (0.025, 0.975), axis=1, method="nearest")
    assert rank_intervals(resampled) == list(zip(low, high, strict=True))

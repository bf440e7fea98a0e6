"""The plan of an epoch: what a user would lose is an example that is never seen, or the time that padding takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adapters.batching import plan_batches
from adapters.errors import UsageError
from training.batches import Batches

LENGTHS = np.random.default_rng(0).gamma(2, 60, 1000).astype(np.int64) + 8


def test_an_epoch_sees_every_example_once() -> None:
    steps = Batches(1000, queries=16).epoch(0, LENGTHS.take)
    assert sorted(np.concatenate(steps)) == list(range(1000))
    assert len(steps) == Batches(1000, queries=16).per_epoch
    assert [len(step) for step in steps if len(step) < 16] == [1000 % 16]


def test_epochs_and_seeds_differ_and_repeat() -> None:
    batches = Batches(1000, queries=16)
    first = np.concatenate(batches.epoch(0, LENGTHS.take))
    assert (first == np.concatenate(batches.epoch(0, LENGTHS.take))).all()
    assert (first != np.concatenate(batches.epoch(1, LENGTHS.take))).any()
    assert (first != np.concatenate(replace(batches, seed=1).epoch(0, LENGTHS.take))).any()


def test_examples_of_a_step_are_about_equally_long() -> None:
    def padding(window: int) -> float:
        steps = Batches(1000, queries=16, window=window).epoch(0, LENGTHS.take)
        return float(sum(len(step) * LENGTHS[step].max() for step in steps) / LENGTHS.sum() - 1)

    assert padding(50) < 0.1
    assert padding(1) > 0.8


def test_long_and_short_steps_come_in_no_order() -> None:
    means = [LENGTHS[step].mean() for step in Batches(1000, queries=16).epoch(0, LENGTHS.take)]
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


def test_replay_is_its_share_of_every_epoch_and_draws_again() -> None:
    batches = Batches(800, replayed=200, share=0.2, queries=16)
    epochs = [np.concatenate(batches.epoch(number, LENGTHS.take)) for number in (0, 1)]
    for epoch in epochs:
        assert (epoch >= 800).mean() == 0.2 and sorted(epoch[epoch < 800]) == list(range(800))
    few = replace(batches, replayed=50)
    drawn = np.concatenate(few.epoch(0, LENGTHS.take))
    assert np.bincount(drawn[drawn >= 800] - 800).tolist() == [4] * 50, "all are drawn before one is drawn again"


def test_no_replay_without_general_data() -> None:
    assert Batches(100, replayed=0, share=0.2).per_epoch == 13


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"share": -0.1}, {"queries": 0}, {"window": 0}])
def test_plans_without_a_meaning_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Batches(10, **wrong)  # type: ignore[arg-type]


def test_calls_of_a_step_waste_little_even_where_its_documents_differ() -> None:
    rows = LENGTHS[:128]
    calls = plan_batches(rows, budget=2048)
    assert sum(len(call) * rows[call].max() for call in calls) / rows.sum() < 1.2

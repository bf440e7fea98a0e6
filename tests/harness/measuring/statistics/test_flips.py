"""The signs of a question belong to the question: they are the same in every table and on every machine."""

from __future__ import annotations

import tracemalloc
from hashlib import blake2b

import numpy as np
import pytest

from harness.measuring.statistics import flips
from harness.measuring.statistics.design import Questions
from harness.measuring.statistics.flips import FLIPS, flipped_sums
from tests.harness.measuring.statistics.designs import ids

VALUES = np.random.default_rng(0).normal(0, 0.1, (3, 150))


def signs(drawn_from: str, names: tuple[str, ...]) -> np.ndarray:  # type: ignore[type-arg]
    return flipped_sums(Questions(drawn_from, names), np.eye(len(names)))


def test_the_signs_are_the_same_on_every_machine() -> None:
    found = signs("a set", ("q1", "вопрос", "\udcff")).astype(np.uint8)
    assert blake2b(found.tobytes(), digest_size=16).hexdigest() == "6953c15fac1fcdcf4d958187696e85a3"


def test_a_question_has_the_same_signs_among_any_questions() -> None:
    whole = signs("a set", ids(100))
    assert (signs("a set", ("q7", "q3")) == whole[[7, 3]]).all()


def test_signs_are_fair_and_questions_independent() -> None:
    """Of a set, of sets, and of ids that are alike."""
    found = np.vstack([signs("a set", ids(40)), signs("b set", ids(40))]) * 2 - 1
    assert np.abs(found.mean(axis=1)).max() < 0.04
    assert np.abs(np.corrcoef(found) - np.eye(80)).max() < 0.05


def test_flipped_sums_are_the_sums_of_the_flipped_values() -> None:
    questions = Questions("a set", ids(150))
    assert flipped_sums(questions, VALUES) == pytest.approx(VALUES @ signs("a set", ids(150)))


def test_a_zero_difference_keeps_the_signs_of_the_others() -> None:
    values = VALUES.copy()
    values[:, 5] = 0
    without = flipped_sums(Questions("a set", (*ids(5), *ids(150)[6:])), np.delete(values, 5, axis=1))
    assert flipped_sums(Questions("a set", ids(150)), values) == pytest.approx(without, abs=1e-12)


def test_memory_does_not_grow_with_queries_times_flips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flips, "_BLOCK", 8)
    questions, values = Questions("a set", ids(2000)), np.ones((1, 2000))
    tracemalloc.start()
    flipped_sums(questions, values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000 < 2000 * FLIPS

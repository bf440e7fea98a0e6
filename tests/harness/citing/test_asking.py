"""The judge is asked once for each pair, and what it does not say is counted: a user would lose hours, or trust."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from adapters.errors import EnvironmentFailure, MissingExtra, ModelError
from harness.citing.asking import Asking, Verdicts, answered
from tests.cited_answers import Table


def ask(*rounds: tuple[str, str]) -> Asking[float]:
    total = 0.0
    for pair in rounds:
        [value] = yield [pair]
        total += value
    return total


def test_each_round_of_all_computations_is_one_call_without_repetitions() -> None:
    table = Table({("a", "x"): 1, ("b", "x"): 0.5, ("a", "y"): 0.25})
    found = answered(
        [ask(("a", "x"), ("b", "x")), ask(("a", "x")), ask(), ask(("a", "y"), ("a", "x"))], Verdicts(table)
    )
    assert found == [1.5, 1.0, 0.0, 1.25]
    assert table.calls == [[("a", "x"), ("a", "y")], [("b", "x")]]


def test_a_known_pair_is_not_asked_again() -> None:
    table = Table({("a", "x"): 1})
    verdicts = Verdicts(table)
    assert answered([ask(("a", "x"))], verdicts) == answered([ask(("a", "x"))], verdicts) == [1.0]
    assert len(table.calls) == verdicts.asked == 1


class Broken(Table):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> np.ndarray:  # type: ignore[type-arg]
        if "bad" in premises:
            raise self.error
        return super().judge(premises, claims)


@pytest.mark.parametrize("error", [TimeoutError("no answer in 60 s"), EnvironmentFailure("no answer in 60 s")])
def test_a_call_that_fails_leaves_its_pairs_without_a_value_and_counts_them(error: BaseException) -> None:
    verdicts = Verdicts(Broken(error), together=1)
    good, bad = verdicts.of([("good", "x"), ("bad", "x")])
    assert good == 0 and math.isnan(bad) and verdicts.missing == {"no answer in 60 s": 1}


def test_no_number_is_counted() -> None:
    verdicts = Verdicts(Table({("a", "x"): math.nan}))
    assert math.isnan(verdicts.of([("a", "x"), ("b", "x")])[0]) and verdicts.missing == {"no number (NaN)": 1}


@pytest.mark.parametrize("error", [MissingExtra("needs a package"), ModelError("no such model"), KeyError("bug")])
def test_an_error_that_no_repetition_helps_is_raised(error: BaseException) -> None:
    with pytest.raises(type(error)):
        Verdicts(Broken(error)).of([("bad", "x")])


@pytest.mark.parametrize("value", [1.5, -0.1, math.inf])
def test_a_value_that_is_no_share_is_refused_with_its_claim(value: float) -> None:
    with pytest.raises(ModelError, match=r"table: the value .* for the claim 'it is so' is not in \[0, 1\]"):
        Verdicts(Table({("a", "it is so"): value})).of([("a", "it is so")])


def test_another_number_of_values_is_refused() -> None:
    table = Table()
    table.judge = lambda *_: np.zeros(3, np.float32)  # type: ignore[method-assign]
    with pytest.raises(ModelError, match="for 2 pairs"):
        Verdicts(table).of([("a", "x"), ("b", "x")])

"""Promises of the scheduler: what goes together, what a resumed run does again, what it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.batching import (
    CallBudget,
    Calls,
    MemoryWarning,
    collect,
    default_budget,
    describe_pairs,
    input_digest,
    one_at_a_time,
    one_by_one,
    pick_device,
    plan_batches,
    shortened,
    side_by_side,
    stream_batches,
    torch_calls,
)
from adapters.errors import EnvironmentFailure, ModelError, UsageError
from adapters.protocols import Floats, Integers

lengths_and_budget = st.tuples(
    st.lists(st.integers(1, 40), max_size=60).map(lambda values: np.array(values, dtype=np.int64)), st.integers(0, 200)
)


@given(lengths_and_budget)
def test_every_row_is_in_exactly_one_batch(case: tuple[Integers, int]) -> None:
    lengths, budget = case
    rows = [int(row) for batch in plan_batches(lengths, budget=budget) for row in batch]
    assert sorted(rows) == list(range(len(lengths)))


@given(lengths_and_budget)
def test_a_batch_keeps_to_the_budget_and_holds_as_many_rows_as_it_can(case: tuple[Integers, int]) -> None:
    lengths, budget = case
    batches = plan_batches(lengths, budget=budget)
    for number, batch in enumerate(batches):
        longest = int(lengths[batch].max())
        assert len(batch) == 1 or len(batch) * longest <= budget
        if number + 1 < len(batches):
            assert (len(batch) + 1) * longest > budget


@given(lengths_and_budget)
def test_rows_come_longest_first_and_equal_ones_in_their_order(case: tuple[Integers, int]) -> None:
    lengths, budget = case
    rows = [int(row) for batch in plan_batches(lengths, budget=budget) for row in batch]
    assert rows == sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))


@given(lengths_and_budget, st.integers(0, 30))
def test_a_resumed_run_makes_the_same_batches(case: tuple[Integers, int], done: int) -> None:
    lengths, budget = case
    batches = plan_batches(lengths, budget=budget)
    finished = np.concatenate([np.empty(0, np.int64), *batches[:done]])
    left = np.setdiff1d(np.arange(len(lengths)), finished)
    again = plan_batches(lengths[left], budget=budget)
    assert [left[batch].tolist() for batch in again] == [batch.tolist() for batch in batches[done:]]


def test_a_row_longer_than_the_budget_is_scored_alone() -> None:
    assert [batch.tolist() for batch in plan_batches(np.array([5, 100, 5]), budget=10)] == [[1], [0, 2]]


def test_small_calls_on_a_cpu_and_large_ones_elsewhere() -> None:
    assert default_budget("cpu") == 2048
    assert default_budget("cuda") == 32768


def test_an_input_digest_tells_inputs_apart_and_is_the_same_on_every_machine() -> None:
    assert input_digest([101, 7, 102]) == input_digest(np.array([101, 7, 102], dtype=np.int64)) == 9113184199178816150
    assert len({input_digest(ids) for ids in ([], [0], [0, 0], [1], [1, 0], [256])}) == 6


def test_an_unknown_device_is_refused_with_the_way_out() -> None:
    assert pick_device("cpu") == "cpu"
    with pytest.raises(UsageError, match=r"device=abacus cannot be used here.*device=cpu"):
        pick_device("abacus")


class Lengths:
    """Inputs of which only the length is known."""

    def __init__(self, lengths: Integers) -> None:
        self.lengths = lengths
        self.tokens = lengths.astype(np.int32)
        self.kept = np.minimum(self.tokens, 3)

    def inputs(self, rows: Integers) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return rows.astype(np.uint64) + np.uint64(1)


def half(rows: Integers) -> Floats:
    return (rows / 2).astype(np.float32)


def test_every_batch_carries_what_the_model_saw() -> None:
    streamed = list(stream_batches(Lengths(np.array([1, 4, 2])), half, budget=4, describe=str))
    assert [scored.rows.tolist() for scored in streamed] == [[1], [2, 0]]
    assert streamed[1].tokens.tolist() == [2, 1]
    assert streamed[0].kept.tolist() == [3]
    assert streamed[1].inputs.tolist() == [3, 1]


def test_scores_come_back_in_the_order_of_the_request() -> None:
    stream = stream_batches(Lengths(np.array([1, 4, 2])), half, budget=4, describe=str)
    assert collect(stream, 3).tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused_by_name(bad: float) -> None:
    def forward(rows: Integers) -> Floats:
        return np.where(rows == 1, bad, 0).astype(np.float32)

    pairs = np.array([[0, 0], [0, 1]])
    describe = describe_pairs("tiny", ["who\nis it"], ["short", "long " * 50], pairs)
    with pytest.raises(
        ModelError, match=r"'tiny' for query 'who is it' and document 'long long .*\.\.\.' is"
    ) as caught:
        list(stream_batches(Lengths(np.array([2, 2])), forward, budget=8, describe=describe))
    assert "\n" not in str(caught.value)


def test_a_batch_before_the_bad_one_is_still_handed_out() -> None:
    def forward(rows: Integers) -> Floats:
        return np.where(rows == 0, np.nan, 1).astype(np.float32)

    stream = stream_batches(Lengths(np.array([1, 9])), forward, budget=1, describe=str)
    assert next(stream).rows.tolist() == [1]
    with pytest.raises(ModelError):
        next(stream)


def test_a_text_in_a_message_is_one_short_line() -> None:
    assert shortened("a\n  b") == "'a b'"
    assert len(shortened("x" * 500)) == 62


def test_calls_side_by_side_give_what_one_after_the_other_gives_in_the_same_order() -> None:
    batches = plan_batches(np.array([5, 9, 1, 7, 3, 3, 8]), budget=10)

    def slow_first(rows: Integers) -> Floats:
        time.sleep(0.02 if 1 in rows else 0)
        return rows.astype(np.float32)

    one = list(one_by_one(batches, slow_first))
    several = list(side_by_side(batches, slow_first, workers=3))
    assert [rows.tolist() for rows, _ in several] == [rows.tolist() for rows, _ in one]
    assert [scores.tolist() for _, scores in several] == [scores.tolist() for _, scores in one]


def test_an_error_in_a_call_beside_others_is_not_lost() -> None:
    def failing(rows: Integers) -> Floats:
        if 2 in rows:
            raise ModelError("out of memory")
        return rows.astype(np.float32)

    with pytest.raises(ModelError, match="out of memory"):
        list(side_by_side([np.array([row]) for row in range(6)], failing, workers=2))


def test_a_reader_that_stops_early_leaves_no_call_waiting() -> None:
    made: list[int] = []

    def counted(rows: Integers) -> Floats:
        made.append(int(rows[0]))
        return rows.astype(np.float32)

    stream = side_by_side((np.array([row]) for row in range(1000)), counted, workers=2)
    next(stream)
    stream.close()
    assert len(made) < 20


def test_torch_has_its_threads_back_after_a_stream() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()

    def threads(rows: Integers) -> Floats:
        return np.full(len(rows), torch.get_num_threads(), np.float32)

    seen = [scores.tolist() for _, scores in torch_calls("cpu")([np.array([0])], threads)]
    assert seen == [[1.0]]
    assert torch.get_num_threads() == before


def test_a_model_without_a_device_runs_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_DEVICE", "meta")
    assert pick_device(None) == "meta"
    assert pick_device("cpu") == "cpu"
    monkeypatch.setenv("HARNESS_DEVICE", "abacus")
    with pytest.raises(UsageError, match=r"HARNESS_DEVICE=abacus cannot be used here.*HARNESS_DEVICE=cpu"):
        pick_device(None)


def test_one_thread_at_a_time_is_in_a_guarded_function() -> None:
    inside: list[int] = []
    most: list[int] = []

    def guarded(rows: Integers) -> Floats:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.001)
        inside.pop()
        return rows.astype(np.float32)

    batches = [np.array([row]) for row in range(40)]
    found = list(side_by_side(batches, one_at_a_time(guarded), 8))
    assert [scores.tolist() for _, scores in found] == [[float(row)] for row in range(40)]
    assert max(most) == 1


def too_large_above(tokens: int, lengths: Integers, error: Exception) -> Callable[[Integers], Floats]:
    """A model whose calls fail above a number of padded tokens."""

    def forward(rows: Integers) -> Floats:
        if len(rows) * lengths[rows].max() > tokens:
            raise error
        return rows.astype(np.float32)

    return forward


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
    ids=lambda error: f"{type(error).__name__} {str(error)[:12]}",
)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_call_that_does_not_fit_is_made_again_in_smaller_ones(error: Exception, workers: int) -> None:
    lengths = np.array([8, 3, 8, 5, 8, 1, 2, 8, 4])
    kept: list[int] = []
    budget = CallBudget(64, "'tiny'", kept.append)
    forward = too_large_above(20, lengths, error)
    calls: Calls = one_by_one if workers == 1 else lambda batches, model: side_by_side(batches, model, workers)
    with pytest.warns(MemoryWarning, match="'tiny': out of memory in a call of") as caught:
        stream = list(stream_batches(Lengths(lengths), forward, budget=budget, describe=str, calls=calls))
    assert collect(iter(stream), 9).tolist() == list(range(9))
    assert [len(lengths[one.rows]) * lengths[one.rows].max() <= 20 for one in stream] == [True] * len(stream)
    assert kept == [32, 16]
    assert len(caught) == 2


def test_a_run_that_resumes_with_the_halved_budget_makes_the_same_calls() -> None:
    lengths = np.array([9, 3, 8, 5, 8, 1, 2, 8, 4, 8, 8, 3])
    forward = too_large_above(20, lengths, MemoryError())
    budget = CallBudget(32)
    with pytest.warns(MemoryWarning):
        whole = list(stream_batches(Lengths(lengths), forward, budget=budget, describe=str))
    assert budget.tokens == 16
    for done in range(len(whole)):
        finished = np.concatenate([np.empty(0, np.int64), *(one.rows for one in whole[:done])])
        left = np.setdiff1d(np.arange(len(lengths)), finished)
        again = stream_batches(Lengths(lengths[left]), half, budget=16, describe=str)
        assert [left[one.rows].tolist() for one in again] == [one.rows.tolist() for one in whole[done:]]


def test_a_pair_that_does_not_fit_alone_is_named() -> None:
    lengths = np.array([2, 30, 4])
    forward = too_large_above(20, lengths, RuntimeError("CUDA out of memory"))
    with (
        pytest.warns(MemoryWarning),
        pytest.raises(EnvironmentFailure, match=r"pair 1: the model fails: CUDA out of memory"),
    ):
        list(stream_batches(Lengths(lengths), forward, budget=64, describe=lambda row: f"pair {row}"))


def test_other_errors_leave_the_budget_as_it_is() -> None:
    budget = CallBudget(64)
    forward = too_large_above(20, np.array([8] * 8), RuntimeError("shape mismatch"))
    with pytest.raises(ModelError, match="shape mismatch"):
        list(stream_batches(Lengths(np.array([8] * 8)), forward, budget=budget, describe=str))
    assert budget.tokens == 64

"""Rows are found by the whole id. What a user would lose is a score that belongs to another document."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from harness.data import id_rows
from harness.data.arrow import strings
from harness.data.id_rows import byte_order, find_rows, stretches


def column(*parts: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([strings(part) for part in parts], pa.string())


def test_every_row_is_found_among_many_ids_and_no_other() -> None:
    random = np.random.default_rng(0)
    ids = [f"doc{n:0{random.integers(1, 14)}d}" for n in range(50_000)]
    ids = list(dict.fromkeys(ids))
    corpus = column(ids[:20_000], ids[20_000:])
    rows = random.permutation(len(ids))
    wanted = [f"{ids[row]}" if row % 5 else f"x{ids[row]}" for row in rows]
    expected = np.where(rows % 5 > 0, rows, -1)
    for few in (len(wanted), 100):
        assert (find_rows(corpus, column(wanted[:few])) == expected[:few]).all()


def test_ids_with_the_same_hash_are_not_confused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the hashes are, an id is found only where it is."""
    monkeypatch.setattr(id_rows, "_hashes", lambda words, *_: np.zeros(words.shape[1], np.uint64))
    ids = ["a", "b", "", "abcdefgh", "abcdefghi", "é"]
    assert find_rows(column(ids), column([*ids[::-1], "c", "abcdefghij"])).tolist() == [5, 4, 3, 2, 1, 0, -1, -1]


AWKWARD = [["a", "a\0", "a\0\0"], ["", "\0"], ["x" * 64, "x" * 65], ["x" * 8, "x" * 9, "x" * 7], ["é", "e\u0301"]]


@pytest.mark.parametrize("ids", AWKWARD)
def test_ids_that_differ_by_a_nul_or_at_their_end_are_different(ids: list[str]) -> None:
    rows = range(len(ids))
    assert find_rows(column(ids), column(ids[::-1], [], ids)).tolist() == [*reversed(rows), *rows]


@pytest.mark.parametrize("ids", AWKWARD)
def test_byte_order_is_that_of_the_utf8_bytes(ids: list[str]) -> None:
    mixed = [*ids[::-1], "zz", "B", "~", "日"]
    assert [mixed[row] for row in byte_order(column(mixed))] == sorted(mixed, key=str.encode)


def test_stretches_begin_where_the_id_changes() -> None:
    assert stretches(column(["a", "a", "b"], ["b", "a"])).tolist() == [0, 2, 4]
    assert stretches(column([])).tolist() == []


def test_no_ids_are_found_in_any_column_and_none_in_an_empty_one() -> None:
    assert find_rows(column(["a"]), column([])).tolist() == []
    assert find_rows(column([]), column(["a"])).tolist() == [-1]

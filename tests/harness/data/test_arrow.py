"""Arrow arrays without pandas: a run would start two seconds later, and a wrong buffer would be a wrong text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.arrow import integers, rows_of, strings, to_numpy

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=20)


@given(TEXTS)
def test_texts_are_those_of_pyarrow(texts: list[str]) -> None:
    for kind in (pa.string(), pa.large_string()):
        assert strings(texts, kind).equals(pa.array(texts, kind))


def test_half_of_a_surrogate_pair_is_refused_as_by_pyarrow() -> None:
    with pytest.raises(UnicodeEncodeError):
        strings(["\ud800"])


@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20), st.integers(0, 5))
def test_numbers_are_those_of_pyarrow_also_in_slices_and_chunks(numbers: list[int], start: int) -> None:
    for kind in (pa.int32(), pa.int64()):
        made = integers(numbers, kind)
        assert made.equals(pa.array(numbers, kind))
        assert to_numpy(made.slice(start)).tolist() == numbers[start:]
        assert to_numpy(pa.chunked_array([made, made.slice(start)])).tolist() == [*numbers, *numbers[start:]]


@given(st.lists(st.booleans(), max_size=20), st.integers(0, 5))
def test_truth_values_are_read_bit_by_bit(values: list[bool], start: int) -> None:
    found = to_numpy(pa.array(values, pa.bool_()).slice(start))
    assert (found.dtype, found.tolist()) == (np.dtype(bool), values[start:])


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(ValueError, match="1 values are null"):
        to_numpy(pa.array([1, None]))


@given(TEXTS, st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=2), unique=True, max_size=20))
def test_rows_are_the_places_of_the_names(texts: list[str], names: list[str]) -> None:
    column = pa.chunked_array([pa.array(texts, pa.string()), pa.array(names, pa.string())])
    expected = [names.index(text) if text in names else -1 for text in [*texts, *names]]
    assert rows_of(column, strings(names)).tolist() == expected


def test_a_run_imports_no_pandas(tmp_path: Path) -> None:
    """Converting a folder, searching, reranking, measuring, storing and printing."""
    pytest.importorskip("pandas", reason="pandas is not installed, so nothing can import it")
    pytest.importorskip("Stemmer", reason="BM25 needs the extra 'bm25'")
    command = ["run", "demo/en", "--first-stage", "bm25", "--depth", "5", "--reranker", "bm25", "--workspace", "ws"]
    code = "import sys; from harness.cli import main\ntry: main()\nfinally: print('pandas' in sys.modules)"
    for _ in range(2):  # the second run reads what the first one stored
        done = subprocess.run(
            [sys.executable, "-c", code, *command, "--sample-queries", "5"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "False"

"""A number in a file of scores or grades means what trec_eval reads, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.written_numbers import is_number, whole_number


@pytest.mark.parametrize(
    "text", ["1_000", "٣", "１２", "0x10", "1e", "--1", "1,5", "", " 1", "1 ", "½", "1e٣", "infinite"]
)
def test_what_only_python_takes_for_a_number_is_none(text: str) -> None:
    assert not is_number(text)


@given(st.floats())
def test_every_number_that_a_program_prints_is_one(value: float) -> None:
    assert is_number(repr(value)) and is_number(f"{value:e}") and is_number(f"{value:+g}")


@given(st.integers(-(10**18), 10**18), st.integers(0, 60), st.sampled_from(["", ".", ".0", ".000"]))
def test_a_whole_number_may_have_leading_zeros_and_an_empty_fraction(value: int, zeros: int, rest: str) -> None:
    sign = "-" if value < 0 else ""
    assert whole_number(f"{sign}{'0' * zeros}{abs(value)}{rest}") == value


@pytest.mark.parametrize("text", ["1.5", "1.50000000000000000000001", "1e3", "true", "", "+", "0x1", "1_0", "१", "nan"])
def test_other_texts_are_no_whole_numbers(text: str) -> None:
    assert whole_number(text) is None


def test_a_number_of_thousands_of_digits_stays_large() -> None:
    assert (whole_number("9" * 5000) or 0) > 2**63 > -(2**63) > (whole_number("-" + "9" * 5000) or 0)

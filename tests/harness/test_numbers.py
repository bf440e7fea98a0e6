"""Numbers are written in one way: a reader would wonder whether two forms of an interval mean two things."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from harness.numbers import (
    count,
    decimal,
    interval,
    points,
    probability,
    share,
    signed,
    signed_interval,
    signed_share,
    typographic,
)

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"harness/numbers.py", "harness/judging/why/labels.py", "training/losses.py"}
"""The module itself, and two modules whose ranges are not intervals: of lengths of texts, and of targets."""
SOURCES = [
    file
    for package in ("adapters", "harness", "training", "reports", "leaderboards")
    for file in sorted((ROOT / package).rglob("*.py"))
    if str(file.relative_to(ROOT)) not in ELSEWHERE
]
_FIELD = r"\{[^{}]*\}"
_FIGURE = r"\{[^{}]*:[+z]*\.\d[f%][^{}]*\}"
_CALL = r"\{(?:numbers\.|reasons\.|figures\.)?(?:points|signed|_points|_signed)\([^{}]*\}"
_BOUND = r"\{[^{}]*\b(?:low|high|lower|upper|bounds?|interval)\b[^{}]*\}"
BY_HAND = re.compile(
    rf"\[{_FIELD}, {_FIELD}\]|(?<!from )(?:{_FIGURE}|{_CALL}|{_BOUND}) (?:to|-|–|\.\.) (?:{_FIELD})|\" to \"\.join"
)
"""An f-string that writes both ends of an interval: in brackets, or with a word or a dash between them."""


def by_hand(text: str) -> list[str]:
    """The lines that write an interval without `harness.numbers`."""
    return [line.strip() for line in text.splitlines() if BY_HAND.search(line)]


def test_no_other_module_writes_an_interval() -> None:
    found = [f"{file.relative_to(ROOT)}: {line}" for file in SOURCES for line in by_hand(file.read_text("utf-8"))]
    assert found == [], "use harness.numbers.interval or signed_interval"


@pytest.mark.parametrize(
    "line",
    [
        'f"[{points(low)}, {points(high)}]"',
        'f"{100 * low:.1f} to {100 * high:.1f}"',
        'f"95 % interval {signed(low)} to {signed(high)}"',
        'f"{one.interval[0]} to {one.interval[1]}"',
        '" to ".join(map(points, bounds))',
        'f"({low:.0%} - {high:.0%})"',
    ],
)
def test_an_interval_that_is_written_by_hand_is_found(line: str) -> None:
    assert by_hand(line) == [line]


@pytest.mark.parametrize(
    "line", ['f"nDCG@10 from {min(means):.2f} to {max(means):.2f}"', 'f"{sizes[0]} to {sizes[-1]} questions"']
)
def test_a_range_that_is_no_interval_is_not_found(line: str) -> None:
    assert by_hand(line) == []


def test_points_have_two_decimals_or_as_many_as_are_asked_for() -> None:
    assert (points(0.12345), points(0.12345, 1), points(-0.005)) == ("12.35", "12.3", "-0.50")
    assert (signed(0.0123), signed(-0.0123, 1), signed(-0.00001)) == ("+1.23", "-1.2", "+0.00")


def test_an_interval_is_in_brackets_and_that_of_a_difference_has_signs() -> None:
    assert interval((0.012, 0.034)) == "[1.20, 3.40]"
    assert signed_interval((-0.012, 0.034)) == "[-1.20, +3.40]"
    assert signed_interval((-0.012, 0.034), 1) == "[-1.2, +3.4]"
    assert interval((0.5, 1.5), "{:.0%}".format) == "[50%, 150%]"


@pytest.mark.parametrize("unknown", [None, (math.nan, math.nan), (None, None), (None, 0.5), (0.5, math.nan)])
def test_an_interval_with_an_unknown_bound_is_a_dash(unknown: tuple[float | None, ...] | None) -> None:
    assert interval(unknown) == signed_interval(unknown) == "-"


@pytest.mark.parametrize("write", [points, signed, share, signed_share, probability, decimal])
def test_no_value_is_a_dash(write: object) -> None:
    assert callable(write) and write(None) == write(math.nan) == "-"


def test_shares_counts_and_probabilities() -> None:
    assert (share(0.5), share(0.0), share(0.0001), signed_share(-0.125)) == ("50.0 %", "0.0 %", "< 0.1 %", "-12 %")
    assert (count(12345), count(None), decimal(1234.56), decimal(1234.56, 0)) == ("12,345", "-", "1,234.6", "1,235")
    assert (probability(0.0002), probability(0.25)) == ("0.0002", "0.25")


def test_pages_have_a_typographic_minus_and_dash() -> None:
    assert (typographic(signed_interval((-0.01, 0.02))), typographic(points(None))) == ("[−1.00, +2.00]", "–")

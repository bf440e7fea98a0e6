"""A sentence after a table may call better only what is marked, and must not promise more than the data can show."""

from __future__ import annotations

import numpy as np
import pytest

from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import Difference, difference, differences
from reports.findings import finding, smallest

NAN = float("nan")
NEVER = (NAN, NAN)


def made(value: float, adjusted_p: float, interval: tuple[float, float] = (-0.02, 0.06), family: int = 5) -> Difference:
    return Difference(value, interval, adjusted_p / 2, adjusted_p, family, 0.5)


def test_only_marked_rows_are_called_better_or_worse() -> None:
    rows = [
        ("first", None), ("up", made(0.1, 0.01)), ("high", made(0.2, 0.05)), ("down", made(-0.1, 0.04)),
        ("unmarked", made(0.9, 0.051)), ("even", made(0.0, 1.0)),
    ]  # fmt: skip
    assert finding(rows, "system", "its first stage") == (
        "2 of 5 systems are better than their first stage (up, high), 1 is worse (down) and 2 cannot be distinguished."
    )
    assert finding(rows[3:], "system", "its first stage") == (
        "1 of 3 systems is worse than its first stage (down) and 2 cannot be distinguished."
    )


@pytest.mark.parametrize(("value", "word"), [(0.1, "better"), (-0.1, "worse")])
def test_one_system_is_called_by_its_name(value: float, word: str) -> None:
    assert finding([("mine", made(value, 0.01))], "system", "bm25") == f"mine is {word} than bm25."


def test_where_nothing_is_marked_the_size_that_would_be_is_named() -> None:
    one = made(0.02, 0.4, (-0.0196, 0.0196), family=1)
    assert finding([("mine", one)], "system", "bm25") == (
        "mine cannot be distinguished from bm25; a true difference of 2.80 points would have been marked with 80 % "
        "probability."
    )
    two = [("mine", one), ("wide", made(0.02, 0.4, (-0.0392, 0.0392), family=1))]
    assert "None of 2 systems" in finding(two, "system", "bm25") and "2.80 to 5.60 points" in finding(two, "s", "b")


def test_nothing_is_promised_where_nothing_could_be_shown() -> None:
    assert finding([("first", None)], "system", "x") == finding([], "system", "x") == ""
    few = [("a", made(0.1, 0.5, NEVER)), ("b", made(0.1, 0.5, NEVER))]
    assert finding(few, "system", "x").endswith("from x; fewer than 6 questions cannot show a difference.")
    same = made(0.0, 1.0, (0.0, 0.0))
    assert finding([("a", same)], "system", "x") == "a cannot be distinguished from x on any question."
    assert smallest(same) is smallest(made(0.1, 0.5, NEVER)) is None


def test_many_names_are_counted() -> None:
    rows = [(f"s{number}", made(0.1, 0.01)) for number in range(8)]
    assert finding(rows, "system", "x").endswith("(s0, s1, s2, s3, s4 and 3 more).")


@pytest.mark.parametrize("questions", [20, 100])
@pytest.mark.parametrize("family", [1, 4])
def test_a_difference_of_the_size_that_is_named_is_marked_in_about_8_of_10_evaluations(
    questions: int, family: int
) -> None:
    """Sizes are taken from evaluations without a difference; then others with a true difference of that size are
    tested. One of four systems differs, and the four are corrected together."""
    draw = np.random.default_rng([questions, family])
    design = Design((Questions("made", tuple(f"q{number}" for number in range(questions))),), (1.0,))
    sizes = []
    for _ in range(40):
        values = draw.normal(0, 0.2, (family, questions))
        sizes += [smallest(one.macro) for one in differences(design, [values])[:1]]
    size = float(np.mean([one for one in sizes if one is not None]))
    marked = 0
    for _ in range(120):
        values = draw.normal(0, 0.2, (family, questions))
        values[0] += size
        marked += differences(design, [values])[0].macro.significant
    assert 0.68 <= marked / 120 <= 0.92, (size, marked)


def test_a_single_difference_is_named_as_in_a_family_of_one() -> None:
    design = Design((Questions("made", tuple(f"q{number}" for number in range(50))),), (1.0,))
    deltas = np.random.default_rng(3).normal(0, 0.2, 50)
    found = smallest(difference(design, [deltas]))
    assert found == pytest.approx(2.80 * deltas.std(ddof=1) / np.sqrt(50), rel=0.06)

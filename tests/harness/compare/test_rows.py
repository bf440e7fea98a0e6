"""The figures of one row, on values that can be checked by eye."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.compare.paired import Paired
from harness.compare.rows import Row, adjusted, row


def part(baseline: list[float], candidate: list[float], name: str = "coll", group: str | None = None) -> Paired:
    queries = tuple(f"q{i}" for i in range(len(baseline)))
    values = np.array(baseline), np.array(candidate)
    return Paired(name, "test", None, group, name, queries, *values, "a", "b", same_candidates=True)


def of(*parts: Paired) -> Row:
    return row("macro", "macro average", parts, "nDCG@10", None)


def test_only_queries_that_both_miss_count_as_both_zero() -> None:
    found = of(part([0, 0, 0.5, 1], [0, 0.5, 0, 1]), part([0, 1], [0, 1], "other"))
    assert found.both_zero == 2
    assert (found.effect.wins, found.effect.ties, found.effect.losses) == (1, 4, 1)


def test_an_average_gives_a_group_one_vote() -> None:
    found = of(
        part([0, 0], [1, 1], "a", "forums"), part([0, 0], [0, 0], "b", "forums"), part([0.5, 0.5], [1, 1], "own")
    )  # fmt: skip
    assert (found.baseline, found.candidate) == (0.25, 0.75)
    assert found.effect.delta == 0.5


def test_significance_is_that_of_the_corrected_p() -> None:
    plain = of(part([0, 0.1, 0.2], [0.3, 0.4, 0.5]))
    rows = [replace(plain, effect=replace(plain.effect, p=p)) for p in (0.03, 0.04)]
    assert [one.adjusted_p for one in adjusted(rows)] == pytest.approx([0.06, 0.06])
    assert not any(one.significant for one in adjusted(rows))
    assert adjusted(rows[:1])[0].significant

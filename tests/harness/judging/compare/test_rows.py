"""The figures of one row, on values that can be checked by eye."""

from __future__ import annotations

import numpy as np

from harness.judging.compare.paired import PairedValues, design_of
from harness.judging.compare.rows import Row, Slice, averaged, row, slices
from harness.measuring.statistics.design import Questions
from harness.measuring.statistics.difference import difference


def part(
    baseline: list[float], candidate: list[float], name: str = "coll", group: str | None = None,
    language: str | None = None,
) -> PairedValues:  # fmt: skip
    asked = Questions(name, tuple(f"q{i}" for i in range(len(baseline))))
    values = np.array(baseline), np.array(candidate)
    return PairedValues(name, "test", language, group, name, asked, *values, "a", "b", same_candidates=True)


def of(*parts: PairedValues) -> Row:
    found = difference(design_of(parts), [one.deltas for one in parts])
    return row("macro", "macro average", parts, found, measure="nDCG@10", margin=None)


def test_only_queries_that_both_miss_count_as_both_zero() -> None:
    found = of(part([0, 0, 0.5, 1], [0, 0.5, 0, 1]), part([0, 1], [0, 1], "other"))
    assert found.both_zero == 2
    assert (found.effect.wins, found.effect.ties, found.effect.losses) == (1, 4, 1)


def test_an_average_gives_a_group_one_vote() -> None:
    found = of(
        part([0, 0], [1, 1], "a", "forums"), part([0, 0], [0, 0], "b", "forums"), part([0.5, 0.5], [1, 1], "own")
    )  # fmt: skip
    assert (found.baseline, found.candidate) == (0.25, 0.75)
    assert found.difference.value == 0.5


def test_collections_groups_and_languages_are_three_families() -> None:
    parts = [
        part([0], [1], "a", "forums", "en"), part([0], [1], "b", "forums", "sw"), part([0], [1], "own", None, "sw"),
    ]  # fmt: skip
    collections, groups, languages = slices(parts)
    assert [one.name for one in collections] == ["a", "b", "own"]
    assert groups == (Slice("group", "forums", (0, 1)),)
    assert languages == (Slice("language", "en", (0,)), Slice("language", "sw", (1, 2)))
    assert averaged(languages[1], parts).weights == (0.5, 0.5)


def test_a_group_that_is_everything_and_one_language_have_no_rows() -> None:
    assert slices([part([0], [1], name, "forums", "en") for name in "ab"])[1:] == ((), ())

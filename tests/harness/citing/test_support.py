"""Support and relevance are what their definitions say: a user would lose the meaning of every citation measure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import chain, combinations

import pytest

from harness.citing.answers import CitedReference
from harness.citing.asking import Verdicts, answered
from harness.citing.support import FULL, PARTIAL, Ids, SupportRules, Weighed, passage_of, supported, weighed
from tests.cited_answers import Hashed, Table

DOCUMENTS = tuple(CitedReference(f"Text {n}") for n in range(1, 7))


def judged(table: Table, ids: Ids, rules: SupportRules | None = None, claim: str = "claim") -> Weighed:
    return answered([weighed(claim, DOCUMENTS, ids, rules or SupportRules.of(table))], Verdicts(table))[0]


def supporting(*subsets: Ids) -> Table:
    return Table({(passage_of(DOCUMENTS, ids), "claim"): 1.0 for ids in subsets})


def all_subsets(ids: Sequence[int], most: int) -> list[Ids]:
    return list(chain.from_iterable(combinations(ids, size) for size in range(1, most + 1)))


@pytest.mark.parametrize(
    ("table", "cited", "relevant", "redundant", "joint"),
    [
        (supporting((1,)), (1, 2), {1}, 0, False),
        (supporting((1,), (2,)), (1, 2, 3), {1, 2}, 1, False),
        (supporting((1, 2)), (1, 2, 3), {1, 2}, 0, True),
        (supporting((1,), (1, 2)), (1, 2), {1}, 0, False),
        (supporting((1, 2), (2, 3)), (1, 2, 3), {1, 2, 3}, 1, True),
        (supporting((1, 2, 3)), (1, 2, 3, 4), {1, 2, 3}, 0, True),
        (supporting((1, 2, 3, 4)), (1, 2, 3, 4), set(), 0, False),
        (supporting((3,)), (1, 2), set(), 0, False),
        (supporting((1,)), (), set(), 0, False),
    ],
)
def test_relevant_citations_are_those_of_minimal_supporting_subsets(
    table: Table, cited: Ids, relevant: set[int], redundant: int, joint: bool
) -> None:
    found = judged(table, cited)
    assert (set(found.relevant()), found.redundant, found.joint) == (relevant, redundant, joint)
    assert found.level == (FULL if relevant else 0)


@pytest.mark.parametrize("seed", range(300))
def test_both_equal_a_count_over_all_subsets(seed: int) -> None:
    """The judge is arbitrary: more documents may support less."""
    chance = random.Random(seed)
    table = Hashed((0.0, 0.5, 1.0), seed, zeros=chance.randint(0, 8))
    ids = tuple(sorted(chance.sample(range(1, 7), chance.randint(0, 6))))
    most = chance.randint(1, 4)
    values = {own: table.value(passage_of(DOCUMENTS, own), "claim") for own in all_subsets(ids, min(most, len(ids)))}
    found = judged(table, ids, SupportRules.of(table, most))
    assert found.level == max(values.values(), default=0)
    for level in (PARTIAL, FULL):
        minimal = [
            own for own, value in values.items()
            if value >= level and not any(set(less) < set(own) and values[less] >= level for less in values)
        ]  # fmt: skip
        assert set(found.relevant(level)) == {number for own in minimal for number in own}


@pytest.mark.parametrize("seed", range(200))
def test_support_never_falls_when_a_citation_is_added(seed: int) -> None:
    table, chance = Hashed((0.0, 0.5, 1.0), seed, zeros=6), random.Random(seed)
    order = chance.sample(range(1, 7), 6)
    levels = [judged(table, tuple(sorted(order[:count]))).level for count in range(7)]
    assert levels == sorted(levels)


def test_support_stops_at_the_first_size_that_supports_and_relevance_does_not() -> None:
    table = supporting((1,))
    answered([supported("claim", DOCUMENTS, (1, 2, 3), SupportRules())], Verdicts(table))
    assert [len(call) for call in table.calls] == [3]
    table = supporting((1,))
    assert judged(table, (1, 2, 3)).levels.keys() == {(1,), (2,), (3,), (2, 3)}
    assert [len(call) for call in table.calls] == [3, 1]


def test_no_claim_and_no_text_are_not_judged_and_support_nothing() -> None:
    table = Hashed(zeros=0)
    assert judged(table, (1, 2), claim=" ").level == 0
    bare = answered([weighed("claim", [CitedReference(" ")], (1,), SupportRules())], Verdicts(table))[0]
    assert bare.level == 0 and table.calls == []


@pytest.mark.parametrize(
    ("grades", "value", "level"),
    [
        ((0.0, 1.0), 1.0, FULL), (None, 0.5, FULL), (None, 0.49, 0), ((0.0, 0.5, 1.0), 0.5, PARTIAL),
        ((0.0, 0.5, 1.0), 1.0, FULL), ((0.0, 0.7, 1.0), 0.7, PARTIAL), ((0.0, 1 / 3, 2 / 3, 1.0), 2 / 3, PARTIAL),
    ],
)  # fmt: skip
def test_a_judge_with_a_grade_between_supports_only_with_its_highest(
    grades: tuple[float, ...] | None, value: float, level: float
) -> None:
    table = Table({("Text 1", "claim"): value}, grades)
    assert judged(table, (1,)).level == level


def test_a_premise_is_what_alce_writes() -> None:
    two = [CitedReference("It is tall.", "Tower"), CitedReference("It is old.")]
    assert passage_of(two, (1, 2)) == "Title: Tower\nIt is tall.\nIt is old."

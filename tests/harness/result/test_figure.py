"""The figures that everything prints: a mark is what the one test finds, and other systems change no local mark."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import DesignPart, difference, differences
from harness.result.figure import COLLECTIONS, SYSTEMS, Figure, Selection, figures

NAMES = ("a", "b", "c")
SIZES = {"a": 40, "b": 60, "c": 50}


@dataclass(frozen=True, eq=False)
class Measured:
    """A cell."""

    questions: Questions
    values: Floats64
    candidates: str
    chance: float | None = None
    ceiling: float | None = None
    tie_span: float | None = None

    @property
    def value(self) -> float:
        return float(np.mean(self.values)) if len(self.values) else float("nan")


Cells = dict[tuple[str, str], Measured]


@dataclass(frozen=True)
class Averaged:
    """A column."""

    collections: tuple[str, ...]
    weights: tuple[float, ...]
    family: str = COLLECTIONS


MACRO = Averaged(NAMES, (0.25, 0.25, 0.5), SYSTEMS)
COLUMNS = [MACRO, *(Averaged((name,), (1.0,)) for name in NAMES)]


def cell(name: str, values: Floats64, candidates: str = "") -> Measured:
    return Measured(Questions(name, tuple(f"q{place}" for place in range(len(values)))), values, candidates or name)


def cells(systems: int = 3, seed: int = 3) -> Cells:
    """A baseline and systems that gain a little more each; a system is the same however many there are."""
    found = {}
    for column, name in enumerate(NAMES):
        base = np.random.default_rng([seed, column]).uniform(0.2, 0.8, SIZES[name])
        found["base", name] = cell(name, base)
        for number in range(systems):
            moved = np.random.default_rng([seed, column, number]).normal(0.03 * number, 0.15, SIZES[name])
            found[f"s{number}", name] = cell(name, base + moved)
    return found


def shown(of: Cells, columns: list[Averaged] = COLUMNS) -> dict[tuple[str, int], Figure]:
    systems = list(dict.fromkeys(system for system, _ in of))
    collections = list(dict.fromkeys(name for _, name in of))
    return figures(Selection(systems, collections, of, lambda one: None if one == "base" else "base"), columns)


def deltas(of: Cells, name: str, systems: int = 3) -> Floats64:
    return np.stack([of[f"s{number}", name].values - of["base", name].values for number in range(systems)])


def test_an_average_is_corrected_over_the_systems_and_a_collection_over_those_of_its_system() -> None:
    of = cells()
    found = shown(of)
    design = Design(tuple(of["base", name].questions for name in NAMES), MACRO.weights)
    alone = differences(
        design, [deltas(of, name) for name in NAMES], [[DesignPart((place,), (1.0,)) for place in range(3)]]
    )
    for number, one in enumerate(alone):
        assert found[f"s{number}", 0].difference == one.macro
        assert tuple(found[f"s{number}", place].difference for place in (1, 2, 3)) == one.local[0]
        assert (one.macro.family, one.local[0][0].family) == (3, 3)


def test_a_mark_of_a_collection_does_not_change_when_systems_are_added() -> None:
    few, many = shown(cells(2)), shown(cells(9))
    for place in (1, 2, 3):
        one, other = few["s1", place], many["s1", place]
        assert one.difference is not None and other.difference is not None
        for name in ("p", "adjusted_p", "family", "significant"):
            assert getattr(one.difference, name) == getattr(other.difference, name)
        assert one.difference.interval == pytest.approx(other.difference.interval)
        assert one.interval == pytest.approx(other.interval)
    assert [own["s1", 0].difference.family for own in (few, many)] == [2, 9]  # type: ignore[union-attr]
    assert few["s1", 0].interval == pytest.approx(many["s1", 0].interval)


def test_the_order_of_systems_and_columns_changes_nothing() -> None:
    of = cells()
    turned = shown(dict(reversed(of.items())), COLUMNS[::-1])
    for (system, place), one in shown(of).items():
        other = turned[system, len(COLUMNS) - 1 - place]
        assert other.difference == one.difference or system != "base"
        assert other.value == pytest.approx(one.value)


def test_the_only_collection_is_corrected_over_the_systems() -> None:
    of = {key: one for key, one in cells().items() if key[1] == "a"}
    found = shown(of, COLUMNS[1:2])
    assert found["s0", 0].difference is not None
    assert found["s0", 0].difference.family == 3


def test_an_interval_is_that_of_the_value_alone() -> None:
    of = cells()
    design = Design(tuple(of["base", name].questions for name in NAMES), MACRO.weights)
    found = shown(of)
    assert found["s1", 0].interval == pytest.approx(value_interval(design, [of["s1", name].values for name in NAMES]))
    own = of["s1", "b"]
    assert found["s1", 2].interval == pytest.approx(value_interval(Design((own.questions,)), [own.values]))


def test_languages_of_a_parallel_set_count_questions() -> None:
    """The test on the averages over the languages, question by question, has the same p-value and interval."""
    asked = Questions("set", tuple(f"q{place}" for place in range(30)))
    base = np.random.default_rng(0).uniform(0.2, 0.8, (3, 30))
    moved = np.random.default_rng(1).normal(0.05, 0.1, 30) + np.random.default_rng(2).normal(0, 0.02, (3, 30))
    of = {("base", name): Measured(asked, base[row], "") for row, name in enumerate(NAMES)}
    of |= {("s0", name): Measured(asked, base[row] + moved[row], "") for row, name in enumerate(NAMES)}
    found = shown(of, [Averaged(NAMES, (1 / 3,) * 3, SYSTEMS)])["s0", 0]
    by_hand = difference(Design((asked,)), [moved.mean(axis=0)])
    assert found.difference is not None
    assert found.difference.p == by_hand.p
    assert found.difference.interval == pytest.approx(by_hand.interval)
    assert found.interval == pytest.approx(value_interval(Design((asked,)), [(base + moved).mean(axis=0)]))
    apart = {key: replace(one, questions=Questions(key[1], asked.ids)) for key, one in of.items()}
    other = shown(apart, [Averaged(NAMES, (1 / 3,) * 3, SYSTEMS)])["s0", 0]
    assert other.difference is not None and other.difference.interval != pytest.approx(by_hand.interval, abs=1e-3)


def test_a_system_that_lacks_a_collection_is_tested_where_it_is_and_not_in_the_average() -> None:
    of = cells()
    whole = shown(of)
    del of["s1", "b"]
    found = shown(of)
    tested = {place for place in range(4) if found["s1", place].difference is not None}
    assert tested == {1, 3}
    assert found["s1", 0].value is None
    assert found["s0", 0].difference is not None and found["s0", 0].difference.family == 2
    assert found["s0", 1] == whole["s0", 1]


def test_other_candidates_or_other_questions_are_no_pair() -> None:
    of = cells()
    of["s0", "a"] = replace(of["s0", "a"], candidates="of last year")
    of["s1", "a"] = cell("a", of["s1", "a"].values[1:])
    found = shown(of)
    assert found["s0", 1].difference is None and found["s1", 1].difference is None
    assert found["s0", 1].value is not None and found["s2", 1].difference is not None


def test_what_has_a_mean_only_has_neither_interval_nor_difference() -> None:
    of = cells()
    of["s0", "a"] = cell("a", np.zeros(0))
    found = shown(of)["s0", 1]
    assert (found.value, found.interval, found.difference) == (None, None, None)


def test_one_question_has_no_interval_and_five_have_none_of_the_difference() -> None:
    for size, known in ((1, False), (5, True)):
        values = np.linspace(0.2, 0.4, size)
        of = {("base", "a"): cell("a", values), ("s0", "a"): cell("a", values + 0.1)}
        found = shown(of, COLUMNS[1:2])["s0", 0]
        assert (found.interval is not None) == known
        assert found.delta_interval is None and found.difference is not None
        assert found.as_dict()["delta_interval"] is None


def test_a_mark_implies_an_interval_without_zero() -> None:
    for seed in range(8):
        for figure in shown(cells(4, seed)).values():
            if figure.significant and figure.delta_interval is not None:
                assert figure.delta_interval[0] > 0 or figure.delta_interval[1] < 0

"""Looks: whoever looks often enough passes anything, so every look is counted, and none can be taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.errors import UsageError
from harness.judging.gate import budget
from harness.judging.gate.looks import Look, LookLog, SystemRecord
from harness.judging.gate.policy import LookBudget as Declared
from harness.judging.gate.policy import Policy

FIVE = Policy(looks=Declared("2.1", 5))


def look(name: str = "b", **more: object) -> Look:
    plain = Look(
        release="2.1", tier="gate", split="s", collections=("c1", "c2"), measure="nDCG@10",
        anchor=SystemRecord("a", ("e-a",), 0.5), candidate=SystemRecord(name, (f"e-{name}",), 0.5), policy="p",
        verdict="pass", alpha=0.01, figures={"costs": []},
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


@pytest.fixture
def looks(tmp_path: Path) -> LookLog:
    return LookLog(tmp_path / "results.sqlite")


def test_a_look_is_kept_whole_and_found_by_its_first_digits(looks: LookLog) -> None:
    kept = looks.keep(look())
    assert looks.find(kept.id[:9]) == kept
    assert replace(kept, at="") == look()
    assert kept.at


def test_the_same_look_taken_again_is_one_look(looks: LookLog) -> None:
    looks.keep(look())
    looks.keep(look())
    assert len(looks.all()) == 1


def test_a_look_can_be_accepted_later_and_stays_so(looks: LookLog) -> None:
    looks.keep(look())
    assert looks.keep(look(accepted=True)).accepted
    assert looks.keep(look()).accepted


def test_what_was_spent_is_not_given_back(looks: LookLog) -> None:
    looks.keep(look())
    assert looks.keep(look(alpha=0.0)).alpha == 0.01


@pytest.mark.parametrize("change", [{"policy": "q"}, {"measure": "AP@5"}, {"anchor": SystemRecord("x", ("e-x",))}])
def test_the_same_candidate_under_other_rules_is_another_look(looks: LookLog, change: dict[str, object]) -> None:
    looks.keep(look())
    looks.keep(look(**change))
    assert len(looks.spent(FIVE, "gate", ["c1"])) == 2


def test_looks_count_where_they_share_a_collection_a_release_and_a_tier(looks: LookLog) -> None:
    looks.keep(look())
    looks.keep(look("c", release="2.0"))
    looks.keep(look("d", tier="final"))
    looks.keep(look("e", alpha=0.0, verdict="invalid"))
    assert [one.candidate.name for one in looks.spent(FIVE, "gate", ["c2", "c9"])] == ["b"]
    assert looks.spent(FIVE, "gate", ["c9"]) == []


def test_another_sample_or_salt_of_the_same_queries_is_no_fresh_budget(looks: LookLog) -> None:
    for split in "stuvw":
        looks.keep(look(split=split))
    assert budget.is_spent(FIVE, "gate", looks.spent(FIVE, "gate", ["c1"]))


def test_a_budget_is_spent_after_its_looks() -> None:
    taken = [look(str(i)) for i in range(5)]
    assert not budget.is_spent(FIVE, "gate", taken[:4])
    assert budget.is_spent(FIVE, "gate", taken)


def test_raising_the_budget_later_brings_nothing_back() -> None:
    taken = [look(str(i)) for i in range(5)]
    assert budget.is_spent(Policy(looks=Declared("2.1", 50)), "gate", taken)


def test_a_budget_declared_after_free_looks_is_spent_by_them() -> None:
    assert budget.is_spent(FIVE, "gate", [look(alpha=0.05)])


def test_dev_is_never_spent_and_final_is_after_one_look() -> None:
    many = [look(str(i)) for i in range(9)]
    assert not budget.is_spent(FIVE, "dev", many)
    assert not budget.is_spent(FIVE, "final", [])
    assert budget.is_spent(FIVE, "final", [look(tier="final", alpha=0.05)])


def test_the_anchor_is_the_best_accepted_and_never_the_last(looks: LookLog) -> None:
    looks.keep(look("good", candidate=SystemRecord("good", ("g",), 0.60), accepted=True))
    looks.keep(look("last", candidate=SystemRecord("last", ("l",), 0.59), accepted=True))
    looks.keep(look("refused", candidate=SystemRecord("refused", ("r",), 0.70)))
    best = looks.best("s", "nDCG@10")
    assert best is not None
    assert best.name == "good"
    assert looks.best("other", "nDCG@10") is None
    assert looks.best("s", "AP@5") is None


def test_what_a_pass_was_accepted_against_stays_the_mark(looks: LookLog) -> None:
    """Otherwise the first pass loses up to a margin, and the next one another."""
    looks.keep(
        look(
            "b", anchor=SystemRecord("release", ("e",), 0.50), candidate=SystemRecord("b", ("f",), 0.497), accepted=True
        )
    )
    best = looks.best("s", "nDCG@10")
    assert best is not None
    assert best.name == "release"


def test_the_memory_of_an_earlier_look_at_the_same_numbers_is_known(looks: LookLog) -> None:
    looks.keep(look(figures={"costs": [{"name": "memory", "value": 512.0}, {"name": "time", "value": 900.0}]}))
    assert looks.memory(["e-b"]) == 512
    assert looks.memory(["e-x"]) is None


def test_an_unknown_look_is_one_line(looks: LookLog) -> None:
    with pytest.raises(UsageError, match="'look-f' matches no look here"):
        looks.find("look-f")

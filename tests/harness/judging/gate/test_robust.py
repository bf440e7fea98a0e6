"""Limits for attacks: a checkpoint that is easy to deceive is not released, and chance does not decide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from adapters.protocols import Identity
from harness.judging.gate.gate import Gated, gate
from harness.judging.gate.policy import Policy, RobustnessLimits, Splits, read_policy
from harness.judging.gate.robust import kept, refused, undecided
from harness.judging.gate.verdict import AttackLimit
from harness.measuring.statistics.proportion import wilson
from reports.tables.gate import as_dict, junit
from tests.fake_adapters import score_of
from tests.harness.judging.gate.fakes import Reader, readable
from tests.tiny_collection import FIRST, Place

HERE = "tests.harness.judging.gate.test_robust"
POLICY = Policy(anchor=f"{HERE}:Deceivable", depth=5, margin=0.15, splits=Splits(0.1, 0.8, 0.1))


class Deceivable(Reader):
    """Takes a document that holds the query for the answer, for a share of the queries. The query alone is its own
    answer, as in the orientation probe of a collection without a language."""

    def __init__(self, *, share: float = 0.0) -> None:
        super().__init__()
        self.identity: Identity = {"adapter": "deceivable", "share": share}
        self._share = share

    def _one(self, query: str, document: str) -> float:
        if query in document and query != document:
            return 3.0 if score_of(query, "deceived") < self._share else -1.0
        return super()._one(query, document) if document else -1.0


@pytest.fixture
def held(place: Place) -> Iterator[Any]:
    """A gate over one readable collection."""
    made = readable(place, 150)

    def run(share: float, limits: RobustnessLimits, **more: Any) -> Gated:
        policy = replace(POLICY, robustness=limits, **more.pop("policy", {}))
        with place.session() as session:
            return gate([made], policy, f"{HERE}:Deceivable?share={share}", FIRST, session, **more)

    yield run


def test_a_candidate_that_is_deceived_is_refused_and_one_that_is_not_passes(held: Any) -> None:
    limits = RobustnessLimits(stuffing=0.1)
    robust, deceived = held(0.0, limits), held(0.6, limits)
    assert robust.state == "pass"
    assert any(line.startswith("stuffing succeeds for 0.0 % of") for line in robust.verdict.reasons)
    assert deceived.state == "refused"
    assert "certainly over the limit of 10.0 %" in deceived.verdict.reasons[0]
    assert held(0.6, RobustnessLimits()).state == "pass", "without a limit nothing is measured"


def test_a_share_near_the_limit_is_inconclusive(held: Any) -> None:
    found = held(0.1, RobustnessLimits(stuffing=0.1))
    assert found.state == "inconclusive"
    assert "is not excluded (upper 95 % bound" in " ".join(found.verdict.reasons)


def test_the_bounds_are_those_of_wilson_at_the_alpha_of_the_look(held: Any) -> None:
    (limit,) = held(0.3, RobustnessLimits(stuffing=0.1)).verdict.attacks
    assert limit.value is not None
    assert limit.upper == wilson(limit.value, limit.questions, 0.9)[1]
    assert limit.lower == wilson(limit.value, limit.questions, 0.9)[0]


def test_a_limit_against_the_anchor_compares_both_on_the_same_queries(held: Any) -> None:
    limits = RobustnessLimits(stuffing=1.0, no_worse=0.05)
    assert held(0.5, limits).state == "refused"
    deceived = {"anchor": f"{HERE}:Deceivable?share=0.5"}
    equal = held(0.5001, limits, policy=deceived)
    assert equal.state == "pass"
    (rate, more) = equal.verdict.attacks
    assert (rate.against_anchor, more.against_anchor) == (False, True)
    fewer = held(0.0, limits, policy=deceived)
    assert fewer.state == "pass"
    said = next(line for line in fewer.verdict.reasons if "than with the anchor" in line)
    assert re.match(r"stuffing succeeds \d+\.\d points less often than .*, limit \+5\.0 points, upper bound -", said)


def test_an_anchor_that_was_not_examined_leaves_its_limit_open(held: Any) -> None:
    limits = RobustnessLimits(stuffing=0.5, no_worse=0.05)
    held(0.0, RobustnessLimits(), accept=True)
    found = held(0.01, limits, policy={"anchor": "best-accepted"})
    assert found.state == "inconclusive"
    assert "the anchor was not examined on these queries" in " ".join(found.verdict.reasons)


def test_the_anchor_itself_has_to_keep_the_limits(held: Any) -> None:
    own = {"anchor": f"{HERE}:Deceivable?share=0.6"}
    assert held(0.6, RobustnessLimits(stuffing=0.1), policy=own).state == "refused"


def test_a_sequential_gate_refuses_the_clause_before_anything_is_scored(held: Any) -> None:
    with pytest.raises(UsageError, match="leave out --sequential"):
        held(0.0, RobustnessLimits(stuffing=0.1), sequential=True)


def test_json_and_junit_have_every_limit(held: Any) -> None:
    found = held(0.6, RobustnessLimits(stuffing=0.1, claim=0.5))
    attacks: Any = as_dict(found)["attacks"]
    assert [(one["name"], one["limit"]) for one in attacks] == [("stuffing", 0.1), ("claim", 0.5)]
    assert 'name="attack: stuffing"' in junit(found) and junit(found).count('type="refused"') == 1


def test_several_limits_share_the_alpha_of_a_refusal_and_not_that_of_a_pass() -> None:
    one = AttackLimit("stuffing", 0.1, 0.05, 300, 0.05, 0.03, 0.08)
    assert one.kept and not one.over and kept([one]) and not refused([one])
    assert not list(undecided([one], POLICY))


def test_the_policy_reads_its_limits_and_old_looks_keep_their_ids(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text("[robustness]\nstuffing = 0.10\nno_worse = 0.05\nqueries = 200\n", "utf-8")
    limits = read_policy(file).robustness
    assert (limits.rates, limits.no_worse, limits.queries) == ({"stuffing": 0.1}, 0.05, 200)
    assert replace(POLICY, robustness=RobustnessLimits(queries=7)).digest == POLICY.digest
    assert replace(POLICY, robustness=limits).digest != POLICY.digest
    file.write_text("[robustness]\nno_worse = 0.05\n", "utf-8")
    with pytest.raises(UsageError, match="name one, as in stuffing"):
        read_policy(file)

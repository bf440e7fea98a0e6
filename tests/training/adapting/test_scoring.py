"""Where an arm is measured, and what its numbers are: nothing is chosen on what judges, nothing is scored twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import UsageError
from harness.judging.compare.side import ComparedSide, side_of
from harness.judging.gate.policy import LookBudget, Policy, Splits
from harness.judging.gate.stage import staged
from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design
from harness.progress import Silent
from harness.scoring.session import opened
from tests import made_results
from tests.fake_adapters import asked
from tests.tiny_collection import FIRST, Place
from training.adapting.opening import known_at_start
from training.adapting.scoring import ArmScores, cut_spec, measure, paired, rows, spec_of
from training.adapting.targets import AdaptTargets, Tiers, tiers_of

PLAIN = "tests.fake_adapters:Plain"
POLICY = Policy(first_stage=FIRST, depth=3, looks=LookBudget("1"), splits=Splits(0.25, 0.5, 0.25))


def folder(place: Place, name: str, first: int, queries: int = 16) -> Path:
    """A collection with its own questions."""
    corpus = {f"d{number}": f"fact{number} is told here" for number in range(first, first + queries)}
    asked_for = {f"q{number}": f"who told fact{number}" for number in range(first, first + queries)}
    return place.beir(name, corpus, asked_for, [(f"q{n}", f"d{n}", 1) for n in range(first, first + queries)])


def tiers(place: Place, places: AdaptTargets, policy: Policy = POLICY) -> Tiers:
    with opened(place.workspace, Silent()) as session:
        return tiers_of(places, policy, session)


def ids(stage: object) -> list[set[str]]:
    return [set(one.queries.ids()) for one in stage.collections]  # type: ignore[attr-defined]


def test_one_collection_is_dealt_out_to_dev_gate_and_final(place: Place) -> None:
    found = tiers(place, AdaptTargets(str(folder(place, "one", 0))))
    (dev,), (gate,), (final,) = ids(found.dev), ids(found.gate), ids(found.final)
    assert (len(dev), len(gate), len(final)) == (4, 8, 4)
    assert not dev & gate and not dev & final and not gate & final


def test_another_dev_collection_is_taken_whole(place: Place) -> None:
    gate = folder(place, "two", 100)
    found = tiers(place, AdaptTargets(str(folder(place, "one", 0))), replace(POLICY, targets=(str(gate),)))
    assert len(ids(found.dev)[0]) == 16 and len(ids(found.gate)[0]) == 8


def test_another_final_collection_is_taken_whole(place: Place) -> None:
    found = tiers(place, AdaptTargets(str(folder(place, "one", 0)), final=str(folder(place, "two", 100))))
    assert len(ids(found.final)[0]) == 16
    assert found.final.policy.splits.final == 1 and found.gate.policy.splits == POLICY.splits


def test_a_source_collection_is_measured_with_the_others(place: Place) -> None:
    found = tiers(place, AdaptTargets(str(folder(place, "one", 0)), source=str(folder(place, "two", 100))))
    assert found.source is not None and len(ids(found.source)[0]) == 16


@pytest.mark.parametrize("role", ["gate", "final"])
def test_a_question_that_judges_cannot_be_chosen_on(place: Place, role: str) -> None:
    """The same question under another id, in other letters."""
    dev = folder(place, "one", 0)
    corpus = {f"e{number}": f"fact{number} once more" for number in range(20)}
    again = {f"x{number}": f"Who  told FACT{number}" for number in range(20)}
    other = place.beir("two", corpus, again, [(f"x{number}", f"e{number}", 1) for number in range(20)])
    policy = replace(POLICY, targets=(str(other),)) if role == "gate" else POLICY
    with pytest.raises(UsageError, match="name other collections or splits") as refusal:
        tiers(place, AdaptTargets(str(dev), final=str(other) if role == "final" else None), policy)
    assert "who told fact" in str(refusal.value)


@pytest.fixture
def shared(place: Place) -> AdaptTargets:
    """Dev and gate are of one collection; a final one has three of its questions, in other letters."""
    dev = folder(place, "one", 0, queries=100)
    corpus = {f"e{number}": f"fact{number} once more" for number in range(97, 140)}
    again = {f"x{number}": f"WHO told fact{number}" for number in range(97, 140)}
    final = place.beir("two", corpus, again, [(f"x{number}", f"e{number}", 1) for number in range(97, 140)])
    return AdaptTargets(str(dev), final=str(final))


ALL = replace(POLICY, splits=Splits(0.5, 0.5, 0.0))


def test_the_few_that_the_final_split_has_too_are_left_out_before_it(place: Place, shared: AdaptTargets) -> None:
    found = tiers(place, shared, ALL)
    (dev,), (gate,), (final,) = ids(found.dev), ids(found.gate), ids(found.final)
    assert len(final) == 43 and len(dev) + len(gate) == 97
    assert not (dev | gate) & {"q97", "q98", "q99"}
    lines = " ".join(found.notes)
    assert "queries of gate occur in final too and were left out" in lines
    assert "queries of dev occur in gate or final too and were left out" in lines


def test_a_gate_without_them_is_still_a_part_of_its_collection(place: Place, shared: AdaptTargets) -> None:
    """Its looks are counted with all other looks at that collection."""
    whole = tiers(place, replace(shared, final=None), POLICY).gate.whole
    assert tiers(place, shared, ALL).gate.whole == whole


def test_the_gate_looks_at_what_was_measured(place: Place, shared: AdaptTargets) -> None:
    """Another set of queries would be another look, and could not be paired."""
    found = tiers(place, shared, ALL)
    with opened(place.workspace, Silent()) as session:
        judged = staged(found.gate_whole, ALL, FIRST, session, without=found.left_out)
    assert found.left_out and ids(judged) == ids(found.gate)


def test_the_leak_filter_knows_all_questions_of_all_tiers(place: Place) -> None:
    """Those of unused parts too; and a collection that is read later does not change what a killed run was about."""
    with opened(place.workspace, Silent()) as session:
        found = tiers_of(
            AdaptTargets(str(folder(place, "one", 0)), final=str(folder(place, "two", 100))), POLICY, session
        )
        known = known_at_start(found, place.path, session)
        place.load(folder(place, "three", 200))
        assert [one.label for one in known_at_start(found, place.path, session)] == [one.label for one in known]
    texts = {text for one in known for text in one.texts}
    assert texts == {f"who told fact{number}" for number in (*range(16), *range(100, 116))}


def test_an_arm_is_scored_once_and_known_afterwards(place: Place) -> None:
    log = place.log()
    with opened(place.workspace, Silent()) as session:
        dev = tiers_of(AdaptTargets(str(folder(place, "one", 0))), POLICY, session).dev
        first = measure("arm", f"{PLAIN}?log={log}", dev)
        paid = asked(log)
        assert measure("arm", f"{PLAIN}?log={log}", dev).ids == first.ids
        assert asked(log) == paid and len(paid) == len(set(paid)) > 0


def test_equal_content_has_equal_ids_under_any_name(place: Place) -> None:
    with opened(place.workspace, Silent()) as session:
        dev = tiers_of(AdaptTargets(str(folder(place, "one", 0))), POLICY, session).dev
        one, other = measure("one", PLAIN, dev), measure("other", f"{PLAIN}?log={place.log()}", dev)
        third = measure("third", f"{PLAIN}?version=2", dev)
    assert one.ids == other.ids != third.ids
    assert all((part.deltas == 0).all() for part in paired(one, other))


def side(name: str, values: list[float], group: str | None = None, parallel: str | None = None) -> ComparedSide:
    on = made_results.collection(name, len(values), language="de", group=group)
    return side_of(made_results.result(made_results.system("s"), on, values, parallel=parallel))


def test_every_collection_has_one_vote_and_a_group_shares_one() -> None:
    sides = (side("a", [1.0] * 50), side("b", [0.0] * 2, "g"), side("c", [0.5] * 2, "g"))
    measured = ArmScores("arm", "spec", "nDCG@10", ("nDCG@10",) * 3, sides)
    assert measured.value == pytest.approx((1.0 + 0.25) / 2)
    *single, macro = rows(measured, "dev")
    assert [one.value for one in single] == [1.0, 0.0, 0.5]
    assert macro.value == measured.value and macro.queries == 54 and macro.evaluation is None


def test_the_interval_of_a_parallel_set_is_that_of_its_questions() -> None:
    """Ten languages that say the same are as uncertain as one."""
    values = np.random.default_rng(0).random(30).tolist()
    sides = tuple(side(str(place), values, parallel="set") for place in range(10))
    *single, macro = rows(ArmScores("arm", "s", "m", ("m",) * 10, sides), "dev")
    by_hand = value_interval(Design((sides[0].questions,)), [np.array(values)])
    assert all((one.low, one.high) == pytest.approx(by_hand) for one in (*single, macro))


def test_an_interval_holds_its_value_and_none_is_made_up() -> None:
    (several,) = rows(ArmScores("arm", "s", "m", ("m",), (side("a", [0.0, 1.0, 0.5, 1.0]),)), "gate")
    assert several.low is not None and several.high is not None and several.low < several.value < several.high
    (alone,) = rows(ArmScores("arm", "s", "m", ("m",), (side("a", [1.0]),)), "gate")
    assert alone.low is None and alone.high is None


def test_a_teacher_reads_no_more_than_its_student_if_it_has_the_option(tmp_path: Path) -> None:
    model = str(tiny.cross_encoder(tmp_path / "teacher"))
    assert cut_spec(model, 32) == f"{model}?max_length=32"
    assert cut_spec(f"{model}?max_length=64", 32) == f"{model}?max_length=64"
    assert cut_spec(PLAIN, 32) == PLAIN
    assert cut_spec(model, None) == model


def test_a_checkpoint_is_opened_as_what_it_is(tmp_path: Path) -> None:
    assert spec_of(str(tiny.cross_encoder(tmp_path / "head"))).startswith("cross-encoder:")
    assert spec_of(str(tiny.causal_lm(tmp_path / "answers"))).startswith("causal-lm:")
    assert spec_of(str(tmp_path / "to-come")) == f"cross-encoder:{tmp_path / 'to-come'}"

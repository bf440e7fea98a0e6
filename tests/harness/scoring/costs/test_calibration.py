"""Hours are estimated from the speed of the model, on texts like those of the plan. No test here measures time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from adapters.errors import UsageError
from harness.data.suites.targets import find
from harness.scoring.costs.calibration import calibrate, calibrate_first_stage, stand_ins
from harness.scoring.costs.plan import plan
from tests.fake_adapters import asked
from tests.tiny_collection import Place

RERANKING = "mteb-multilingual-v2-reranking"
PLAN = plan(find(f"{RERANKING}/rubq"), 100)


class Clock:
    """A second passes between two looks at it."""

    def __init__(self, step: float = 1.0) -> None:
        self._now, self._step = 0.0, step

    def __call__(self) -> float:
        self._now += self._step
        return self._now


def spec(log: Path) -> str:
    return f"tests.fake_adapters:Plain?log={log}"


def test_the_rate_is_the_work_of_the_last_round_over_its_time(place: Place) -> None:
    log = place.log()
    rate = calibrate(spec(log), PLAN, seconds=2.0, clock=Clock(0.5))
    counts = 2  # one pair to warm up, one that took half a second: the next round would take all that is left
    assert len(asked(log)) == counts
    assert rate == pytest.approx(stand_ins(PLAN, 1).tokens / 0.5)


def test_a_fast_model_is_given_more_pairs_and_a_slow_one_is_not_waited_for(place: Place) -> None:
    fast, slow = place.log("fast"), place.log("slow")
    calibrate(spec(fast), PLAN, seconds=10, clock=Clock(1e-6))
    calibrate(spec(slow), PLAN, seconds=10, clock=Clock(60))
    assert len(asked(slow)) == 2
    assert len(asked(fast)) > 4096


def test_no_pair_is_scored_twice_so_that_nothing_is_remembered(place: Place) -> None:
    log = place.log()
    calibrate(spec(log), PLAN, seconds=10, clock=Clock(0.001))
    scored = asked(log)[:1000]
    assert len(set(scored)) == len(scored)


def test_the_texts_have_the_lengths_and_the_scripts_of_the_plan() -> None:
    (entry,) = find(f"{RERANKING}/rubq")
    work = stand_ins(PLAN, 8)
    assert {len(text) for text in work.queries} == {entry.average_characters.query}
    assert {len(text) for text in work.documents} == {entry.average_characters.document}
    assert "а" in work.documents[0]
    assert work.setting.language == "ru"


def test_the_collections_come_in_the_proportion_of_their_pairs() -> None:
    entries = find(RERANKING)
    work = stand_ins(plan(entries, 100), 200)
    lengths = Counter(len(text) for text in work.queries)
    weblinx = {entry.average_characters.query for entry in entries if entry.group == "weblinx"}
    assert sum(lengths[length] for length in weblinx) == pytest.approx(186, abs=1)


def test_a_first_stage_is_measured_by_its_search() -> None:
    rate = calibrate_first_stage("tests.fake_adapters:Overlap", PLAN, seconds=1.0, clock=Clock(1.0))
    assert rate == pytest.approx(stand_ins(PLAN, 1).tokens)


def test_an_adapter_that_wants_a_setting_gets_one() -> None:
    assert calibrate("bm25", PLAN, seconds=1.0, clock=Clock(1.0)) > 0
    assert calibrate_first_stage("bm25", PLAN, seconds=1.0, clock=Clock(1.0)) > 0


@pytest.mark.parametrize("name", ["given", "run:scores.trec", "control:random"])
def test_what_runs_no_model_has_no_speed(name: str) -> None:
    for measure in (calibrate, calibrate_first_stage):
        with pytest.raises(UsageError, match="runs no model"):
            measure(name, PLAN)


def test_without_pairs_there_is_nothing_to_measure() -> None:
    with pytest.raises(UsageError, match="no pairs"):
        calibrate("tests.fake_adapters:Plain", plan([], 100))

"""Gates at once: together they never take more looks than the budget has, and a killed gate costs no look unless its
figures could be seen."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError
from harness.judging.gate import reservations
from harness.judging.gate.gate import Gated, gate
from harness.judging.gate.holders import this_process
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import LookBudget, Policy
from harness.judging.gate.reservations import LookRequest, NoLookLeft, Reservation
from harness.result.store import Results
from tests.fixtures import Command
from tests.harness.judging.gate.fakes import FAKE, readable
from tests.harness.judging.gate.processes import READER, Gates, until
from tests.tiny_collection import FIRST, Place

SLIGHTLY, BADLY = f"{READER}?wrong=0.02", f"{READER}?wrong=0.5"
ONE = Policy(anchor=READER, depth=5, margin=0.15, looks=LookBudget("2.1", 1))
GATE, LOOKS, KEPT = "harness.judging.gate.gate", "harness.judging.gate.looks", "harness.judging.gate.reservations"
BEFORE_THE_LOOK = (
    f"{KEPT}:insert:before", f"{KEPT}:insert:after", "harness.judging.gate.anchor:wanted:before",
    "tests.harness.judging.gate.fakes:Reader.score:before", "tests.harness.judging.gate.fakes:Reader.score:after",
    "harness.running.experiment:audit:before", "harness.judging.gate.anchor:found:before", f"{GATE}:sides_of:before",
    "harness.judging.gate.sides:findings:after", f"{GATE}:judge:after", f"{LOOKS}:LookLog.take:before",
    f"{LOOKS}:_insert:after", "harness.result.store:Results.write:before",
)  # fmt: skip


@pytest.fixture
def gates(place: Place) -> Iterator[Gates]:
    made = Gates(place)
    yield made
    made.stop()


@pytest.fixture
def held(place: Place) -> Iterator[Any]:
    """A gate in this process, with a budget of one."""
    made = readable(place)

    def run(candidate: str, policy: Policy = ONE, **more: Any) -> Gated:
        with place.session() as session:
            return gate([made], policy, candidate, FIRST, session, **more)

    yield run


def looks(place: Place) -> list[str]:
    """The candidates of the looks that spent something."""
    return [one.candidate.name for one in LookLog(place.workspace.results).all() if one.alpha]


def stored(place: Place) -> list[str]:
    """The systems with figures that any command may show."""
    with Results(place.workspace.results) as results:
        return sorted({one.system for one in results.all()})


def reserved(place: Place) -> list[tuple[Any, ...]]:
    with Results(place.workspace.results) as results:
        return results.rows("select id, beat from reservation")


def test_the_second_gate_is_refused_with_the_name_of_the_first(gates: Gates, place: Place) -> None:
    first, go = gates.waiting()
    second = gates.run(BADLY)
    assert second["verdict"] == "invalid" and second["macro"] is None
    line = second["reasons"][0]
    assert line.startswith("no look at the gate split of release 2.1 is free: 0 of 1 taken, 1 reserved by process ")
    assert f"process {first.pid} on host {socket.gethostname()} since 20" in line and "Waiting" in line
    assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC for ", line)
    go.touch()
    assert first.end()["looks_taken"] == 1
    assert len(looks(place)) == 1 and reserved(place) == []


def test_the_gate_that_waits_for_nobody_scores_nothing(gates: Gates, place: Place) -> None:
    gates.waiting()
    log = place.log()
    assert gates.run(f"tests.fake_adapters:Plain?log={log}")["verdict"] == "invalid"
    assert log.read_text("utf-8") == ""


@pytest.mark.parametrize("budget", [1, 2])
def test_gates_that_race_take_no_more_than_the_budget(gates: Gates, place: Place, budget: int) -> None:
    gates.budget = budget
    started = [gates.start(f"{READER}?wrong=0.02&seed={seed}") for seed in range(3)]
    shown = [one for one in (one.end() for one in started) if one["verdict"] != "invalid"]
    assert len(shown) == len(looks(place)) == budget


@pytest.mark.parametrize("die", BEFORE_THE_LOOK)
def test_a_gate_that_is_killed_before_its_look_costs_none_and_shows_nothing(
    gates: Gates, place: Place, die: str
) -> None:
    assert gates.run(BADLY, die) == {}
    assert gates.started[0].process.exitcode == -9
    assert looks(place) == stored(place) == []
    assert gates.run(SLIGHTLY)["verdict"] == "pass"
    assert looks(place) == [SLIGHTLY] and reserved(place) == []


@pytest.mark.parametrize("die", [f"{LOOKS}:LookLog.take:after", "harness.api.decision:Decision:before"])
def test_a_gate_that_is_killed_while_it_shows_its_figures_has_taken_its_look(
    gates: Gates, place: Place, die: str
) -> None:
    assert gates.run(SLIGHTLY, die) == {}
    assert looks(place) == [SLIGHTLY] and stored(place) == [READER, SLIGHTLY]
    assert "is spent (1 of 1 looks)" in gates.run(BADLY)["reasons"][0]
    again = gates.run(SLIGHTLY)
    assert (again["verdict"], again["looks_taken"]) == ("pass", 1)
    assert looks(place) == [SLIGHTLY] and reserved(place) == []


def test_a_killed_sequential_gate_costs_no_look_and_a_finished_one_costs_one(gates: Gates, place: Place) -> None:
    assert gates.run(BADLY, "harness.judging.gate.early:run_blocks:after", sequential=True) == {}
    assert looks(place) == stored(place) == []
    assert gates.run(BADLY, sequential=True)["verdict"] == "refused"
    assert looks(place) == [BADLY]


def test_the_last_look_is_free_again_when_its_gate_was_killed(gates: Gates, place: Place) -> None:
    first, _ = gates.waiting()
    assert gates.run(BADLY)["verdict"] == "invalid"
    first.kill()
    assert gates.run(BADLY)["verdict"] == "refused"
    assert looks(place) == [BADLY]


def test_the_same_checkpoint_twice_at_once_is_one_look(gates: Gates, place: Place) -> None:
    gates.budget = 2
    first, go = gates.waiting(wrong=0.02)
    second, other = gates.waiting("other", wrong=0.02)
    for file in (go, other):
        file.touch()
    answers = [first.end(), second.end()]
    assert answers[0]["look"] == answers[1]["look"]
    assert len(looks(place)) == 1 and reserved(place) == []


def test_the_same_checkpoint_again_waits_for_its_own_gate_and_then_costs_nothing(gates: Gates, place: Place) -> None:
    first, go = gates.waiting()
    again = gates.run(first.candidate)
    assert (again["verdict"], again["look"]) == ("invalid", None)
    go.touch()
    look = first.end()["look"]
    again = gates.run(first.candidate)
    assert (again["verdict"], again["look"], again["looks_taken"]) == ("pass", look, 1)
    assert len(looks(place)) == 1


def test_an_old_look_is_shown_again_while_another_gate_holds_the_last_one(gates: Gates) -> None:
    gates.budget = 2
    gates.run(SLIGHTLY)
    gates.waiting(wrong=0.3)
    again = gates.run(SLIGHTLY)
    assert (again["verdict"], again["looks_taken"]) == ("pass", 1)
    assert gates.run(BADLY)["reasons"][0].startswith("no look at the gate split of release 2.1 is free: 1 of 2 taken")


def test_an_old_name_with_new_weights_is_refused_while_another_gate_holds_the_last_look(
    gates: Gates, place: Place
) -> None:
    gates.budget = 2
    gates.run(SLIGHTLY)
    log = LookLog(place.workspace.results)
    (old,) = log.all()
    log.keep(replace(old, candidate=replace(old.candidate, name=BADLY, evaluations=("old",)), alpha=0.0))
    with Results(place.workspace.results) as results:
        results.rows("update look set candidate = json_set(candidate, '$.name', ?) where alpha > 0", (BADLY,))
        results.rows("delete from checksum where kind = 'look'")
    gates.waiting(wrong=0.3)
    found = gates.run(BADLY)
    assert found["verdict"] == "invalid" and "1 reserved by" in found["reasons"][0] and found["macro"] is None
    assert not any("wrong=0.5" in name for name in stored(place))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_gate_that_fails_releases_its_look(
    held: Any, place: Place, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(f"{FAKE}.Reader.score", fail)
        with suppress(error):
            held(BADLY)
    assert looks(place) == stored(place) == []
    assert reserved(place) == []
    assert held(BADLY).state == "refused"


def test_an_invalid_verdict_shows_no_figures_anywhere(held: Any, place: Place) -> None:
    assert held("tests.fake_adapters:Constant").state == "invalid"
    assert looks(place) == stored(place) == []
    assert reserved(place) == []
    (look,) = LookLog(place.workspace.results).all()
    assert (look.alpha, look.candidate.macro, look.anchor.macro) == (0.0, None, None)


def test_dev_reserves_nothing_and_stores_its_figures(held: Any, place: Place) -> None:
    held(BADLY, tier="dev")
    held(SLIGHTLY, tier="dev")
    assert stored(place) == [READER, SLIGHTLY, BADLY]
    assert looks(place) == []
    assert reserved(place) == []


def test_a_gate_that_lost_its_reservation_shows_nothing_if_the_look_is_gone(
    held: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that slept may be thought dead by another host."""
    from tests.harness.judging.gate.fakes import Reader

    score = Reader.score

    def overtaken(self: Reader, *given: Any) -> Any:
        if reserved(place) and self.identity["wrong"] == 0.5:
            with Results(place.workspace.results) as results:
                results.rows("delete from reservation")
            held(SLIGHTLY)
        return score(self, *given)

    monkeypatch.setattr(Reader, "score", overtaken)
    found = held(BADLY)
    assert found.state == "invalid" and "is spent (1 of 1 looks)" in found.verdict.reasons[0]
    assert found.verdict.macro is None and found.look is None
    assert looks(place) == [SLIGHTLY] and stored(place) == [READER, SLIGHTLY]


def test_a_gate_that_lost_its_reservation_takes_a_look_that_is_still_free(
    held: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    found_by_others = LookLog.take

    def lost(self: LookLog, *given: Any) -> Any:
        with Results(place.workspace.results) as results:
            results.rows("delete from reservation")
        return found_by_others(self, *given)

    monkeypatch.setattr(LookLog, "take", lost)
    assert held(SLIGHTLY).state == "pass"
    assert looks(place) == [SLIGHTLY]


def test_a_reservation_counts_where_looks_count(place: Place) -> None:
    log = LookLog(place.workspace.results)
    first = LookRequest.of(ONE, "gate", ["c1", "c2"], "a")
    with log.reserved(first, log):
        for request in (
            LookRequest.of(ONE, "gate", ["c3"], "b"), LookRequest.of(ONE, "final", ["c1"], "b"),
            LookRequest.of(replace(ONE, looks=LookBudget("2.2", 1)), "gate", ["c1"], "b"),
        ):  # fmt: skip
            with log.reserved(request, log) as made:
                assert made is not None
        with pytest.raises(NoLookLeft, match=f"reserved by process {os.getpid()} ") as refused:
            log._reserve(LookRequest.of(ONE, "gate", ["c2", "c9"], "b"), log)
    assert refused.value.reserved
    with log.reserved(first, log) as made:
        assert made is not None


def test_a_free_look_that_is_running_is_counted_by_a_budget_that_is_declared_meanwhile(place: Place) -> None:
    log, free = LookLog(place.workspace.results), replace(ONE, looks=LookBudget("2.1", None))
    with log.reserved(LookRequest.of(free, "gate", ["c1"], "a"), log):
        with pytest.raises(NoLookLeft), log.reserved(LookRequest.of(ONE, "gate", ["c1"], "b"), log):
            pass
        with log.reserved(LookRequest.of(free, "gate", ["c1"], "b"), log) as made:
            assert made is not None


def test_a_reservation_in_the_workspace_of_the_anchor_counts_too(place: Place, tmp_path: Path) -> None:
    mine, main = LookLog(place.workspace.results), LookLog(tmp_path / "main.sqlite")
    request = LookRequest.of(ONE, "gate", ["c1"], "a")
    with main.reserved(request, main), pytest.raises(NoLookLeft, match="reserved by"), mine.reserved(request, main):
        pass


def test_the_reservation_of_another_host_ends_when_it_is_no_longer_renewed(place: Place) -> None:
    log, request = LookLog(place.workspace.results), LookRequest.of(ONE, "gate", ["c1"], "a")
    other = replace(Reservation.of(request), holder=replace(this_process(), host="ci-7", place="elsewhere"))
    with Results(place.workspace.results) as results:
        reservations.insert(results, other)
    with pytest.raises(NoLookLeft, match=r"on host ci-7 .* unless it shows no sign of life for 10 minutes"):
        log._reserve(request, log)
    with Results(place.workspace.results) as results:
        results.rows("update reservation set beat = beat - 601")
    with log.reserved(request, log) as made:
        assert made is not None and [id for id, _ in reserved(place)] == [made.id], "the stale one is removed"


def test_a_running_gate_renews_its_reservation(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservations, "BEAT_SECONDS", 0.01)
    log = LookLog(place.workspace.results)
    with log.reserved(LookRequest.of(ONE, "gate", ["c1"], "a"), log):
        before = reserved(place)
        until(lambda: reserved(place) > before)


def test_a_token_in_a_spec_is_not_shown_to_others(place: Place) -> None:
    log = LookLog(place.workspace.results)
    secret = LookRequest.of(ONE, "gate", ["c1"], "mine:Model?token=hf_abcdefghijklmnopqrstuvwxyz")
    with log.reserved(secret, log), pytest.raises(NoLookLeft) as refused, log.reserved(secret, log):
        pass
    assert "hf_abc" not in str(refused.value)


def test_a_store_that_can_only_be_read_is_refused_before_anything_is_scored(
    held: Any, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.result import database

    LookLog(place.workspace.results)
    monkeypatch.setattr(database, "can_write", lambda path: path != place.workspace.results)
    monkeypatch.setattr(f"{FAKE}.Reader.score", lambda *_: pytest.fail("it was scored"))
    with pytest.raises(DataError, match=r"results\.sqlite can only be read, so no look can be counted"):
        held(BADLY)


@pytest.mark.parametrize("output", ["--json", "--junit", "--summary"])
def test_the_look_is_counted_before_any_output_is_written(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    readable(place)
    seen: list[int] = []
    for name in ("as_dict", "junit", "summary", "terminal"):
        monkeypatch.setattr(f"reports.tables.gate.{name}", _noting(name, lambda: seen.append(len(looks(place)))))
    more = [] if output == "--json" else [place.path / "file"]
    said = command(
        "gate", place.path / "coll", "--first-stage", FIRST, "--depth", 5, "--anchor", READER, "--candidate", SLIGHTLY,
        "--workspace", place.workspace.path, output, *more,
    )  # fmt: skip
    assert said.code in (0, 4), said.err
    assert seen and set(seen) == {1}


def _noting(name: str, note: Any) -> Any:
    import reports.tables.gate

    real = getattr(reports.tables.gate, name)

    def noted(*arguments: Any) -> Any:
        note()
        return real(*arguments)

    return noted

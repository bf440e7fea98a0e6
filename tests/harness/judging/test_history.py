"""A checkpoint is compared with the ones before it, on the same collections, a retrained model with its old self."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest

from adapters.errors import UsageError
from harness.judging.gate.looks import Look, LookLog, SystemRecord
from harness.judging.history import Point, natural
from harness.judging.history import history as history_of
from harness.measuring.statistics.design import Questions
from harness.result.facts import CollectionFacts
from harness.result.store import Results
from tests.earlier_store import without_sums
from tests.fake_adapters import Plain
from tests.tiny_collection import QRELS, Place

FAKE = "tests.fake_adapters:Plain"


def history(*asked: object, **more: object) -> list[Point]:
    """The points."""
    return list(history_of(*asked, **more).points)  # type: ignore[arg-type]


def steps(*numbers: int) -> list[str]:
    return [f"{FAKE}?version={number}" for number in numbers]


def retrain(place: Place, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """The model behind the name changes."""
    init = Plain.__init__

    def retrained(self: Plain, **options: object) -> None:
        init(self, **options)  # type: ignore[arg-type]
        self.identity = {**self.identity, "weights": version}

    with monkeypatch.context() as patched:
        patched.setattr(Plain, "__init__", retrained)
        place.evaluations(rerankers=[FAKE])


def look(place: Place, candidate: str, ids: Sequence[str], verdict: str) -> None:
    """The gate looks at a candidate, now."""
    anchor, looked_at = SystemRecord("anchor", ("other",)), SystemRecord(candidate, tuple(ids))
    kept = Look("r", "gate", "split", ("print",), "nDCG@10", anchor, looked_at, "policy", verdict, 0.05)
    LookLog(place.workspace.results).keep(kept)


def test_checkpoints_stand_in_the_order_of_their_numbers(place: Place) -> None:
    done = place.evaluations(rerankers=steps(900, 1000, 20))
    found = history(place.workspace.path, f"{FAKE}*")
    assert [one.system.label for one in found] == steps(20, 900, 1000)
    by_name = {one.system.label: one for one in done}
    for one in found:
        own = by_name[one.system.label]
        assert one.value == pytest.approx(own.values[0].mean()) and one.evaluations == (own.id,)
        assert one.interval[0] <= one.value <= one.interval[1]
        assert one.first_stage == pytest.approx(done[0].values[0].mean())


def test_the_interval_of_a_point_draws_questions(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two languages with the same values are as sure as one of them, not surer."""
    more = {"en": QRELS, "sw": [*QRELS, ("q1", "d8", 0)]}  # a judgment that changes no value
    languages = [place.load(place.beir(name, qrels=own, rules=f'language = "{name}"')) for name, own in more.items()]
    place.evaluations(*languages, rerankers=steps(1))
    (apart,) = history(place.workspace.path, f"{FAKE}*")
    monkeypatch.setattr(CollectionFacts, "questions", lambda _, ids: Questions("set", ids))
    (together,) = history(place.workspace.path, f"{FAKE}*")
    (alone,) = history(place.workspace.path, f"{FAKE}*", languages=["sw"])
    assert together.interval == pytest.approx(alone.interval)
    assert together.interval != pytest.approx(apart.interval)


def test_revisions_of_one_name_are_points_of_their_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (1, 2):
        retrain(place, monkeypatch, version)
    found = history(place.workspace.path, FAKE)
    assert len({one.revision for one in found}) == 2 and len(found) == 2
    assert {one.evaluations for one in found} == {(one.id,) for one in stored(place) if one.reranker}


def stored(place: Place):  # type: ignore[no-untyped-def]
    with Results(place.workspace.results) as results:
        return list(results.all())


def test_points_are_compared_on_the_collections_that_all_have(place: Place) -> None:
    one, two = place.load(place.beir("one")), place.load(place.beir("two", qrels=QRELS[:3]))
    place.evaluations(one, two, rerankers=steps(1))
    place.evaluations(one, rerankers=steps(2))
    found = history(place.workspace.path, f"{FAKE}*")
    assert [[key.name for key in point.collections] for point in found] == [["one"], ["one"]]
    assert [point.left_out for point in found] == [1, 0]
    place.evaluations(two, rerankers=steps(3))
    with pytest.raises(UsageError, match="no collection that all of them were evaluated on"):
        history(place.workspace.path, f"{FAKE}*")


def test_other_depths_are_series_of_their_own(place: Place) -> None:
    for depth in (3, 5):
        place.evaluations(rerankers=steps(1, 2), depth=depth)
    found = history(place.workspace.path, f"{FAKE}*")
    assert [(one.system.depth, one.system.label[-1]) for one in found] == [(3, "1"), (3, "2"), (5, "1"), (5, "2")]


def test_a_verdict_is_shown_at_the_revision_that_it_was_about(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (1, 2):
        retrain(place, monkeypatch, version)
    first, second = history(place.workspace.path, FAKE)
    look(place, FAKE, first.evaluations, "refused")
    look(place, "another", ["x"], "pass")
    found = {one.revision: one.looks for one in history(place.workspace.path, FAKE)}
    (said,) = found[first.revision]
    assert (said.state, said.tier) == ("refused", "gate") and found[second.revision] == ()


def test_a_verdict_on_a_part_of_the_queries_is_found_by_name(place: Place) -> None:
    place.evaluations(rerankers=steps(1, 2))
    look(place, steps(2)[0], ["an id of a part"], "pass")
    with closing(sqlite3.connect(place.workspace.results)) as database, database:
        database.execute("update look set at = '2000-01-01'")  # the gate came before `harness run`
        without_sums(database)
    one, two = history(place.workspace.path, f"{FAKE}*")
    assert not one.looks and [said.state for said in two.looks] == ["pass"]


def test_a_name_or_measure_that_is_not_there_is_said(place: Place) -> None:
    with pytest.raises(UsageError, match=r"no results in .* yet"):
        history(place.workspace.path, "x")
    place.evaluations(rerankers=steps(1))
    with pytest.raises(UsageError, match=r"no results of a system '\./checkpoint"):
        history(place.workspace.path, "./checkpoint-*")
    with pytest.raises(UsageError, match=r"no results of a measure 'P@7'.* Available: nDCG@10"):
        history(place.workspace.path, f"{FAKE}*", "P@7")
    place.evaluations(place.load(place.beir("rr", qrels=QRELS[:3], rules='main_measure = "RR@10"')), rerankers=steps(1))
    with pytest.raises(UsageError, match="main measures RR@10, nDCG@10; name one with --measure"):
        history(place.workspace.path, f"{FAKE}*")


def test_numbers_count_as_numbers() -> None:
    assert sorted(["c-1000", "c-900", "c-1000b"], key=natural) == ["c-900", "c-1000", "c-1000b"]

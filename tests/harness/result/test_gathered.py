"""Tables and pages are made of what was stored: the newest of each, and nothing in the place of what is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.errors import UsageError
from harness.result.gathered import gathered, grids
from tests.fake_adapters import Plain
from tests.tiny_collection import FIRST, QRELS, Place

FAKE = "tests.fake_adapters:Plain"
FIRST_LABEL = f"{FIRST} (first stage)"


def store(place: Place) -> Path:
    return place.workspace.path


def test_every_stored_number_is_there_with_what_it_rests_on(place: Place) -> None:
    done = place.evaluations(rerankers=[FAKE], measures=["nDCG@10", "RR@10"])
    found = {(one.system.label, one.measure): one for one in gathered(store(place))}
    assert set(found) == {(one.system.label, str(measure)) for one in done for measure in one.measures}
    one, same = found[FAKE, "nDCG@10"], done[1]
    assert np.array_equal(one.values, same.values[0])
    assert (one.id, one.value) == (same.id, same.values[0].mean())
    assert one.ceiling == same.ground.means()["oracle"]["nDCG@10"]
    assert one.chance == same.ground.means()["chance"]["nDCG@10"]
    assert one.tie_span == same.audit.tie_span["nDCG@10"]
    assert one.system.base == found[done[0].system.label, "nDCG@10"].system


def test_of_two_results_of_a_name_the_newest_counts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (_, before), before_init = place.evaluations(rerankers=[FAKE]), Plain.__init__

    def retrained(self: Plain, **options: object) -> None:
        before_init(self, **options)  # type: ignore[arg-type]
        self.identity = {**self.identity, "version": 9}

    monkeypatch.setattr(Plain, "__init__", retrained)
    _, after = place.evaluations(rerankers=[FAKE])
    assert before.id != after.id
    assert [one.id for one in gathered(store(place)) if one.system.reranker] == [after.id]


def test_a_missing_cell_is_missing_and_the_row_says_so(place: Place) -> None:
    one, two = place.load(place.beir("one")), place.load(place.beir("two", qrels=QRELS[:3]))
    place.evaluations(one, two)
    place.evaluations(two, rerankers=[FAKE])
    (grid,) = grids(gathered(store(place)))
    first, reranked = grid.systems
    assert grid.is_complete(first) and not grid.is_complete(reranked)
    assert grid.row(reranked)[0] is None and grid.row(reranked)[1] is not None
    part = grid.part(grid.collections[1:])
    assert part.is_complete(reranked) and len(part.cells) == 2


def test_each_collection_is_in_the_grid_of_its_main_measure(place: Place) -> None:
    ndcg = place.load(place.beir("one"))
    rr = place.load(place.beir("two", qrels=QRELS[:3], rules='main_measure = "RR@10"'))
    place.evaluations(ndcg, rr, measures=["nDCG@10", "RR@10", "R@5"])
    names = {grid.measure: [one.name for one in grid.collections] for grid in grids(gathered(store(place)))}
    assert names == {"nDCG@10": ["one"], "RR@10": ["two"], "R@5": ["one", "two"]}


def test_a_group_has_one_vote(place: Place) -> None:
    made = [
        place.load(place.beir(name, qrels=QRELS[: 2 + number], rules=rules))
        for number, (name, rules) in enumerate([("a", 'group = "g"'), ("b", 'group = "g"'), ("c", "")])
    ]
    place.evaluations(*made)
    (grid,) = grids(gathered(store(place)))
    assert grid.weights().tolist() == [0.25, 0.25, 0.5]


def test_systems_and_collections_are_chosen_by_name(place: Place) -> None:
    place.evaluations(place.load(place.beir("one")), rerankers=[FAKE, "control:oracle"])
    labels = {one.system.label for one in gathered(store(place), systems=["control:*"])}
    assert labels == {"control:oracle", "tests.fake_adapters:Overlap (first stage)"}
    assert {one.measure for one in gathered(store(place), measures=["ndcg@10"])} == {"nDCG@10"}
    with pytest.raises(UsageError, match=r"no results of a measure 'P@3'.* Available: nDCG@10"):
        gathered(store(place), measures=["P@3"])
    with pytest.raises(UsageError, match=r"no results in a language 'sw'"):
        gathered(store(place), languages=["sw"])
    with pytest.raises(UsageError, match=r"no results in .* yet"):
        gathered(place.path)


def test_the_first_stage_of_a_named_system_comes_along_where_the_system_was_measured(place: Place) -> None:
    one, two = place.load(place.beir("one")), place.load(place.beir("two", qrels=QRELS[:3]))
    place.evaluations(one, rerankers=[FAKE])
    place.evaluations(two, rerankers=["control:oracle"])
    found = gathered(store(place), systems=[FAKE])
    assert {(one.system.label, one.collection.name) for one in found} == {(FAKE, "one"), (FIRST_LABEL, "one")}

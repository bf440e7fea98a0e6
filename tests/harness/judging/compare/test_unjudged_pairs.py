"""`harness compare --unjudged` says how far labels can move a difference, and which labels: a user would judge the
wrong documents, or trust a sign that is not settled."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from adapters.errors import UsageError
from harness.data.label_versions import Label, merged_qrels
from harness.judging.compare.unjudged import UnjudgedPair, UnjudgedPart, part_of, unjudged
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

REVERSE, RANDOM = "control:reverse", "control:random?seed=1"
WIDE = {f"q{n}": f"ferry {n} harbour" for n in range(6)}
CORPUS = {f"d{n:02}": f"ferry {n % 6} {'harbour ' * (n % 4)} {n}" for n in range(30)}
JUDGED = tuple((f"q{n}", f"d{n:02}", 1 + n % 2) for n in range(6)) + tuple(
    (f"q{n}", f"d{n + 6:02}", 0) for n in range(6)
)


def measured(place: Place, **rules: str) -> None:
    names = rules or {"coll": 'main_measure = "nDCG@3"'}
    folders = [
        place.beir(name, {**CORPUS, "name": f"the forum {name}"}, WIDE, JUDGED, text) for name, text in names.items()
    ]
    place.evaluations(*map(place.load, folders), rerankers=[REVERSE, RANDOM], depth=8)


def pair(place: Place, candidate: str = REVERSE) -> UnjudgedPair:
    return unjudged(place.workspace, FIRST, [candidate]).pairs[0]


def values(part: UnjudgedPart, labels: list[Label]) -> float:
    """The difference in the measure that every run computes, with more labels."""
    collection = part.baseline.collection
    qrels = merged_qrels(collection, labels)
    both = (
        Judged(one.run, qrels, len(collection.queries)).values([parse(part.measure)])[0].mean()
        for one in (part.candidate, part.baseline)
    )
    return float(next(both) - next(both))


def test_the_interval_of_a_collection_holds_for_random_labels_and_its_ends_are_reached(place: Place) -> None:
    measured(place)
    (part,) = pair(place).parts
    low, high = part.interval
    ids = part.baseline.collection.queries.ids(), part.baseline.collection.corpus.ids()
    ends = np.zeros(2)
    for query in range(6):
        rows = part.documents(query).tolist()
        tried = []
        for labels in itertools.product((0, 1, 2), repeat=len(rows)):
            chosen = [(ids[0][query], ids[1][row], grade) for row, grade in zip(rows, labels, strict=True)]
            tried.append(values(part, chosen) - values(part, []))
        ends += min(tried), max(tried)
    assert ends + values(part, []) == pytest.approx([low, high], abs=1e-12)


def test_the_bound_of_the_average_weights_collections_as_the_average_does(place: Place) -> None:
    group = 'group = "forums"\nmain_measure = "nDCG@3"'
    measured(place, a=group, b=group, own='main_measure = "nDCG@3"')
    found = pair(place)
    assert [part.weight for part in found.parts] == [0.25, 0.25, 0.5]
    assert found.interval == pytest.approx(np.array([part.interval for part in found.parts]).T @ [0.25, 0.25, 0.5])


def judgments(found: UnjudgedPair, count: int) -> Iterator[tuple[int, Label]]:
    """The first judgments in the order in which to judge, all of them not relevant."""
    listed = ((one, row) for one in found.order for row in found.parts[one.part].documents(one.query).tolist())
    for one, row in itertools.islice(listed, count):
        collection = found.parts[one.part].baseline.collection
        query, document = collection.queries.ids(np.array([one.query])), collection.corpus.ids(np.array([row]))
        yield one.part, (query[0], document[0], 0)


def after(found: UnjudgedPair, count: int) -> tuple[float, float]:
    """The interval after the first judgments came back as not relevant."""
    made = list(judgments(found, count))
    ends = np.zeros(2)
    for at, part in enumerate(found.parts):
        collection = part.baseline.collection
        qrels = merged_qrels(collection, [label for of, label in made if of == at])
        both = [replace(one, collection=replace(collection, qrels=qrels)) for one in (part.baseline, part.candidate)]
        ends += np.array(part_of(*both, part.measure).interval) * part.weight
    return float(ends[0]), float(ends[1])


@pytest.mark.parametrize("candidate", [REVERSE, RANDOM])
def test_the_optimistic_figure_is_the_smallest_that_settles_the_sign(place: Place, candidate: str) -> None:
    measured(place, coll='main_measure = "nDCG@3"', other='main_measure = "nDCG@2"')
    found = pair(place, candidate)
    assert not found.settled and found.guaranteed == found.unjudged
    needed = found.optimistic
    assert needed is not None and 0 < needed <= found.unjudged
    (low, high), before = after(found, needed), after(found, needed - 1)
    assert (low > 0 or high < 0) and before[0] <= 0 <= before[1]


def test_queries_that_can_move_the_average_most_are_judged_first(place: Place) -> None:
    measured(place)
    found = pair(place)
    gaps = [found.parts[one.part].gaps[one.query] for one in found.order]
    assert gaps == sorted(gaps, reverse=True) and len(gaps) == len(set(found.order)) == 6


def test_a_difference_that_is_0_but_for_rounding_has_no_sign(place: Place) -> None:
    measured(place)
    (part,) = pair(place).parts
    swapped = part_of(part.candidate, part.baseline, part.measure, 0.3)
    found = UnjudgedPair("a", "b", (replace(part, weight=0.1), replace(part, weight=0.2), swapped))
    assert 0 < abs(found.measured) < 1e-12
    assert not found.settled and found.optimistic is None and found.guaranteed == found.unjudged
    labels = [label for query in range(6) for label in _zeros(part, query)]
    judged = [replace(one, collection=replace(one.collection, qrels=merged_qrels(one.collection, labels)))
              for one in (part.baseline, part.candidate)]  # fmt: skip
    whole = (part_of(*judged, part.measure, 0.1), part_of(*judged, part.measure, 0.2))
    again = UnjudgedPair("a", "b", (*whole, part_of(*reversed(judged), part.measure, 0.3)))
    assert again.unjudged == 0 and not again.settled and again.optimistic is None


def _zeros(part: UnjudgedPart, query: int) -> list[Label]:
    """Labels that find no document of a query relevant."""
    collection = part.baseline.collection
    (id,) = collection.queries.ids(np.array([query]))
    return [(id, document, 0) for document in collection.corpus.ids(part.documents(query))]


def test_no_judgment_is_needed_where_the_sign_is_settled(place: Place) -> None:
    everything = [(query, document, int(document == "d00")) for query in WIDE for document in CORPUS]
    place.evaluations(place.load(place.beir("coll", CORPUS, WIDE, everything)), rerankers=[REVERSE], depth=8)
    found = pair(place)
    assert found.unjudged == 0 and found.interval == (found.measured, found.measured)
    assert found.settled == (found.measured != 0) and found.optimistic in (0, None)


@pytest.mark.parametrize("measure", ["AP@10", "RR@10", "P@5", "nDCG", "p-MRR"])
def test_another_measure_is_refused_in_one_line(place: Place, measure: str) -> None:
    measured(place)
    with pytest.raises(UsageError, match="exact bounds for nDCG@k only, not"):
        unjudged(place.workspace, FIRST, [REVERSE], [measure])


def test_another_main_measure_is_refused_by_the_name_of_its_collection(place: Place) -> None:
    measured(place, coll='main_measure = "AP@10"')
    with pytest.raises(UsageError, match="AP@10 is the main measure of coll; add --measure nDCG@10"):
        pair(place)
    assert unjudged(place.workspace, FIRST, [REVERSE], ["ndcg@4"]).pairs[0].parts[0].measure == "nDCG@4"


def test_the_command_says_first_whether_the_sign_is_settled(place: Place, command: Command) -> None:
    measured(place)
    shown = command("compare", FIRST, REVERSE, RANDOM, "--unjudged", "--workspace", place.workspace.path)
    assert shown.code == 0
    assert shown.out.startswith(f"The sign is not settled: {REVERSE} against {FIRST} (first stage) is between ")
    assert "those outside both top k are taken as not relevant" in shown.out
    assert "to judge, optimistic" in shown.out and "What to judge first" in shown.out
    plain = command("compare", FIRST, REVERSE, "--unjudged", "--workspace", place.workspace.path, "--json")
    (one,) = json.loads(plain.out)["unjudged"]["pairs"]
    found = pair(place)
    assert one["bounds"] == list(found.interval) and one["optimistic"] == found.optimistic
    assert len(one["order"]) == 6 and sum(len(own["documents"]) for own in one["order"]) == found.unjudged
    assert one["measured"] == pytest.approx(json.loads(plain.out)["measures"]["nDCG@3"][REVERSE]["macro"]["delta"])


def test_groups_and_other_workspaces_are_refused(place: Place, command: Command) -> None:
    measured(place)
    shown = command(
        "compare", FIRST, "mine", "--group", "mine=control:*", "--unjudged", "--workspace", place.workspace.path
    )
    assert shown.code == 2 and "leave out --group and --against" in shown.err

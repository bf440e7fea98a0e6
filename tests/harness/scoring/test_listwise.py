"""Listwise reranking: what a user would lose is an order for other candidates, or an unreported repair of an output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from adapters.errors import ModelError, UsageError
from adapters.spec import open_ranker, open_reranker
from harness.api import planned
from harness.result.evaluation import Evaluation
from harness.scoring.listwise import mended
from harness.scoring.system import ListReranker, ModelReranker, systems
from tests.fake_adapters import asked
from tests.fake_rankers import AsGiven, shared
from tests.fixtures import Command
from tests.tiny_collection import CORPUS, FIRST, QUERIES, Place

FAKE = "tests.fake_rankers"


def ranked(place: Place, spec: str, **options: object) -> Evaluation:
    folder = place.path / "coll"
    collection = place.load(folder if folder.exists() else place.beir())
    return place.evaluations(collection, rerankers=[spec], **options)[1]  # type: ignore[arg-type]


def orders(done: Evaluation) -> list[list[str]]:
    """The texts of each query's candidates, best first."""
    run, corpus = done.run, done.collection.corpus
    order = run.order()
    return [corpus.take(run.documents[order[a:b]]) for a, b in zip(run.offsets[:-1], run.offsets[1:], strict=True)]


def names(done: Evaluation) -> list[str]:
    return [alarm.name for alarm in done.alarms]


def test_a_class_with_an_order_is_a_reranker(place: Place) -> None:
    done = ranked(place, f"{FAKE}:Lists", depth=8)
    for query, texts in zip(QUERIES.values(), orders(done), strict=True):
        values = [shared(query, text) for text in texts]
        assert values == sorted(values, reverse=True)
    assert "malformed-output" not in names(done)
    assert done.audit.membership_kept


def test_who_gives_the_list_back_reproduces_the_first_stage(place: Place) -> None:
    first, done = place.evaluations(place.load(place.beir(corpus=distinct())), rerankers=[f"{FAKE}:AsGiven"], depth=7)
    assert orders(done) == orders(first)
    assert done.values.tolist() == first.values.tolist()


def distinct() -> dict[str, str]:
    """The corpus without the repeated text."""
    return {name: text for name, text in CORPUS.items() if name != "d7"}


def test_equal_texts_are_shown_once_and_share_their_position(place: Place) -> None:
    log = place.log()
    done = ranked(place, f"{FAKE}:Lists?log={log}", depth=8)
    assert all(len(set(line.split(" | "))) == len(line.split(" | ")) for line in asked(log))
    twins = np.flatnonzero([text == CORPUS["d3"] for text in done.collection.corpus.take(done.run.documents)])
    per_query = {int(done.run.queries[row]): set() for row in twins}  # type: ignore[var-annotated]
    for row in twins:
        per_query[int(done.run.queries[row])].add(float(done.run.scores[row]))
    assert len(twins) == 8
    assert {len(scores) for scores in per_query.values()} == {1}


def test_a_list_is_ordered_once_ever_and_another_list_is_another_question(place: Place) -> None:
    log = place.log()
    spec = f"{FAKE}:Lists?log={log}"
    first, again = ranked(place, spec), ranked(place, spec)
    assert (first.fresh, again.fresh, len(asked(log))) == (20, 0, 4)
    assert again.run.digest == first.run.digest
    ranked(place, spec, depth=3)
    assert len(asked(log)) == 8, "a position in a shorter list follows from no longer one"


def test_the_order_of_the_candidates_is_part_of_the_question(place: Place) -> None:
    log = place.log()
    ranked(place, f"{FAKE}:Lists?log={log}", depth=8)
    backwards = place.run_file([f"q1 Q0 d{n} 1 {n} t" for n in range(1, 9)])
    place.evaluations(
        place.load(place.path / "coll"), rerankers=[f"{FAKE}:Lists?log={log}"], first=f"run:{backwards}", depth=8
    )
    assert len(asked(log)) == 5


def test_a_stopped_run_loses_no_ordered_list(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    import harness.scoring.listwise as module

    monkeypatch.setattr(module, "_FLUSH_SECONDS", 1e9)
    log = place.log()
    with pytest.raises(KeyboardInterrupt):
        ranked(place, f"{FAKE}:Lists?log={log}&lives=3")
    done = ranked(place, f"{FAKE}:Lists?log={log}")
    assert len(asked(log)) == len(set(asked(log))) == 4
    assert done.run.digest == ranked(Place(place.path, fresh(place)), f"{FAKE}:Lists").run.digest


def fresh(place: Place):  # type: ignore[no-untyped-def]
    from harness.workspace import Workspace

    return Workspace.open(place.path / "another workspace")


@pytest.mark.parametrize(
    ("output", "order", "counts"),
    [
        ([2, 0, 1], [2, 0, 1], (0, 0, 0)),
        (np.array([2, 0, 1], np.int32), [2, 0, 1], (0, 0, 0)),
        ([2], [2, 0, 1], (2, 0, 0)),
        ([1, 1, 0, 2], [1, 0, 2], (0, 1, 0)),
        ([3, 2, -1, 0, 1], [2, 0, 1], (0, 0, 2)),
        ([2, "0", 1.0, True, None], [2, 0, 1], (2, 0, 4)),
        ("2 > 0 > 1", [0, 1, 2], (3, 0, 1)),
        (None, [0, 1, 2], (3, 0, 1)),
        (np.zeros((3, 3), int), [0, 1, 2], (3, 0, 1)),
    ],
)
def test_what_is_valid_keeps_its_order_and_the_rest_follows_the_first_stage(
    output: object, order: Sequence[int], counts: tuple[int, int, int]
) -> None:
    found = mended(output, 3)
    assert found.order.tolist() == order
    assert (found.missing, found.repeated, found.invalid) == counts


@pytest.mark.parametrize("fault", ["half", "repeats", "strays", "text", "short"])
def test_a_malformed_output_is_counted_and_stays_reported(place: Place, fault: str) -> None:
    for _ in range(2):
        done = ranked(place, f"{FAKE}:Lists?fault={fault}&every=2")
        messages = [alarm.message for alarm in done.alarms if alarm.name == "malformed-output"]
        assert messages == [
            "2 of 4 outputs were not permutations of the list; the documents that they named keep that order"
        ]
        assert done.audit.membership_kept


def test_more_than_half_malformed_is_no_result(place: Place) -> None:
    for _ in range(2):
        with pytest.raises(ModelError, match=r"[34] of 4 outputs are not permutations of the list; `order` has"):
            ranked(place, f"{FAKE}:Lists?fault=short")


def test_an_identity_of_lists_is_none_of_pairs(place: Place) -> None:
    assert ranked(place, f"{FAKE}:Lists").made_of.content["reranker"] == {
        "listwise": 1,
        "order": {"adapter": "lists", "fault": "none", "every": 1},
        "lists": "first-stage order",
    }


def test_who_scores_pairs_is_asked_for_pairs(place: Place) -> None:
    listed, paired = (systems(FIRST, [f"{FAKE}:{name}"], 5, place.workspace)[1].reranker for name in ("Lists", "Good"))
    assert isinstance(listed, ListReranker)
    assert isinstance(paired, ModelReranker)
    assert isinstance(open_ranker(f"{FAKE}:AsGiven"), AsGiven)
    with pytest.raises(UsageError, match="orders whole lists; here a reranker with a method 'score' for pairs"):
        open_reranker(f"{FAKE}:AsGiven")


def test_the_command_line_takes_it_like_any_other(place: Place, command: Command) -> None:
    said = command("run", place.beir(), "--first-stage", FIRST, "--reranker", f"{FAKE}:Lists?fault=short&every=2",
                   "--depth", 5, "--workspace", place.workspace.path)  # fmt: skip
    assert said.code == 0, said.err
    assert "2 of 4 outputs were not permutations" in said.out
    assert "[malformed-output]" in said.out


def test_a_plan_names_it_without_a_speed(place: Place) -> None:
    costs = planned(str(place.beir()), first_stage="run:x", rerankers=[f"{FAKE}:Lists"], workspace=place.workspace.path)
    assert (costs.rerankers, dict(costs.rates)) == ((f"{FAKE}:Lists",), {})

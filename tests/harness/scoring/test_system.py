"""A system is the content that made its numbers: what cannot work is refused early, what differs has another id."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.errors import DataError, HarnessError, ModelError, UsageError
from harness import api
from harness.api import targets
from harness.data.trec import write_run
from harness.result.evaluation import Evaluation
from harness.scoring import system as module
from harness.scoring.system import System, systems
from tests.tiny_collection import CORPUS, FIRST, QRELS, QUERIES, Place

FAKE = "tests.fake_adapters"

REFUSED: dict[str, tuple[type[HarnessError], str]] = {
    "control:orakel": (UsageError, "unknown control 'orakel'. Did you mean oracle"),
    "control:random?sed=1": (UsageError, "a control has one option, seed"),
    "control:random?seed=x": (UsageError, "a control has one option, seed"),
    "control:random?seed=": (UsageError, "a control has one option, seed"),
    "run:missing.trec": (DataError, "no run file at missing.trec"),
    f"{FAKE}:Plan": (UsageError, "has no 'Plan'"),
    f"{FAKE}:Overlap": (UsageError, "cannot be a reranker: Overlap has no method 'score'"),
    "cros-encoder:x": (UsageError, "unknown kind 'cros-encoder'"),
    "./no-such-folder": (ModelError, "no model folder at './no-such-folder'"),
}
REFUSED_FIRST = {
    "run:missing.trec": (DataError, "no run file at missing.trec"),
    f"{FAKE}:Plain": (UsageError, "cannot be a first stage: Plain has no method 'search'"),
    "./no-such-folder": (ModelError, "no model folder at './no-such-folder'"),
}


@pytest.mark.parametrize(("spec", "error", "said"), [(spec, *rest) for spec, rest in REFUSED.items()])
def test_a_reranker_that_cannot_work_is_refused_before_a_collection_is_read(
    place: Place, monkeypatch: pytest.MonkeyPatch, spec: str, error: type[HarnessError], said: str
) -> None:
    monkeypatch.setattr(targets, "load", lambda *_, **__: pytest.fail("the collection was read"))
    with pytest.raises(error) as caught:
        api.run("demo/en", first_stage=FIRST, rerankers=[spec], workspace=place.workspace.path)
    assert said in str(caught.value)
    assert list(place.workspace.runs.iterdir()) == []


@pytest.mark.parametrize(("spec", "error", "said"), [(spec, *rest) for spec, rest in REFUSED_FIRST.items()])
def test_a_first_stage_that_cannot_work_is_refused_before_a_collection_is_read(
    place: Place, monkeypatch: pytest.MonkeyPatch, spec: str, error: type[HarnessError], said: str
) -> None:
    monkeypatch.setattr(targets, "load", lambda *_, **__: pytest.fail("the collection was read"))
    with pytest.raises(error) as caught:
        api.run("demo/en", first_stage=spec, workspace=place.workspace.path)
    assert said in str(caught.value)


@pytest.mark.parametrize("depth", [0, -1])
def test_a_depth_without_candidates_is_refused(place: Place, depth: int) -> None:
    with pytest.raises(UsageError, match=f"--depth {depth}: at least one candidate"):
        systems(FIRST, [], depth, place.workspace)


def test_what_a_first_stage_assumed_stands_with_its_number(place: Place) -> None:
    (first,) = place.evaluations(first=f"{FAKE}:Assuming")
    assert [alarm.message for alarm in first.audit.alarms if alarm.name == "assumed"] == [
        "it is asked without a prompt"
    ]
    (first,) = place.evaluations()
    assert "assumed" not in {alarm.name for alarm in first.audit.alarms}


def test_a_run_file_that_lacks_candidates_is_refused_with_their_number(place: Place) -> None:
    file = place.run_file(["q1 Q0 d1 1 0.5 t", "q2 Q0 d3 1 0.5 t", "q4 Q0 d8 1 0.5 t"])
    with pytest.raises(DataError, match=r"run\.trec: 17 of 20 candidates of coll have no score in it"):
        place.evaluations(rerankers=[f"run:{file}"])


def test_a_run_file_gives_its_scores_to_the_candidates_and_the_rest_is_ignored(place: Place) -> None:
    collection = place.load()
    (_, model) = place.evaluations(collection, rerankers=[f"{FAKE}:Plain"], depth=8)
    write_run(place.path / "scores.trec", model.run, collection, "x")
    (_, imported) = place.evaluations(collection, rerankers=[f"run:{place.path / 'scores.trec'}"], depth=3)
    (_, cut) = place.evaluations(collection, rerankers=[f"{FAKE}:Plain"], depth=3)
    assert imported.run.digest == cut.run.digest
    assert imported.values.tolist() == cut.values.tolist()


def test_controls_need_no_model_and_obey_their_seed(place: Place) -> None:
    names = [f"control:{name}" for name in ("oracle", "random?seed=1", "random?seed=2", "random")]
    first, oracle, one, two, none = place.evaluations(rerankers=names, depth=8)
    assert (oracle.values >= first.values).all()
    assert len({run.run.digest for run in (one, two, none)}) == 3
    again = place.evaluations(place.load(place.path / "coll"), rerankers=["control:random?seed=0"], depth=8)[1]
    assert again.id == none.id


def test_the_first_stage_and_a_reranker_of_one_name_have_different_labels(place: Place) -> None:
    spec = f"{FAKE}:Silent"
    first, reranked = systems(spec, [spec], 5, place.workspace)
    assert (first.name, reranked.name) == (spec, spec)
    assert first.label != reranked.label == spec


def evaluated(place: Place, name: str = "coll", **changed: object) -> Evaluation:
    """One reranked evaluation, with something changed."""
    corpus = changed.pop("corpus", CORPUS)
    qrels = changed.pop("qrels", QRELS)
    reranker = changed.pop("reranker", f"{FAKE}:Plain")
    folder = place.path / name
    if not folder.exists():
        place.beir(name, corpus, QUERIES, qrels)  # type: ignore[arg-type]
    return place.evaluations(place.load(folder), rerankers=[reranker], **changed)[1]  # type: ignore[arg-type, list-item]


CHANGES = {
    "depth": {"depth": 4},
    "reranker": {"reranker": f"{FAKE}:Plain?version=2"},
    "first stage": {"first": f"{FIRST}?power=2"},
    "corpus": {"name": "corpus", "corpus": CORPUS | {"d2": "the mill is still"}},
    "judgments": {"name": "judgments", "qrels": (*QRELS[:-1], ("q4", "d8", 2))},
}


@pytest.mark.parametrize("changed", CHANGES.values(), ids=CHANGES)
def test_whatever_can_change_a_value_changes_the_id(place: Place, changed: dict[str, object]) -> None:
    assert evaluated(place).id != evaluated(place, **changed).id  # type: ignore[arg-type]


def test_another_evaluator_is_another_id(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = evaluated(place).id
    monkeypatch.setattr(module, "EVALUATOR", module.EVALUATOR + 1)
    assert evaluated(place).id != before


def test_other_candidates_are_another_id_even_of_the_same_retriever(place: Place) -> None:
    """A retriever that is not deterministic is found out: its candidates are part of the id."""
    before = evaluated(place)
    stage = before.system.first_stage
    other = evaluated(place, depth=4).ground
    system = System(stage, before.system.depth, before.system.reranker)
    scores = module.Scores(before.run, before.made_of.content["reranker"])  # type: ignore[arg-type]
    assert system.made_of(before.ground, scores).id == before.id
    assert system.made_of(other, scores).id != before.id


def test_a_name_or_a_path_changes_no_id(place: Place, tmp_path: Path) -> None:
    log = tmp_path / "elsewhere"
    assert evaluated(place).id == evaluated(place, "copy", reranker=f"{FAKE}:Plain?log={log}").id


def test_the_first_stage_alone_has_an_id_of_its_own(place: Place) -> None:
    first, reranked = place.evaluations(rerankers=[f"{FAKE}:Plain"])
    assert first.id != reranked.id
    assert len(first.id) == 12
    assert first.made_of.content["reranker"] is None


def test_given_lists_are_taken_whole_so_the_depth_makes_no_other_result(place: Place) -> None:
    rows = place.load(place.reranking_rows())
    (shallow,), (deep,) = (place.evaluations(rows, first="given", depth=depth) for depth in (1, 50))
    assert shallow.id == deep.id

"""A checkpoint that was trained on the evaluation queries judges nothing. What a user would lose: 24 points of gain
that are nothing but memory, accepted without a word."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.errors import UsageError
from harness.checks.seen import seen
from harness.checks.sketch import trained_on
from harness.judging.gate.gate import gate
from harness.judging.gate.looks import LookLog
from tests.tiny_collection import FIRST, Place
from tests.training.adapting import toy
from training.examples import Example, Examples
from training.fit import fit, job
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_options

TOPICS = 80


def fitted(place: Place, name: str, first: int = 0, base: str = "base", topics: int = TOPICS) -> Path:
    """A checkpoint that was trained on the queries of some topics, with their labels."""
    if not (place.path / "base").exists():
        toy.base(place.path / "base")
    rows = [
        Example(toy.query_of(number), ("tell gold", "tell mud"), (1.0, 0.0)) for number in range(first, first + topics)
    ]
    fit(job(str(place.path / base), Examples(tuple(rows)), replace(toy.QUICK, max_steps=2)), place.path / name)
    return place.path / name


def quick(place: Place, **more: object) -> object:
    return toy.settings(place, seeds=(0,), adaptation=replace(toy.QUICK, max_steps=2), **more)


def test_a_fit_keeps_its_queries_and_those_of_its_base(place: Place) -> None:
    first = fitted(place, "first")
    second = fitted(place, "second", 300, "first", 20)
    for folder, topics in ((first, (0, 80)), (second, (0, 80)), (second, (300, 320))):
        trained = trained_on(folder)
        assert trained is not None
        asked = [toy.query_of(number) for number in range(*topics)]
        assert seen(trained, "asked", asked).matched == len(asked)
    assert trained is not None and not trained.whole, "the base itself has no manifest"


def test_a_merge_keeps_the_queries_of_its_parts(place: Place) -> None:
    parts = [str(fitted(place, "one", 0, topics=20)), str(fitted(place, "two", 300, topics=20))]
    merge(from_options("linear", parts), place.path / "soup")
    trained = trained_on(place.path / "soup")
    assert trained is not None
    for first in (0, 300):
        assert seen(trained, "asked", [toy.query_of(first + number) for number in range(20)]).matched == 20


def test_a_training_of_no_steps_adds_no_queries(place: Place) -> None:
    toy.base(place.path / "base")
    rows = Examples((Example("what", ("a", "b"), (1.0, 0.0)),))
    fit(job(str(place.path / "base"), rows, replace(toy.QUICK, max_steps=0)), place.path / "out")
    assert trained_on(place.path / "out").sketches == ()  # type: ignore[union-attr]


def test_an_ingredient_that_was_trained_on_the_evaluation_queries_is_refused(place: Place) -> None:
    target, leaky = toy.target(place), fitted(place, "leaky")
    honest, bare = fitted(place, "honest", 300, topics=20), place.path / "bare"
    shutil.copytree(honest, bare)
    (bare / "manifest.json").unlink()
    settings = quick(place, ingredients=tuple(map(str, (leaky, honest, bare))))
    record = toy.run(place, settings, target, despite_teacher=True)  # type: ignore[arg-type]
    arms = {one.name: one for one in record.arms}
    assert arms["given-leaky"].refused[0].startswith("it was trained on ")
    assert not any("given-leaky" in one.parts for one in record.arms)
    assert not any(one.arm == "given-leaky" for one in record.scores)
    assert any(line.startswith("given-leaky was refused: it was trained on") for line in record.reasons)
    assert (arms["given-honest"].refused, arms["given-honest"].queries_known) == ((), True)
    assert (arms["given-bare"].refused, arms["given-bare"].queries_known) == ((), False)
    assert any("unknown which queries given-bare was trained on" in line for line in record.reasons)


def test_a_base_that_was_trained_on_the_evaluation_queries_stops_the_command(place: Place) -> None:
    target, leaky = toy.target(place), fitted(place, "leaky")
    with pytest.raises(UsageError, match=r"was trained on .* queries of target") as refusal:
        toy.run(place, quick(place, base=str(leaky)), target)  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value) and not (place.path / "out").exists()


def test_the_gate_calls_such_a_candidate_invalid_and_takes_no_look(place: Place) -> None:
    leaky, policy = fitted(place, "leaky"), replace(toy.POLICY, anchor=f"cross-encoder:{place.path / 'base'}")
    with place.session() as session:
        collections = [place.load(toy.target(place))]
        found = gate(collections, policy, f"cross-encoder:{leaky}", FIRST, session)
    assert found.state == "invalid" and "was trained on 40 of the 40 queries of target" in found.verdict.reasons[0]
    assert found.look is None and LookLog(place.workspace.results).all() == []


def test_a_run_marks_the_numbers_of_such_a_model(place: Place) -> None:
    import harness

    leaky, target = fitted(place, "leaky"), toy.target(place)
    fitted(place, "honest", 300, topics=20)
    specs = [f"cross-encoder:{place.path / name}" for name in ("leaky", "honest")]
    outcome = harness.run(str(target), first_stage=FIRST, rerankers=specs, depth=6, workspace=place.workspace.path)
    alarms = [(one.system.name, str(alarm)) for one in outcome.evaluations for alarm in one.alarms
              if alarm.name == "trained-on-queries"]  # fmt: skip
    assert alarms == [(specs[0], "the model was trained on 80 of the 80 queries of target")]
    assert json.loads((leaky / "manifest.json").read_text("utf-8"))["query_sketch"]["hashes"] == 32

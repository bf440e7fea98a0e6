"""What must not be promoted is not promoted: the whole loop on a world that is small enough to learn in seconds."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.judging.gate.looks import LookLog
from harness.result.adaptation.reading import read_record
from tests.tiny_collection import Place
from tests.training.adapting import toy
from tests.training.adapting.making import rewritten
from tests.training.adapting.toy import Honest
from tests.training.fitting import same_weights
from training.adapting.ingredients import general_of
from training.adapting.opening import known_of
from training.adapting.targets import AdaptTargets, tiers_of

ONE = (0,)
"""One training, where the question is not about merging."""


def multilingual(place: Place) -> Path:
    """Three languages: gold is relevant in two of them, silver in the third; no text of it has gold."""
    for place_of, (language, markers) in enumerate(
        (("de", (toy.GOLD, toy.SILVER)), ("en", (toy.GOLD, toy.SILVER)), ("th", (toy.SILVER, toy.MUD)))
    ):
        toy.target(place, f"many/{language}", 60, markers, first=60 * place_of)
    return place.path / "many"


def gate_looks(place: Place) -> list[str]:
    """The tiers of the looks of the first release."""
    return [look.tier for look in LookLog(place.workspace.results).all() if look.tier != "dev" and look.release == "1"]


def test_a_student_of_an_honest_teacher_is_accepted(honest: Honest) -> None:
    place, record = honest
    assert record.state == "accepted"
    accepted = record.arm(record.accepted or "")
    assert same_weights(place.path / "out" / "model", Path(accepted.path))
    base, adapted = record.value("base", "final"), record.value(accepted.name, "final")
    assert base is not None and adapted is not None and adapted > base + 0.1
    held = {one.against: one.holds for one in record.claims if one.claim == "adaptation"}
    assert held == {"base": True, "first stage": True}


def test_every_arm_is_on_dev_and_on_the_final_queries(honest: Honest) -> None:
    _, record = honest
    kinds = {one.kind for one in record.arms}
    assert kinds == {"base", "stage-1", "single", "union", "bag", "linear", "slerp", "greedy", "bagged", "curve"}
    for tier in ("dev", "final"):
        measured = {one.arm for one in record.scores if one.tier == tier}
        assert measured == {one.name for one in record.arms} | {"first stage", "teacher"}


def test_the_gate_is_looked_at_once_and_the_final_queries_once(honest: Honest) -> None:
    place, record = honest
    assert gate_looks(place) == ["gate", "final"]
    assert [look.tier for look in record.looks if look.tier != "dev"] == ["gate", "final"]
    assert all(look.alpha == 0 for look in record.looks if look.tier == "dev")


def test_merging_is_not_claimed_where_the_union_does_as_well(honest: Honest) -> None:
    _, record = honest
    assert not any(one.holds for one in record.claims if one.claim == "merging")
    assert any(line.startswith("merging is not claimed") for line in record.reasons)


def test_the_merge_of_the_bags_has_the_union_as_a_part_and_is_tested(honest: Honest) -> None:
    _, record = honest
    assert record.arm("bag-0.5").kind == "bag" and set(record.arm("bagged").parts) == {"bag-0.5", "union"}
    tested = {one.against for one in record.claims if one.winner == "bagged"}
    assert tested == {"union", "linear"}
    assert "the bags together had 1.5 times the union's budget of steps" in record.reasons


def test_the_student_of_a_shuffled_teacher_is_not_accepted(place: Place) -> None:
    target = toy.target(place)
    settings = toy.settings(place, teachers=(toy.SHUFFLED,), seeds=ONE)
    record = toy.run(place, settings, target, despite_teacher=True)
    assert record.state != "accepted" and record.accepted is None
    assert not (place.path / "out" / "model").exists()
    assert not any(look.accepted for look in LookLog(place.workspace.results).all())


def test_a_teacher_that_is_no_better_than_the_student_stops_the_run(place: Place) -> None:
    base = toy.pretrained(place, place.path / "gilded", toy.GOLD)
    settings = toy.settings(place, base=str(base), teachers=(toy.SHUFFLED,))
    record = toy.run(place, settings, toy.target(place))
    assert record.state == "refused" and "the teacher is not ahead" in record.reasons[0]
    assert not (place.path / "out" / "checkpoints").exists(), "nothing is trained on such scores"
    assert gate_looks(place) == []


def test_queries_of_another_domain_are_not_promoted(place: Place) -> None:
    corpus = toy.bare(place, "mire", markers=(toy.MUD,))
    settings = toy.settings(place, corpora=(str(corpus),), teachers=(f"{toy.TEACHER}?likes=gold,mud",), seeds=ONE)
    record = toy.run(place, settings, toy.target(place))
    assert record.state != "accepted" and not (place.path / "out" / "model").exists()


def test_a_training_of_no_steps_is_its_base_bit_by_bit_and_asks_no_gate(place: Place) -> None:
    settings = toy.settings(place, adaptation=replace(toy.QUICK, max_steps=0))
    record = toy.run(place, settings, toy.target(place))
    values = {one.arm: one.value for one in record.scores if one.arm not in {"first stage", "teacher"}}
    assert len(values) == 11 and len(set(values.values())) == 1
    assert record.state == "refused" and "no checkpoint was better on dev" in record.reasons[0]
    assert gate_looks(place) == []


@pytest.mark.parametrize("broken", ["ten times", "nan"])
def test_a_broken_ingredient_is_refused_and_never_measured(place: Place, broken: str) -> None:
    settings = toy.settings(place, seeds=ONE)

    def change(tensors: dict[str, object]) -> None:
        name = "bert.encoder.layer.0.attention.self.value.weight"
        tensors[name] = tensors[name] * (10 if broken == "ten times" else float("nan"))  # type: ignore[operator]

    rewritten(place.path / "base", place.path / "bent", change)
    settings = replace(settings, ingredients=(str(place.path / "bent"),))
    record = toy.run(place, settings, toy.target(place))
    assert record.arm("given-bent").refused
    assert any("given-bent was refused" in line for line in record.reasons)
    assert not any(one.arm == "given-bent" for one in record.scores)
    assert not any("given-bent" in one.parts for one in record.arms)


def test_one_bad_ingredient_does_not_spoil_every_control(place: Place) -> None:
    """Its numbers are sound and its order is reversed, so the soup of all is poor and easy to beat."""

    def reverse(tensors: dict[str, object]) -> None:
        tensors["classifier.weight"] = tensors["classifier.weight"] * -2.5  # type: ignore[operator]

    learned = toy.pretrained(place, place.path / "learned", toy.GOLD)
    rewritten(learned, place.path / "reversed", reverse)
    settings = toy.settings(place, base=str(learned), ingredients=(str(place.path / "reversed"),))
    record = toy.run(place, settings, toy.target(place), despite_teacher=True)
    by_name = {one.name: one for one in record.arms}
    assert not by_name["given-reversed"].refused, "its numbers are sound"
    assert "given-reversed" in by_name["linear"].parts
    assert "given-reversed" not in by_name["linear-sound"].parts and len(by_name["linear-sound"].parts) > 0
    assert {"linear-sound", "slerp-sound"} <= {look.candidate for look in record.looks if look.tier == "dev"}
    assert record.value("linear-sound", "dev") > record.value("linear", "dev")  # type: ignore[operator]


def test_a_regression_in_one_language_is_refused_by_its_name(place: Place) -> None:
    """Gold is learned for two languages at the price of silver, on which the third depends; the mean still rises."""
    base = toy.pretrained(place, place.path / "silvered", toy.SILVER)
    corpus = toy.bare(place, "gilt", markers=(toy.GOLD, toy.SILVER))
    teacher = f"{toy.TEACHER}?likes=gold&hates=silver"
    settings = toy.settings(place, base=str(base), corpora=(str(corpus),), teachers=(teacher,), seeds=ONE)
    record = toy.run(place, settings, multilingual(place))
    dev = [look for look in record.looks if look.tier == "dev" and look.candidate == "union"]
    assert dev[0].delta is not None and dev[0].delta > 0, "the mean on dev alone would have taken it"
    assert record.state == "refused" and "many/th lost" in record.reasons[0]
    assert not (place.path / "out" / "model").exists()


def test_an_evaluation_query_among_the_synthetic_ones_is_taken_out_and_counted(place: Place) -> None:
    settings = toy.settings(place, generator=f"{toy.ASKS}?leaks=5", seeds=ONE)
    record = toy.run(place, settings, toy.target(place))
    assert record.tasks[0].removed_as_leak == 5
    examples = (place.path / "out" / "tasks" / "corpus" / "examples" / "examples.jsonl").read_text("utf-8")
    trained = {json.loads(line)["query"] for line in examples.splitlines()}
    assert not trained & {toy.query_of(number) for number in range(80)}


def test_an_accepted_model_is_what_the_next_adaptation_has_to_beat(honest: Honest) -> None:
    """The first one is spent for this release, so the next release looks again."""
    place, record = honest
    policy = replace(toy.POLICY, looks=replace(toy.POLICY.looks, release="2"))
    settings = replace(toy.settings(place), seeds=(7,), adaptation=replace(toy.QUICK, max_steps=4))
    again = toy.run(place, settings, place.path / "target", out="again", policy=policy)
    assert again.state != "accepted"
    assert all(look.anchor.endswith(f"/{record.accepted}") for look in again.looks)
    shutil.rmtree(place.path / "again")


def test_a_finished_adaptation_is_in_its_workspace(honest: Honest) -> None:
    place, record = honest
    kept = read_record(place.workspace.adaptations / f"{record.run}.json")
    assert replace(kept, seconds=record.seconds, settings=record.settings) == record  # another test may continue it


def test_general_data_is_not_trained_on_where_it_holds_an_evaluation_query(place: Place) -> None:
    """Stage 1 would otherwise carry the leak that the synthetic queries were freed of."""
    with place.session() as session:
        tiers = tiers_of(AdaptTargets(str(toy.target(place))), toy.POLICY, session)
    asked = next(iter(tiers.final.collections[0].queries))
    general = place.path / "general.jsonl"
    rows = [{"query": text, "documents": ["one", "two"], "scores": [1.0, 0.0]} for text in (asked.upper(), "another")]
    general.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    found = general_of(toy.settings(place, general=(str(general),)), place.workspace, known_of(tiers))
    assert found is not None
    assert [row.query for row in found.rows] == ["another"]

"""`harness check --dtype`: a user would lose the difference between "the same model" and "too few questions to say"."""

from __future__ import annotations

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import UsageError
from adapters.precision_probe import PrecisionChoice
from harness.checks import same_model
from harness.checks.check import check
from harness.checks.same_model import LEAST, Sameness, sameness
from harness.measuring.statistics.design import Design, Questions
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place


def on_questions(questions: int, *, mean: float = 0.0, sd: float = 0.0) -> Sameness:
    drawn = np.random.default_rng(0).normal(size=questions)
    deltas = mean + sd * (drawn - drawn.mean()) / drawn.std()
    return sameness("bfloat16", Design((Questions("x", tuple(map(str, range(questions)))),)), [deltas])


def test_enough_questions_that_hardly_move_are_the_same_model() -> None:
    found = on_questions(LEAST, mean=0.0001, sd=0.005)
    assert found.answer == "the same"
    assert str(found).startswith(
        "bfloat16 is the same model within 0.1 points of float32: nDCG@10 +0.010, 90 % interval"
    )


def test_few_questions_are_never_enough_even_if_none_moves() -> None:
    assert on_questions(LEAST - 1).answer == "not shown"
    assert on_questions(LEAST).answer == "the same"
    assert "name a target with about 1,190 questions" in str(on_questions(20))


def test_what_moves_much_asks_for_more_questions() -> None:
    found = on_questions(1200, sd=0.05)
    assert found.answer == "not shown"
    assert found.needed == pytest.approx(2.926**2 * 0.05**2 / 0.001**2, rel=0.05)
    assert on_questions(found.needed, sd=0.05).answer == "the same"


@pytest.mark.parametrize("mean", [-0.002, 0.002])
def test_a_difference_beyond_the_margin_is_another_model_either_way(mean: float) -> None:
    assert on_questions(300, mean=mean, sd=0.001).answer == "not the same"


def test_languages_of_one_question_are_one_draw() -> None:
    ids = tuple(map(str, range(600)))
    design, still = Design((Questions("set", ids), Questions("set", ids))), np.zeros(600)
    assert sameness("bfloat16", design, [still, still]).questions == 600


def test_a_model_is_compared_with_itself_on_all_queries(place: Place) -> None:
    model, collection = tiny.cross_encoder(place.path / "model"), place.load(place.beir())
    with place.session() as session:
        found = check(str(model), [collection], session, first_stage=FIRST, depth=8, pairs=8, dtype="bfloat16")
    (trial,) = (one for one in found.findings if one.trial == same_model.TRIAL)
    assert (trial.verdict, trial.note) == ("suspicious", "bfloat16: not shown")
    assert f"{len(collection.queries)} questions" in trial.detail


def test_auto_that_is_float32_has_nothing_to_compare(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = PrecisionChoice("float32", "bfloat16", 0.5, "products of matrices", "cpu")
    monkeypatch.setattr(same_model, "resolve", lambda *_: choice)
    with place.session() as session:
        found = same_model.same_model(str(tiny.cross_encoder(place.path / "m")), "auto", [], FIRST, 8, session)
    assert (found.verdict, found.note) == ("OK", f"auto is {choice}")


@pytest.mark.parametrize("spec", ["{model}?dtype=float16", "bm25"])
def test_a_format_is_compared_only_where_the_model_has_a_choice(place: Place, spec: str) -> None:
    model = tiny.cross_encoder(place.path / "model")
    with place.session() as session, pytest.raises(UsageError, match="sets its number format, or has none"):
        check(spec.format(model=model), [place.load(place.beir())], session, first_stage=FIRST, dtype="bfloat16")


def test_the_command_prints_the_answer_with_its_figures(place: Place, command: Command) -> None:
    model, folder = tiny.cross_encoder(place.path / "model"), place.beir()
    done = command(
        "check", str(model), str(folder), "--first-stage", FIRST, "--dtype", "bfloat16", "--pairs", "8", "--workspace",
        str(place.path / "ws"),
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "not shown to be the same model within 0.1 points of float32" in " ".join(done.out.split())

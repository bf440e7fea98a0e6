"""A training that diverges costs a user that one checkpoint, once, and not the whole adaptation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from harness.progress import Reporter, Silent
from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import ArmRecord
from tests.tiny_collection import Place
from tests.training.adapting import toy
from tests.training.adapting.making import settings_for
from tests.training.adapting.test_ingredients import ready
from tests.training.adapting.test_loop import without_times
from training import fit as fitting
from training.adapting import closing
from training.adapting.checkpoint import folder_of
from training.adapting.ingredients import singles, union
from training.adapting.settings import AdaptationSettings
from training.adapting.watching import Finished
from training.examples import write_examples
from training.settings import Machine
from training.stepping import Diverged

FIT = fitting.fit
WILD = 1e30
"""A learning rate that no training survives."""


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The checkpoints that a training was begun for."""
    return _fitted_with(monkeypatch, {})


def _fitted_with(monkeypatch: pytest.MonkeyPatch, broken: Mapping[str, Diverged]) -> list[str]:
    names: list[str] = []

    def fit(work: fitting.Job, out: Path, machine: Machine, reporter: Reporter) -> Mapping[str, Any]:
        names.append(out.name)
        if out.name in broken:
            raise broken[out.name]
        return FIT(work, out, machine, reporter)

    monkeypatch.setattr(fitting, "fit", fit)
    return names


def wild(place: Place) -> tuple[AdaptationSettings, ArmRecord, Path]:
    settings = settings_for(place)
    fit = replace(settings.adaptation, learning_rate=WILD)
    return replace(settings, adaptation=fit), ArmRecord("stage-1", "stage-1", settings.base), place.path / "run"


def test_it_is_refused_with_the_step_and_leaves_nothing_but_that(place: Place) -> None:
    settings, stage1, out = wild(place)
    seen = list[Finished]()
    hasty = Machine(resume_seconds=0)
    found = singles(stage1, [ready("one", 8)], settings, out, Silent(), hasty, watch=seen.append)
    found.append(union(stage1, [ready("one", 8)], settings, out, Silent(), hasty, watch=seen.append))
    assert [one.name for one in found] == ["single-one-s0", "single-one-s1", "union"]
    for one, row in zip(found, seen, strict=True):
        (reason,) = one.refused
        assert reason.startswith("step ") and "lower the learning rate" in reason and "nothing" not in reason
        assert (row.stage, row.name, row.state, row.detail) == ("fit", one.name, "refused", reason)
    left = sorted(file.name for file in (out / "checkpoints").iterdir())
    assert left == [f"{one.name}.refused.json" for one in found]


def test_it_is_not_trained_again_and_tells_the_same(place: Place, tried: list[str]) -> None:
    settings, stage1, out = wild(place)
    found = singles(stage1, [ready("one", 8)], settings, out, Silent())
    assert singles(stage1, [ready("one", 8)], settings, out, Silent()) == found
    assert tried == ["single-one-s0", "single-one-s1"]


def test_another_training_under_its_name_is_not_refused_for_it(place: Place) -> None:
    settings, stage1, out = wild(place)
    singles(stage1, [ready("one", 8)], settings, out, Silent())
    calm = replace(settings, adaptation=settings_for(place).adaptation)
    assert not any(one.refused for one in singles(stage1, [ready("one", 8)], calm, out, Silent()))


def test_the_others_go_on_and_a_resumed_run_has_the_same_record(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user would lose: the trainings that were sound, or a model made of one that was not."""
    tried = _fitted_with(monkeypatch, {"single-corpus-s1": Diverged(12, "loss", float("nan"))})
    settings = toy.settings(place, seeds=(0, 1, 2), adaptation=replace(toy.QUICK, max_steps=3))
    target, out = toy.target(place), place.path / "out"
    record = toy.run(place, settings, target)
    way = "lower the learning rate (--lr), or check the teacher's scores and the scale of the loss"
    reason = f"step 12: the loss is nan; {way}"
    assert record.arm("single-corpus-s1").refused == (reason,)
    assert f"single-corpus-s1 was refused: {reason}" in record.reasons
    assert [one.name for one in record.arms if one.kind == "single" and one.refused] == ["single-corpus-s1"]
    assert "single-corpus-s1" not in {one.arm for one in record.scores} | {one.candidate for one in record.looks}
    assert set(record.arm("linear").parts) == {"single-corpus-s0", "single-corpus-s2"}
    assert record.state in {"accepted", "refused", "inconclusive"}
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["rejected"]["single-corpus-s1"] == [reason]

    (out / "manifest.json").unlink()
    assert without_times(toy.run(place, settings, target)) == without_times(record)
    assert tried.count("single-corpus-s1") == 1
    assert read_record(out).arm("single-corpus-s1").refused == (reason,)


def test_where_all_diverge_none_was_better(place: Place) -> None:
    settings = toy.settings(place, seeds=(0,), adaptation=replace(toy.QUICK, learning_rate=WILD))
    record = toy.run(place, settings, toy.target(place))
    assert record.state == "refused" and record.accepted is None
    assert {one.kind: bool(one.refused) for one in record.arms} == {
        "base": False, "stage-1": False, "single": True, "union": True,
    }  # fmt: skip
    assert not folder_of(place.path / "out", "union").exists() and not (place.path / "out" / "model").exists()


def test_a_stage_1_that_diverges_is_invalid_and_never_looked_for_on_the_hub(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`out/stage-1` is written as the hub writes its names."""
    asked: list[str] = []

    def opened(path: str) -> Any:
        asked.append(path)
        return open_folder(path)

    open_folder = closing.open_folder
    monkeypatch.setattr(closing, "open_folder", opened)
    write_examples(place.path / "general.jsonl", ready("one", 8).examples.rows)
    stage1 = replace(toy.QUICK, epochs=4, learning_rate=WILD)
    settings = toy.settings(place, general=(str(place.path / "general.jsonl"),), stage1=stage1)
    target = toy.target(place)
    monkeypatch.chdir(place.path)
    record = toy.run(replace(place, path=Path()), settings, target)
    assert record.state == "invalid" and record.reasons[0].startswith("stage-1 cannot be adapted: step ")
    assert asdict(record.arm("stage-1"))["path"] == "out/stage-1" and asked == [settings.base]
    assert [one.name for one in record.arms] == ["base", "stage-1"]

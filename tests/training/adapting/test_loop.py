"""The loop survives whatever stops it, ends with the same record, and leaves nothing that looks finished."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from adapters import tiny
from adapters.errors import UsageError
from harness.judging.gate.looks import LookLog
from harness.progress import Advance, Silent
from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import AdaptationRecord, ArmRecord
from tests.fake_adapters import asked
from tests.tiny_collection import Place
from tests.training.adapting import toy
from tests.training.adapting.toy import Honest
from training.adapting import closing, deciding
from training.adapting.config import AdaptTask
from training.adapting.cost import cost_of
from training.adapting.deciding import Deciding, LookVerdict
from training.adapting.scoring import spec_of


class Dying(Silent):
    """Kills the run as soon as it tells of a stage."""

    def __init__(self, after: str) -> None:
        self._after = after

    def note(self, text: str) -> None:
        if text.startswith(self._after):
            raise KeyboardInterrupt


class DyingInside(Silent):
    """Kills the run in the middle of a long stage, when some of its work is done."""

    def __init__(self, title: str) -> None:
        self._title = title

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Advance]:
        done = 0

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            if title.startswith(self._title) and total and total / 3 <= done < total:
                raise KeyboardInterrupt

        yield advance


DEATHS = (
    *map(Dying, ("teacher dev", "synthesize", "validate", "mine", "teach ")), DyingInside("training single-corpus-s0"),
    *map(Dying, ("fit single-corpus-s0", "integrity union")), DyingInside("training bag-0.5"),
    *map(Dying, ("fit bag-0.5", "merge slerp", "merge bagged", "gate", "final")),
)  # fmt: skip


def without_times(record: AdaptationRecord) -> dict[str, Any]:
    """A record without times and paths."""
    plain = asdict(record)
    for name in ("run", "started", "seconds", "base", "teachers"):
        del plain[name]
    for event in plain["timeline"]:
        del event["at"], event["seconds"]
    for arm in plain["arms"]:
        del arm["path"]
    for task in plain["tasks"]:
        del task["validation"]
    return plain


def weights(out: Path) -> dict[str, str]:
    """The digest of every arm's weights, from the manifest."""
    models = json.loads((out / "manifest.json").read_text("utf-8"))["models"]
    return {name: model["weights"] for name, model in models.items()}


def again(honest: Honest) -> AdaptationRecord:
    place, _ = honest
    return toy.run(place, toy.logged(place), place.path / "target")


def test_a_kill_at_any_stage_ends_with_the_same_record(honest: Honest, place: Place) -> None:
    """What a user would lose: pairs paid twice, other weights, another verdict, a second look."""
    target, settings = toy.target(place), toy.logged(place)
    for death in DEATHS:
        with pytest.raises(KeyboardInterrupt):
            toy.run(place, settings, target, reporter=death)
        assert read_record(place.path / "out").state == "running"
        assert not (place.path / "out" / "manifest.json").exists()
        assert not (place.path / "out" / "model").exists()
    record = toy.run(place, settings, target)
    assert without_times(record) == without_times(honest[1])
    assert weights(place.path / "out") == weights(honest[0].path / "out")
    paid = asked(place.path / "log")
    assert len(paid) == len(set(paid)) and sorted(paid) == sorted(asked(honest[0].path / "log"))
    assert [one.at for one in record.timeline] == sorted(one.at for one in record.timeline)


def test_a_kill_while_a_look_is_taken_spends_no_second_one(
    honest: Honest, open_end: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    for file in (open_end / "looks").iterdir():
        file.unlink()
    before = len(LookLog(honest[0].workspace.results).all())
    with monkeypatch.context() as patch:
        patch.setattr(deciding, "write_json", kill)
        with pytest.raises(KeyboardInterrupt):
            again(honest)
    assert without_times(again(honest)) == without_times(honest[1])
    assert len(LookLog(honest[0].workspace.results).all()) == before


def test_a_full_disk_leaves_no_model_and_no_manifest(
    honest: Honest, open_end: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(closing, "replace_folder", full)
        with pytest.raises(OSError, match="No space left"):
            again(honest)
    assert not (open_end / "model").exists() and not (open_end / "manifest.json").exists()
    assert read_record(open_end).state == "running"


def test_a_finished_run_is_not_made_again(honest: Honest) -> None:
    place, _ = honest
    record, paid = read_record(place.path / "out"), asked(place.path / "log")
    assert again(honest) == record
    assert asked(place.path / "log") == paid


def test_another_command_does_not_take_the_folder(honest: Honest) -> None:
    place, _ = honest
    with pytest.raises(UsageError, match="holds another job"):
        toy.run(place, toy.logged(place, seeds=(3,)), place.path / "target")


def test_a_folder_of_somebody_else_is_left_alone(place: Place) -> None:
    (place.path / "out").mkdir()
    (place.path / "out" / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="not empty"):
        toy.run(place, toy.settings(place), toy.target(place))


def test_nothing_is_written_where_the_queries_cannot_judge(place: Place) -> None:
    with pytest.raises(UsageError, match="needs at least"):
        toy.run(place, toy.settings(place), toy.target(place), policy=replace(toy.POLICY, min_queries=100))
    assert not (place.path / "out").exists()


def test_a_corpus_that_cannot_be_asked_about_leaves_the_folder_free(place: Place) -> None:
    """The mended command goes into the same folder."""
    target, nothing = toy.target(place), replace(toy.settings(place), profiles=("generic/klingon",))
    with pytest.raises(UsageError, match="klingon"):
        toy.run(place, nothing, target)
    assert not (place.path / "out").exists()


def test_the_timeline_has_the_stages_in_their_order(honest: Honest) -> None:
    stages = list(dict.fromkeys(one.stage for one in honest[1].timeline))
    assert stages == [
        "dev", "teacher", "synthesize", "clean", "validate", "mine", "teach", "fit", "integrity", "merge", "gate",
        "final",
    ]  # fmt: skip
    assert all(one.detail for one in honest[1].timeline)


def test_an_inconclusive_final_split_accepts_nothing(
    honest: Honest, open_end: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate has passed it, and all arms are measured on the final queries; that is all that is known."""
    look = Deciding.at

    def at(self: Deciding, tier: Any, arm: ArmRecord) -> LookVerdict:
        found = look(self, tier, arm)
        return replace(found, state="inconclusive") if tier == "final" else found

    with monkeypatch.context() as patch:
        patch.setattr(Deciding, "at", at)
        record = again(honest)
    assert record.state == "inconclusive" and record.accepted is None
    assert "did not confirm it (inconclusive)" in record.reasons[0]
    assert {one.arm for one in record.scores if one.tier == "final"} >= {one.name for one in record.arms}
    assert not (open_end / "model").exists() and (open_end / "manifest.json").exists()


def test_a_refused_single_is_in_no_merge_and_all_refused_make_none(place: Place, monkeypatch: Any) -> None:
    """Where every training breaks there is nothing to merge, and the run says so instead of failing."""
    from training.adapting import making

    def refuse(_: object, one: Any) -> Any:
        return replace(one, refused=("broken",)) if one.kind == "single" else one

    monkeypatch.setattr(making, "check", refuse)
    settings = toy.settings(place, seeds=(0,), adaptation=replace(toy.QUICK, max_steps=2))
    record = toy.run(place, settings, toy.target(place))
    assert {one.kind for one in record.arms} == {"base", "stage-1", "single", "union"}
    assert "single-corpus-s0 was refused: broken" in record.reasons


def test_real_questions_of_other_topics_are_trained_on_with_the_teachers_labels(place: Place) -> None:
    """The collection of the questions is in the workspace too, and still its queries are no leaks."""
    on, other = toy.target(place), toy.target(place, "asked", first=200, topics=40)
    task = AdaptTask(str(other), queries=str(other), queries_split="test", score_as=str(other))
    record = toy.run(place, toy.settings(place, corpora=(), tasks=(task,), seeds=(0,)), on)
    (row,) = record.tasks
    assert (row.queries, row.removed_as_leak, row.profile) == (40, 0, f"{other} (test)")
    assert record.state == "accepted"


def test_the_weights_of_the_teachers_are_chosen_on_dev_and_every_blend_is_a_look(place: Place) -> None:
    on = toy.target(place)
    chosen = toy.settings(place, teachers=(toy.TEACHER, toy.SHUFFLED), choose=True, seeds=(0,))
    record = toy.run(place, chosen, on)
    blends = [one for one in record.looks if one.candidate.startswith("blend:")]
    assert [one.candidate for one in blends] == ["blend:0.75,0.25", "blend:0.5,0.5", "blend:0.25,0.75"]
    assert all(one.tier == "dev" and one.alpha == 0 for one in blends)
    table = json.loads((place.path / "out" / "teachers.json").read_text("utf-8"))
    (taken,) = [one for one in table["tried"] if one["chosen"]]
    assert taken["weights"] == [1.0, 0.0], "the shuffled teacher adds nothing, so the simpler blend is taken"
    (task,) = record.tasks
    taught = json.loads((Path(str(task.validation)).parent / "examples" / "manifest.json").read_text("utf-8"))
    assert [one["spec"] for one in taught["teachers"]] == [toy.TEACHER]
    assert toy.run(place, chosen, on) == record


def test_an_embedder_is_adapted_and_merged_as_an_embedder(place: Place) -> None:
    on, embedder = toy.target(place), tiny.bert_embedder(place.path / "embedder")
    toy.bare(place)
    record = toy.run(place, toy.settings(place, base=str(embedder), seeds=(0, 1)), on)
    merged = next(arm for arm in record.arms if arm.name == "linear")
    assert not [arm.name for arm in record.arms if arm.refused]
    assert (Path(merged.path) / "1_Pooling" / "config.json").is_file()
    assert spec_of(merged.path) == f"embedder:{merged.path}"
    assert record.state in {"accepted", "refused", "inconclusive"}


def test_trainings_choose_their_step_on_dev_and_record_every_look(place: Place) -> None:
    target, short = toy.target(place), replace(toy.QUICK, max_steps=4)
    settings = toy.settings(place, seeds=(0,), adaptation=short, evaluate_every=2, patience=2)
    record = toy.run(place, settings, target, despite_teacher=True)
    looks = [one for one in LookLog(place.workspace.results).all() if one.tier == "dev"]
    inside = [one for one in looks if ".steps/" in one.candidate.name]
    for name in ("single-corpus-s0", "union"):
        manifest = json.loads((place.path / "out" / "checkpoints" / name / "manifest.json").read_text("utf-8"))
        assert (manifest["dev"]["looks"], manifest["dev"]["every"]) == (3, 2)
        (event,) = [one for one in record.timeline if (one.stage, one.name) == ("fit", name)]
        assert "on dev" in event.detail
    seen = [one.candidate.name.rpartition("/")[2] for one in inside]
    assert seen == ["step-000000", "step-000002", "step-000004"], "the union of one task is the same training"
    assert cost_of(settings, place.workspace).inside == 2 * 3


def test_the_cost_counts_the_bags_and_their_merge(place: Place) -> None:
    """The bags are as expensive as the union; a user should know before the start."""
    plain = toy.settings(place, seeds=(0,))
    one, bagged = cost_of(plain, place.workspace), cost_of(replace(plain, bags=(0.5, 0.5, 1.0)), place.workspace)
    assert bagged.checkpoints == one.checkpoints + 3, "two bags and their merge; the union is there"
    assert (one.bag_steps, bagged.bag_steps) == (0, one.union_steps)
    assert f"as many of the union, and {bagged.bag_steps:,} of the bags" in str(bagged)
    assert "bags" not in str(one)

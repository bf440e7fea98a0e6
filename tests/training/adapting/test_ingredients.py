"""Stage 1, singles and union are trained. What a user would lose: a fair comparison, and trainings that were paid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import DataError, ModelError
from harness.progress import Advance, Silent
from harness.result.adaptation.record import ArmRecord, CorpusFacts
from tests.tiny_collection import Place
from tests.training.adapting.making import rewritten, settings_for
from tests.training.fitting import QUICK, Planned, same_weights, some_examples
from training.adapting.checkpoint import folder_of
from training.adapting.dense import LETTERS_ONLY
from training.adapting.ingredients import _part, _weighted, bags, general_of, singles, start, union
from training.adapting.settings import Task
from training.adapting.tasks import Prepared, TaskCounts
from training.adapting.watching import Finished
from training.batches import apportioned
from training.examples import Examples, write_examples
from training.mixing import draws
from training.settings import Loss, Machine
from training.stages import MixedSource
from training.validating.leak import KnownQueries

pytestmark = pytest.mark.usefixtures("one_thread")

NO_TEACHERS: dict[str, dict[str, Any]] = {"teach": {}}


def ready(name: str, count: int) -> Prepared:
    """A task with this number of examples, made without its stages."""
    examples = some_examples(count)
    facts = CorpusFacts(name, f"print-of-{name}", count, "en")
    counts = TaskCounts(count, 0, 4 * count, count)
    return Prepared(Task(name, name, None), facts, "generic/en", counts, NO_TEACHERS, LETTERS_ONLY, examples)


def manifest(out: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder_of(out, name) / "manifest.json").read_text("utf-8"))
    return content


def general_file(place: Place, examples: Examples) -> str:
    write_examples(place.path / "general.jsonl", examples.rows)
    return str(place.path / "general.jsonl")


class Killed(Silent):
    """Ended from outside in the second step of a stage of this name."""

    def __init__(self, title: str) -> None:
        self.title, self.made = title, 0

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Advance]:
        yield self._advance if title == self.title else lambda _: None

    def _advance(self, steps: int) -> None:
        self.made += steps
        if self.made >= 2:
            raise KeyboardInterrupt


def test_without_general_data_stage_1_is_the_base(place: Place) -> None:
    settings = settings_for(place)
    base, stage1 = start(settings, place.path / "run", Silent())
    assert (base.kind, stage1.kind) == ("base", "stage-1")
    assert base.path == stage1.path == settings.base
    assert not (place.path / "run").exists()


def test_general_data_make_stage_1_and_are_replayed(place: Place) -> None:
    settings, out = settings_for(place), place.path / "run"
    settings = replace(settings, general=(general_file(place, some_examples(8)),), seeds=(0,))
    general, events = general_of(settings, place.workspace), list[Finished]()
    _, stage1 = start(settings, out, Silent(), general=general, watch=events.append)
    (one,) = singles(stage1, [ready("own", 12)], settings, out, Silent(), general=general, watch=events.append)
    assert stage1.path == str(out / "stage-1") and not stage1.refused
    assert manifest(out, "stage-1")["examples"]["examples"] == 8 and manifest(out, "stage-1")["steps"] == 4
    assert manifest(out, one.name)["replay"]["share"] == QUICK.replay_share
    assert manifest(out, one.name)["adapted_on"] == ["own", "print-of-own"]
    assert manifest(out, one.name)["base"]["weights"] == manifest(out, "stage-1")["weights"]
    assert [(row.stage, row.name, row.state) for row in events] == [
        ("stage-1", "stage-1", "done"), ("integrity", "stage-1", "pass"),
        ("fit", one.name, "done"), ("integrity", one.name, "pass"),
    ]  # fmt: skip


def test_scores_that_the_loss_of_stage_1_cannot_take_are_answered_with_its_key(place: Place) -> None:
    """Without the key a user changes training.loss, which stage 1 does not have."""
    general = Examples(
        tuple(replace(row, scores=(7.0, -2.0, 1.0, 0.0)[: len(row.scores)]) for row in some_examples().rows)
    )
    with pytest.raises(
        DataError, match=r"stage 1, trained with general\.loss: bce needs .* set general\.loss to another"
    ):
        start(
            settings_for(place, stage1=replace(QUICK, loss=Loss("bce"))), place.path / "run", Silent(), general=general
        )


def test_an_evaluation_query_in_general_data_is_left_out(place: Place) -> None:
    settings = replace(settings_for(place), general=(general_file(place, some_examples(8)),))
    known = [KnownQueries("quiz", "test", ["What is 3?"])]
    found = general_of(settings, place.workspace, known)
    assert found is not None
    assert "what is 3" not in {row.query for row in found.rows}
    assert found.counts()["rejected"] == {"like an evaluation query": 8 - len(found)}
    everything = [KnownQueries("quiz", "test", [row.query for row in some_examples(8).rows])]
    with pytest.raises(DataError, match=r"general\.data"):
        general_of(settings, place.workspace, everything)


def test_a_weighted_source_of_evaluation_queries_only_leaves_no_empty_steps(place: Place) -> None:
    paths = []
    for name, rows in (("a", some_examples(8).rows), ("b", some_examples(12).rows[8:])):
        write_examples(place.path / f"{name}.jsonl", rows)
        paths.append(str(place.path / f"{name}.jsonl"))
    settings = replace(settings_for(place), sources=tuple(MixedSource(path, 1.0) for path in paths))
    known = [KnownQueries("quiz", "test", [row.query for row in some_examples(12).rows[8:]])]
    general = general_of(settings, place.workspace, known)
    assert general is not None
    assert [(part.examples, part.drawn) for part in general.parts] == [(len(general), len(general)), (0, 0)]
    _, stage1 = start(settings, place.path / "run", Silent(), general=general)
    assert not stage1.refused


def test_general_sources_are_mixed_in_stage_1_and_in_the_replay(place: Place) -> None:
    paths = []
    for name, rows in (("a", some_examples(8).rows), ("b", some_examples(12).rows[8:])):
        write_examples(place.path / f"{name}.jsonl", rows)
        paths.append(str(place.path / f"{name}.jsonl"))
    sources = tuple(MixedSource(path, weight) for path, weight in zip(paths, (1.0, 3.0), strict=True))
    settings, out = replace(settings_for(place), sources=sources, seeds=(0,)), place.path / "run"
    known = [KnownQueries("quiz", "test", [some_examples(12).rows[11].query])]
    general = general_of(settings, place.workspace, known)
    assert general is not None
    left = [part.examples for part in general.parts]
    assert sum(left) == len(general) < 12, "what resembles an evaluation query is left out before the shares"
    assert [part.drawn for part in general.parts] == draws(left, [1, 3])
    _, stage1 = start(settings, out, Silent(), general=general)
    (one,) = singles(stage1, [ready("own", 12)], settings, out, Silent(), general=general)
    assert [row["name"] for row in manifest(out, "stage-1")["examples"]["sources"]] == paths
    replay = manifest(out, one.name)["replay"]["sources"]
    assert [row["drawn"] for row in replay] == apportioned(3, [part.drawn for part in general.parts])
    rows = [json.loads(line) for line in (Path(one.path) / "history.jsonl").read_text().splitlines()]
    assert {name for row in rows for name in row if name.startswith("loss/")} <= {
        "loss/examples", *(f"loss/{path}" for path in paths)
    }  # fmt: skip
    assert any("loss/examples" in row for row in rows)


def test_a_training_keeps_the_step_that_is_best_on_dev_and_stops_early(place: Place) -> None:
    settings, out, events = replace(settings_for(place), seeds=(0,)), place.path / "run", list[Finished]()
    _, stage1 = start(settings, out, Silent())
    dev: Any = Planned({0: 0.1, 2: 0.5, 4: 0.4, 6: 0.9}, every=2, patience=1)
    given = [ready("own", 12)], settings, out, Silent(), None, None, events.append
    (one,) = singles(stage1, *given, dev=dev)
    assert dev.seen == [0, 2, 4]
    assert manifest(out, one.name)["steps"] == 2 and manifest(out, one.name)["dev"]["stopped_early"]
    assert events[0].detail == "4 steps, stopped early; kept step 2 of 3 evaluated: 50.0 on dev"
    together = union(stage1, *given, dev=Planned({0: 0.9, 2: 0.1, 4: 0.1, 6: 0.2}, every=2))  # type: ignore[arg-type]
    assert manifest(out, "union")["steps"] == 0 and not together.refused, "the start was the best"


def test_a_new_head_grows_without_a_step(place: Place) -> None:
    tiny.bert_embedder(place.path / "embedder")
    settings, out = replace(settings_for(place), base=str(place.path / "embedder"), new_head=True), place.path / "run"
    base, stage1 = start(settings, out, Silent())
    assert base.path == stage1.path == str(out / "base")
    grown = manifest(out, "base")
    assert grown["steps"] == 0 and any("classifier" in name for name in grown["new_tensors"])
    (one, _) = singles(stage1, [ready("own", 4)], settings, out, Silent())
    assert not one.refused and manifest(out, one.name)["new_tensors"] == []
    assert start(settings, out, Silent()) == (base, stage1)


@pytest.mark.parametrize("general", [True, False])
def test_a_base_without_a_head_is_refused_before_anything_is_paid(place: Place, general: bool) -> None:
    encoder = tiny.bert_embedder(place.path / "encoder")
    (encoder / "modules.json").unlink()
    settings = replace(settings_for(place), base=str(encoder))
    with pytest.raises(ModelError, match="new_head"):
        start(settings, place.path / "run", Silent(), general=some_examples() if general else None)
    assert not (place.path / "run").exists()


def test_every_task_is_fitted_once_for_each_seed(place: Place) -> None:
    settings, out = replace(settings_for(place), seeds=(0, 1)), place.path / "run"
    _, stage1 = start(settings, out, Silent())
    found = singles(stage1, [ready("one", 8), ready("two", 12)], settings, out, Silent())
    assert [one.name for one in found] == ["single-one-s0", "single-one-s1", "single-two-s0", "single-two-s1"]
    assert {one.kind for one in found} == {"single"}
    assert not same_weights(Path(found[0].path), Path(found[1].path))
    assert [manifest(out, one.name)["settings"]["seed"] for one in found] == [0, 1, 0, 1]


@pytest.mark.parametrize(("epochs", "most"), [(2, None), (2, 3)])
def test_the_union_has_as_many_steps_as_all_singles_together(place: Place, epochs: int, most: int | None) -> None:
    fit = replace(QUICK, epochs=epochs, max_steps=most)
    settings, out = replace(settings_for(place), adaptation=fit, seeds=(0, 1)), place.path / "run"
    _, stage1 = start(settings, out, Silent())
    tasks = [ready("one", 5), ready("two", 9)]
    steps = [manifest(out, one.name)["steps"] for one in singles(stage1, tasks, settings, out, Silent())]
    one = union(stage1, tasks, settings, out, Silent())
    made = manifest(out, "union")
    assert made["steps"] == sum(steps) and made["examples"]["examples"] == 14
    assert (one.name, one.kind, one.refused) == ("union", "union", ())


def test_a_bag_has_its_share_of_every_task_and_of_the_steps(place: Place) -> None:
    """Drawn from the whole corpus, a small task could be missing; with all steps, a bag would be a longer training."""
    settings = replace(settings_for(place), seeds=(0,), bags=(0.5, 0.5, 1.0))
    out, tasks = place.path / "run", [ready("one", 8), ready("two", 24)]
    _, stage1 = start(settings, out, Silent())
    whole = union(stage1, tasks, settings, out, Silent())
    found = bags(stage1, tasks, settings, out, Silent())
    assert [(one.name, one.kind, one.refused) for one in found] == [("bag-0.5", "bag", ()), ("bag-0.5-2", "bag", ())]
    made = [manifest(out, one.name) for one in found]
    assert [one["examples"]["examples"] for one in made] == [16, 16]
    assert [one["steps"] for one in made] == [manifest(out, "union")["steps"] // 2] * 2
    assert made[0]["examples"]["digest"] != made[1]["examples"]["digest"], "every bag is drawn anew"
    assert not same_weights(Path(found[0].path), Path(whole.path))
    assert bags(stage1, tasks, settings, place.path / "again", Silent())[0].refused == ()
    assert same_weights(Path(found[0].path), folder_of(place.path / "again", "bag-0.5"))


def test_a_bag_that_cannot_be_trained_on_is_refused_and_the_others_are_trained(place: Place) -> None:
    """All singles and the union are trained before the bags; an error would end the run, and again after each start."""
    rows = some_examples(8).rows
    alike = tuple(replace(row, scores=(1.0,) * len(row.scores)) for row in rows)
    loss = replace(QUICK, loss=Loss("ranknet"))
    settings = replace(settings_for(place), seeds=(0,), adaptation=loss, bags=(0.01, 0.9))
    out, tasks = place.path / "run", [replace(ready("one", 8), examples=Examples((*alike, rows[0])))]
    _, stage1 = start(settings, out, Silent())
    refused, trained = bags(stage1, tasks, settings, out, Silent())
    assert "no query has two different scores" in refused.refused[0] and refused.name == "bag-0.01"
    assert (trained.name, trained.refused) == ("bag-0.9", ())


def test_a_part_of_a_task_has_no_example_twice() -> None:
    one = ready("one", 10)
    some = _part(one, 0.3, [0, 0, 0]).examples.rows
    assert len(some) == len(set(some)) == 3 and set(some) <= set(one.examples.rows)
    assert [one.examples.rows.index(row) for row in some] == sorted(one.examples.rows.index(row) for row in some)
    assert _part(one, 0.3, [0, 0, 0]) == _part(one, 0.3, [0, 0, 0]) != _part(one, 0.3, [0, 1, 0])
    assert len(_part(one, 0.01, [0, 0, 0]).examples) == 1, "no task is left out"


def test_zero_steps_give_checkpoints_that_are_the_base(place: Place) -> None:
    """A training that learned nothing must look like nothing."""
    settings = replace(settings_for(place), adaptation=replace(QUICK, max_steps=0), bags=(0.5, 1.0))
    out = place.path / "run"
    _, stage1 = start(settings, out, Silent())
    found = [
        *singles(stage1, [ready("one", 8)], settings, out, Silent()),
        union(stage1, [ready("one", 8)], settings, out, Silent()),
        *bags(stage1, [ready("one", 8)], settings, out, Silent()),
    ]
    assert [one.name for one in found[-2:]] == ["union", "bag-0.5"]
    assert all(same_weights(Path(one.path), Path(settings.base)) for one in found)


def test_given_checkpoints_join_the_singles_and_a_broken_one_is_refused(place: Place) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["classifier.weight"][0, 0] = np.nan

    settings, out = settings_for(place), place.path / "run"
    base = Path(settings.base)
    given = [rewritten(base, place.path / "mine" / "x", lambda _: None), rewritten(base, place.path / "x", spoil)]
    settings = replace(settings, ingredients=tuple(one.path for one in given), seeds=(0,))
    _, stage1 = start(settings, out, Silent())
    events = list[Finished]()
    found = singles(stage1, [ready("one", 4)], settings, out, Silent(), watch=events.append)
    assert [(one.name, one.kind) for one in found[1:]] == [("given-x", "given"), ("given-x-2", "given")]
    assert not found[1].refused and "not finite" in found[2].refused[0]
    assert events[-1].state == "refused" and events[-1].detail == found[2].refused[0]


def test_a_kill_loses_no_finished_training(place: Place) -> None:
    settings, machine = settings_for(place), Machine(resume_seconds=0)
    tasks = [ready("one", 8)]
    stage1 = ArmRecord("stage-1", "stage-1", settings.base)
    whole = singles(stage1, tasks, settings, place.path / "whole", Silent())
    out, events = place.path / "run", list[Finished]()
    with pytest.raises(KeyboardInterrupt):
        singles(stage1, tasks, settings, out, Killed("training single-one-s1"), machine)
    assert not folder_of(out, "single-one-s1").exists()
    again = singles(stage1, tasks, settings, out, Silent(), machine, watch=events.append)
    assert [row.state for row in events if row.stage == "fit"] == ["known", "done"]
    assert all(same_weights(Path(one.path), Path(other.path)) for one, other in zip(whole, again, strict=True))


def test_the_union_sees_a_task_as_often_as_its_weight_says() -> None:
    tasks = [
        replace(one, task=replace(one.task, weight=weight))
        for one, weight in ((ready("one", 8), 1.0), (ready("two", 8), 2.5))
    ]
    seen = {one.task.name: len(_weighted(one, tasks, 0)) for one in tasks}
    assert seen == {"one": 8, "two": 20}, "no example is left out, and the heavier task is repeated"
    assert set(_weighted(tasks[1], tasks, 0)) == set(tasks[1].examples.rows)

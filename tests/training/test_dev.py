"""Dev evaluation while a checkpoint is trained: what a user would lose is the best step, or an unseen gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters import tiny
from adapters.errors import UsageError
from harness.api import run
from harness.cli.train import _outline
from harness.judging.gate.looks import LookLog
from harness.progress import Silent
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place
from tests.training.adapting import toy
from tests.training.fitting import QUICK, KilledAfter, Planned, same_weights, some_examples
from training import watched
from training.dev import Dev, opened_dev
from training.examples import Example, Examples, write_examples
from training.fit import Job, fit, job
from training.settings import DevEvaluation, Machine


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("base") / "bert")


def work(base: Path, dev: Planned, **settings: Any) -> Job:
    """Six steps."""
    return replace(job(str(base), some_examples(), replace(QUICK, **settings)), dev=dev)


PEAK = {0: 0.1, 1: 0.2, 2: 0.5, 3: 0.4, 4: 0.5, 5: 0.3, 6: 0.2}


def history(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def test_the_best_step_is_written_and_the_whole_history_kept(base: Path, tmp_path: Path) -> None:
    manifest = fit(work(base, Planned(PEAK)), tmp_path / "out")
    plain = fit(job(str(base), some_examples(), QUICK), tmp_path / "kept", Machine(save_every=2))
    assert same_weights(tmp_path / "out", tmp_path / "kept.steps" / "step-000002"), "evaluating changes no step"
    assert [row.get("dev") for row in history(tmp_path / "out")] == list(PEAK.values())
    assert manifest["steps"] == 2 and plain["steps"] == 6
    assert manifest["dev"] == {
        "queries": "planned", "measure": "nDCG@10", "every": 1, "patience": None, "looks": 7, "start": 0.1,
        "best": 0.5, "best_step": 2, "made_steps": 6, "stopped_early": False,
    }  # fmt: skip
    assert manifest["weights"] != plain["weights"] and manifest["run"] != plain["run"]
    assert not (tmp_path / "out.steps").exists()


def test_a_run_stops_when_no_evaluation_is_better(base: Path, tmp_path: Path) -> None:
    dev = Planned(PEAK, patience=2)
    manifest = fit(work(base, dev), tmp_path / "out")
    assert dev.seen == [0, 1, 2, 3, 4], "an equal value is not better"
    assert manifest["steps"] == 2 and manifest["dev"]["stopped_early"] and manifest["dev"]["made_steps"] == 4
    assert fit(work(base, dev), tmp_path / "out") == manifest and len(dev.seen) == 5, "it is finished"


def test_a_base_that_no_step_improves_is_written_as_it_was(base: Path, tmp_path: Path) -> None:
    manifest = fit(work(base, Planned({0: 0.9, 3: 0.1, 6: 0.2}, every=3)), tmp_path / "out")
    assert same_weights(base, tmp_path / "out") and manifest["steps"] == 0
    assert manifest["loss"] == {"first": None, "last": None}
    outline = _outline(manifest)
    assert (
        "none" not in outline and "90.0 at the start, and no evaluated step was better, so the start is kept" in outline
    )
    assert "6 of 6 steps were made" in outline


def test_the_last_step_is_evaluated_even_if_it_is_not_due(base: Path, tmp_path: Path) -> None:
    dev = Planned({0: 0.1, 4: 0.2, 6: 0.3}, every=4)
    assert fit(work(base, dev), tmp_path / "out")["steps"] == 6 and dev.seen == [0, 4, 6]


def test_a_step_that_cannot_be_measured_is_never_the_best_one(base: Path, tmp_path: Path) -> None:
    manifest = fit(work(base, Planned({0: None, 3: 0.2, 6: None}, every=3)), tmp_path / "out")
    assert manifest["dev"]["best_step"] == 3 and manifest["dev"]["start"] is None
    assert [row["dev"] for row in history(tmp_path / "out") if "dev" in row] == [None, 0.2, None]
    none = fit(work(base, Planned({0: None, 6: None}, every=6)), tmp_path / "none")
    assert none["steps"] == 6 and none["dev"]["best"] is None


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize("seconds", [0, 1000])
def test_a_killed_run_keeps_the_same_step(base: Path, tmp_path: Path, patience: int | None, seconds: int) -> None:
    whole = fit(work(base, Planned(PEAK, 2, patience)), tmp_path / "whole")
    machine = Machine(resume_seconds=seconds)
    seen: list[int] = []
    for steps in (1, 3, 4):
        dev = Planned(PEAK, 2, patience)
        with pytest.raises(KeyboardInterrupt):
            fit(work(base, dev), tmp_path / "killed", machine, KilledAfter(steps))
        seen += dev.seen
    assert len(seen) <= 5, "at most the evaluation in which it was killed is repeated"
    assert fit(work(base, Planned(PEAK, 2, patience)), tmp_path / "killed", machine) == whole
    assert same_weights(tmp_path / "whole", tmp_path / "killed")
    assert history(tmp_path / "whole") == history(tmp_path / "killed")


def test_checkpoints_that_the_user_wants_are_left(base: Path, tmp_path: Path) -> None:
    fit(work(base, Planned({0: 0.1, 2: 0.3, 4: 0.2, 6: 0.1}, every=2)), tmp_path / "out", Machine(save_every=3))
    assert sorted(one.name for one in (tmp_path / "out.steps").iterdir()) == ["step-000003", "step-000006"]


def test_only_the_best_checkpoint_is_on_the_disk_while_others_are_made(base: Path, tmp_path: Path) -> None:
    class Looking(Planned):
        def value(self, checkpoint: Path) -> float:
            found = sorted(one.name for one in checkpoint.parent.glob("step-*"))
            assert len(found) <= 2
            return super().value(checkpoint)

    fit(work(base, Looking(PEAK)), tmp_path / "out")


@pytest.mark.parametrize(
    ("values", "patience", "best", "stopped"),
    [
        ([0.1, 0.2], 1, 1, False),
        ([0.2, 0.1], 1, 0, True),
        ([0.2, 0.1, 0.3, 0.3], 2, 2, False),
        ([0.2, 0.2, 0.2], 2, 0, True),
        ([None, None], 2, None, True),
        ([], 1, None, False),
    ],
)
def test_patience_counts_evaluations_after_the_best(
    values: list[float | None], patience: int, best: int | None, stopped: bool
) -> None:
    rows: Any = [{"step": step, "dev": value} for step, value in enumerate(values)]
    assert watched.best_step(rows) == best and watched.is_stopped(rows, patience) is stopped
    assert not watched.is_stopped(rows, None)


# With the harness


def lessons() -> Examples:
    """Topics that no collection has, with 1 for texts with the marker."""
    rows = []
    for number in range(300, 340):
        found = toy.texts(number, 1)
        scores = tuple(float(toy.GOLD in text.split()) for text in found.values())
        rows.append(Example(toy.query_of(number), tuple(found.values()), scores))
    return Examples(tuple(rows))


@contextmanager
def dev_queries(place: Place, target: Path, **chosen: Any) -> Iterator[Dev]:
    settings = DevEvaluation(str(target), first_stage=FIRST, depth=toy.TEXTS, **chosen)
    with opened_dev(settings, place.workspace.path, Silent()) as found:
        assert found is not None
        yield found


def split_dev(place: Place, **more: Any) -> Path:
    """A collection whose only split is dev."""
    folder = toy.target(place, topics=20, **more)
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    return folder


def test_the_harness_measures_a_step_as_it_measures_the_checkpoint_later(place: Place, tmp_path: Path) -> None:
    target, start = split_dev(place), toy.base(tmp_path / "base")
    with dev_queries(place, target, split="dev", every=2) as dev:
        manifest = fit(job(str(start), lessons(), toy.QUICK, dev=dev), tmp_path / "out")
    best = manifest["dev"]["best"]
    assert best >= manifest["dev"]["start"] and manifest["dev"]["measure"] == "nDCG@10"
    outcome = run(
        str(target), rerankers=[f"cross-encoder:{tmp_path / 'out'}"], first_stage=FIRST, depth=toy.TEXTS, split="dev",
        workspace=place.workspace.path,
    )  # fmt: skip
    values = [one.value for one in outcome.results if one.measure == "nDCG@10" and one.system.reranker]
    assert values == [pytest.approx(best, abs=1e-12)]
    looks = LookLog(place.workspace.results).all()
    assert [look.tier for look in looks] == ["dev"] * 4 and {look.alpha for look in looks} == {0.0}


def test_a_split_that_judges_is_refused(place: Place) -> None:
    target = toy.target(place, topics=20)
    refused = pytest.raises(UsageError, match=r"the split 'test' judges a checkpoint.*--dev-split.*--policy")
    with refused, dev_queries(place, target):
        pass


def test_with_a_policy_only_its_dev_tier_is_used(place: Place) -> None:
    target, policy = toy.target(place, topics=40), place.path / "gate.toml"
    policy.write_text("depth = 6\n[splits]\ndev = 0.25\ngate = 0.5\nfinal = 0.25\n")
    with dev_queries(place, target, policy=policy) as dev:
        (collection,) = dev.stage.collections
        assert len(collection.queries) == 10 and dev.stage.tier == "dev"


def test_queries_that_a_gate_has_judged_on_need_the_policy(place: Place, tmp_path: Path) -> None:
    target = split_dev(place)
    with dev_queries(place, target, split="dev") as dev:
        dev.value(toy.base(tmp_path / "base"))
        (look,) = LookLog(place.workspace.results).all()
        LookLog(place.workspace.results).keep(replace(look, tier="gate"))
    refused = pytest.raises(UsageError, match=r"a gate has judged checkpoints on these queries \(look-.*--policy")
    with refused, dev_queries(place, target, split="dev"):
        pass


def test_dev_queries_that_are_trained_on_are_refused(place: Place, tmp_path: Path) -> None:
    target, start = split_dev(place), toy.base(tmp_path / "base")
    known = replace(lessons().rows[0], query=toy.query_of(3).upper())
    refused = pytest.raises(UsageError, match="1 of the 20 dev queries are training queries, such as 'seek")
    with dev_queries(place, target, split="dev") as dev, refused:
        job(str(start), Examples((*lessons().rows, known)), toy.QUICK, dev=dev)


def test_the_command_says_which_step_it_kept(place: Place, tmp_path: Path, command: Command) -> None:
    target, start = split_dev(place), toy.base(tmp_path / "base")
    write_examples(tmp_path / "data.jsonl", lessons().rows)
    said = command(
        "train", "fit", "--base", start, "--data", tmp_path / "data.jsonl", "--loss", "bce", "--max-steps", 4,
        "--dev", target, "--dev-split", "dev", "--first-stage", FIRST, "--depth", toy.TEXTS, "--evaluate-every", 2,
        "--patience", 3, "--out", tmp_path / "out", "--workspace", place.workspace.path,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "step 0: " in said.err and "step 4: " in said.err and "pairs to score" not in said.err
    assert "nDCG@10 on dev" in said.out and "at the start" in said.out
    assert "kept step" in said.out or "the start is kept" in said.out  # the toy learns little


def test_a_patience_without_dev_queries_is_refused(command: Command) -> None:
    said = command("train", "fit", "--patience", 3)
    assert said.code == 2 and "patience belongs to a dev evaluation; name its collection with --dev" in said.err

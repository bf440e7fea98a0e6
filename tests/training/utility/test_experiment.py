"""The ablation whole. What a user would lose: arms that differ in one thing only, and work that was paid for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adapters import tiny
from adapters.errors import DataError, ModelError, UsageError
from harness.progress import Advance, Silent
from harness.scoring import rerank
from harness.scoring.session import opened
from harness.workspace import Workspace
from tests.fake_adapters import asked, score_of
from tests.fixtures import Command
from tests.tiny_collection import Place
from tests.training.fitting import same_weights
from tests.training.utility.world import LEARNING, ONE_STEP, PER_QUERY, RETRIEVERS, TEACHER, World, student
from training.examples import Example
from training.settings import Machine
from training.utility import experiment, overlap
from training.utility.experiment import run
from training.utility.question import ask
from training.utility.sets import CorpusQueries
from training.utility.settings import UtilitySettings
from training.utility.students import base_checkpoints

pytestmark = pytest.mark.usefixtures("one_thread")

ARMS = ("a", "b", "c", "d", "e", "f")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return student(tmp_path_factory.mktemp("base") / "bert")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory, base: Path) -> tuple[Path, dict[str, Any]]:
    """Real queries, the same ones as synthetic ones, and those of a domain where another word counts."""
    folder = tmp_path_factory.mktemp("learned")
    (folder / "mine").mkdir()
    world = World(Place(folder / "mine", Workspace.open(folder / "workspace")))
    world.same()
    return folder / "out", ran(world, world.settings(base, training=LEARNING), folder / "out", wrong=True)


def ran(
    world: World, settings: UtilitySettings, out: Path, reporter: Silent | None = None, *, wrong: bool = False
) -> dict[str, Any]:
    workspace = world.place.workspace
    with opened(workspace, reporter or Silent()) as session:
        return run(ask(world.given(wrong=wrong), settings, workspace), out, session)


def examples(out: Path, arm: str) -> list[dict[str, Any]]:
    lines = (out / "arms" / arm / "examples.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_identical_sets_are_worth_the_same(learned: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = learned
    result = manifest["result"]
    assert result["arms"]["b"]["gain"]["interval"][0] > 0, "the students of this world learn"
    assert result["ratio"] == {"value": 1, "interval": [1, 1], "seeds_interval": None}
    assert result["answer"] == "as much"
    assert same_weights(out / "checkpoints" / "a-s0", out / "checkpoints" / "b-s0")


def test_another_domain_is_worth_less(learned: tuple[Path, dict[str, Any]]) -> None:
    result = learned[1]["result"]
    (domain,) = (one for one in result["differences"] if one["name"] == "domain value")
    assert domain["interval"][0] > 0
    assert domain["adjusted_p"] < 0.05
    assert result["arms"]["e"]["value"] < result["arms"]["a"]["value"]


def test_the_values_of_every_query_are_kept(learned: tuple[Path, dict[str, Any]]) -> None:
    out, manifest = learned
    rows = [json.loads(line) for line in (out / "per-query.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == manifest["result"]["queries"]
    for name, arm in manifest["result"]["arms"].items():
        assert sum(row[name] for row in rows) / len(rows) == pytest.approx(arm["value"])


def test_the_base_is_measured_as_it_is(learned: tuple[Path, dict[str, Any]], base: Path) -> None:
    out, manifest = learned
    assert same_weights(base, out / "checkpoints" / "base-s0")
    assert manifest["result"]["arms"]["base"]["gain"] is None


@dataclass(frozen=True)
class Finished:
    """An ablation of a few steps, with a teacher of its own mind."""

    world: World
    settings: UtilitySettings
    out: Path
    log: Path
    manifest: dict[str, Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Finished:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "mine").mkdir()
    world = World(Place(folder / "mine", Workspace.open(folder / "workspace")), synthetic=9, real=7, tested=4)
    world.judge(_judgments(*world.topics["real"]))
    log = world.place.log()
    training = replace(ONE_STEP, max_steps=None, epochs=1)
    settings = world.settings(base, training=training, teacher=f"tests.fake_adapters:Plain?log={log}")
    out = folder / "out"
    return Finished(world, settings, out, log, ran(world, settings, out, wrong=True))


def _judgments(everything: str, unseen: str, *others: str) -> Iterator[tuple[str, str, int]]:
    """Of one query all documents are equally relevant. Of another a document that no retriever finds is judged."""
    yield from ((everything, f"{everything}-{marker}", 2) for marker in ("yes", "no", "not", "can"))
    yield from ((name, f"{name}-yes", 2) for name in (unseen, *others))
    yield unseen, f"{others[0]}-not", 1


def test_every_arm_costs_the_same(finished: Finished) -> None:
    assert finished.manifest["counts"]["real"]["left_out"] == {"all grades equal": 1}
    trained_on = finished.manifest["result"]["trained_on"]
    assert trained_on == {name: {"queries": 6, "pairs": 24, "steps": 2} for name in ARMS}
    for name in ARMS:
        assert [len(row["documents"]) for row in examples(finished.out, name)] == [PER_QUERY] * 6
        trained = json.loads((finished.out / "checkpoints" / f"{name}-s0" / "manifest.json").read_text("utf-8"))
        assert trained["steps"] == 2


@pytest.mark.parametrize(("one", "other"), [("a", "d"), ("b", "c")])
def test_arms_of_one_set_differ_in_labels_only(finished: Finished, one: str, other: str) -> None:
    pairs = list(zip(examples(finished.out, one), examples(finished.out, other), strict=True))
    assert all((left["query"], left["documents"]) == (right["query"], right["documents"]) for left, right in pairs)
    assert all(left["scores"] != right["scores"] for left, right in pairs)


def test_human_labels_are_shares_of_the_highest_grade_and_0_for_unjudged_documents(finished: Finished) -> None:
    _, name, other, *_ = finished.world.topics["real"]
    (row,) = (row for row in examples(finished.out, "b") if name in row["query"])
    labels = dict(zip(row["ids"], row["scores"], strict=True))
    assert labels[f"{other}-not"] == 0.5, "no retriever finds it, and no human label is lost"
    assert labels[f"{name}-yes"] == 1
    assert sorted(labels.values()) == [0, 0, 0.5, 1]


def test_the_source_labels_name_the_source_alone(finished: Finished) -> None:
    for row in examples(finished.out, "d"):
        assert [name for name, score in zip(row["ids"], row["scores"], strict=True) if score] == [row["source"]]


def test_teacher_labels_of_all_arms_are_on_one_scale_in_its_order(finished: Finished) -> None:
    rows = [row for arm in ("a", "c", "e") for row in examples(finished.out, arm)]
    scores = [score for row in rows for score in row["scores"]]
    raw = [score_of(row["query"], text) for row in rows for text in row["documents"]]
    assert (min(scores), max(scores)) == (0, 1)
    assert scores == pytest.approx([(one - min(raw)) / (max(raw) - min(raw)) for one in raw])


def test_shuffled_labels_are_those_of_the_teacher_in_another_order(finished: Finished) -> None:
    pairs = list(zip(examples(finished.out, "a"), examples(finished.out, "f"), strict=True))
    assert all((one["query"], one["documents"]) == (other["query"], other["documents"]) for one, other in pairs)
    assert all(sorted(one["scores"]) == sorted(other["scores"]) for one, other in pairs)
    assert sum(one["scores"] != other["scores"] for one, other in pairs) >= 5


def test_the_overlap_is_that_of_the_queries_that_are_trained_on(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: dict[str, list[str]] = {}

    def noted(query_set: CorpusQueries, *_: object) -> overlap.TestOverlap:
        compared[query_set.name] = sorted(one.text for one in query_set.queries)
        return overlap.TestOverlap({}, overlap.Nearness(0, 0, 0), None, 0)

    monkeypatch.setattr(experiment, "overlap_of", noted)
    with opened(finished.world.place.workspace, Silent()) as session:
        question = ask(finished.world.given(), finished.settings, finished.world.place.workspace)
        rows = {name: [Example(**row) for row in examples(finished.out, name)] for name in ARMS}
        experiment._overlap(question, rows, session)
    for name, arm in (("synthetic", "a"), ("real", "b"), ("wrong", "e")):
        assert compared[name] == sorted(row["query"] for row in examples(finished.out, arm))
    assert question.size == 7, "a real query was drawn and gave no example"


def test_a_second_run_scores_and_trains_nothing(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    scored, written = asked(finished.log), _written(finished.out)
    assert len(scored) == len(set(scored)) > 0

    def forbidden(*_: object) -> None:
        raise AssertionError("a pair was scored again")

    monkeypatch.setattr(rerank, "scored_chunks", forbidden)
    (finished.out / "manifest.json").unlink()
    assert ran(finished.world, finished.settings, finished.out, wrong=True) == finished.manifest
    assert (asked(finished.log), _written(finished.out)) == (scored, written)
    monkeypatch.setattr("training.utility.experiment.measured", forbidden)
    again = ran(finished.world, finished.settings, finished.out, wrong=True)
    assert again == finished.manifest, "what is finished is only read"


def _written(out: Path) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in sorted(out.glob("checkpoints/*/*"))}


def test_figures_of_the_earlier_rule_are_made_again_without_training(finished: Finished) -> None:
    scored, written = asked(finished.log), _written(finished.out)
    file = finished.out / "manifest.json"
    manifest = json.loads(file.read_text("utf-8"))
    del manifest["result"]["figures"]
    for one in manifest["result"]["differences"]:
        one["p_holm"] = one.pop("adjusted_p")
    file.write_text(json.dumps(manifest), "utf-8")
    assert ran(finished.world, finished.settings, finished.out, wrong=True) == finished.manifest
    assert (asked(finished.log), _written(finished.out)) == (scored, written)


def test_other_settings_do_not_take_the_folder(finished: Finished) -> None:
    with pytest.raises(UsageError, match="holds another job"):
        ran(finished.world, replace(finished.settings, depth=2), finished.out, wrong=True)


class KilledAt(Silent):
    """A run that is ended from outside when a stage begins."""

    def __init__(self, stage: str) -> None:
        self.killing = stage

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Advance]:
        if self.killing in title:
            raise KeyboardInterrupt
        yield lambda _: None


def test_a_kill_at_any_stage_ends_in_the_same_result(finished: Finished, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    for stage in ("training base", "training c-s0"):
        with pytest.raises(KeyboardInterrupt):
            ran(finished.world, finished.settings, out, KilledAt(stage), wrong=True)
        assert not (out / "manifest.json").exists()
    killed = ran(finished.world, finished.settings, out, wrong=True)
    assert killed["result"] == finished.manifest["result"]


@pytest.fixture
def world(place: Place) -> World:
    """Data that nothing was made of yet."""
    return World(place, synthetic=9, real=7, tested=4)


def test_a_base_that_cannot_be_trained_is_refused_before_the_teacher_is_paid(world: World) -> None:
    encoder, log = tiny.bert_embedder(world.path / "encoder"), world.place.log()
    (encoder / "modules.json").unlink()
    with pytest.raises(ModelError, match="new_head"):
        ran(world, world.settings(encoder, teacher=f"{TEACHER}?log={log}"), world.path / "out")
    assert not asked(log)


def test_a_random_head_makes_a_base_for_every_seed(world: World) -> None:
    embedder = tiny.bert_embedder(world.path / "embedder")
    settings = world.settings(embedder, seeds=2, training=replace(ONE_STEP, new_head=True))
    with world.place.session() as session:
        made = base_checkpoints(settings, world.path / "out", Machine(), session)
    assert [one.path.name for one in made] == ["base-s0", "base-s1"]
    assert not same_weights(made[0].path, made[1].path)


def test_queries_with_too_few_documents_are_refused_with_a_way_out(world: World, base: Path) -> None:
    settings = world.settings(base)
    with pytest.raises(DataError, match=r"no query has 9 documents.*sampling.per_query"):
        ran(world, replace(settings, plan=replace(settings.plan, per_query=9)), world.path / "out")


def options(world: World, base: Path, more: str = "") -> list[object]:
    """The command with a configuration; `more` are keys at its top."""
    file, given = world.path / "utility.toml", world.given()
    file.write_text(f"""{more}
        base = "{base}"
        synthetic = {{ corpus = "{given.corpus}", queries = "{given.queries}" }}
        mining = {{ retrievers = ["{RETRIEVERS[0]}", "{RETRIEVERS[1]}"], depth = {PER_QUERY} }}
        teaching.teacher = "{TEACHER}"
        sampling.per_query = {PER_QUERY}
        training.max_steps = 1
        test.collection = "{given.test}"
        test.first_stage = "{RETRIEVERS[0]}"
    """, "utf-8")  # fmt: skip
    return ["train", "utility", file, "--seeds", 1, "--workspace", world.place.workspace.path]


def test_the_command_tells_what_every_arm_is_worth(world: World, base: Path, command: Command) -> None:
    out = world.path / "out"
    measured = options(world, base, 'test.measure = "RR@10"')
    said = command(*measured, "--real", world.corpus, "--out", out)
    assert said.code == 0, said.err
    for text in (
        "RR@10",
        "real queries, human labels",
        "utility ratio",
        "query shift",
        "arm e is left out",
        "adjusted p",
        "p corrected over 4 differences (step-down MaxT)",
        "seeds and questions resampled",
    ):
        assert text in said.out
    page = (out / "utility.md").read_text("utf-8")
    assert all(text in page for text in ("| a |", "| base |", "c - b", "every arm: 7 queries, 28 pairs, 1 steps"))
    assert json.loads((out / "utility.json").read_text("utf-8"))["decision"] in page
    again = command(*measured, "--real", world.corpus, "--out", out, "--json")
    assert json.loads(again.out)["measure"] == "RR@10"
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert {"key": "training.seeds", "value": "1", "origin": "the command line"} in manifest["configuration"]


def test_an_experiment_that_was_begun_with_options_of_the_last_release_continues(
    world: World, base: Path, command: Command
) -> None:
    given, out = world.given(), world.path / "out"
    before = command(
        "train", "utility", "--base", base, "--corpus", given.corpus, "--queries", given.queries, "--test", given.test,
        "--teacher", TEACHER, "--retriever", RETRIEVERS[0], "--retriever", RETRIEVERS[1], "--first-stage",
        RETRIEVERS[0], "--seeds", 1, "--per-query", PER_QUERY, "--pool-depth", PER_QUERY, "--max-steps", 1,
        "--real", world.corpus, "--out", out, "--workspace", world.place.workspace.path,
    )  # fmt: skip
    assert before.code == 0 and "harness: --max-steps is now training.max_steps in the configuration" in before.err
    finished = (out / "manifest.json").read_bytes()
    assert command(*options(world, base), "--real", world.corpus, "--out", out).code == 0
    assert (out / "manifest.json").read_bytes() == finished, "it was found, not made again"


def test_the_cost_is_printed_before_anything_is_made(world: World, base: Path, command: Command) -> None:
    said = command(*options(world, base), "--real", world.corpus, "--print-cost")
    assert said.code == 0
    assert "7 queries in each set" in said.out
    assert "5 students of 1 steps; 6 evaluations" in said.out
    assert "the command line sets real.collection = " in said.out
    text = json.loads(command(*options(world, base), "--real", world.corpus, "--print-cost", "--json").out)
    assert text["teacher_pairs"] >= 7 * PER_QUERY


@pytest.mark.parametrize(
    ("keys", "more", "answer"),
    [
        ("", [], "name a judged collection with --real"),
        ("", ["--real", "OWN"], "needs --out"),
        ("", ["--real", "OWN", "--out", "OUT", "--real-split", "test"], "the same queries"),
        ("wrong.queries = 'q'", ["--real", "OWN", "--out", "OUT"], "wrong.corpus and wrong.queries"),
        ("training.loss.name = 'bce'", ["--real", "OWN", "--out", "OUT"], "bce"),
        ("test.measure = 'p-MRR'", ["--real", "OWN", "--out", "OUT"], "single queries"),
        ("", ["--real", "OWN", "--out", "OWN"], "holds no job"),
    ],
)
def test_bad_input_is_one_line(  # noqa: PLR0917
    world: World, base: Path, command: Command, keys: str, more: list[str], answer: str
) -> None:
    given = [word.replace("OWN", world.corpus).replace("OUT", str(world.path / "out")) for word in more]
    said = command(*options(world, base, keys), *given)
    assert said.code in {2, 5}
    assert answer in said.err
    assert said.err.splitlines()[-1].startswith("harness: ") and said.err.count("(exit ") == 1
    assert "Traceback" not in said.err

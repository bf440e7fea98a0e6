"""Recipes can be used, and say what they do not know. What a user would lose: a cost that nobody can check."""

from __future__ import annotations

import importlib.resources
import json
import re

import pytest

from adapters.errors import UsageError
from tests.fixtures import Command
from tests.tiny_collection import Place
from training.adapting.config import AdaptConfig
from training.adapting.gpu_hours import TaskSize, gpu_hours, stated_sizes
from training.adapting.settings import tasks_of, wishes_of
from training.configuration import Layer, configured, file_layer, recipe_names
from training.synthesis.profiles import load_profile

MARKS = ("STATED", "SUMMARY", "INFERRED", "UNKNOWN")
BASE = {
    "base": "b", "teaching": {"teachers": ["t"]}, "task": [{"corpus": "c", "profile": "claim-en", "documents": 10}],
    "sampling": {"per_query": 4}, "training": {"seeds": 2, "epochs": 3}, "mining": {"depth": 5},
    "cost": {"student_parameters": 1e9, "teacher_parameters": 2e9, "tokens_per_pair": 100, "peak_tflops": 100.0,
             "utilisation": 0.5},
}  # fmt: skip


def config(**more: object) -> AdaptConfig:
    return configured(AdaptConfig, [Layer("file", {**BASE, **more})]).config


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_can_be_loaded(name: str) -> None:
    found = configured(AdaptConfig, [file_layer(f"recipe:{name}")]).config
    tasks = tasks_of(wishes_of(found))
    assert tasks and all(one.profile is None or load_profile(one.profile) for one in tasks)
    sizes = stated_sizes(found)
    assert sizes is not None and gpu_hours(found, sizes, found.cost.general_examples or 0).total > 0


@pytest.mark.parametrize("name", recipe_names())
def test_every_value_of_a_recipe_says_how_it_is_known(name: str) -> None:
    text = importlib.resources.files("training").joinpath("recipes", f"{name}.toml").read_text("utf-8")
    values = [line for line in text.splitlines() if re.match(r"\w+ = ", line)]
    unmarked = [line for line in values if not any(mark in line for mark in MARKS)]
    corpora = [line for line in unmarked if line.startswith("corpus = ")]
    assert set(unmarked) == set(corpora), "every value has a mark; corpora have that of their table"


def test_the_paper_s_tasks_are_collections_that_exist() -> None:
    found = configured(AdaptConfig, [file_layer("recipe:querit")]).config
    suite = importlib.resources.files("harness.data").joinpath("suites", "mteb-multilingual-v2-reranking.toml")
    names = set(re.findall(r'^name = "(.+)"', suite.read_text("utf-8"), re.MULTILINE))
    assert {one.corpus.partition("/")[2] for one in found.task} <= names


def test_an_unknown_recipe_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no recipe 'qerit'.*Did you mean querit"):
        file_layer("recipe:qerit")


def test_gpu_hours_are_parameters_x_tokens_x_operations() -> None:
    """10 documents x 3 queries; 3 epochs of 4 documents of 100 tokens, twice; a teacher that reads 11 pairs a query."""
    hours = gpu_hours(config(), [TaskSize(10, 30)], 0)
    rows = {one.name: (one.tokens, one.flops) for one in hours.works}
    singles = 30 * 3 * 4 * 100 * 2
    assert rows["singles"] == rows["union"] == (singles, 6e9 * singles)
    assert rows["teacher"] == (30 * 11 * 100, 2 * 2e9 * 30 * 11 * 100)
    assert "stage 1" not in rows and "generator" not in rows
    assert hours.total == pytest.approx((2 * 6e9 * singles + rows["teacher"][1]) / (100e12 * 0.5 * 3600))


def test_bags_cost_their_share_of_the_union() -> None:
    rows = {
        one.name: one.tokens for one in gpu_hours(config(merge={"bags": [0.5, 0.3, 1]}), [TaskSize(10, 30)], 0).works
    }
    assert rows["bags"] == pytest.approx(0.8 * rows["union"]), "the union is trained in any case"


def test_general_data_replay_the_generator_and_an_embedder_count() -> None:
    cost = {**BASE["cost"], "generator_parameters": 5e9, "answer_tokens": 50, "teacher_reads": "texts"}  # type: ignore[dict-item]
    more = config(cost=cost, general={"data": ["g"]}, training={"seeds": 1, "replay_share": 0.5})
    rows = {one.name: one.tokens for one in gpu_hours(more, [TaskSize(10, 30)], 200).works}
    assert rows["stage 1"] == 200 * 4 * 100
    assert rows["singles"] == 30 / 0.5 * 4 * 100
    assert rows["teacher"] == (10 + 30) * 100 and rows["generator"] == 10 * (100 + 50)


def test_a_limit_of_steps_limits_the_cost() -> None:
    limited = config(training={"seeds": 1, "max_steps": 2, "queries": 4})
    rows = {one.name: one.tokens for one in gpu_hours(limited, [TaskSize(10, 30)], 0).works}
    assert rows["singles"] == 2 * 4 * 4 * 100


def test_a_size_that_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match=r"cost\.teacher_parameters is not set"):
        gpu_hours(config(cost={"student_parameters": 1e9}), [TaskSize(1, 3)], 0)


@pytest.mark.parametrize("task", [{"corpus": "c", "documents": 9}, {"corpus": "c", "profile": "claim-en"}])
def test_sizes_that_are_not_stated_are_counted(task: dict[str, object]) -> None:
    assert stated_sizes(config(task=[task])) is None


def test_the_command_prints_the_hours_and_the_assumptions_without_opening_a_corpus(
    place: Place, command: Command
) -> None:
    options = ("recipe:querit", "--print-cost", "--workspace", place.workspace.path)
    said = command("train", "adapt", *options)
    assert said.code == 0, said.err
    assert "GPU-hours" in said.out and "assumed: 989 TFLOP/s a GPU, 40% of them used" in said.out
    hours = json.loads(command("train", "adapt", *options, "--json").out)["gpu_hours"]
    assert hours["total"] == pytest.approx(sum(one["hours"] for one in hours["works"]))

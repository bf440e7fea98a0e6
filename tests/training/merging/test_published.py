"""Recipes as people publish them: flags written as numbers, and all models in mergekit's module `default`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.skips import OPTIONAL
from tests.training.merging.test_leftover import _THEIRS
from tests.training.merging.test_reference import HERE, ROOT, assert_equal, read
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_mapping, read_yaml

WEIGHTED = [{"model": name, "parameters": {"weight": weight}} for name, weight in (("a", 0.5), ("b", 0.8))]
LINEAR: dict[str, Any] = {"merge_method": "linear", "dtype": "float32"}
TIES: dict[str, Any] = {
    "merge_method": "ties", "base_model": "a", "dtype": "float32",
    "models": [{"model": "b", "parameters": {"weight": 0.4, "density": 0.5}}],
}  # fmt: skip
STACK = [
    {"sources": [{"model": "a", "layer_range": [0, 2]}, {"model": "b", "layer_range": [0, 2]}]},
    {"sources": [{"model": "b", "layer_range": [2, 3]}, {"model": "a", "layer_range": [2, 3]}]},
]
HALVES = {"parameters": {"weight": [0.25, 0.75]}}
GATE = {"filter": "mlp", "value": 0.9}
SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "normalize 1.0": (
        {**TIES, "parameters": {"normalize": 1.0, "int8_mask": 0.0}},
        {**TIES, "parameters": {"normalize": True, "int8_mask": False}},
    ),
    "normalize 0.0": (
        {**LINEAR, "models": WEIGHTED, "parameters": {"normalize": 0.0}},
        {**LINEAR, "models": WEIGHTED, "parameters": {"normalize": False}},
    ),
    "normalize 0, with a filter": (
        {**LINEAR, "models": WEIGHTED, "parameters": {"normalize": [{"filter": "mlp", "value": 0}, {"value": 1.0}]}},
        {**LINEAR, "models": WEIGHTED,
         "parameters": {"normalize": [{"filter": "mlp", "value": False}, {"value": True}]}},
    ),
    "models of a module": (
        {**LINEAR, "modules": {"default": {"models": WEIGHTED}}, "parameters": {"normalize": False}},
        {**LINEAR, "models": WEIGHTED, "parameters": {"normalize": False}},
    ),
    "parameters of a module come before those of the recipe": (
        {**LINEAR, "modules": {"default": {"models": WEIGHTED, "parameters": {"normalize": 0}}},
         "parameters": {"normalize": True}},
        {**LINEAR, "models": WEIGHTED, "parameters": {"normalize": False}},
    ),
    "slices of a module": (
        {**LINEAR, "modules": {"default": {"slices": STACK, **HALVES}}},
        {**LINEAR, "slices": STACK, **HALVES},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_two_ways_to_write_a_recipe_are_the_same_merge(case: str, models: Path) -> None:
    made = []
    for number, recipe in enumerate(SAME[case]):
        (models / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False), "utf-8")
        merged = merge(read_yaml(models / "recipe.yaml"), models / f"out{number}")
        made.append((read(merged.path / "model.safetensors"), merged.report["notes"]))
    assert_equal(made[0][0], made[1][0], "f32")
    assert made[0][1] == made[1][1]


def test_a_flag_written_as_a_number_has_the_same_id_as_true(models: Path) -> None:
    ids = [merge(from_mapping(one, models), models / f"out{n}").id for n, one in enumerate(SAME["normalize 1.0"])]
    assert ids[0] == ids[1]


def test_a_filtered_parameter_of_a_module_leaves_other_tensors_to_the_recipe(models: Path) -> None:
    module = {"models": [{"model": "a"}, {"model": "b"}], "parameters": {"weight": [GATE]}}
    recipe = from_mapping({**LINEAR, "modules": {"default": module}, "parameters": {"weight": 0.1}}, models)
    assert recipe.of_input(0, "weight", "model.layers.0.mlp.up_proj.weight", 0) == 0.9
    assert recipe.of_input(0, "weight", "model.norm.weight", 0) == 0.1


@pytest.mark.skipif("MERGEKIT_PYTHON" not in os.environ, reason=OPTIONAL)
def test_mergekit_reads_the_same_recipes_and_gets_the_same_numbers(models: Path) -> None:
    recipes = {case: published for case, (published, _) in SAME.items()}
    asked = [os.environ["MERGEKIT_PYTHON"], "-c", _THEIRS, str(HERE), str(models), json.dumps(recipes)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    for case, recipe in recipes.items():
        merge(from_mapping(recipe, models), models / f"ours {case}")
        (theirs,) = (models / f"theirs {case}").glob("*.safetensors")
        assert_equal(read(models / f"ours {case}" / "model.safetensors"), read(theirs), "f32")

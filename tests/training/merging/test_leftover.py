"""Recipes are written by changing old ones: what mergekit ignores in them changes nothing, and the report says so."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.errors import UsageError
from tests.skips import OPTIONAL
from tests.training.merging.test_reference import HERE, ROOT, assert_equal, read
from training.merging.leftover import without_leftovers
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_mapping, read_yaml

SLERP: dict[str, Any] = {
    "merge_method": "slerp", "base_model": "a", "models": [{"model": "a"}, {"model": "b"}], "parameters": {"t": 0.25},
    "dtype": "float32",
}  # fmt: skip
WEIGHTS = [{"model": name, "parameters": {"weight": 0.5, "density": 0.5}} for name in "ab"]
LINEAR: dict[str, Any] = {"merge_method": "linear", "models": WEIGHTS}
SOURCES = [{"model": name, "layer_range": [0, 3], "parameters": {"weight": 0.5}} for name in "ab"]
LEFTOVERS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "weights of models after a change to slerp": (
        SLERP, {"models": WEIGHTS},
        [f"the parameter '{key}' of the model {name} is not used by slerp, and is ignored"
         for name in "ab" for key in ("weight", "density")],
    ),
    "a weight for all": (
        SLERP, {"parameters": {"t": 0.25, "weight": [0, 1], "normalize": True}},
        ["the parameter 'weight' of the recipe is not used by slerp, and is ignored",
         "the parameter 'normalize' of the recipe is not used by slerp, and is ignored"],
    ),
    "words as values": (
        SLERP, {"parameters": {"t": 0.25, "consensus_method": "sum"}},
        ["the parameter 'consensus_method' of the recipe is not used by slerp, and is ignored"],
    ),
    "a slice": (
        {key: value for key, value in SLERP.items() if key != "models"}, {"slices": [{"sources": SOURCES}]},
        ["the parameter 'weight' of the model a is not used by slerp, and is ignored",
         "the parameter 'weight' of the model b is not used by slerp, and is ignored"],
    ),
    "t of one model": (
        SLERP, {"models": [{"model": "a", "parameters": {"t": 0.9}}, {"model": "b"}]},
        ["the parameter 't' of the model a is not used by slerp, and is ignored"],
    ),
    "keys of other tools": (
        SLERP, {"model_name": "mine", "layer_count": 3, "models": [{"model": "a", "notes": "x"}, {"model": "b"}]},
        ["'model_name' of the recipe is not a key that mergekit reads, and is ignored",
         "'layer_count' of the recipe is not a key that mergekit reads, and is ignored",
         "'notes' of the model a is not a key that mergekit reads, and is ignored"],
    ),
    "a module": (
        {key: value for key, value in SLERP.items() if key != "models"},
        {"modules": {"default": {"models": [*WEIGHTS[:1], {"model": "b"}], "parameters": {"gamma": 1}, "name": "x"}}},
        ["'name' of the module default is not a key that mergekit reads, and is ignored",
         "the parameter 'gamma' of the module default is not used by slerp, and is ignored",
         "the parameter 'weight' of the model a is not used by slerp, and is ignored"],
    ),
    "a density of linear": (
        LINEAR, {}, [f"the parameter 'density' of the model {name} is not used by linear, and is ignored"
                     for name in "ab"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LEFTOVERS)
def test_a_leftover_changes_nothing_and_the_report_names_it(case: str, models: Path) -> None:
    plain, change, remarks = LEFTOVERS[case]
    (models / "recipe.yaml").write_text(yaml.safe_dump({**plain, **change}, sort_keys=False), "utf-8")
    merged = merge(read_yaml(models / "recipe.yaml"), models / "out")
    notes = merged.report["notes"]
    assert isinstance(notes, list) and notes[: len(remarks)] == remarks
    assert remarks[0] in (models / "out" / "merge-report.md").read_text("utf-8")
    clean, _ = without_leftovers({**plain, **change})
    again = merge(from_mapping(clean, models), models / "clean")
    assert again.id == merged.id
    files = [(models / folder / "model.safetensors").read_bytes() for folder in ("out", "clean")]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parameters": {"t": 0.5, "weight": 1}, "merge_metod": "slerp"}, "merge_metod: is not supported here"),
        ({"out_dtyp": "float16"}, "out_dtyp: is not supported here"),
        (
            {"models": [{"model": "a", "parameter": {"weight": 1}}, {"model": "b"}]},
            r"models\[0\]\.parameter: is not supported here",
        ),
        ({"chat_template": "chatml"}, "chat_template: 'chatml' is a template that comes with mergekit"),
        ({"chat_template": "short"}, "chat_template: 'short' is no template"),
        ({"modules": {}}, "modules: is not supported here, except"),
    ],
)
def test_what_is_misspelt_or_would_change_the_merge_is_refused(change: dict[str, Any], said: str, models: Path) -> None:
    with pytest.raises(UsageError, match=said):
        from_mapping({**SLERP, **change}, models)


def test_a_misspelt_parameter_is_no_leftover(models: Path) -> None:
    ties = {**LINEAR, "merge_method": "ties", "base_model": "a", "parameters": {"densty": 0.5}}
    with pytest.raises(UsageError, match="ties has no parameter 'densty' here; it has density"):
        from_mapping(ties, models)


_THEIRS = """import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from make import merged
for name, recipe in json.loads(sys.argv[3]).items():
    merged(recipe, Path(sys.argv[2]), Path(sys.argv[2]) / f"theirs {name}")
"""


@pytest.mark.skipif("MERGEKIT_PYTHON" not in os.environ, reason=OPTIONAL)
def test_mergekit_ignores_the_same_and_gets_the_same_numbers(models: Path) -> None:
    recipes = {case: {**plain, **change} for case, (plain, change, _) in LEFTOVERS.items()}
    asked = [os.environ["MERGEKIT_PYTHON"], "-c", _THEIRS, str(HERE), str(models), json.dumps(recipes)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    for case, recipe in recipes.items():
        merge(from_mapping(recipe, models), models / f"ours {case}")
        (theirs,) = (models / f"theirs {case}").glob("*.safetensors")
        assert_equal(read(models / f"ours {case}" / "model.safetensors"), read(theirs), "f32")

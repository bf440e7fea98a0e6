"""What must not be merged is refused in one line: merged anyway, it would be a model that answers, and wrongly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from adapters import tiny
from adapters.errors import HarnessError, ModelError, UsageError
from tests.training.merging import pico
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_mapping, from_options, read_yaml
from training.merging.recipe import Recipe

Change = Callable[[Path], object]


def recipe(folder: Path, names: str = "ab", method: str = "linear") -> Recipe:
    return from_options(method, [str(folder / name) for name in names])


def refusal(folder: Path, one: Recipe, kind: type[HarnessError] = ModelError) -> str:
    """The line that a merge ends with; nothing may be left behind."""
    before = sorted(folder.iterdir())
    with pytest.raises(kind) as raised:
        merge(one, folder / "out")
    assert sorted(folder.iterdir()) == before
    assert "\n" not in str(raised.value)
    return str(raised.value)


def edit(file: str, **changes: object) -> Change:
    def change(folder: Path) -> None:
        path = folder / file
        content = json.loads(path.read_text("utf-8")) if path.exists() else {}
        path.write_text(json.dumps({**content, **changes}), "utf-8")

    return change


def other_token(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    vocabulary = content["model"]["vocab"]
    one, two = list(vocabulary)[-2:]
    vocabulary[one], vocabulary[two] = vocabulary[two], vocabulary[one]
    (folder / "tokenizer.json").write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_token, "tokenizers (model)"),
        (edit("tokenizer_config.json", pad_token="[SEP]"), "pad_token"),
        (edit("config.json", architectures=["RobertaForSequenceClassification"]), "architecture"),
        (edit("config.json", vocab_size=7), "vocab_size"),
        (edit("config.json", rope_theta=5.0), "rope_theta"),
        (edit("config.json", quantization_config={"quant_method": "bitsandbytes"}), "quantised weights (bitsandbytes)"),
        (edit("adapter_config.json", peft_type="LORA"), "merge_and_unload"),
    ],
)
def test_models_that_read_text_differently_are_refused(change: Change, words: str, tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        tiny.cross_encoder(tmp_path / name, seed=seed)
    change(tmp_path / "b")
    assert words in refusal(tmp_path, recipe(tmp_path))


def test_how_a_tokenizer_was_last_used_is_no_difference(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        tiny.cross_encoder(tmp_path / name, seed=seed)
    edit("tokenizer.json", truncation={"max_length": 7}, padding=None)(tmp_path / "b")
    assert merge(recipe(tmp_path), tmp_path / "out").new


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16"])
@pytest.mark.parametrize("method", ["linear", "slerp", "ties", "task_arithmetic"])
def test_nan_and_infinity_are_refused_by_the_name_of_tensor_and_file(
    wrong: float, dtype: str, method: str, tmp_path: Path
) -> None:
    content = pico.tensors(1)
    content["model.layers.1.mlp.up_proj.weight"][3, 4] = wrong
    pico.write(tmp_path / "a", pico.tensors(0), dtype=dtype)
    pico.write(tmp_path / "b", content, dtype=dtype)
    base = str(tmp_path / "a") if method in {"ties", "task_arithmetic"} else None
    names = [str(tmp_path / name) for name in "ab"]
    one = from_options(method, names, base=base, t=0.5 if method == "slerp" else None, weights=[1, 1] if base else [])
    said = refusal(tmp_path, one)
    assert "model.layers.1.mlp.up_proj.weight" in said and "NaN or infinity" in said and str(tmp_path / "b") in said


def test_large_finite_numbers_are_not_taken_for_infinity(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        content = pico.tensors(seed)
        content["model.norm.weight"] *= np.float32(1e30)
        pico.write(tmp_path / name, content)
    assert merge(recipe(tmp_path), tmp_path / "out").new


def test_other_shapes_and_missing_tensors_are_refused_by_name(tmp_path: Path) -> None:
    content = pico.tensors(1)
    pico.write(tmp_path / "a", content)
    pico.write(tmp_path / "b", {**content, "model.norm.weight": np.ones(9, np.float32)})
    pico.write(tmp_path / "c", {name: values for name, values in content.items() if "norm" not in name})
    assert "'model.norm.weight' has the shape [8]" in refusal(tmp_path, recipe(tmp_path, "ab"))
    assert "has no tensor 'model.layers.0.input_layernorm.weight' and 12 more" in refusal(
        tmp_path, recipe(tmp_path, "ac")
    )
    assert "has no tensor" in refusal(tmp_path, recipe(tmp_path, "ca"))


def test_a_lora_adapter_among_the_tensors_is_refused(tmp_path: Path) -> None:
    pico.write(tmp_path / "a", pico.tensors(0))
    pico.write(tmp_path / "b", {**pico.tensors(1), "model.layers.0.q_proj.lora_A.weight": np.ones((2, 8), np.float32)})
    assert "merge_and_unload" in refusal(tmp_path, recipe(tmp_path))


def test_a_cut_off_file_and_pickled_weights_are_refused(tmp_path: Path) -> None:
    for name in "abc":
        pico.write(tmp_path / name, pico.tensors(1))
    whole = (tmp_path / "b" / "model.safetensors").read_bytes()
    (tmp_path / "b" / "model.safetensors").write_bytes(whole[:-10])
    (tmp_path / "c" / "model.safetensors").rename(tmp_path / "c" / "pytorch_model.bin")
    assert "not a complete safetensors file" in refusal(tmp_path, recipe(tmp_path, "ab"))
    assert "no safetensors weights" in refusal(tmp_path, recipe(tmp_path, "ac"))


def test_routers_of_experts_are_merged_and_flagged(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        gate = np.random.default_rng(seed).standard_normal((4, 8)).astype(np.float32)
        pico.write(tmp_path / name, {**pico.tensors(seed), "model.layers.0.mlp.gate.weight": gate})
    notes = merge(recipe(tmp_path), tmp_path / "out").report["notes"]
    assert any("MoE routers" in note and "model.layers.0.mlp.gate.weight" in note for note in notes)  # type: ignore[attr-defined]


def test_the_gate_of_a_gated_layer_is_no_router(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        pico.write(tmp_path / name, pico.tensors(seed))
    assert merge(recipe(tmp_path), tmp_path / "out").report["notes"] == []


def test_an_output_layer_tied_to_the_embedding_is_not_merged_twice(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        content = pico.tensors(seed)
        more = {"lm_head.weight": content["model.embed_tokens.weight"]} if name == "a" else {}
        pico.write(tmp_path / name, {**content, **more})
    merged = merge(recipe(tmp_path), tmp_path / "out")
    assert "lm_head.weight" in str(merged.report["notes"])
    assert "lm_head.weight" not in {tensor["name"] for tensor in merged.report["tensors"]}  # type: ignore[attr-defined]


GOOD: dict[str, Any] = {
    "merge_method": "linear",
    "models": [{"model": "a", "parameters": {"weight": 1}}, {"model": "b", "parameters": {"weight": 1}}],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"merge_method": "sce"}, "merge_method: 'sce' is not supported"),
        ({"merge_method": "arcee_fusion"}, "merge_method: 'arcee_fusion' is not supported"),
        ({"merge_method": "passthrough"}, "passthrough takes 1 checkpoints; the recipe names 2"),
        ({"chat_template": "chatml"}, "chat_template: 'chatml' is a template that comes with mergekit"),
        ({"tokenizer": {"source": "c"}}, "tokenizer: source 'c' is not supported"),
        ({"tokenizer": {"source": "a"}, "tokenizer_source": "a"}, "either 'tokenizer_source' or 'tokenizer'"),
        ({"tokenizer_source": "c"}, "tokenizer_source 'c' is not supported"),
        ({"modules": {"text": {}, "vision": {}}}, "modules.text: give either 'models' or 'slices'"),
        (
            {"modules": {"text": {"models": [{"model": "a"}]}, "vision": {"models": [{"model": "a"}]}}},
            "modules: is not supported here, except for a single module 'default'; the recipe has text, vision",
        ),
        ({"modules": {}}, "modules: is not supported here, except for a single module 'default'; the recipe has none"),
        ({"modules": {"default": {"models": [{"model": "a"}]}}}, "either 'models' or 'slices'"),
        ({"modules": {"default": {"models": [{"model": "a"}], "paramters": {}}}}, "modules.default.paramters: is not"),
        ({"dtype": "int8"}, "dtype: 'int8' is not supported"),
        ({"parameters": {"weigth": 1}}, "no parameter 'weigth'"),
        ({"parameters": {"normalize": 3}}, "'normalize' must be true or false"),
        ({"parameters": {"normalize": "0.0"}}, "'normalize' must be true or false"),
        ({"parameters": {"weight": "much"}}, "not a number"),
        ({"parameters": {"weight": float("nan")}}, "parameters.weight: NaN is not a number"),
        ({"parameters": {"weight": "nan"}}, "not a number"),
        ({"seed": True}, "seed: true is not a whole number"),
        ({"models": [{"model": "a+lora"}, {"model": "b"}]}, "LoRA"),
        ({"models": [{"model": {"path": "a"}}]}, "is not a model; write its path or hub name, or {model:"),
        ({"models": [{"model": {"model": "a", "lora": "b"}}]}, "'lora' of a model is not supported"),
        ({"models": [{"model": {"model": "a", "override_architecture": "B"}}]}, "'override_architecture' of a model"),
        ({"models": [{"model": "a"}, {"model": "a"}]}, "occurs twice"),
        ({"models": []}, "models: 0 entries are not allowed"),
        ({"merge_method": "slerp"}, "slerp needs a base"),
        (
            {"merge_method": "slerp", "base_model": "c", "models": [{"model": "a"}, {"model": "b"}]},
            "takes 2 checkpoints",
        ),
        (
            {"merge_method": "model_stock", "base_model": "c", "parameters": {"filter_wise": True}},
            "'filter_wise: true'",
        ),
        ({"merge_method": "ties"}, "ties needs a base"),
    ],
)
def test_what_a_recipe_asks_and_is_not_there_is_named_and_never_ignored(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        pico.write(tmp_path / name, pico.tensors(1))
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({**GOOD, **change}), "utf-8")
    with pytest.raises(UsageError) as raised:
        read_yaml(tmp_path / "recipe.yaml")
    assert words in str(raised.value) and "\n" not in str(raised.value)
    assert str(raised.value).count("recipe.yaml") == 1


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ([[0, 4]], "layer_range [0, 4] of"),
        ([[2, 2]], "layer_range [2, 2] of"),
        ([[0, 2], [0, 3]], "the sources of a slice have [2, 3] layers"),
        ([[0, 2], [0, 2], [1, 3]], "occurs twice"),
    ],
)
def test_layers_that_are_not_there_or_do_not_fit_each_other_are_refused(
    ranges: list[list[int]], words: str, tmp_path: Path
) -> None:
    for name in "ab":
        pico.write(tmp_path / name, pico.tensors(1))
    sources = [{"model": name, "layer_range": one} for name, one in zip("aba", ranges, strict=False)]
    with pytest.raises(UsageError) as raised:
        from_mapping({"merge_method": "linear", "slices": [{"sources": sources}]}, tmp_path)
    assert words in str(raised.value)


def stack(folder: Path, *ranges: tuple[int, int]) -> Recipe:
    slices = [{"sources": [{"model": "a", "layer_range": list(one)}]} for one in ranges]
    return from_mapping({"merge_method": "passthrough", "slices": slices}, folder)


def test_a_layer_that_a_place_gives_another_kind_of_attention_is_refused(tmp_path: Path) -> None:
    pico.write(tmp_path / "a", pico.tensors(1), sliding_window_pattern=2)
    assert "layer 0 of" in refusal(tmp_path, stack(tmp_path, (0, 3), (0, 1)), ModelError)
    assert "sliding_window_pattern" in refusal(tmp_path, stack(tmp_path, (1, 3)), ModelError)
    assert merge(stack(tmp_path, (0, 3), (1, 3)), tmp_path / "out").new


def test_a_layer_without_the_tensors_of_its_place_is_refused(tmp_path: Path) -> None:
    lacking = "model.layers.0.input_layernorm.weight"
    pico.write(tmp_path / "a", {name: one for name, one in pico.tensors(1).items() if name != lacking})
    said = refusal(tmp_path, stack(tmp_path, (0, 3), (0, 1)), ModelError)
    assert "layer 0 of" in said and "cannot become layer 3" in said and "input_layernorm.weight" in said


def test_probabilities_beyond_0_and_1_are_refused(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        pico.write(tmp_path / name, pico.tensors(seed))
    own = {"weight": 1, "density": 0.9, "epsilon": 0.2}
    content = {"merge_method": "della", "base_model": "a", "models": [{"model": "b", "parameters": own}]}
    said = refusal(tmp_path, from_mapping(content, tmp_path), UsageError)
    assert "density is 0.9 and epsilon 0.2" in said


def test_a_weight_that_nothing_gives_is_asked_for(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pico.write(tmp_path / name, pico.tensors(1))
    half = from_mapping({**GOOD, "models": [{"model": "a"}, {"model": "b", "parameters": {"weight": 1}}]}, tmp_path)
    assert "linear needs 'weight'" in refusal(tmp_path, half, UsageError)


def test_yaml_that_would_make_objects_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("merge_method: !!python/object/apply:os.getcwd []\n", "utf-8")
    with pytest.raises(UsageError, match="not YAML"):
        read_yaml(tmp_path / "recipe.yaml")

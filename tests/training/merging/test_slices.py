"""Layers from slices: what becomes of the configuration, the files and the other tensors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from tests.training.merging import pico
from tests.training.merging.test_reference import read
from training.merging.merge import Merged, merge
from training.merging.mergekit_yaml import from_mapping


def stacked(folder: Path, *slices: tuple[str, int, int], shard_bytes: int | None = None) -> Merged:
    written = [{"sources": [{"model": name, "layer_range": [first, last]}]} for name, first, last in slices]
    recipe = from_mapping({"merge_method": "passthrough", "slices": written}, folder)
    return merge(recipe, folder / "out", shard_bytes=shard_bytes)


def test_the_configuration_counts_the_layers_and_lists_each_layers_own_values(tmp_path: Path) -> None:
    kinds = ["sliding_attention", "sliding_attention", "full_attention"]
    pico.write(tmp_path / "a", pico.tensors(1), layer_types=kinds, no_rope_layers=[1, 1, 0])
    stacked(tmp_path, ("a", 0, 3), ("a", 1, 3))
    config = json.loads((tmp_path / "out" / "config.json").read_text("utf-8"))
    assert config["num_hidden_layers"] == 5
    assert config["layer_types"] == [*kinds, "sliding_attention", "full_attention"]
    assert config["no_rope_layers"] == [1, 1, 0, 1, 0]


def test_embeddings_come_from_the_first_slice_and_the_rest_from_the_last(tmp_path: Path) -> None:
    models = {name: pico.tensors(seed) for seed, name in enumerate("abc")}
    for name, content in models.items():
        pico.write(tmp_path / name, content)
    stacked(tmp_path, ("a", 0, 1), ("b", 0, 2), ("c", 1, 3))
    found = read(tmp_path / "out" / "model.safetensors")
    from_where = {"model.embed_tokens.weight": "a", "model.norm.weight": "c"}
    for name, model in from_where.items():
        assert np.array_equal(found[name], models[model][name].reshape(-1)), name
    last = "mlp.up_proj.weight"
    assert np.array_equal(found[f"model.layers.4.{last}"], models["c"][f"model.layers.2.{last}"].reshape(-1))


def test_a_stack_in_several_files_is_indexed(tmp_path: Path) -> None:
    pico.write(tmp_path / "a", pico.tensors(1))
    stacked(tmp_path, ("a", 0, 3), ("a", 0, 3), shard_bytes=6_000)
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text("utf-8"))
    files = {name for file in set(index["weight_map"].values()) for name in read(tmp_path / "out" / file)}
    assert files == set(index["weight_map"]) and len(files) == 2 + 6 * 11


def test_all_layers_in_one_slice_are_the_same_merge_as_models(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        pico.write(tmp_path / name, pico.tensors(seed))
    sources = [{"model": name, "layer_range": [0, 3], "parameters": {"weight": 1}} for name in "ab"]
    models = [{"model": name, "parameters": {"weight": 1}} for name in "ab"]
    one = merge(from_mapping({"merge_method": "linear", "slices": [{"sources": sources}]}, tmp_path), tmp_path / "one")
    two = merge(from_mapping({"merge_method": "linear", "models": models}, tmp_path), tmp_path / "two")
    assert one.id == two.id


def test_a_stacked_cross_encoder_loads_with_all_its_tensors(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tiny.cross_encoder(tmp_path / "a")
    stacked(tmp_path, ("a", 0, 2), ("a", 1, 2))
    model, loaded = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert model.config.num_hidden_layers == 3
    assert not loaded["missing_keys"] and not loaded["unexpected_keys"]


def test_the_order_of_slices_is_part_of_the_id(tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        pico.write(tmp_path / name, pico.tensors(seed))
    one = stacked(tmp_path, ("a", 0, 2), ("b", 1, 3))
    (tmp_path / "out").rename(tmp_path / "first")
    other = stacked(tmp_path, ("a", 0, 2), ("b", 0, 2))
    assert one.id != other.id

"""A value that changes nothing is named: a recipe for one architecture may fit no tensor of another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from adapters import tiny
from adapters.errors import ModelError, UsageError
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_mapping

PAIR: dict[str, Any] = {"merge_method": "slerp", "base_model": "a", "models": [{"model": "a"}, {"model": "b"}]}
GRADIENT = [{"filter": "self_attn", "value": [0, 0.5, 1]}, {"filter": "mlp", "value": [1, 0.5, 0]}, {"value": 0.5}]


def notes(models: Path, recipe: dict[str, Any]) -> object:
    return merge(from_mapping(recipe, models), models / "out").report["notes"]


def test_filters_that_fit_no_tensor_are_named(tmp_path: Path) -> None:
    """The usual recipe for language models, used for a cross-encoder, is t = 0.5 everywhere."""
    for seed, name in enumerate("ab"):
        tiny.cross_encoder(tmp_path / name, seed=seed)
    assert notes(tmp_path, {**PAIR, "parameters": {"t": GRADIENT}}) == [
        f"no tensor has '{name}' in its name, so this filter of 't' changes nothing" for name in ("self_attn", "mlp")
    ]


def test_filters_that_fit_are_not_named(models: Path) -> None:
    assert notes(models, {**PAIR, "parameters": {"t": GRADIENT}}) == []


def test_a_filter_after_the_value_for_all_is_named(models: Path) -> None:
    t = [{"value": 0.5}, {"filter": "mlp", "value": 0.25}, {"filter": "*", "value": 1}]
    assert notes(models, {**PAIR, "parameters": {"t": t}}) == [
        f"the value of 't' for '{name}' comes after one for all tensors, and is not used" for name in ("mlp", "*")
    ]


def test_filters_of_slices_and_models_are_named_too(models: Path) -> None:
    def weighted(name: str, text: str) -> dict[str, Any]:
        weight = [{"filter": text, "value": 1}, {"value": 2}]
        return {"model": name, "layer_range": [0, 2], "parameters": {"weight": weight}}

    sources = [weighted("a", "layers.1."), weighted("b", "layers.7.")]
    recipe = {"merge_method": "linear", "slices": [{"sources": sources}]}
    assert notes(models, recipe) == [
        "no tensor has 'layers.7.' in its name, so this filter of 'weight' changes nothing"
    ]


@pytest.mark.parametrize("where", [["self_attn", "mlp"], {"name": "mlp"}])
def test_a_filter_that_is_no_text_is_refused(where: object, models: Path) -> None:
    """As a text it would fit no tensor. mergekit refuses it too."""
    recipe = {**PAIR, "parameters": {"t": [{"filter": where, "value": 1}, {"value": 0.5}]}}
    with pytest.raises(UsageError, match="a filter of 't' is not a text; write an entry with 'filter' and 'value' for"):
        from_mapping(recipe, models)


def test_a_slerp_beyond_a_model_is_named(models: Path) -> None:
    """mergekit says nothing: a t in percent, or 1.5 for 0.15, would look like any other merge."""
    found = notes(models, {**PAIR, "parameters": {"t": [{"filter": "mlp", "value": 1.5}, {"value": 0.5}]}})
    assert isinstance(found, list) and len(found) == 1
    assert re.fullmatch(r"t from 0 to 1 lies .*; with 1.5 \d+ of \d+ tensors are extrapolated beyond one", found[0])


def thinned(density: float) -> dict[str, Any]:
    tuned = {"model": "b", "parameters": {"weight": 1, "density": density}}
    return {"merge_method": "ties", "base_model": "a", "models": [{"model": "a"}, tuned]}


def test_a_density_in_percent_is_named(models: Path) -> None:
    """mergekit keeps everything as well."""
    assert notes(models, thinned(50)) == ["density is a share from 0 to 1; with 50 nothing is left out"]


def test_a_negative_density_is_refused(models: Path) -> None:
    with pytest.raises(UsageError, match=r"density is the share of the differences that ties keeps; -0\.5 is below 0"):
        notes(models, thinned(-0.5))


@pytest.mark.parametrize("section", [{"tokenizer_source": "union"}, {"tokenizer": {"source": "base"}}])
def test_a_tokenizer_section_needs_a_tokenizer(section: dict[str, Any], models: Path) -> None:
    """transformers makes an empty one for a folder without tokenizer files, and the embedding would lose its rows."""
    with pytest.raises(ModelError, match="a has no tokenizer files, which the tokenizer section of the recipe needs;"):
        notes(models, {**PAIR, "parameters": {"t": 0.5}, **section})

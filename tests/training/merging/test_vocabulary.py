"""A recipe with a tokenizer section gets an embedding with one row per token, as in mergekit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.merging import families
from training.merging.merge import Merged, merge
from training.merging.mergekit_yaml import from_mapping


def merged(folder: Path, name: str, **section: object) -> Merged:
    models = [{"model": "base", "parameters": {"weight": 1}}, {"model": "tuned", "parameters": {"weight": 1}}]
    return merge(from_mapping({"merge_method": "linear", "models": models, **section}, folder), folder / name)


def test_rows_without_a_token_are_left_out_only_if_the_recipe_names_a_tokenizer(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    families.fine_tune(families.hub(tmp_path / "base", "bert"), tmp_path / "tuned")
    sizes = {}
    for name, section in {"plain": {}, "cut": {"tokenizer": {"source": "union"}}}.items():
        made = merged(tmp_path, name, **section)
        model, loaded = transformers.AutoModel.from_pretrained(made.path, output_loading_info=True)
        assert not loaded["missing_keys"]
        sizes[name] = model.get_input_embeddings().num_embeddings
    tokens = len(transformers.AutoTokenizer.from_pretrained(tmp_path / "base"))
    before = json.loads((tmp_path / "base" / "config.json").read_text("utf-8"))["vocab_size"]
    assert sizes == {"plain": before, "cut": tokens} and tokens < before
    assert any(f"{tokens:,} tokens" in str(note) for note in made.report["notes"])  # type: ignore[attr-defined]
    assert merged(tmp_path, "cut", tokenizer={"source": "base"}).new is False

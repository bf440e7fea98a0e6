"""Weights that are not in a file are never made up in silence."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import ModelError
from adapters.spec import open_reranker, open_retriever
from tests.conformance import shapes
from tests.conformance.shapes import CHAT_TEMPLATES, DOCUMENTS, ours

pytest.importorskip("sentence_transformers", reason="the models need the extra 'models'")


def rewrite(folder: Path, change: Callable[[str], str | None]) -> Path:
    """The same folder with weights under other names; None leaves one out."""
    from safetensors.torch import load_file, save_file

    file = folder / "model.safetensors"
    weights = {change(name): weight for name, weight in load_file(file).items()}
    save_file({name: weight for name, weight in weights.items() if name}, file, {"format": "pt"})
    return folder


FOLDERS: dict[str, Callable[[Path], Path]] = {
    "embedder": tiny.bert_embedder,
    "chain of modules": shapes.modular,
    "language model that is rendered": lambda folder: shapes.logit_score(folder, CHAT_TEMPLATES["stripped"]),
}
CHANGES: dict[str, Callable[[str], str | None]] = {
    "names of a wrapper": lambda name: f"module.{name}",
    "a part of a layer is missing": lambda name: (
        None if "layer.1.attention" in name or "layers.1.mlp" in name else name
    ),
    "an older name for a part": lambda name: name.replace("attention.output", "attention.out").replace(
        "mlp.up", "mlp.u"
    ),
}


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_model_whose_weights_would_be_random_is_refused(tmp_path: Path, kind: str, change: str) -> None:
    folder = rewrite(FOLDERS[kind](tmp_path / "model"), CHANGES[change])
    with pytest.raises(ModelError, match=r"lacks \d+ weights, such as .*: they would be random"):
        ours(open_reranker(str(folder)))


def test_a_first_stage_whose_weights_would_be_random_is_refused(tmp_path: Path) -> None:
    folder = rewrite(tiny.bert_embedder(tmp_path / "model"), CHANGES["names of a wrapper"])
    with pytest.raises(ModelError, match="they would be random"):
        open_retriever(str(folder)).search(["a query"], DOCUMENTS, 3)


def test_a_pooler_that_nobody_reads_may_be_missing(tmp_path: Path) -> None:
    folder = tiny.bert_embedder(tmp_path / "model")
    before = ours(open_reranker(str(folder)))
    rewrite(folder, lambda name: None if "pooler" in name else name)
    np.testing.assert_array_equal(ours(open_reranker(str(folder))), before)


def adapter(folder: Path) -> tuple[Path, Path]:
    """A base, and an embedder that is a LoRA adapter of it."""
    import torch
    from transformers import AutoModel

    peft = pytest.importorskip("peft", reason="LoRA adapters need the extra 'lora'")
    base = tiny.bert_embedder(folder.with_name("base"))
    shutil.copytree(base, folder)
    for name in ("model.safetensors", "config.json"):
        (folder / name).unlink()
    torch.manual_seed(4)
    settings = peft.LoraConfig(
        task_type="FEATURE_EXTRACTION", r=4, target_modules=["query", "value"], init_lora_weights=False
    )
    peft.get_peft_model(AutoModel.from_pretrained(base), settings).save_pretrained(folder)
    return base, folder


def rename_adapter(folder: Path, change: Callable[[str], str | None]) -> None:
    from safetensors.torch import load_file, save_file

    file = folder / "adapter_model.safetensors"
    weights = {change(name): weight for name, weight in load_file(file).items()}
    save_file({name: weight for name, weight in weights.items() if name}, file, {"format": "pt"})


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize(
    "change",
    [
        lambda name: name.replace("model.encoder", "model.language_model.encoder"),
        lambda name: None if "layer.0" in name else name,
        lambda name: None if "lora_B" in name else name,
        lambda name: None if "lora_A" in name else name,
    ],
    ids=["names of another class", "one layer alone", "the first factor alone", "the second factor alone"],
)
def test_an_adapter_that_is_not_read_whole_is_refused(tmp_path: Path, change: Callable[[str], str | None]) -> None:
    base, folder = adapter(tmp_path / "adapter")
    assert np.abs(ours(open_reranker(str(folder))) - ours(open_reranker(str(base)))).max() > 0.01
    rename_adapter(folder, change)
    with pytest.raises(ModelError, match="weights of the adapter do not fit its base model"):
        ours(open_reranker(str(folder)))

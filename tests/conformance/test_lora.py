"""A folder with a LoRA adapter is its base with the adapter on it, as sentence-transformers and peft compute it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.embedding import SentenceEmbedder
from adapters.errors import EnvironmentFailure
from adapters.models import is_tokenizer_file
from adapters.spec import identity_of, open_reranker
from tests.conformance import shapes
from tests.conformance.shapes import ours, theirs

peft = pytest.importorskip("peft", reason="LoRA adapters need the extra 'lora'")
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


def adapted(base: Path, folder: Path, load: Any, task: str, layers: tuple[str, ...] = ("query", "value")) -> Path:
    """A trained adapter of a base, saved as peft saves it."""
    import torch

    torch.manual_seed(4)
    config = peft.LoraConfig(task_type=task, r=4, lora_alpha=16, target_modules=list(layers))
    model = peft.get_peft_model(load(base), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.5)
    model.save_pretrained(str(folder))
    return folder


def classifier(base: Path) -> Any:
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_pretrained(base, num_labels=1, ignore_mismatched_sizes=True)


def language_model(base: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(base)


def encoder(base: Path) -> Any:
    from transformers import AutoModel

    return AutoModel.from_pretrained(base)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("base") / "base", seed=1)


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    return adapted(base, base.parent / "adapter", classifier, "SEQ_CLS")


def merged(base: Any, adapter: Path, folder: Path, tokenizer: Path) -> Path:
    """The base with the adapter's weights added, as peft writes it: what the adapter has to score as."""
    peft.PeftModel.from_pretrained(base, str(adapter)).merge_and_unload().save_pretrained(folder)
    for file in filter(lambda file: is_tokenizer_file(file.name), tokenizer.iterdir()):
        shutil.copy(file, folder / file.name)
    return folder


def test_an_adapter_of_a_cross_encoder_scores_as_the_merged_model(base: Path, adapter: Path, tmp_path: Path) -> None:
    """With neither config.json nor a tokenizer of its own, as peft saves it; sentence-transformers reads none such."""
    expected = theirs(merged(classifier(base), adapter, tmp_path / "merged", base))
    np.testing.assert_allclose(ours(open_reranker(str(adapter))), expected, atol=1e-4)
    assert np.abs(expected - theirs(base)).max() > 1e-2, "the adapter changes scores, so equality means something"


@pytest.mark.parametrize("kind", ["xlm-roberta", "no head", "language model"])
def test_an_adapter_that_brings_the_score_head_scores_as_the_merged_model(kind: str, tmp_path: Path) -> None:
    """Of a base that has another head, or none: peft saves the trained one with the adapter."""
    layers, path = ("query", "value"), tmp_path / "source"
    if kind == "language model":
        layers, source = ("q_proj", "v_proj"), tiny.plain_causal_lm(path, seed=2)
    elif kind == "no head":
        source = tiny.bert_embedder(path, seed=2)
        (source / "modules.json").unlink()
    else:
        source = tiny.cross_encoder(path, seed=2, architecture="xlm-roberta", num_labels=3)
    trained = tmp_path / "trained"
    model = classifier(source)
    model.config.pad_token_id = model.config.pad_token_id or 0
    model.save_pretrained(trained)
    folder = adapted(trained, tmp_path / "adapter", classifier, "SEQ_CLS", layers=layers)
    named = "?template=qwen3" if kind == "language model" else ""
    whole = merged(classifier(trained), folder, tmp_path / "merged", source)
    expected = ours(open_reranker(f"{whole}{named}"))
    shapes.edit(folder / "adapter_config.json", base_model_name_or_path=str(source))
    np.testing.assert_allclose(ours(open_reranker(f"{folder}{named}")), expected, atol=1e-4)


def test_an_adapter_of_a_language_model_scores_as_the_merged_model(tmp_path: Path) -> None:
    source = tiny.plain_causal_lm(tmp_path / "language-model", seed=2)
    folder = adapted(source, tmp_path / "adapter", language_model, "CAUSAL_LM", layers=("q_proj", "v_proj"))
    whole = merged(language_model(source), folder, tmp_path / "merged", source)
    expected = ours(open_reranker(f"{whole}?template=qwen3"))
    np.testing.assert_allclose(ours(open_reranker(f"{folder}?template=qwen3")), expected, atol=1e-4)
    assert np.abs(expected - ours(open_reranker(f"{source}?template=qwen3"))).max() > 1e-2


def test_an_adapter_of_an_embedder_embeds_as_in_sentence_transformers(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    source = tiny.bert_embedder(tmp_path / "embedder", seed=3)
    folder = shutil.copytree(source, tmp_path / "adapter")
    for name in ("model.safetensors", "config.json"):  # as sentence-transformers saves it
        (folder / name).unlink()
    adapted(source, folder, encoder, "FEATURE_EXTRACTION")
    found = SentenceEmbedder(str(folder)).encode(shapes.DOCUMENTS, "document")
    expected = SentenceTransformer(str(folder), device="cpu").encode(shapes.DOCUMENTS, show_progress_bar=False)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    plain = SentenceEmbedder(str(source)).encode(shapes.DOCUMENTS, "document")
    assert np.abs(plain - expected).max() > 1e-2


def test_a_base_with_other_weights_is_another_model(adapter: Path, tmp_path: Path) -> None:
    other_base = tiny.cross_encoder(tmp_path / "base", seed=9)
    other = shutil.copytree(adapter, tmp_path / "adapter")
    shapes.edit(other / "adapter_config.json", base_model_name_or_path=str(other_base))
    assert identity_of(open_reranker(str(other))) != identity_of(open_reranker(str(adapter)))


def test_an_adapter_without_its_base_is_refused_by_the_base_s_name(adapter: Path, tmp_path: Path) -> None:
    lost = shutil.copytree(adapter, tmp_path / "adapter")
    shapes.edit(lost / "adapter_config.json", base_model_name_or_path="somebody/lost-base")
    with pytest.raises(EnvironmentFailure, match="somebody/lost-base"):
        ours(open_reranker(str(lost)))

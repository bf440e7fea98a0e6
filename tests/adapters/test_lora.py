"""LoRA adapters of cross-encoders get the scores of peft and sentence-transformers, whoever saved them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.cross_encoder import CrossEncoder
from adapters.errors import ModelError
from adapters.labels import label_of
from adapters.lengths import length_of
from adapters.models import open_folder
from adapters.protocols import Floats

transformers = pytest.importorskip("transformers", reason="tiny models need the extra 'models'")
safetensors = pytest.importorskip("safetensors.numpy")

from adapters import tiny  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
"""peft asks transformers by the old name."""
PAIRS = [("who is the system", "the user"), ("what and when", "given web search"), ("why not", "yes no yes no")]
LORA = {"r": 4, "target_modules": ["query", "value"], "init_lora_weights": False}


def ours(folder: Path) -> Floats:
    rows = np.array([[row, row] for row in range(len(PAIRS))])
    return CrossEncoder(str(folder)).score([query for query, _ in PAIRS], [text for _, text in PAIRS], rows)


def declared(folder: Path, base: Path, head: str | None, outputs: int = 1) -> Path:
    """An adapter as far as its small files and the shapes of its weights go."""
    folder.mkdir()
    content = {"base_model_name_or_path": str(base), "task_type": "SEQ_CLS"}
    (folder / "adapter_config.json").write_text(json.dumps(content))
    weights = {"base_model.model.bert.query.lora_A.weight": np.zeros((4, 32), np.float32)}
    weights |= {} if head is None else {f"base_model.model.{head}.weight": np.zeros((outputs, 32), np.float32)}
    safetensors.save_file(weights, folder / "adapter_model.safetensors")
    return folder


@pytest.mark.parametrize("head", ["classifier", "score", "classifier.out_proj"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_the_head_that_an_adapter_brings_says_how_many_scores_there_are(
    tmp_path: Path, head: str, outputs: int
) -> None:
    """RankLLaMA brings one score to a language model that has none."""
    base = tiny.plain_causal_lm(tmp_path / "base")
    label = label_of(open_folder(str(declared(tmp_path / "lora", base, head, outputs))), None)
    assert (label.count, label.index) == (outputs, outputs - 1)


def test_a_pickled_head_counts_where_pickles_are_read(tmp_path: Path) -> None:
    """RankLLaMA is published so."""
    torch = pytest.importorskip("torch")
    lora = declared(tmp_path / "lora", tiny.plain_causal_lm(tmp_path / "base"), None)
    (lora / "adapter_model.safetensors").unlink()
    torch.save({"base_model.model.score.weight": torch.zeros(1, 32)}, lora / "adapter_model.bin")
    assert label_of(open_folder(str(lora)), None, pickle=True).count == 1
    with pytest.raises(ModelError, match=r"pickled.*\?pickle=true"):
        label_of(open_folder(str(lora)), None)
    (lora / "adapter_model.bin").write_bytes(b"no pickle")
    with pytest.raises(ModelError, match=r"adapter_model\.bin: cut off or damaged"):
        label_of(open_folder(str(lora)), None, pickle=True)


def test_an_adapter_without_a_head_has_the_labels_of_its_base(tmp_path: Path) -> None:
    base = tiny.cross_encoder(tmp_path / "base", num_labels=2)
    config = json.loads((base / "config.json").read_text())
    names = {"0": "relevant", "1": "not_relevant"}
    (base / "config.json").write_text(json.dumps({**config, "id2label": names}))
    label = label_of(open_folder(str(declared(tmp_path / "lora", base, None))), None)
    assert (label.count, label.index, label.remark) == (2, 0, None)


def test_an_adapter_has_the_positions_of_its_base(tmp_path: Path) -> None:
    lora = declared(tmp_path / "lora", tiny.cross_encoder(tmp_path / "base"), None)
    (lora / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 4096}))
    assert length_of(open_folder(str(lora)), None) == tiny.LENGTH


@pytest.mark.parametrize("labels", [1, 2])
def test_an_adapter_that_peft_saved_gets_the_scores_of_peft(tmp_path: Path, labels: int) -> None:
    peft = pytest.importorskip("peft", reason="the reference is the package peft")
    torch = pytest.importorskip("torch")
    base = tiny.cross_encoder(tmp_path / "base", num_labels=labels)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(base)
    torch.manual_seed(6)
    model: Any = peft.get_peft_model(network, peft.LoraConfig(task_type="SEQ_CLS", **LORA)).eval()
    model.save_pretrained(tmp_path / "lora")
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    tokenizer.save_pretrained(tmp_path / "lora")
    with torch.no_grad():
        logits = np.array([model(**tokenizer(*pair, return_tensors="pt")).logits[0].tolist() for pair in PAIRS])
    expected = logits[:, 0] if labels == 1 else logits[:, 1] - logits[:, 0]
    np.testing.assert_allclose(ours(tmp_path / "lora"), expected, atol=1e-4)


def test_an_adapter_that_sentence_transformers_saved_keeps_the_head_of_its_base(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft", reason="the reference is the package peft")
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("sentence_transformers")
    model = library.CrossEncoder(str(tiny.cross_encoder(tmp_path / "base")), device="cpu")
    torch.manual_seed(6)
    model.add_adapter(peft.LoraConfig(task_type="SEQ_CLS", **LORA))
    model.save_pretrained(str(tmp_path / "lora"))
    expected = model.predict(PAIRS, activation_fn=torch.nn.Identity(), show_progress_bar=False)
    np.testing.assert_allclose(ours(tmp_path / "lora"), expected, atol=1e-4)


def of_a_network(folder: Path, auto: str) -> Path:
    """An adapter without a head, made for the network that `auto` takes from a base without a head."""
    peft = pytest.importorskip("peft", reason="adapters are read with the package peft")
    base = tiny.bert_embedder(folder / "base")
    network = getattr(transformers, auto).from_pretrained(base)
    peft.get_peft_model(network, peft.LoraConfig(**LORA)).save_pretrained(folder / "lora")
    config = folder / "lora" / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "task_type": "SEQ_CLS"}))
    transformers.AutoTokenizer.from_pretrained(base).save_pretrained(folder / "lora")
    return folder / "lora"


def test_an_adapter_and_a_base_without_a_head_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="head is not in the checkpoint"):
        ours(of_a_network(tmp_path, "AutoModelForSequenceClassification"))


@pytest.mark.filterwarnings("default:Found missing adapter keys")
def test_an_adapter_of_another_network_is_refused(tmp_path: Path) -> None:
    """peft warns, and leaves the base as it is."""
    with pytest.raises(ModelError, match=r"its weights cannot be loaded: .*missing adapter keys"):
        ours(of_a_network(tmp_path, "AutoModel"))

"""The tiny models stand in for the real ones, so each must load in its own library and behave like its original."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.contents import Contents
from adapters.kinds import kind_of
from adapters.models import ModelFolder

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

TEXTS = ["yes and no", "what is 检索 über?", "सीता naïve 🙂", "the document is relevant"]
ARCHITECTURES: tuple[tiny.Architecture, ...] = ("bert", "xlm-roberta", "modernbert")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_cross_encoder_loads_and_tells_texts_apart(tmp_path: Path, architecture: tiny.Architecture) -> None:
    folder = tiny.cross_encoder(tmp_path / "m", architecture=architecture)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    batch = tokenizer([TEXTS[0]] * len(TEXTS), TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(**batch).logits
    assert kind_of(ModelFolder("m", folder)) == "cross-encoder"
    assert logits.shape == (len(TEXTS), 1)
    assert np.diff(np.sort(logits[:, 0].numpy())).min() > 1e-3
    assert tokenizer.unk_token_id not in batch["input_ids"]


@pytest.mark.parametrize(
    ("architecture", "pair", "types"),
    [
        ("bert", "[CLS] yes [SEP] no [SEP]", [0, 0, 0, 1, 1]),
        ("xlm-roberta", "<s> ▁yes </s> </s> ▁no </s>", None),
        ("modernbert", "[CLS] yes [SEP] no [SEP]", None),
    ],
)
def test_a_pair_has_the_template_of_its_architecture(
    tmp_path: Path, architecture: tiny.Architecture, pair: str, types: list[int] | None
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        tiny.cross_encoder(tmp_path / "m", architecture=architecture)
    )
    encoded = tokenizer("yes", "no")
    assert " ".join(tokenizer.convert_ids_to_tokens(encoded["input_ids"])) == pair
    assert encoded.get("token_type_ids") == types
    assert len(tokenizer("yes " * 500, truncation=True)["input_ids"]) == tiny.LENGTH


def test_a_head_can_have_more_labels(tmp_path: Path) -> None:
    folder = tiny.cross_encoder(tmp_path / "m", num_labels=3)
    assert transformers.AutoModelForSequenceClassification.from_pretrained(folder).config.num_labels == 3


def test_the_language_model_has_the_words_and_marks_of_the_qwen3_reranker(tmp_path: Path) -> None:
    folder = tiny.causal_lm(tmp_path / "m")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    assert model.config.architectures == ["Qwen3ForCausalLM"]
    assert kind_of(ModelFolder("m", folder)) == "causal-lm"
    assert all(
        len(tokenizer(word)["input_ids"]) == 1 for word in ("yes", "no", "<|im_start|>", "<|im_end|>", "<think>")
    )
    text = "<|im_start|>user\nyes 检索<|im_end|>\n<think>\n\n</think>\n\n"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    with torch.no_grad():
        last = model(**tokenizer(TEXTS, padding=True, return_tensors="pt")).logits[:, -1]
    yes, no = tokenizer.convert_tokens_to_ids(["yes", "no"])
    assert np.diff(np.sort((last[:, yes] - last[:, no]).numpy())).min() > 1e-3


@pytest.mark.parametrize("make", [tiny.qwen3_embedder, tiny.bert_embedder])
def test_an_embedder_is_one(tmp_path: Path, make: object) -> None:
    folder = make(tmp_path / "m")  # type: ignore[operator]
    assert kind_of(ModelFolder("m", folder)) == "embedder"


def test_the_seed_decides_the_weights_and_leaves_the_global_one_alone(tmp_path: Path) -> None:
    state = torch.random.get_rng_state()
    folders = [tiny.bert_embedder(tmp_path / name, seed=seed) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    first, again, other = (Contents(ModelFolder(folder.name, folder)).identity()["weights"] for folder in folders)
    assert first == again != other
    assert torch.equal(state, torch.random.get_rng_state())

"""e5-mistral-7b-instruct and its kind: without the end token, the vector of a text would be that of its last word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import ModelError
from adapters.protocols import Floats
from adapters.reference import reference_scores
from adapters.spec import open_reranker
from tests.conformance import shapes
from tests.conformance.shapes import DOCUMENTS, PAIRS, QUERIES, ours

transformers = pytest.importorskip("transformers", reason="the reference needs the extra 'models'")
tokenizers = pytest.importorskip("tokenizers", reason="the reference needs the extra 'models'")
torch = pytest.importorskip("torch", reason="the reference needs the extra 'models'")

SPECIAL = ["<unk>", "<s>", "</s>"]
WORDS = ["the", "a", "of", "who", "can", "answer", "web", "system", "user", "passage", "relevant"]
PROMPT = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "
BOTH = {"add_bos_token": True, "add_eos_token": True}


def tokenizer_of(folder: Path, *, single: str) -> None:
    """The files of a Llama tokenizer; `single` is what tokenizer.json makes of one text."""
    merges = dict.fromkeys((f"▁{word}"[:cut], f"▁{word}"[cut]) for word in WORDS for cut in range(1, len(word) + 1))
    pieces = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *map(chr, range(33, 127))]
    vocabulary = dict.fromkeys([*pieces, *(left + right for left, right in merges)])
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE(
            {piece: index for index, piece in enumerate(vocabulary)}, list(merges), unk_token="<unk>",
            byte_fallback=True, fuse_unk=True,
        )
    )  # fmt: skip
    changes = [tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")]
    backend.normalizer = tokenizers.normalizers.Sequence(changes)
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single=single, pair=f"{single} $B", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    backend.add_special_tokens(SPECIAL)
    backend.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"}
    settings = {**names, "model_max_length": 4096, "padding_side": "left", "tokenizer_class": "LlamaTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def mistral(folder: Path, *, single: str = "<s> $A", chain: bool = True, **declared: Any) -> Path:
    """e5-mistral-7b-instruct as it is published: tokenizer_config.json says what tokenizer.json does not do."""
    tiny.qwen3_embedder(folder, seed=2)
    for file in ("model.safetensors", "vocab.json", "merges.txt", "special_tokens_map.json", "added_tokens.json"):
        (folder / file).unlink(missing_ok=True)
    tokenizer_of(folder, single=single)
    shapes.edit(folder / "tokenizer_config.json", **declared)
    size = len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
    config = transformers.MistralConfig(
        vocab_size=size, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=4096, initializer_range=0.5, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.MistralModel(config).save_pretrained(folder)
    shapes.edit(folder / "config_sentence_transformers.json", prompts={"query": PROMPT})
    if not chain:
        (folder / "modules.json").unlink()
    return folder


def by_hand(folder: Path) -> Floats:
    """The authors' way: `<s>` before and `</s>` after every text, the vector of the last token, the cosine."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModel.from_pretrained(folder).eval()

    def vectors(texts: list[str]) -> Any:
        found = []
        for text in texts:
            ids = [1, *tokenizer(text, add_special_tokens=False)["input_ids"], 2]
            with torch.no_grad():
                found.append(network(torch.tensor([ids])).last_hidden_state[0, -1])
        return torch.nn.functional.normalize(torch.stack(found), dim=1)

    similarities: Floats = (vectors([PROMPT + text for text in QUERIES]) @ vectors(DOCUMENTS).T).numpy().reshape(-1)
    return similarities


@pytest.mark.parametrize(
    "declared", [BOTH, {"add_eos_token": True}], ids=["both ends are declared", "the end is declared"]
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_end_token_that_the_settings_declare_is_appended(
    tmp_path: Path, declared: dict[str, bool], side: str
) -> None:
    folder = mistral(tmp_path / "m", **declared, padding_side=side)
    reranker = open_reranker(str(folder))
    expected = by_hand(folder)
    np.testing.assert_allclose(ours(reranker), expected, atol=1e-5)
    alone = [reranker.score(QUERIES, DOCUMENTS, PAIRS[row : row + 1])[0] for row in range(0, len(PAIRS), 37)]
    np.testing.assert_allclose(alone, expected[::37], atol=1e-5)


def test_a_folder_without_modules_gets_it_too(tmp_path: Path) -> None:
    folder = mistral(tmp_path / "m", chain=False, **BOTH)
    (folder / "README.md").write_text("## E5-mistral-7b-instruct\n")
    np.testing.assert_allclose(ours(open_reranker(f"embedder:{folder}?family=e5-mistral")), by_hand(folder), atol=1e-5)


def test_the_reference_appends_it_too(tmp_path: Path) -> None:
    reranker = open_reranker(str(mistral(tmp_path / "m", **BOTH)))
    found = reference_scores(reranker.reference(), QUERIES[:2], DOCUMENTS[:2], PAIRS[:2])  # type: ignore[attr-defined]
    np.testing.assert_allclose(found.scores, reranker.score(QUERIES, DOCUMENTS, PAIRS[:2]), atol=1e-5)


def test_a_tokenizer_that_appends_it_already_is_left_as_it_is(tmp_path: Path) -> None:
    declared = mistral(tmp_path / "a", single="<s> $A </s>", **BOTH)
    silent = mistral(tmp_path / "b", single="<s> $A </s>")
    np.testing.assert_array_equal(ours(open_reranker(str(declared))), ours(open_reranker(str(silent))))


def test_a_folder_that_declares_no_end_token_is_refused_with_the_key(tmp_path: Path) -> None:
    folder = mistral(tmp_path / "m")
    with pytest.raises(ModelError, match=r'appends no special end token.*"add_eos_token": true'):
        ours(open_reranker(str(folder)))

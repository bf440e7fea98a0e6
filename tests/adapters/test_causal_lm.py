"""What a user of a yes/no language model can rely on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters import tiny
from adapters.causal_lm import CausalLMReranker
from adapters.errors import ModelError, UsageError
from adapters.next_word import NextWordModel
from adapters.protocols import Bindable, Setting, StreamingReranker

torch = pytest.importorskip("torch", reason="language models need the extra 'models'")
transformers = pytest.importorskip("transformers", reason="language models need the extra 'models'")

PREFIX = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    'provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
QUERIES = ["who can answer", "谁写的书", "what is the web\n", " where "]
DOCUMENTS = [
    "the system can answer the user",
    "",
    " leading space",
    "\n\nlines before",
    "鲁迅写的书。",
    "สวัสดีชาวโลก",
    "مرحبا بالعالم",
    "नमस्ते दुनिया 👍",
    "yes no " * 40,
    "a passage that is by the user " * 8,
]
ALL_PAIRS = np.array([(q, d) for q in range(len(QUERIES)) for d in range(len(DOCUMENTS))], dtype=np.int64)
Reference = Callable[..., float]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.causal_lm(tmp_path_factory.mktemp("models") / "tiny-causal-lm", seed=0)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights without a word on how they are asked."""
    return tiny.plain_causal_lm(tmp_path_factory.mktemp("models") / "tiny-plain-lm", seed=0)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Reference:
    """The model card's way: one pair, the whole body tokenised at once and cut, the full forward pass."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    around = [tokenizer.encode(text, add_special_tokens=False) for text in (PREFIX, SUFFIX)]

    def score(
        query: str, document: str, *, gap: str = "\n", instruction: str = INSTRUCTION, max_length: int = 2048
    ) -> float:
        text = f"<Instruct>: {instruction}{gap}<Query>: {query}{gap}<Document>: {document}"
        body = tokenizer.encode(text, add_special_tokens=False)[: max_length - len(around[0]) - len(around[1])]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([around[0] + body + around[1]])).logits[0, -1]
        return float(logits[yes] - logits[no])

    return score


@pytest.fixture(scope="module")
def reranker(folder: Path) -> CausalLMReranker:
    return CausalLMReranker(str(folder))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Every input that reached the model, with the beginning that it shares with others."""
    inputs: list[list[int]] = []
    scores_after = NextWordModel.scores_after

    def spy(self: NextWordModel, prefix: np.ndarray, ids: list[np.ndarray]) -> np.ndarray:
        inputs.extend([*prefix.tolist(), *one.tolist()] for one in ids)
        return scores_after(self, prefix, ids)

    monkeypatch.setattr(NextWordModel, "scores_after", spy)
    return inputs


def pair_scores(reranker: CausalLMReranker, query: str, documents: list[str]) -> np.ndarray:
    pairs = np.array([(0, row) for row in range(len(documents))], dtype=np.int64)
    return reranker.score([query], documents, pairs)


def shortest_fit(reranker: CausalLMReranker, query: str) -> int:
    """The smallest max_length in which the query keeps one document token."""
    (scored,) = reranker.stream([query], ["yes"], np.array([[0, 0]]))
    prompts = reranker.prompts([query], ["yes"], np.array([[0, 0]]))
    return int(prompts.lengths[0] - scored.kept[0] + 1)


def test_it_is_a_streaming_reranker_that_can_be_bound(reranker: CausalLMReranker) -> None:
    assert isinstance(reranker, StreamingReranker)
    assert isinstance(reranker, Bindable)
    assert reranker.name


def test_scores_are_those_of_the_model_card(reranker: CausalLMReranker, reference: Reference) -> None:
    expected = [reference(QUERIES[q], DOCUMENTS[d]) for q, d in ALL_PAIRS]
    scores = reranker.score(QUERIES, DOCUMENTS, ALL_PAIRS)
    assert scores.dtype == np.float32
    assert np.ptp(scores) > 0.5
    np.testing.assert_allclose(scores, expected, atol=1e-4, rtol=0)


def test_the_vllm_template_is_the_one_with_empty_lines(folder: Path, reference: Reference) -> None:
    scores = pair_scores(CausalLMReranker(str(folder), template="qwen3-vllm"), QUERIES[0], DOCUMENTS)
    expected = [reference(QUERIES[0], document, gap="\n\n") for document in DOCUMENTS]
    np.testing.assert_allclose(scores, expected, atol=1e-4, rtol=0)


def test_truncated_scores_are_those_of_the_model_card(
    folder: Path, reranker: CausalLMReranker, reference: Reference
) -> None:
    max_length = max(shortest_fit(reranker, query) for query in QUERIES) + 5
    scores = CausalLMReranker(str(folder), max_length=max_length).score(QUERIES, DOCUMENTS, ALL_PAIRS)
    expected = [reference(QUERIES[q], DOCUMENTS[d], max_length=max_length) for q, d in ALL_PAIRS]
    np.testing.assert_allclose(scores, expected, atol=1e-4, rtol=0)
    assert np.abs(scores - reranker.score(QUERIES, DOCUMENTS, ALL_PAIRS)).max() > 1e-2


def test_only_the_document_is_cut_never_the_query_or_the_suffix(
    folder: Path, reranker: CausalLMReranker, seen: list[list[int]]
) -> None:
    query, document = QUERIES[0], DOCUMENTS[9]
    short = CausalLMReranker(str(folder), max_length=shortest_fit(reranker, query) + 3)
    assert short.next_word.shares_prefixes
    seen.clear()
    (scored,) = short.stream([query], [document], np.array([[0, 0]]))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    text = tokenizer.decode(seen[-1])
    assert text.startswith(f"{PREFIX}<Instruct>: {INSTRUCTION}\n<Query>: {query}\n<Document>: a pass")
    assert text.endswith(SUFFIX)
    assert len(seen[-1]) == shortest_fit(reranker, query) + 3
    assert scored.kept.tolist() == [4]
    assert scored.tokens.tolist() == [len(tokenizer.encode(f" {document}", add_special_tokens=False))]


def test_a_query_that_leaves_no_room_for_a_document_is_refused_with_the_length_it_needs(
    folder: Path, reranker: CausalLMReranker
) -> None:
    fit = shortest_fit(reranker, QUERIES[0])
    assert np.isfinite(pair_scores(CausalLMReranker(str(folder), max_length=fit), QUERIES[0], DOCUMENTS)).all()
    with pytest.raises(ModelError, match=f"raise max_length to {fit} or more"):
        pair_scores(CausalLMReranker(str(folder), max_length=fit - 1), QUERIES[0], DOCUMENTS)


def test_more_tokens_than_the_model_has_positions_for_are_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="max_length=100000 is not between 1 and its 2048 positions"):
        CausalLMReranker(str(folder), max_length=100_000)


def test_a_score_does_not_depend_on_its_neighbours(reranker: CausalLMReranker) -> None:
    document = DOCUMENTS[0]
    alone = pair_scores(reranker, QUERIES[0], [document])[0]
    for neighbours in (DOCUMENTS, ["yes"] * 5, ["the user can judge " * 200]):
        among = pair_scores(reranker, QUERIES[0], [document, *neighbours])
        assert among[0] == pytest.approx(alone, abs=1e-4)


def test_one_pair_per_call_gives_the_same_order(folder: Path, reranker: CausalLMReranker) -> None:
    single = pair_scores(CausalLMReranker(str(folder), batch_tokens=1), QUERIES[0], DOCUMENTS)
    together = pair_scores(reranker, QUERIES[0], DOCUMENTS)
    np.testing.assert_allclose(single, together, atol=1e-4, rtol=0)
    assert np.argsort(single).tolist() == np.argsort(together).tolist()


def test_every_row_comes_once_and_repeated_pairs_agree(reranker: CausalLMReranker) -> None:
    pairs = np.concatenate([ALL_PAIRS, ALL_PAIRS[::-1]])
    parts = list(reranker.stream(QUERIES, DOCUMENTS, pairs))
    assert sorted(np.concatenate([part.rows for part in parts]).tolist()) == list(range(len(pairs)))
    scores, inputs = np.empty(len(pairs)), np.empty(len(pairs), np.uint64)
    for part in parts:
        scores[part.rows], inputs[part.rows] = part.scores, part.inputs
    np.testing.assert_allclose(scores[: len(ALL_PAIRS)], scores[len(ALL_PAIRS) :][::-1], atol=1e-4)
    assert (inputs[: len(ALL_PAIRS)] == inputs[len(ALL_PAIRS) :][::-1]).all()
    assert len(set(inputs.tolist())) == len(ALL_PAIRS)
    assert 0 not in inputs


def test_no_pairs_give_no_scores(reranker: CausalLMReranker) -> None:
    assert reranker.score(QUERIES, DOCUMENTS, np.empty((0, 2), np.int64)).shape == (0,)


def test_documents_that_differ_behind_the_cut_have_the_same_input(folder: Path, reranker: CausalLMReranker) -> None:
    short = CausalLMReranker(str(folder), max_length=shortest_fit(reranker, QUERIES[0]) + 4)
    (scored,) = short.stream(QUERIES, ["a " * 30 + "yes", "a " * 30 + "no"], np.array([[0, 0], [0, 1]]))
    assert len(set(scored.inputs.tolist())) == 1


def test_a_kill_changes_no_bit_of_the_scores(folder: Path) -> None:
    reranker = CausalLMReranker(str(folder), batch_tokens=512)
    parts = list(reranker.stream(QUERIES, DOCUMENTS, ALL_PAIRS))
    assert len(parts) > 4
    left = np.setdiff1d(np.arange(len(ALL_PAIRS)), np.concatenate([part.rows for part in parts[:3]]))
    rest = list(reranker.stream(QUERIES, DOCUMENTS, ALL_PAIRS[left]))
    assert [left[part.rows].tolist() for part in rest] == [part.rows.tolist() for part in parts[3:]]
    for again, before in zip(rest, parts[3:], strict=True):
        assert again.scores.tobytes() == before.scores.tobytes()


def test_the_instruction_reaches_the_model(folder: Path, reference: Reference) -> None:
    scores = pair_scores(CausalLMReranker(str(folder), instruction="Judge the answer"), QUERIES[0], DOCUMENTS)
    expected = [reference(QUERIES[0], document, instruction="Judge the answer") for document in DOCUMENTS]
    np.testing.assert_allclose(scores, expected, atol=1e-4, rtol=0)


def test_a_collection_brings_its_instruction(reranker: CausalLMReranker, reference: Reference) -> None:
    bound = reranker.bind(Setting([], "", instruction="Find claims {like} this"))
    expected = reference(QUERIES[0], DOCUMENTS[0], instruction="Find claims {like} this")
    assert pair_scores(bound, QUERIES[0], DOCUMENTS[:1])[0] == pytest.approx(expected, abs=1e-4)
    assert bound.identity["instruction"] == "Find claims {like} this"
    assert reranker.identity["instruction"] == INSTRUCTION
    assert bound._model is reranker._model, "a model was loaded a second time for a second collection"


def test_without_an_instruction_of_the_collection_the_template_has_one(reranker: CausalLMReranker) -> None:
    assert reranker.bind(Setting([], "")).identity == reranker.identity


def test_an_instruction_that_was_asked_for_wins(folder: Path) -> None:
    fixed = CausalLMReranker(str(folder), instruction="Mine")
    assert fixed.bind(Setting([], "", instruction="Theirs")).identity["instruction"] == "Mine"


def test_the_identity_holds_what_changes_a_score_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    base = CausalLMReranker(str(folder)).identity
    changes: list[dict[str, Any]] = [
        {"instruction": "Mine"},
        {"template": "qwen3-vllm"},
        {"max_length": 512},
        {"dtype": "bfloat16"},
        {"positive": "user"},
        {"positive": "yes", "negative": "web"},
        {"positive": "no", "negative": "yes"},
    ]
    for change in changes:
        assert CausalLMReranker(str(folder), **change).identity != base, change
    assert CausalLMReranker(str(folder), batch_tokens=64, device="cpu").identity == base
    elsewhere = shutil.copytree(folder, tmp_path / "another-name")
    assert CausalLMReranker(str(elsewhere)).identity == base
    json.dumps(base)


def test_other_weights_are_another_identity(reranker: CausalLMReranker, tmp_path: Path) -> None:
    assert CausalLMReranker(str(tiny.causal_lm(tmp_path / "b", seed=1))).identity != reranker.identity


def test_half_precision_is_near_and_still_scored_in_float32(folder: Path, reranker: CausalLMReranker) -> None:
    half = pair_scores(CausalLMReranker(str(folder), dtype="bfloat16"), QUERIES[0], DOCUMENTS)
    assert half.dtype == np.float32
    assert np.unique(half).size == np.unique(pair_scores(reranker, QUERIES[0], DOCUMENTS)).size
    assert (half != torch.from_numpy(half).to(torch.bfloat16).float().numpy()).any(), "logits were rounded to 8 bits"


def test_a_scaled_head_keeps_its_scale(tmp_path: Path) -> None:
    """An architecture that changes its logits after the head (here: a cap) is scored with the change."""
    tiny.causal_lm(tmp_path, seed=0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    config = transformers.Gemma2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        final_logit_softcapping=0.5,
        initializer_range=0.5,
        max_position_embeddings=512,
    )
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    scores = pair_scores(CausalLMReranker(str(tmp_path)), QUERIES[0], DOCUMENTS[:4])
    assert np.abs(scores).max() <= 1.0


def test_constructing_reads_no_weights(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.safetensors"))
    assert CausalLMReranker(str(tmp_path)).name == str(tmp_path)


def test_importing_the_adapter_loads_no_torch() -> None:
    code = "import sys, adapters.causal_lm; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_embedder_is_refused(tmp_path: Path) -> None:
    tiny.qwen3_embedder(tmp_path)
    with pytest.raises(ModelError, match=r"is an embedder.*embedder:"):
        CausalLMReranker(str(tmp_path))


@pytest.mark.parametrize(
    ("architecture", "answer"),
    [("Qwen3ForSequenceClassification", "cross-encoder:"), ("BertModel", "names 'BertModel'")],
)
def test_another_kind_of_model_is_refused(tmp_path: Path, architecture: str, answer: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    with pytest.raises(ModelError, match=answer):
        CausalLMReranker(str(tmp_path))


def test_an_unknown_template_is_answered_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"no template 'qwen', and no file.*Did you mean.*qwen3"):
        CausalLMReranker(str(folder), template="qwen")


@pytest.mark.parametrize("word", ["relevant indeed", "zebra", ""])
def test_a_word_that_is_not_one_token_is_refused(plain: Path, word: str) -> None:
    with pytest.raises(ModelError, match="no single token"):
        CausalLMReranker(str(plain), template="qwen3", positive=word).score(["q"], ["d"], np.array([[0, 0]]))


def test_the_same_word_twice_is_refused(plain: Path) -> None:
    with pytest.raises(ModelError, match="same token"):
        twice = CausalLMReranker(str(plain), template="qwen3", positive="no", negative="no")
        pair_scores(twice, QUERIES[0], DOCUMENTS)


def test_a_second_word_alone_is_refused(plain: Path) -> None:
    with pytest.raises(UsageError, match=r"negative=no without positive="):
        CausalLMReranker(str(plain), template="qwen3", negative="no")


def altered(folder: Path, target: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, target, dirs_exist_ok=True)
    weights = load_file(target / "model.safetensors")
    change(weights)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    return target


def test_weights_that_are_not_numbers_are_refused(folder: Path, tmp_path: Path) -> None:
    broken = altered(folder, tmp_path, lambda weights: weights["model.norm.weight"].fill_(float("nan")))
    with pytest.raises(ModelError, match="nan"):
        pair_scores(CausalLMReranker(str(broken)), QUERIES[0], DOCUMENTS)


def test_a_layer_that_would_be_random_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = altered(folder, tmp_path, lambda weights: weights.pop("model.layers.1.mlp.up_proj.weight"))
    with pytest.raises(ModelError, match=r"lacks 1 weights.*up_proj"):
        pair_scores(CausalLMReranker(str(broken)), QUERIES[0], DOCUMENTS)


def test_a_folder_without_weights_is_refused_in_one_line(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        pair_scores(CausalLMReranker(str(tmp_path)), QUERIES[0], DOCUMENTS)
    assert "\n" not in str(caught.value)

"""Tokenizers are compared by what they make of texts, and a refusal names the first text or token that differs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as Rust
from tokenizers import models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer

from adapters import tiny
from adapters.errors import ModelError
from tests.training.merging import families, pico
from tests.training.merging.families import edit, read_json, write_json
from tests.training.merging.test_spellings import merged, notes
from training.merging.tokenization import unlike
from training.merging.tokenizer import Tokenizer

Change = Callable[[Path], object]
KINDS: tuple[Any, ...] = ("bert", "xlm-roberta", "modernbert", "qwen3")


def model(folder: Path, kind: Any = "bert", seed: int = 0) -> Path:
    made = tiny.causal_lm(folder, seed=seed) if kind == "qwen3" else None
    return made or tiny.cross_encoder(folder, architecture=kind, seed=seed)


def refusal(folder: Path, change: Change, kind: Any = "bert") -> str:
    folder.mkdir(exist_ok=True)
    model(folder / "a", kind)
    change(model(folder / "b", kind, seed=1))
    with pytest.raises(ModelError) as raised:
        merged(folder / "out", folder / "a", folder / "b")
    said = str(raised.value)
    assert "\n" not in said and str(folder / "a") in said and str(folder / "b") in said
    return said


def accepted(folder: Path, change: Change, kind: Any = "bert") -> str:
    model(folder / "a", kind)
    change(model(folder / "b", kind, seed=1))
    made = merged(folder / "out", folder / "a", folder / "b")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (made.path / name).read_bytes() == (folder / "a" / name).read_bytes()
    return notes(made)


def part(name: str, content: object) -> Change:
    """A change of one part of tokenizer.json."""
    return lambda folder: edit(folder / "tokenizer.json", **{name: content})


def rewritten(change: Callable[[dict[str, Any]], object]) -> Change:
    def apply(folder: Path) -> None:
        content = read_json(folder / "tokenizer.json")
        change(content)
        write_json(folder / "tokenizer.json", content)

    return apply


def add_token(text: str, **flags: bool) -> Change:
    def apply(folder: Path) -> None:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        tokenizer.add_tokens([text], **flags)
        tokenizer.save_pretrained(folder)

    return apply


def merges_as(kind: type) -> Change:
    def apply(folder: Path) -> None:
        content = read_json(folder / "tokenizer.json")
        pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in content["model"]["merges"]]
        content["model"]["merges"] = [" ".join(pair) for pair in pairs] if kind is str else pairs
        write_json(folder / "tokenizer.json", content)

    return apply


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (merges_as(str), "qwen3"),
        (merges_as(list), "modernbert"),
        (rewritten(lambda content: content["model"].pop("ignore_merges", None)), "qwen3"),
        (part("truncation", {"direction": "Right", "max_length": 7, "strategy": "LongestFirst", "stride": 0}), "bert"),
        (
            part(
                "padding",
                {"strategy": {"Fixed": 9}, "direction": "Left", "pad_to_multiple_of": 8, "pad_id": 0,
                 "pad_type_id": 0, "pad_token": "[PAD]"},
            ),
            "bert",
        ),
        (lambda folder: edit(folder / "tokenizer_config.json", clean_up_tokenization_spaces=False), "bert"),
        (lambda folder: edit(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast"), "bert"),
        (families.as_transformers_4, "bert"),
        (families.as_transformers_4, "xlm-roberta"),
        (families.as_transformers_4, "modernbert"),
        (families.as_transformers_4, "qwen3"),
    ],
)  # fmt: skip
def test_another_spelling_is_no_difference(change: Change, kind: str, tmp_path: Path) -> None:
    assert accepted(tmp_path, change, kind) == ""


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("model_max_length", 77, "model_max_length is 128 in"),
        ("padding_side", "left", "padding_side is right in"),
        ("truncation_side", "left", "truncation_side is right in"),
        ("chat_template", "{{ messages }}", "the chat templates of"),
        ("mask_token", None, 'mask_token is "[MASK]" in'),
    ],
)
def test_how_a_tokenizer_is_used_is_a_note_that_says_whose_is_kept(
    key: str, value: object, said: str, tmp_path: Path
) -> None:
    note = accepted(tmp_path, lambda folder: edit(folder / "tokenizer_config.json", **{key: value}))
    assert said in note and "kept" in note and str(tmp_path / "a") in note


@pytest.mark.parametrize(("made_of_merges", "same"), [(True, True), (False, False)])
def test_ignoring_merges_counts_where_it_changes_a_token(made_of_merges: bool, same: bool, tmp_path: Path) -> None:
    """It does where the vocabulary has a whole word that no merges lead to."""
    for ignored in (False, True):
        folder = pico.write(tmp_path / f"{ignored}", pico.tensors(1))
        vocabulary = {piece: index for index, piece in enumerate([*map(chr, range(97, 123)), "ye", "yes"])}
        merges = [("y", "e"), ("ye", "s")][: 2 if made_of_merges else 1]
        backend = Rust(models.BPE(vocabulary, merges, ignore_merges=ignored))
        backend.pre_tokenizer = pre_tokenizers.Whitespace()
        backend.save(str(folder / "tokenizer.json"))
        write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast"})
    one, other = (Tokenizer(f"{ignored}", tmp_path / f"{ignored}") for ignored in (False, True))
    apart = unlike(one, other)
    assert (apart is None) == same
    assert apart is None or (apart.part == "model" and "becomes the tokens" in apart.what)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("special", [True, False])
def test_one_more_added_token_is_refused_by_its_name(kind: str, special: bool, tmp_path: Path) -> None:
    said = refusal(tmp_path, add_token("<rank>", special_tokens=special), kind)
    assert "tokenizers (added tokens)" in said and 'the token "<rank>" is none in' in said


def test_a_merge_or_a_score_that_no_common_text_shows_is_found(tmp_path: Path) -> None:
    def other_merges(folder: Path) -> None:
        content = read_json(folder / "tokenizer.json")
        content["model"]["merges"] = [one for one in content["model"]["merges"] if "".join(one) != "meets"]
        write_json(folder / "tokenizer.json", content)

    def other_scores(content: dict[str, Any]) -> None:
        vocabulary = content["model"]["vocab"]
        content["model"]["vocab"] = [[piece, -900.0 if "meets" in piece else score] for piece, score in vocabulary]

    for kind, change in (("modernbert", other_merges), ("xlm-roberta", rewritten(other_scores))):
        said = refusal(tmp_path / kind, change, kind)
        assert "tokenizers (model)" in said and 'meets" becomes the tokens' in said


def test_two_tokens_with_exchanged_ids_are_refused(tmp_path: Path) -> None:
    def swap(content: dict[str, Any]) -> None:
        vocabulary = content["model"]["vocab"]
        vocabulary["yes"], vocabulary["no"] = vocabulary["no"], vocabulary["yes"]

    said = refusal(tmp_path, rewritten(swap))
    assert "tokenizers (model)" in said and 'the token "no" is' in said and "1 more token differs" in said


@pytest.mark.parametrize(
    "normalizer",
    [
        normalizers.BertNormalizer(lowercase=False),
        normalizers.BertNormalizer(lowercase=True, strip_accents=False),
        normalizers.BertNormalizer(lowercase=True, handle_chinese_chars=False),
        normalizers.BertNormalizer(lowercase=True, clean_text=False),
    ],
)
def test_another_normalizer_is_refused_with_the_first_text_that_shows_it(normalizer: Any, tmp_path: Path) -> None:
    content = json.loads(normalizer.__getstate__())
    said = refusal(tmp_path, part("normalizer", content))
    assert "tokenizers (normalizer)" in said and "becomes the tokens [" in said


@pytest.mark.parametrize("kind", KINDS)
def test_other_special_tokens_around_a_pair_are_refused(kind: str, tmp_path: Path) -> None:
    def change(folder: Path) -> None:
        backend = Rust.from_file(str(folder / "tokenizer.json"))
        token = next(one.content for one in backend.get_added_tokens_decoder().values())
        pair = processors.TemplateProcessing(
            single="$A", pair=f"$A {token} $B", special_tokens=[(token, backend.token_to_id(token))]
        )
        backend.post_processor = pair
        backend.save(str(folder / "tokenizer.json"))

    assert "tokenizers (post processor)" in refusal(tmp_path, change, kind)


def test_other_segments_of_a_pair_are_refused(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for piece in content["post_processor"]["pair"]:
            next(iter(piece.values()))["type_id"] = 0

    said = refusal(tmp_path, rewritten(change))
    assert "becomes the segments [0, 0" in said or "becomes the segments [" in said


def test_another_token_for_a_role_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, lambda folder: edit(folder / "tokenizer_config.json", pad_token="[SEP]"))
    assert "pad_token in tokenizer_config.json) of" in said and 'it is "[PAD]" in' in said and '"[SEP]"' in said


def test_an_added_token_that_takes_the_space_before_it_is_another_one(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        for token in content["added_tokens"]:
            token["lstrip"] = token["content"] == "<|im_start|>"

    assert "<|im_start|>" in refusal(tmp_path, rewritten(change), "qwen3")

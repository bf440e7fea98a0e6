"""Prompts are made of parts that are tokenised once, and are still exactly the tokens of the whole text."""

from __future__ import annotations

import re
from typing import SupportsIndex
from zlib import crc32

import numpy as np
import pytest

from adapters.errors import ModelError
from adapters.prompt_template import PromptTemplate, load_template
from adapters.prompt_tokens import PromptEncoder, PromptTokens, splits_exactly

TEMPLATE = PromptTemplate("[", "I: {instruction}\nQ: {query}\nD: {document}", "]", "find")
QUERIES = ["what", "where is it"]
DOCUMENTS = ["one two", "answer", "", "the answer is\n here"]
PAIRS = np.array([(q, d) for q in range(2) for d in range(4)], dtype=np.int64)


def by_word(texts: list[str]) -> list[list[int]]:
    """A byte-level vocabulary's habit: a space belongs to the next word."""
    return [[crc32(word.encode()) & 0x7FFFFFFF for word in re.findall(r" ?\w+| ?[^\w\s]+|\s", text)] for text in texts]


def merging(texts: list[str]) -> list[list[int]]:
    """A vocabulary with one token for ': answer', over the boundary of head and document."""
    return [
        [crc32(word.encode()) & 0x7FFFFFFF for word in re.findall(r": answer| ?\w+| ?[^\w\s]+|\s", text)]
        for text in texts
    ]


def of_the_whole(texts: list[str]) -> list[list[int]]:
    """A tokenizer of which every token depends on the lines of the whole text."""
    return [[ord(letter) + 9973 * text.count("\n") for letter in text] for text in texts]


def tokenise(encode: object, *, split: bool = True, max_length: int = 100) -> PromptTokens:
    encoder = PromptEncoder(TEMPLATE, encode, "find", max_length, split)  # type: ignore[arg-type]
    return encoder.encode_pairs(QUERIES, DOCUMENTS, PAIRS)


def expected(encode: object, row: int, max_length: int = 100) -> list[int]:
    query, document = QUERIES[PAIRS[row, 0]], DOCUMENTS[PAIRS[row, 1]]
    body = TEMPLATE.body.format(instruction="find", query=query, document=document)
    prefix, suffix, whole = encode(["[", "]", body])  # type: ignore[operator]
    return [*prefix, *whole[: max_length - len(prefix) - len(suffix)], *suffix]


@pytest.mark.parametrize("max_length", [100, 16])
@pytest.mark.parametrize(("encode", "split"), [(by_word, True), (by_word, False), (merging, True)])
def test_prompts_are_the_tokens_of_the_whole_text(encode: object, split: bool, max_length: int) -> None:
    prompts = tokenise(encode, split=split, max_length=max_length)
    for row in range(len(PAIRS)):
        assert prompts.ids(row).tolist() == expected(encode, row, max_length), PAIRS[row]
    assert prompts.lengths.tolist() == [len(prompts.ids(row)) for row in range(len(PAIRS))]


def test_a_document_that_merges_with_the_template_is_tokenised_with_every_query() -> None:
    assert sorted(tokenise(merging).wholes) == [1, 5]
    assert tokenise(by_word).wholes == {}


def test_each_text_is_tokenised_once() -> None:
    texts: list[str] = []

    def counting(some: list[str]) -> list[list[int]]:
        texts.extend(some)
        return by_word(some)

    tokenise(counting)
    assert sum("what" in text for text in texts) == 1
    assert sum("one two" in text for text in texts) == 1


def test_only_texts_that_a_pair_names_are_read() -> None:
    class Counted(list[str]):
        def __getitem__(self, index: SupportsIndex) -> str:  # type: ignore[override]
            asked.append(int(index))
            return super().__getitem__(index)

    asked: list[int] = []
    encoder = PromptEncoder(TEMPLATE, by_word, "find", 100, True)
    encoder.encode_pairs(QUERIES, Counted(DOCUMENTS), np.array([[0, 2], [1, 2]]))
    assert set(asked) == {2}


def test_kept_and_tokens_count_the_document_alone() -> None:
    whole, cut = tokenise(by_word), tokenise(by_word, max_length=16)
    assert whole.tokens.tolist() == whole.kept.tolist() == cut.tokens.tolist()
    assert whole.tokens.tolist()[:4] == [2, 1, 1, 5]
    assert (cut.kept <= cut.tokens).all()
    assert cut.kept.min() == 1
    assert cut.lengths.max() == 16


def test_a_query_without_room_for_a_document_is_named() -> None:
    with pytest.raises(ModelError, match=r"'where is it'.*raise max_length to 15 or more"):
        tokenise(by_word, max_length=13)


def test_the_split_is_refused_where_it_would_change_tokens() -> None:
    template = load_template("qwen3")
    assert splits_exactly(template, by_word)
    assert splits_exactly(template, merging)
    assert not splits_exactly(template, of_the_whole)


@pytest.mark.parametrize("name", ["qwen3", "qwen3-vllm"])
def test_head_and_tail_are_the_body(name: str) -> None:
    template = load_template(name)
    body = template.body.format(instruction="I {x}", query="Q {query}", document=" D")
    assert template.head("I {x}", "Q {query}") + template.tail(" D") == body
    assert template.anchor == "<Document>:"
    assert template.body.endswith("{document}")


def test_the_templates_differ_in_identity() -> None:
    assert load_template("qwen3").digest != load_template("qwen3-vllm").digest

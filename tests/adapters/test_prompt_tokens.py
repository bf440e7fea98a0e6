"""Prompts are made of parts that are tokenised once, and are still exactly the tokens of the whole text."""

from __future__ import annotations

import json
import re
from typing import SupportsIndex
from zlib import crc32

import numpy as np
import pytest

from adapters.errors import ModelError
from adapters.prompt_template import load_template, parse_template
from adapters.prompt_tokens import PromptEncoder, PromptTokens, splits_exactly

BODY = "I: {instruction}\nQ: {query}\nD: {document}"
TEMPLATE = parse_template(f"prefix = '['\nbody = {json.dumps(BODY)}\nsuffix = ']'\ninstruction = 'find'", "test")
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
    body = BODY.format(instruction="find", query=query, document=document)
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


PIECES = """
prefix = "["
body = ["Q: {query}", "|", "D: {document}", "|", "relevant?"]
suffix = "]"
"""
DOCUMENT_FIRST = """
body = "text: {document}. asked: {query} ??"
"""


@pytest.mark.parametrize("max_length", [100, 20])
def test_the_pieces_of_a_list_are_tokenised_one_by_one(max_length: int) -> None:
    """bge-reranker-v2-gemma and mxbai-rerank-v2 are asked with ids that were joined, not with one string."""
    template = parse_template(PIECES, "test")
    prompts = PromptEncoder(template, merging, "", max_length, True).encode_pairs(QUERIES, DOCUMENTS, PAIRS)
    for row, (query, document) in enumerate(PAIRS):
        parts = ["[", f"Q: {QUERIES[query]}", "|", f"D: {DOCUMENTS[document]}", "|", "relevant?", "]"]
        ids = merging(parts)
        around = sum(map(len, ids)) - len(ids[3])
        ids[3] = ids[3][: max_length - around]
        assert prompts.ids(row).tolist() == [one for part in ids for one in part]
    assert prompts.lengths.max() <= max_length


@pytest.mark.parametrize("max_length", [100, 12])
def test_a_document_in_the_middle_is_cut_and_the_rest_stays(max_length: int) -> None:
    """contextual-ai's rerankers read the document first: cutting at the end would take the query."""
    template = parse_template(DOCUMENT_FIRST, "test")
    assert not splits_exactly(template, by_word)
    prompts = PromptEncoder(template, by_word, "", max_length, False).encode_pairs(QUERIES, DOCUMENTS, PAIRS)
    for row, (query, document) in enumerate(PAIRS):
        (whole,) = by_word([f"text: {DOCUMENTS[document]}. asked: {QUERIES[query]} ??"])
        (tail,) = by_word([f" asked: {QUERIES[query]} ??"])  # the stop may merge with the space before it
        ids = prompts.ids(row).tolist()
        assert ids[-len(tail) :] == tail
        assert ids[:2] == whole[:2]
        assert (ids == whole) == (len(whole) <= max_length)
    assert prompts.lengths.max() <= max_length


def test_the_templates_differ_in_identity() -> None:
    assert load_template("qwen3").digest != load_template("qwen3-vllm").digest


def joining(texts: list[str]) -> list[list[int]]:
    """A vocabulary with one token for a full stop at the end of a line, as those of language models have."""
    return [
        [crc32(word.encode()) & 0x7FFFFFFF for word in re.findall(r"\.\n| ?\w+| ?[^\w\s]+|\s", text)] for text in texts
    ]


def test_what_follows_a_cut_document_is_not_joined_with_what_was_cut_off() -> None:
    """sentence-transformers puts the end of the prompt behind the cut document; so its last full stop is gone."""
    template = parse_template('body = "Q: {query}\\nD: {document}\\nrelevant?"', "test")
    document = "one two three four five six."
    whole = joining([template.whole("", "what", document)])[0]
    for max_length, rest in ((100, None), (10, joining(["\nrelevant?"])[0])):
        encoder = PromptEncoder(template, joining, "", max_length, split=False)
        ids = encoder.encode_pairs(["what"], [document], np.array([[0, 0]])).ids(0).tolist()
        expected = whole if rest is None else [*whole[: max_length - len(rest)], *rest]
        assert ids == expected

"""Promises of the pair encoder: its inputs are the tokenizer's own, to the last token, at every length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import pairs as pairs_module
from adapters import tiny
from adapters.batching import input_digest
from adapters.errors import ModelError
from adapters.pairs import PairEncoder, Truncation
from adapters.protocols import IndexPairs

tokenizers = pytest.importorskip("tokenizers")
pytest.importorskip("transformers")

KINDS: tuple[tiny.Architecture, ...] = ("bert", "xlm-roberta", "modernbert")
STRATEGY = {"longest_first": "longest_first", "document": "only_second"}
WORDS = ["what", "who", "the", "of", "is", "in", "search", "query", "passage", "zebra", "Ünïcode", "日本", ",", "12"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
SOME_TEXTS = st.lists(TEXTS, min_size=1, max_size=3)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One saved tokenizer of each kind: WordPiece with token types, Unigram with two separators, byte-level BPE."""
    root = tmp_path_factory.mktemp("models")
    return {kind: tiny.cross_encoder(root / kind, architecture=kind) for kind in KINDS}


def load(folder: Path) -> Any:
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def every_pair(queries: list[str], documents: list[str]) -> IndexPairs:
    return np.array([(q, d) for q in range(len(queries)) for d in range(len(documents))], dtype=np.int64)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("truncation", ["longest_first", "document"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.tuples(SOME_TEXTS, SOME_TEXTS), spare=st.integers(0, 80))
def test_a_joined_pair_is_what_the_tokenizer_makes_of_it(
    folders: dict[str, Path], kind: str, truncation: Truncation, texts: tuple[list[str], list[str]], spare: int
) -> None:
    queries, documents = texts
    tokenizer, reference = load(folders[kind]), load(folders[kind])
    longest = max(len(reference.encode(query, add_special_tokens=False).ids) for query in queries)
    max_length = spare + (longest + 6 if truncation == "document" else 6)
    encoder = PairEncoder(tokenizer, max_length=max_length, truncation=truncation)
    assert encoder.template is not None, "joining is the fast way; every usual tokenizer takes it"
    pairs = every_pair(queries, documents)
    encoded = encoder.encode(queries, documents, pairs)
    reference.enable_truncation(max_length, strategy=STRATEGY[truncation])
    for row, (query, document) in enumerate(pairs):
        expected = reference.encode(queries[query], documents[document])
        ids, types = encoded.sequence(row)
        assert ids.tolist() == expected.ids
        assert types.tolist() == expected.type_ids
        assert encoded.lengths[row] == len(expected.ids)
        assert encoded.kept[row] == expected.sequence_ids.count(1)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(2, 50), st.sampled_from(["right", "left"]))
@settings(max_examples=200, deadline=None)
def test_longest_first_is_the_rule_of_the_rust_tokenizers(query: int, document: int, room: int, side: str) -> None:
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.enable_truncation(room, strategy="longest_first", direction=side)
    expected = words.encode("a " * query, "b " * document).sequence_ids
    kept = pairs_module.kept_tokens(np.array([query]), np.array([document]), room, "longest_first")
    assert (kept[0][0], kept[1][0]) == (expected.count(0), expected.count(1))


def test_truncation_from_the_left_keeps_the_end_of_the_text(folders: dict[str, Path]) -> None:
    tokenizer, reference = load(folders["bert"]), load(folders["bert"])
    tokenizer.enable_truncation(12, direction="left")
    encoded = PairEncoder(tokenizer, max_length=12, truncation="longest_first").encode(
        ["what is who the"], ["the query of the passage in the search query"], np.array([[0, 0]])
    )
    reference.enable_truncation(12, direction="left")
    expected = reference.encode("what is who the", "the query of the passage in the search query")
    assert encoded.sequence(0)[0].tolist() == expected.ids


def test_a_text_is_tokenised_once_however_many_pairs_it_is_in(folders: dict[str, Path]) -> None:
    class Counting(list[str]):
        reads = 0

        def __getitem__(self, index: Any) -> Any:
            Counting.reads += 1
            return super().__getitem__(index)

    queries, documents = ["what is"] * 40, Counting(["the passage", "never named by a pair"])
    pairs = np.array([(query, 0) for query in range(40)])
    encoder = PairEncoder(load(folders["bert"]), max_length=64, truncation="longest_first")
    encoder.encode(queries, documents, pairs)
    assert Counting.reads < 20, "one read to tokenise, and a few to check joining against the tokenizer"


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_batch_is_padded_to_its_own_longest_pair_on_the_tokenizers_side(folders: dict[str, Path], side: str) -> None:
    tokenizer, reference = load(folders["bert"]), load(folders["bert"])
    tokenizer.enable_padding(direction=side, pad_id=3, pad_type_id=1)
    queries, documents = ["what is"], ["the passage", "the search query of a passage", "the " * 60]
    encoded = PairEncoder(tokenizer, max_length=64, truncation="longest_first").encode(
        queries, documents, every_pair(queries, documents)
    )
    reference.enable_padding(direction=side, pad_id=3, pad_type_id=1)
    expected = reference.encode_batch([(queries[0], document) for document in documents[:2]])
    batch = encoded.collate(np.array([0, 1]))
    assert batch["input_ids"].tolist() == [encoding.ids for encoding in expected]
    assert batch["token_type_ids"].tolist() == [encoding.type_ids for encoding in expected]
    assert batch["attention_mask"].tolist() == [encoding.attention_mask for encoding in expected]
    assert {array.dtype for array in batch.values()} == {np.dtype(np.int64)}


def test_a_document_that_was_cut_away_is_counted(folders: dict[str, Path]) -> None:
    queries, documents = ["what is"], ["the " * 100, "the passage", ""]
    encoded = PairEncoder(load(folders["bert"]), max_length=25, truncation="document").encode(
        queries, documents, every_pair(queries, documents)
    )
    assert encoded.tokens.tolist() == [100, 2, 0]
    assert encoded.kept.tolist() == [20, 2, 0]
    assert encoded.lengths.tolist() == [25, 7, 5]


def test_an_input_digest_is_of_the_unpadded_input(folders: dict[str, Path]) -> None:
    queries, documents = ["what is"], ["the passage", "the search query of a passage", "the passage"]
    encoded = PairEncoder(load(folders["bert"]), max_length=64, truncation="document").encode(
        queries, documents, every_pair(queries, documents)
    )
    digests = encoded.inputs(np.array([0, 1, 2]))
    assert digests[0] == digests[2] != digests[1]
    assert digests[0] == input_digest(load(folders["bert"]).encode("what is", "the passage").ids)


def test_a_query_without_room_for_a_document_is_refused_with_the_way_out(folders: dict[str, Path]) -> None:
    encoder = PairEncoder(load(folders["bert"]), max_length=12, truncation="document")
    encoder.encode(["the " * 8], ["passage"], np.array([[0, 0]]))
    with pytest.raises(ModelError, match=r"9 tokens.*raise max_length, or use truncation=longest_first"):
        encoder.encode(["what", "the " * 9], ["passage"], np.array([[0, 0], [1, 0]]))


def test_a_length_without_room_for_text_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="max_length=4 leaves no space"):
        PairEncoder(load(folders["bert"]), max_length=4, truncation="longest_first")


def swapped(folder: Path) -> Any:
    """A tokenizer that puts the document before the query, which joining does not know."""
    tokenizer = load(folder)
    special = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $B:1 [SEP] $A:0 [SEP]", special_tokens=special
    )
    return tokenizer


@pytest.mark.parametrize("truncation", ["longest_first", "document"])
def test_a_template_that_cannot_be_joined_is_still_encoded_rightly(
    folders: dict[str, Path], truncation: Truncation
) -> None:
    queries, documents = ["what is", "the query"], ["the passage", "the " * 60]
    encoder = PairEncoder(swapped(folders["bert"]), max_length=20, truncation=truncation)
    assert encoder.template is None
    encoded = encoder.encode(queries, documents, every_pair(queries, documents))
    reference = swapped(folders["bert"])
    reference.enable_truncation(20, strategy=STRATEGY[truncation])
    expected = [reference.encode(query, document) for query in queries for document in documents]
    assert [encoded.sequence(row)[0].tolist() for row in range(4)] == [encoding.ids for encoding in expected]
    assert [encoded.sequence(row)[1].tolist() for row in range(4)] == [encoding.type_ids for encoding in expected]
    assert encoded.tokens.tolist() == [2, 60, 2, 60]
    assert encoded.kept.tolist() == [encoding.sequence_ids.count(1) for encoding in expected]


def test_a_wrong_join_is_noticed_on_the_pairs_of_a_request(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = PairEncoder(load(folders["bert"]), max_length=20, truncation="longest_first")
    honest = pairs_module.kept_tokens

    def too_short(*args: Any) -> Any:
        query, document = honest(*args)
        return query, np.maximum(document - 1, 0)

    monkeypatch.setattr(pairs_module, "kept_tokens", too_short)
    encoded = encoder.encode(["what is"], ["the passage of a query"], np.array([[0, 0]]))
    assert encoded.sequence(0)[0].tolist() == load(folders["bert"]).encode("what is", "the passage of a query").ids


def test_a_tokenizer_without_a_template_joins_the_bare_texts(folders: dict[str, Path]) -> None:
    tokenizer = load(folders["modernbert"])
    tokenizer.post_processor = tokenizers.processors.ByteLevel()
    encoder = PairEncoder(tokenizer, max_length=20, truncation="longest_first")
    encoded = encoder.encode(["what is"], ["the passage"], np.array([[0, 0]]))
    assert encoder.template is not None
    assert encoded.sequence(0)[0].tolist() == load(folders["modernbert"]).encode("what is", "the passage").ids[1:3] + (
        load(folders["modernbert"]).encode("the passage", add_special_tokens=False).ids
    )


def test_an_empty_request_is_no_error(folders: dict[str, Path]) -> None:
    encoder = PairEncoder(load(folders["bert"]), max_length=20, truncation="document")
    encoded = encoder.encode([], [], np.empty((0, 2), np.int64))
    assert len(encoded.lengths) == len(encoded.inputs(np.empty(0, np.int64))) == 0

"""Makes model inputs from pairs of texts: every text is tokenised once, and a pair joins the tokens of its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from adapters.errors import ModelError
from adapters.pair_inputs import CutTexts, EncodedPairs, Ids, Ragged, Sequenced, padding_of
from adapters.pair_template import PROBES, PairTemplate, probe_template
from adapters.protocols import IndexPairs, Integers

Truncation = Literal["longest_first", "document"]

_BLOCK = 1024
_CHECKED_LONGEST, _CHECKED_SPREAD = 4, 12
_STRATEGIES = {"longest_first": "longest_first", "document": "only_second"}
_Read = Callable[[int], tuple[str, str]]


class PairEncoder:
    """Turns (query, document) pairs into the same inputs as the tokenizer.

    Joining is checked against the tokenizer on fixed texts and on some pairs of every request, including the longest.
    If they differ, the tokenizer encodes every pair, which is slower and always correct.

    Args:
        tokenizer: a `tokenizers.Tokenizer`; of a fast transformers tokenizer, its `backend_tokenizer`. The encoder
            takes it over and changes its truncation and padding; their directions and the padding token are kept.
        max_length: tokens of a whole input, special tokens included.
        truncation: "longest_first" shortens the longer text first, as transformers does; "document" shortens only
            the document.

    Raises:
        ModelError: `max_length` has no space for text besides the special tokens.
    """

    def __init__(self, tokenizer: Any, *, max_length: int, truncation: Truncation) -> None:
        self.max_length = max_length
        self.truncation: Truncation = truncation
        self._tokenizer = tokenizer
        self._side = str((tokenizer.truncation or {}).get("direction", "right")).lower()
        self._padding = padding_of(tokenizer)
        self._room = max_length - int(tokenizer.num_special_tokens_to_add(True))
        if self._room < 2:
            raise ModelError(f"max_length={max_length} leaves no space for a query and a document; raise it")
        self.template = self._checked_template()

    def encode(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> EncodedPairs:
        """Prepare the inputs of all pairs. Texts that occur in no pair are not read.

        Args:
            queries: unique texts.
            documents: unique texts.
            pairs: int [n, 2]; each row is (query index, document index).

        Raises:
            ModelError: with truncation="document", a query leaves no space for a document.
        """

        def read(row: int) -> tuple[str, str]:
            return queries[int(pairs[row, 0])], documents[int(pairs[row, 1])]

        query, document = self._columns(queries, documents, pairs)
        self._refuse_long_queries(query, read)
        tokens = document.ids.lengths[document.of].astype(np.int32)
        if self.template is None:
            return self._encode_whole(map(read, range(len(pairs))), tokens)
        join = _joined(self.template, query, document)
        lengths = query.kept + document.kept + self.template.size
        if not all(self._agrees(join(row), *read(row)) for row in _sample(lengths + tokens)):
            return self._encode_whole(map(read, range(len(pairs))), tokens)
        return EncodedPairs(lengths, tokens, document.kept.astype(np.int32), self._padding, join)

    def _columns(
        self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs
    ) -> tuple[CutTexts, CutTexts]:
        used_queries, query_of = np.unique(pairs[:, 0], return_inverse=True)
        used_documents, document_of = np.unique(pairs[:, 1], return_inverse=True)
        query_ids = self._tokenise(queries[int(index)] for index in used_queries)
        document_ids = self._tokenise(documents[int(index)] for index in used_documents)
        kept = kept_tokens(query_ids.lengths[query_of], document_ids.lengths[document_of], self._room, self.truncation)
        return (
            CutTexts(query_ids, query_of, kept[0], self._side),
            CutTexts(document_ids, document_of, kept[1], self._side),
        )

    def _tokenise(self, texts: Iterator[str]) -> Ragged:
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        encode = getattr(self._tokenizer, "encode_batch_fast", self._tokenizer.encode_batch)
        blocks = (encode(block, add_special_tokens=False) for block in _blocks(texts))
        return Ragged.of([np.array(encoding.ids, np.int32) for block in blocks for encoding in block])

    def _refuse_long_queries(self, query: CutTexts, read: _Read) -> None:
        if self.truncation != "document" or int(query.kept.max(initial=0)) < self._room:
            return
        text = read(int(np.argmax(query.kept)))[0]
        raise ModelError(
            f"the query '{text[:60]}' has {query.kept.max()} tokens and leaves no space for a document in max_length="
            f"{self.max_length}; raise max_length, or use truncation=longest_first"
        )

    def _truncating(self) -> Any:
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_length, strategy=_STRATEGIES[self.truncation], direction=self._side)
        return self._tokenizer

    def _agrees(self, joined: Sequenced, query: str, document: str) -> bool:
        encoding = self._truncating().encode(query, document)
        return bool(joined[0].tolist() == encoding.ids and joined[1].tolist() == encoding.type_ids)

    def _checked_template(self) -> PairTemplate | None:
        template = probe_template(self._tokenizer)
        if template is None:
            return None
        long = [("cat", "small animal " * self.max_length), ("cat animal " * self.max_length, "a")]
        usable = long if self.truncation == "longest_first" else long[:1]
        for query, document in [*PROBES, *usable]:
            columns = self._columns([query], [document], np.zeros((1, 2), np.int64))
            if columns[0].kept[0] < self._room and not self._agrees(_joined(template, *columns)(0), query, document):
                return None
        return template

    def _encode_whole(self, texts: Iterator[tuple[str, str]], tokens: Ids) -> EncodedPairs:
        tokenizer = self._truncating()
        encodings = (encoding for block in _blocks(texts) for encoding in tokenizer.encode_batch(block))
        parts = [
            (np.array(encoding.ids, np.int32), np.array(encoding.type_ids, np.int32), encoding.sequence_ids.count(1))
            for encoding in encodings
        ]
        ids, types = Ragged.of([part[0] for part in parts]), Ragged.of([part[1] for part in parts])
        kept = np.array([part[2] for part in parts], np.int32)
        return EncodedPairs(ids.lengths, tokens, kept, self._padding, lambda row: (ids[row], types[row]))


def kept_tokens(query: Integers, document: Integers, room: int, truncation: Truncation) -> tuple[Integers, Integers]:
    """The number of tokens of each query and each document that an input keeps, for `room` tokens of text.

    "longest_first" is the rule of the Rust tokenizers: the longer text is cut first; if both are longer than half, each
    keeps half, and the odd token goes to the longer one (to the document if they are equally long).
    """
    if truncation == "document":
        return query, np.minimum(document, np.maximum(room - query, 0))
    short, long = np.minimum(query, document), np.maximum(query, document)
    kept_long = np.minimum(long, np.maximum(short, room - short))
    halved = short + kept_long > room
    kept_short = np.where(halved, room // 2, short)
    kept_long = np.where(halved, room // 2 + room % 2, kept_long)
    swapped = query > document
    return np.where(swapped, kept_long, kept_short), np.where(swapped, kept_short, kept_long)


def _joined(template: PairTemplate, query: CutTexts, document: CutTexts) -> Callable[[int], Sequenced]:
    return lambda row: template.join(query(row), document(row))


def _sample(sizes: Integers) -> list[int]:
    longest = np.argsort(-sizes, kind="stable")[:_CHECKED_LONGEST]
    spread = np.linspace(0, max(len(sizes) - 1, 0), min(_CHECKED_SPREAD, len(sizes))).astype(int)
    return sorted({int(row) for row in (*longest, *spread)})


def _blocks(items: Iterator[Any]) -> Iterator[list[Any]]:
    block: list[Any] = []
    for item in items:
        block.append(item)
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block

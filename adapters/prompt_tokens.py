"""Token ids of prompts: every text is tokenised once, and the ids are those of the whole string."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import numpy.typing as npt

from adapters.batching import input_digest, shortened
from adapters.errors import ModelError
from adapters.prompt_template import PromptTemplate
from adapters.protocols import IndexPairs, Integers

Ids = npt.NDArray[np.int32]
Encode = Callable[[list[str]], list[list[int]]]
"""Texts to token ids, without special tokens at the ends."""

_AT_ONCE = 1024
_PROBE_QUERIES = ("who wrote it", "", "谁写的?\n", " ใครเขียน ", "من كتبه")
_PROBE_DOCUMENTS = ("The answer.", "", " two  spaces", "\n\nlines", "...", "42", "किसने", "👍 ok", "\u0301e", "x" * 99)


@dataclass(frozen=True)
class PromptTokens:
    """The model inputs of a request: prefix + head + document + suffix, the document cut so that all of it fits."""

    prefix: Ids
    suffix: Ids
    room: int
    """Tokens that a body may have."""
    heads: list[Ids]
    """Per query: the body up to the document."""
    tails: list[Ids | None]
    """Per document: the rest of the body; None where the tokenizer merges it with what stands before."""
    wholes: dict[int, Ids]
    """Per row: the body with a document of which the tail is None."""
    query: Integers
    document: Integers

    @cached_property
    def tokens(self) -> npt.NDArray[np.int32]:
        """Document tokens before truncation."""
        counts = np.array([0 if ids is None else len(ids) for ids in self.tails], np.int32)[self.document]
        for row, ids in self.wholes.items():
            counts[row] = max(0, len(ids) - self._head_counts[row])
        return counts

    @cached_property
    def kept(self) -> npt.NDArray[np.int32]:
        """Document tokens after truncation."""
        return np.minimum(self.tokens, self.room - self._head_counts).astype(np.int32)

    @cached_property
    def lengths(self) -> Integers:
        """Tokens of the whole input, after truncation."""
        return (len(self.prefix) + self._head_counts + self.kept + len(self.suffix)).astype(np.int64)

    @cached_property
    def _head_counts(self) -> npt.NDArray[np.int32]:
        return np.array([len(ids) for ids in self.heads], np.int32)[self.query]

    def ids(self, row: int) -> Ids:
        """The whole input of a row."""
        tail = self.tails[self.document[row]]
        body = self.wholes[row] if tail is None else np.concatenate([self.heads[self.query[row]], tail])
        return np.concatenate([self.prefix, body[: self.room], self.suffix])

    def inputs(self, rows: Integers) -> npt.NDArray[np.uint64]:
        """Digests of the inputs of some rows."""
        return np.array([input_digest(self.ids(int(row))) for row in rows], dtype=np.uint64)


@dataclass(frozen=True)
class PromptEncoder:
    """Turns queries and documents into prompts of at most `max_length` tokens.

    With `split` (see `splits_exactly`) a text is tokenised once however many pairs it is in. A document that changes
    the tokens of what stands before it is tokenised with every query instead. That is decided by the document alone,
    never by the other pairs.
    """

    template: PromptTemplate
    encode: Encode
    instruction: str
    max_length: int
    split: bool

    def encode_pairs(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> PromptTokens:
        """Tokenise a request; only texts that a pair names are read.

        Raises:
            ModelError: a query leaves no room for one token of a document.
        """
        asked, query = np.unique(pairs[:, 0], return_inverse=True)
        read, document = np.unique(pairs[:, 1], return_inverse=True)
        prefix, suffix = _encoded(self.encode, [self.template.prefix, self.template.suffix])
        room = self.max_length - len(prefix) - len(suffix)
        heads = list(_encoded(self.encode, (self._head(queries[int(index)]) for index in asked)))
        _refuse_long([queries[int(index)] for index in asked], heads, room, self.max_length)
        tails = self._tails(documents[int(index)] for index in read)
        merged = [row for row, index in enumerate(document) if tails[index] is None]
        bodies = (self._head(queries[q]) + self.template.tail(documents[d]) for q, d in pairs[merged].tolist())
        wholes = dict(zip(merged, _encoded(self.encode, bodies), strict=True))
        return PromptTokens(prefix, suffix, room, heads, tails, wholes, query, document)

    def _head(self, query: str) -> str:
        return self.template.head(self.instruction, query)

    def _tails(self, documents: Iterable[str]) -> list[Ids | None]:
        if not self.split:
            return [None for _ in documents]
        return list(_document_ids(self.template, self.encode, documents))


def splits_exactly(template: PromptTemplate, encode: Encode) -> bool:
    """Whether head and document, tokenised apart, give the tokens of the whole body, for probes of many scripts."""
    tails = list(_document_ids(template, encode, _PROBE_DOCUMENTS))
    for query in _PROBE_QUERIES:
        head = template.head(template.default_instruction, query)
        head_ids = encode([head])[0]
        wholes = encode([head + template.tail(document) for document in _PROBE_DOCUMENTS])
        for tail, whole in zip(tails, wholes, strict=True):
            if tail is not None and [*head_ids, *tail.tolist()] != whole:
                return False
    return True


def _document_ids(template: PromptTemplate, encode: Encode, documents: Iterable[str]) -> Iterator[Ids | None]:
    """Tokenise documents behind the template's last words, and take those words off again if they are unchanged."""
    anchor = encode([template.anchor])[0]
    for ids in _encoded(encode, (template.anchor + template.tail(document) for document in documents)):
        yield ids[len(anchor) :].copy() if ids[: len(anchor)].tolist() == anchor else None


def _encoded(encode: Encode, texts: Iterable[str]) -> Iterator[Ids]:
    texts = iter(texts)
    while some := list(islice(texts, _AT_ONCE)):
        for ids in encode(some):
            yield np.array(ids, dtype=np.int32)


def _refuse_long(queries: Sequence[str], heads: Sequence[Ids], room: int, max_length: int) -> None:
    for text, head in zip(queries, heads, strict=True):
        if len(head) >= room:
            raise ModelError(
                f"the query {shortened(text)} and the template leave no token for a document in max_length="
                f"{max_length}: raise max_length to {max_length - room + len(head) + 1} or more"
            )

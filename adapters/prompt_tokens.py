"""Token ids of prompts. Every text is tokenised once; the ids equal those of the whole piece."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import numpy.typing as npt

from adapters.batching import input_digest, plan_batches, shortened
from adapters.errors import ModelError
from adapters.prompt_template import Field, Piece, PromptTemplate, rendered
from adapters.protocols import IndexPairs, Integers

Ids = npt.NDArray[np.int32]
Encode = Callable[[list[str]], list[list[int]]]
"""Turns texts into token ids, without special tokens at the ends."""

_NOTHING: Ids = np.empty(0, np.int32)
_AT_ONCE = 1024
_PROBE_QUERIES = ("who wrote it", "", "谁写的?\n", " ใครเขียน ", "من كتبه")
_PROBE_DOCUMENTS = ("The answer.", "", " two  spaces", "\n\nlines", "...", "42", "किसने", "👍 ok", "\u0301e", "x" * 99)
_FILLERS = ("0", "1 2 3 4")
"""Two documents without a common token at either end, so the tokens that their prompts share belong to the template."""


@dataclass(frozen=True)
class Whole:
    """A prompt that was tokenised as a whole; the document's tokens are ids[start:end]."""

    ids: Ids
    start: int
    end: int
    after: Ids
    """The tokens after a cut document. After a whole one, the first token may be joined with the document's last."""


@dataclass(frozen=True)
class PromptTokens:
    """The model inputs of a request. The document of each is cut so that the input fits."""

    max_length: int
    before: list[Ids]
    """Per query: the tokens before the document."""
    after: list[Ids]
    """Per query: the tokens after the document."""
    documents: list[Ids | None]
    """Per document: its tokens; None if they depend on the text before or after the document."""
    wholes: dict[int, Whole]
    """Per row: the whole prompt, for documents whose tokens are None."""
    query: Integers
    document: Integers

    @cached_property
    def tokens(self) -> npt.NDArray[np.int32]:
        """Document tokens before truncation."""
        counts = np.array([0 if ids is None else len(ids) for ids in self.documents], np.int32)[self.document]
        for row, whole in self.wholes.items():
            counts[row] = whole.end - whole.start
        return counts

    @cached_property
    def kept(self) -> npt.NDArray[np.int32]:
        """Document tokens after truncation."""
        return np.minimum(self.tokens, self.max_length - self._around).clip(min=0).astype(np.int32)

    @cached_property
    def lengths(self) -> Integers:
        """Tokens of the whole input, after truncation."""
        return (self._around + self.kept).astype(np.int64)

    @cached_property
    def _around(self) -> npt.NDArray[np.int32]:
        """Number of tokens around the document."""
        pairs = zip(self.before, self.after, strict=True)
        around = np.array([len(before) + len(after) for before, after in pairs], np.int32)[self.query]
        for row, whole in self.wholes.items():
            around[row] = len(whole.ids) - (whole.end - whole.start)
        return around

    def ids(self, row: int) -> Ids:
        """The whole input of a row."""
        kept = int(self.kept[row])
        if (whole := self.wholes.get(row)) is not None:
            cut = kept < whole.end - whole.start
            return np.concatenate([whole.ids[: whole.start + kept], whole.after if cut else whole.ids[whole.end :]])
        query, document = int(self.query[row]), self.documents[self.document[row]]
        assert document is not None
        return np.concatenate([self.before[query], document[:kept], self.after[query]])

    def batches_by_query(self, left: Integers, budget: int) -> list[Integers]:
        """Some rows in batches of one query each, for models that read the tokens before the document once.

        Within a query the longest documents come first. As with `plan_batches`, the rest of a request whose first
        batches are done comes in the same batches.

        Args:
            left: the rows, ascending.
            budget: padded tokens per call, without the tokens before the document.
        """
        after = self.lengths - np.array([len(ids) for ids in self.before])[self.query]
        order = left[np.argsort(self.query[left], kind="stable")]
        groups = np.split(order, np.flatnonzero(np.diff(self.query[order])) + 1)
        return [rows[batch] for rows in groups for batch in plan_batches(after[rows], budget=budget)]

    def inputs(self, rows: Integers) -> npt.NDArray[np.uint64]:
        """Digests of the inputs of some rows."""
        return np.array([input_digest(self.ids(int(row))) for row in rows], dtype=np.uint64)


@dataclass(frozen=True)
class _Frame:
    """The tokens around the document for one query: the pieces before the document's piece, the beginning and the end
    of that piece, and the pieces after it."""

    first: Ids
    head: Ids
    tail: Ids
    last: Ids

    @property
    def before(self) -> Ids:
        return np.concatenate([self.first, self.head])

    @property
    def after(self) -> Ids:
        return np.concatenate([self.tail, self.last])

    def around(self, body: Ids) -> Whole:
        """The whole prompt with the piece of the document."""
        ids = np.concatenate([self.first, body, self.last])
        end = max(len(ids) - len(self.tail) - len(self.last), len(self.first))
        return Whole(ids, min(len(self.first) + len(self.head), end), end, self.after)


@dataclass(frozen=True)
class PromptEncoder:
    """Turns queries and documents into prompts of at most `max_length` tokens.

    With `split` (see `splits_exactly`) a text is tokenised once, however many pairs it is in. A document that changes
    the tokens of the text around it is tokenised with every query instead. Only the document decides this, never the
    other pairs.
    """

    template: PromptTemplate
    encode: Encode
    instruction: str
    max_length: int
    split: bool

    def encode_pairs(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> PromptTokens:
        """Tokenise a request. Texts that occur in no pair are not read.

        Raises:
            ModelError: a query leaves no space for one token of a document.
        """
        asked, query = np.unique(pairs[:, 0], return_inverse=True)
        read, document = np.unique(pairs[:, 1], return_inverse=True)
        texts = [self.template.read(queries[int(index)]) for index in asked]
        frames = self._frames(texts)
        self._refuse_long(texts, frames)
        tokens = self._documents(self.template.read(documents[int(index)]) for index in read)
        rows = [row for row, index in enumerate(document) if tokens[index] is None]
        bodies = _encoded(self.encode, (self._body(queries[q], documents[d]) for q, d in pairs[rows].tolist()))
        wholes = {row: frames[query[row]].around(body) for row, body in zip(rows, bodies, strict=True)}
        before, after = [frame.before for frame in frames], [frame.after for frame in frames]
        return PromptTokens(self.max_length, before, after, tokens, wholes, query, document)

    @property
    def _piece(self) -> Piece:
        return self.template.pieces[self.template.document_piece]

    def _frames(self, queries: Sequence[str]) -> list[_Frame]:
        at, pieces = self.template.document_piece, self.template.pieces
        firsts, lasts = self._joined(pieces[:at], queries), self._joined(pieces[at + 1 :], queries)
        if self.template.document_ends_piece:
            heads, tails = self._joined([_head(self._piece)], queries), [_NOTHING] * len(queries)
        else:
            ends = [self._ends(query) for query in queries]
            heads, tails = [head for head, _ in ends], [tail for _, tail in ends]
        return [_Frame(*parts) for parts in zip(firsts, heads, tails, lasts, strict=True)]

    def _joined(self, pieces: Sequence[Piece], queries: Sequence[str]) -> list[Ids]:
        """The ids of pieces without the document, one after the other, for each query."""
        columns = [self._column(piece, queries) for piece in pieces]
        return [np.concatenate([_NOTHING, *parts]) for parts in zip(*columns, strict=True)] or [_NOTHING] * len(queries)

    def _column(self, piece: Piece, queries: Sequence[str]) -> list[Ids]:
        if Field.QUERY not in piece:
            return list(_encoded(self.encode, [self._text(piece, "", "")])) * len(queries)
        return list(_encoded(self.encode, (self._text(piece, query, "") for query in queries)))

    def _ends(self, query: str) -> tuple[Ids, Ids]:
        """The ids with which the document's piece begins and ends for any document."""
        one, other = self.encode([self._body(query, filler) for filler in _FILLERS])
        start, end = _common(one, other), _common(one[::-1], other[::-1])
        return np.array(one[:start], np.int32), np.array(one[len(one) - end :], np.int32)

    def _documents(self, documents: Iterable[str]) -> list[Ids | None]:
        if not (self.split and self.template.document_ends_piece):
            return [None for _ in documents]
        return list(_document_ids(self._piece, self.encode, documents))

    def _body(self, query: str, document: str) -> str:
        return self._text(self._piece, self.template.read(query), self.template.read(document))

    def _text(self, piece: Piece, query: str, document: str) -> str:
        return rendered(piece, self.instruction, query, document)

    def _refuse_long(self, queries: Sequence[str], frames: Sequence[_Frame]) -> None:
        for text, frame in zip(queries, frames, strict=True):
            needed = len(frame.before) + len(frame.after)
            if needed >= self.max_length:
                raise ModelError(
                    f"the query {shortened(text)} and the template leave no token for a document in max_length="
                    f"{self.max_length}: raise max_length to {needed + 1} or more"
                )


def splits_exactly(template: PromptTemplate, encode: Encode) -> bool:
    """Whether the pieces, with the document and the text before it tokenised separately, give the template's tokens.
    Tested with probes in many scripts."""
    if not template.document_ends_piece:
        return False
    piece = template.pieces[template.document_piece]
    tails = list(_document_ids(piece, encode, _PROBE_DOCUMENTS))
    for query in _PROBE_QUERIES:
        head = encode([rendered(_head(piece), template.instruction, query, "")])[0]
        wholes = encode([rendered(piece, template.instruction, query, document) for document in _PROBE_DOCUMENTS])
        for tail, whole in zip(tails, wholes, strict=True):
            if tail is not None and [*head, *tail.tolist()] != whole:
                return False
    return True


def seams_are_exact(template: PromptTemplate, encode: Encode) -> bool:
    """Whether the pieces of a template, tokenised one by one, give the tokens of the whole prompt, for the probes."""
    for query in _PROBE_QUERIES:
        texts = [(query, document) for document in _PROBE_DOCUMENTS]
        wholes = encode([template.whole(template.instruction, *text) for text in texts])
        parts = [
            [template.render(at, template.instruction, *text) for text in texts] for at in range(len(template.pieces))
        ]
        joined = [[token for ids in row for token in ids] for row in zip(*map(encode, parts), strict=True)]
        if joined != wholes:
            return False
    return True


def _head(piece: Piece) -> Piece:
    """The piece up to the space before its document. In most vocabularies that space is part of the next word."""
    *parts, last = piece[:-1] or ("",)
    return (*parts, last.rstrip(" ")) if isinstance(last, str) else (*parts, last)


def _anchor(piece: Piece) -> str:
    """The text before every document, without the space at its end: '<Document>:'."""
    before = piece[-2] if len(piece) > 1 else ""
    return before.strip() if isinstance(before, str) else ""


def _space(piece: Piece) -> str:
    """The space between the anchor and the document."""
    before = piece[-2] if len(piece) > 1 else ""
    return before[len(before.rstrip(" ")) :] if isinstance(before, str) else ""


def _document_ids(piece: Piece, encode: Encode, documents: Iterable[str]) -> Iterator[Ids | None]:
    """Tokenise documents after the template's last words, and remove those words again if they are unchanged."""
    anchor, space = _anchor(piece), _space(piece)
    first = encode([anchor])[0]
    for ids in _encoded(encode, (f"{anchor}{space}{document}" for document in documents)):
        yield ids[len(first) :].copy() if ids[: len(first)].tolist() == first else None


def _encoded(encode: Encode, texts: Iterable[str]) -> Iterator[Ids]:
    texts = iter(texts)
    while some := list(islice(texts, _AT_ONCE)):
        for ids in encode(some):
            yield np.array(ids, dtype=np.int32)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """The number of ids that two sequences share at their beginning."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))

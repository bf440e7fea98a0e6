"""Questions that ask for something in a document, written by rules: for use without a language model."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from adapters.analysis import OF_COLLECTION
from adapters.answer_spans import Span, Token, is_year, phrases, spans
from adapters.errors import UsageError
from adapters.extractive import SENTENCE, ExtractiveGenerator, is_unspaced
from adapters.protocols import Identity, Prompt
from adapters.question_words import Answer, QuestionWords, question_words

_VERSION = 1
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_CLAUSE = re.compile(r"[^，、；：。！？,;:!?()（）「」『』《》\"“”\s]+")
_UNSPACED_NUMBER = re.compile(r"\d[\d.,]*")
_SHORTEST_CLAUSE = 4
_LEAST = 2
"""The smallest number of content words of a question."""
_SHARE_OF_LONGEST = 0.6
_LONGEST_COPY = 5
_COMMON, _FEW = 10, 5
"""A word that at least a tenth of the documents have, and at least 5 of them, is a function word."""


@dataclass(frozen=True)
class _Asked:
    """A question, and how well it suits: the number of the sentence and the kind of answer."""

    text: str
    sentence: int
    kind: str
    weight: float


class QuestionGenerator(ExtractiveGenerator):
    """Writes questions whose answer is in the document: a year, a place, a person, a number of things, a share, or its
    rarest word. The answer is replaced by a question word, some of the remaining words are left out, the rarer the
    more often, and the rest is not in the order of the sentence.

    The rules know no grammar, and many of the questions are clumsy. Their words are still those of the document, but
    they ask, and their source is less often the first result of BM25 than with `extractive`.

    Args:
        language: as for `extractive`.
        drop: the share of the content words of a sentence that is left out, from 0 to below 1. At least two stay.
        seed: another seed leaves out other words.

    Raises:
        UsageError: `drop` is out of its range.
    """

    name = "questions"

    def __init__(self, *, language: str | None = OF_COLLECTION, drop: float = 0.8, seed: int = 0) -> None:
        super().__init__(language=language)
        if not 0 <= drop < 1:
            raise UsageError(f"drop = {drop}: it is a share of the words, from 0 to below 1")
        self._drop, self._seed = drop, seed

    @property
    def identity(self) -> Identity:
        return {**super().identity, "adapter": "questions", "version": _VERSION, "drop": self._drop,
                "seed": self._seed}  # fmt: skip

    def _queries(self, prompt: Prompt) -> list[str]:
        language = (prompt.language or self._language or "").split("-")[0].lower()
        words = question_words().get(language)
        if words is None:
            return super()._queries(prompt)
        draw = np.random.default_rng(_seed_of(self._seed, prompt.document))
        write = self._unspaced if is_unspaced(language) else self._spaced
        texts = [text for text in SENTENCE.split(prompt.document) if text.strip()]
        asked = list(chain.from_iterable(write(text, at, words, prompt, draw) for at, text in enumerate(texts)))
        return _chosen(asked, prompt.count)

    def _spaced(
        self, text: str, at: int, words: QuestionWords, prompt: Prompt, draw: np.random.Generator
    ) -> Iterator[_Asked]:
        tokens = self._tokens(text, prompt.language)
        for span in spans(tokens, words):
            rest = self._thinned(tokens, span, draw)
            room = int(draw.integers(*_window(prompt)))
            question = _written(tokens, span, rest, words, draw, room)
            if question is not None:
                yield _Asked(question, at, span.kind, sum(tokens[one].weight for one in rest))

    def _tokens(self, text: str, language: str | None) -> list[Token]:
        analyzer = self.analyzer(language)
        found = list(_WORD.finditer(text))
        limit = math.log(max(1.0, min(_COMMON, self.documents / _FEW)))
        tokens = []
        for place, match in enumerate(found):
            end = found[place + 1].start() if place + 1 < len(found) else len(text)
            weight = self.weight(match[0], analyzer)
            tokens.append(Token(match[0], weight if weight > limit else 0.0, text[match.end() : end]))
        return tokens

    def _thinned(self, tokens: Sequence[Token], span: Span, draw: np.random.Generator) -> list[int]:
        """The rows of the words outside of the answer that stay: at least two content words, with the function words of
        their phrases."""
        answer = range(span.start, span.end)
        content = [at for at, token in enumerate(tokens) if token.is_content and at not in answer]
        leave = min(round(self._drop * len(content)), len(content) - _LEAST)
        out = set[int]()
        if leave > 0:
            weights = np.array([tokens[at].weight for at in content]) ** 2
            out = set(draw.choice(content, leave, replace=False, p=weights / weights.sum()).tolist())
        kept = [[at for at in phrase if at not in answer and at not in out] for phrase in phrases(tokens)]
        return [at for phrase in kept if any(tokens[row].is_content for row in phrase) for at in phrase]

    def _unspaced(
        self, text: str, at: int, words: QuestionWords, prompt: Prompt, draw: np.random.Generator
    ) -> Iterator[_Asked]:
        """Questions of a language without spaces: the question word takes the place of the answer in its clause."""
        clauses = _CLAUSE.findall(text)
        for place, clause in enumerate(clauses):
            room = max(_SHORTEST_CLAUSE, prompt.words[1] - 4)
            for match in _UNSPACED_NUMBER.finditer(clause):
                kind: Answer = "time" if is_year(match[0]) else "count"
                asked = str(draw.choice(words.words_for(kind))).replace("{}", "")
                before, after = clause[: match.start()], clause[match.end() :]
                kept = room - len(asked)
                before = before[-max(_SHORTEST_CLAUSE, kept - len(after)) :]
                body = f"{before}{asked}{after[: max(0, kept - len(before))]}"
                other = [one for number, one in enumerate(clauses) if number != place and len(one) >= _SHORTEST_CLAUSE]
                if len(body) < _SHORTEST_CLAUSE + len(asked) and not other:
                    continue
                if other and len(body) + len(other[-1]) <= room:
                    body = f"{other[-1]} {body}"
                yield _Asked(f"{body}{words.mark}", at, kind, float(len(body)))


def _written(  # noqa: PLR0917
    tokens: Sequence[Token], span: Span, rest: Sequence[int], words: QuestionWords, draw: np.random.Generator, room: int
) -> str | None:
    """A question for an answer, of at most `room` words besides the question words; None if too little is left."""
    asked = str(draw.choice(words.words_for(span.kind))).replace("{}", tokens[span.end - 1].text)
    near = _without_copies(_near(tokens, span, rest, room))
    if sum(tokens[at].is_content for at in near) < _LEAST:
        return None
    before, after = ([at for at in near if (at < span.start) == side] for side in (True, False))
    if words.order == "place":
        parts = [*_texts(tokens, before), asked, *_texts(tokens, after)]
        return " ".join(parts) + words.mark
    before = _without_last_function_words(tokens, before, span)
    rows = [*after, *before]
    verb = next((at for at in rows if tokens[at].text.casefold() in words.auxiliaries), None)
    rows = [at for at in rows if at != verb]
    if verb is None and not after:
        rows = _turned(tokens, rows)
    while rows and not tokens[rows[-1]].is_content:
        rows.pop()
    return " ".join([asked, *_texts(tokens, [] if verb is None else [verb]), *_texts(tokens, rows)]) + words.mark


def _near(tokens: Sequence[Token], span: Span, rest: Sequence[int], room: int) -> list[int]:
    """The remaining words of the answer's clause, or of the sentence if the clause is short; the nearest `room`."""
    first = next((at + 1 for at in range(span.start - 1, -1, -1) if tokens[at].ends_clause), 0)
    last = next((at + 1 for at in range(span.end - 1, len(tokens)) if tokens[at].ends_clause), len(tokens))
    own = [at for at in rest if first <= at < last]
    rows = own if sum(tokens[at].is_content for at in own) > _LEAST else rest
    distance = {at: span.start - at if at < span.start else at - span.end + 1 for at in rows}
    return sorted(sorted(rows, key=lambda at: (distance[at], at))[:room])


def _without_copies(rows: Sequence[int]) -> list[int]:
    """The rows without every fifth one of a stretch, so that no stretch of the document is copied."""
    kept, stretch = list[int](), 0
    for place, row in enumerate(rows):
        stretch = stretch + 1 if place and row == rows[place - 1] + 1 else 1
        if stretch % _LONGEST_COPY:
            kept.append(row)
    return kept


def _without_last_function_words(tokens: Sequence[Token], before: list[int], span: Span) -> list[int]:
    """Without prepositions and articles of the answer itself."""
    kept, place = list(before), span.start - 1
    while kept and kept[-1] == place and not tokens[place].is_content:
        kept.pop()
        place -= 1
    return kept


def _turned(tokens: Sequence[Token], rows: list[int]) -> list[int]:
    """The rows from the middle on, then those before it. The middle is at a function word where there is one."""
    middle = len(rows) // 2
    starts = [place for place in range(1, len(rows)) if not tokens[rows[place]].is_content]
    cut = min(starts, key=lambda place: abs(place - middle)) if starts else middle
    return [*rows[cut:], *rows[:cut]]


def _texts(tokens: Sequence[Token], rows: Sequence[int]) -> list[str]:
    """The words; a function word at the start of the sentence loses its capital."""
    return [tokens[at].text if at or tokens[at].is_content else tokens[at].text.lower() for at in rows]


def _chosen(asked: Sequence[_Asked], count: int) -> list[str]:
    """Questions about different sentences and answers of different kinds first, then those with the most weight."""
    left, found = list(asked), list[_Asked]()
    while left and len(found) < count:
        sentences, kinds = {one.sentence for one in found}, [one.kind for one in found]
        best = min(left, key=lambda one: (one.sentence in sentences, kinds.count(one.kind), -one.weight))
        found.append(best)
        left = [one for one in left if one.text != best.text]
    return [one.text for one in found]


def _window(prompt: Prompt) -> tuple[int, int]:
    """The smallest number of words besides the question words, and the largest one plus 1."""
    shortest, longest = prompt.words
    low = max(shortest, _LEAST + 1)
    return low, max(low + 1, round(_SHARE_OF_LONGEST * longest) + 1)


def _seed_of(seed: int, text: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}:{text}".encode(), digest_size=7).digest(), "big")

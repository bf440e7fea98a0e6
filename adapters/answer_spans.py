"""What a question about a sentence can ask for: its years, numbers, names and rare phrases. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.question_words import Answer, QuestionWords

_NUMBER = re.compile(r"\d[\d.,٬٫]*")
_SHARE = re.compile(r"\s*[%٪％]")
_EARLIEST, _LATEST = 1000, 2100
"""A number of four digits in this range is a year."""
_FUNCTION_WORDS = 2
"""The largest number of function words at the beginning of a phrase."""
_SHORTEST_NOUN = 4


@dataclass(frozen=True)
class Token:
    """A word of a sentence."""

    text: str
    weight: float
    """The negative logarithm of the share of documents that have it; 0 for a function word."""
    gap: str
    """The text between this word and the next one."""

    @property
    def is_content(self) -> bool:
        """Whether it is no function word."""
        return self.weight > 0

    @property
    def ends_clause(self) -> bool:
        """Whether a punctuation mark follows."""
        return bool(self.gap.strip())


@dataclass(frozen=True)
class Span:
    """An answer: the words of a sentence from `start` to `end`, without `end`."""

    start: int
    end: int
    kind: Answer


def spans(tokens: Sequence[Token], words: QuestionWords) -> list[Span]:
    """The answers in a sentence: numbers, names, and its rarest word that is neither."""
    found = [*_numbers(tokens), *_names(tokens, words)]
    taken = {place for one in found for place in range(one.start, one.end)}
    free = [place for place, token in enumerate(tokens) if _ends_phrase(tokens, place) and place not in taken]
    if free:
        best = max(free, key=lambda place: (tokens[place].weight, -place))
        found.append(Span(best, best + 1, "thing"))
    return found


def phrases(tokens: Sequence[Token]) -> list[list[int]]:
    """The rows of the tokens in phrases: function words, at most two, and the content words after them up to the next
    function word or punctuation mark. Other function words are in no phrase."""
    found: list[list[int]] = []
    current: list[int] = []
    for place, token in enumerate(tokens):
        if not token.is_content and any(tokens[one].is_content for one in current):
            found.append(current)
            current = []
        current.append(place)
        if token.ends_clause:
            found.append(current)
            current = []
    return [_trimmed(tokens, one) for one in [*found, current] if any(tokens[row].is_content for row in one)]


def _trimmed(tokens: Sequence[Token], rows: list[int]) -> list[int]:
    first = next(place for place, row in enumerate(rows) if tokens[row].is_content)
    return rows[max(0, first - _FUNCTION_WORDS) :]


def _ends_phrase(tokens: Sequence[Token], place: int) -> bool:
    """Whether a content word is the last of its phrase, where many languages have the noun."""
    token = tokens[place]
    last = token.ends_clause or place + 1 == len(tokens) or not tokens[place + 1].is_content
    return token.is_content and last and len(token.text) >= _SHORTEST_NOUN


def is_year(text: str) -> bool:
    """Whether a word is a year, in the digits of any script."""
    return len(text) == 4 and text.isdigit() and _EARLIEST <= int(text) <= _LATEST


def _numbers(tokens: Sequence[Token]) -> Iterator[Span]:
    for place, token in enumerate(tokens):
        if not _NUMBER.fullmatch(token.text):
            continue
        after = tokens[place + 1] if place + 1 < len(tokens) and not token.ends_clause else None
        if is_year(token.text):
            yield Span(place, place + 1, "time")
        elif _SHARE.match(token.gap):
            yield Span(place, place + 1, "amount")
        elif after is not None and after.is_content and not _NUMBER.fullmatch(after.text):
            yield Span(place, place + 2, "count")


def _names(tokens: Sequence[Token], words: QuestionWords) -> Iterator[Span]:
    """Stretches of at least two words with capitals, and single ones after a word that says what they are."""
    start = 1
    while start < len(tokens):
        end = start
        while end < len(tokens) and _is_capital(tokens[end]) and (end == start or not tokens[end - 1].ends_clause):
            end += 1
        if end > start:
            kind = _kind(tokens[start - 1], end - start, words)
            if kind is not None:
                yield Span(start, end, kind)
        start = max(end, start + 1)


def _is_capital(token: Token) -> bool:
    return token.text[0].isupper() and token.is_content


def _kind(before: Token, size: int, words: QuestionWords) -> Answer | None:
    if words.capital_nouns and size == 1:
        return None
    if before.text.casefold() in words.places and not before.ends_clause:
        return "place"
    if before.text.casefold() in words.people and not before.ends_clause:
        return "person"
    return "person" if size > 1 and before.is_content else None

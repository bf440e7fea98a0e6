"""The question words of languages, for queries that ask. They are data, in `question_words.toml`."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from adapters.typed_file import parsed_toml
from adapters.typed_values import Place, typed

Answer = Literal["time", "place", "person", "count", "amount", "thing"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
"""The kinds of answers that are asked for."""
_FILE = "question_words.toml"


@dataclass(frozen=True)
class QuestionWords:
    """How a language asks."""

    order: Literal["front", "place"]
    """Where the question word goes: in front of the question, or in place of the answer."""
    time: tuple[str, ...]
    place: tuple[str, ...]
    person: tuple[str, ...]
    count: tuple[str, ...]
    """With {} for the noun after the number."""
    amount: tuple[str, ...]
    thing: tuple[str, ...]
    mark: str
    """The end of a question."""
    places: tuple[str, ...] = ()
    """Words before the names of places."""
    people: tuple[str, ...] = ()
    """Words before the names of people."""
    auxiliaries: tuple[str, ...] = ()
    """Verbs that follow the question word."""
    capital_nouns: bool = False
    """Whether all nouns have capitals, so that a single word with one is no name."""

    def words_for(self, answer: Answer) -> tuple[str, ...]:
        """The question words for a kind of answer."""
        words: tuple[str, ...] = getattr(self, answer)
        return words


@cache
def question_words() -> Mapping[str, QuestionWords]:
    """The question words by the language's ISO 639 code."""
    text = importlib.resources.files("adapters").joinpath(_FILE).read_text("utf-8")
    tables = parsed_toml(text, Place(_FILE))
    return typed(dict[str, QuestionWords], tables, _FILE)

"""The type of a query by its form: a question by its question word, a yes-no question, a claim, or keywords.

Only the surface is used: words from a table for each language, and the mark at the end. This is not a parser, but its
errors affect synthetic and real queries in the same way.
"""

from __future__ import annotations

import importlib.resources
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from training.validating.words import code, units, unspaced

WORDS = ("who", "when", "where", "what", "how", "why", "which", "how-many")
"""Types with a question word."""
TYPES = (*WORDS, "yes-no", "question", "claim", "keyword")
"""`question` is a question in a language without a table, found by its mark."""
_OTHER = "other"
_MARKS = "?؟;՞፧"
"""Marks at the end of a question; NFKC turns the Greek mark into `;`."""
_CLOSING = " \t\n\"'”’»)]」』"
_STOPS = (".", "。", "।", "۔", "!", "！")
_SHORTEST_CLAIM = 4
"""The smallest number of words of a claim without a full stop. Fewer words with a verb are keywords."""
_SHORTEST_YES_NO = 3
"""The smallest number of units of a question without a mark: `can openers` is not a question."""
_LONG = 8
"""The number of words from which a text is a claim, in a language without a table."""

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Grammar:
    """The table of one language. Phrases are in units, as in `words.units`."""

    language: str
    anywhere: bool
    """Whether a question word may occur anywhere, because it keeps the place of what it asks for (Chinese, Hindi). In
    other languages it comes first, or after `lead`; later ones count only if there is a question mark, because the same
    words also join clauses."""
    phrases: Mapping[Phrase, str]
    """Phrase -> one of WORDS."""
    yes_no: frozenset[Phrase]
    """Phrases at the beginning of a yes-no question."""
    yes_no_within: frozenset[Phrase]
    """Phrases anywhere in a yes-no question."""
    yes_no_end: tuple[str, ...]
    """Last letters of a yes-no question."""
    lead: frozenset[str]
    """Words that may precede a question word, mostly prepositions."""
    verbs: frozenset[Phrase]
    """Forms of common verbs, which distinguish claims from keywords."""

    @cached_property
    def longest(self) -> int:
        """The number of units of the longest phrase."""
        return max(
            (len(phrase) for phrase in (*self.phrases, *self.yes_no, *self.yes_no_within, *self.verbs)), default=0
        )


def query_type(text: str, grammar: Grammar) -> str:
    """The type of a query, one of TYPES. The first question word decides, with the longest phrase at its place; then a
    sign of a yes-no question; then a full stop or a verb, which make a claim."""
    query_units = units(text, grammar.language)
    plain = unicodedata.normalize("NFKC", text).rstrip(_CLOSING)
    marked = plain.endswith(tuple(_MARKS))
    asks = marked or _ends_as_question(query_units, grammar)
    if (found := _question_word(query_units, grammar, asks)) is not None:
        return found
    if grammar.language == _OTHER:
        return "question" if asks else "claim" if plain.endswith(_STOPS) or _words(query_units) >= _LONG else "keyword"
    if asks or _within(query_units, grammar.yes_no_within, grammar.longest):
        return "yes-no"
    stated = _words(query_units) >= _SHORTEST_CLAIM and _within(query_units[1:], grammar.verbs, grammar.longest)
    return "claim" if query_units and (plain.endswith(_STOPS) or stated) else "keyword"


@cache
def grammar_of(language: str | None) -> Grammar:
    """The table of a language, or the table `other`, which only has marks, if there is none."""
    tables = _tables()
    name = code(language) if code(language) in tables else _OTHER
    return _read(name, tables.get(name, {}))


def has_table(language: str | None) -> bool:
    """Whether the question words of a language are known."""
    return code(language) in _tables()


def languages() -> Sequence[str]:
    """The languages with a table."""
    return sorted(_tables())


def _question_word(query_units: Sequence[str], grammar: Grammar, asks: bool) -> str | None:
    free = grammar.anywhere or asks
    for start in range(len(query_units)):
        leading = all(word in grammar.lead for word in query_units[:start])
        if not leading and not free:
            return None
        found = _phrase_at(query_units, start, grammar)
        if leading and _yes_no_at(query_units, start, grammar, asks) > len(found):
            return "yes-no"
        if found:
            return grammar.phrases[found]
    return None


def _phrase_at(query_units: Sequence[str], start: int, grammar: Grammar) -> Phrase:
    """The longest phrase that begins at `start`; empty if there is none."""
    lengths = range(min(grammar.longest, len(query_units) - start), 0, -1)
    candidates = (tuple(query_units[start : start + length]) for length in lengths)
    return next((phrase for phrase in candidates if phrase in grammar.phrases), ())


def _yes_no_at(query_units: Sequence[str], start: int, grammar: Grammar, asks: bool) -> float:
    """The number of units of the beginning of a yes-no question, plus 0.5 to win against a question word of the same
    length: at the beginning of a Hindi question the word for `what` asks for yes or no."""
    if start or not (asks or len(query_units) >= _SHORTEST_YES_NO):
        return 0
    fitting = [len(phrase) for phrase in grammar.yes_no if tuple(query_units[: len(phrase)]) == phrase]
    return max(fitting, default=-0.5) + 0.5


def _within(query_units: Sequence[str], phrases: frozenset[Phrase], longest: int) -> bool:
    return any(
        tuple(query_units[start : start + length]) in phrases
        for length in range(1, longest + 1)
        for start in range(len(query_units) - length + 1)
    )


def _words(query_units: Sequence[str]) -> float:
    """The approximate number of words. Two characters of a script without spaces count as one."""
    return sum(0.5 if unspaced(unit) else 1 for unit in query_units)


def _ends_as_question(query_units: Sequence[str], grammar: Grammar) -> bool:
    return len(query_units) > 1 and bool(grammar.yes_no_end) and "".join(query_units).endswith(grammar.yes_no_end)


@cache
def _tables() -> dict[str, dict[str, object]]:
    return tomllib.loads(importlib.resources.files(__package__).joinpath("forms.toml").read_text("utf-8"))


def _read(language: str, table: Mapping[str, object]) -> Grammar:
    def phrases(key: str) -> frozenset[Phrase]:
        listed = table.get(key, [])
        assert isinstance(listed, list)
        return frozenset(tuple(units(phrase, language)) for phrase in listed)

    return Grammar(
        language,
        bool(table.get("anywhere")),
        {phrase: type_ for type_ in reversed(WORDS) for phrase in phrases(type_)},
        phrases("yes-no"),
        phrases("yes-no-within"),
        tuple("".join(phrase) for phrase in sorted(phrases("yes-no-end"))),
        frozenset(word for phrase in phrases("lead") for word in phrase),
        phrases("verbs"),
    )

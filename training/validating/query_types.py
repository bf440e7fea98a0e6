"""What a query is by its form: a question by its word, a question to be answered with yes or no, a claim, keywords.

Only the surface is looked at: words of a table for each language, and the mark at the end. It is no parser; what it
gets wrong, it gets wrong for synthetic and for real queries alike.
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
"""Types that a question word tells."""
TYPES = (*WORDS, "yes-no", "question", "claim", "keyword")
"""`question`: one in a language that has no table, by its mark alone."""
_OTHER = "other"
_MARKS = "?؟;՞፧"
"""At the end of a question; `;` is what NFKC makes of the Greek one."""
_CLOSING = " \t\n\"'”’»)]」』"
_STOPS = (".", "。", "।", "۔", "!", "！")
_SHORTEST_CLAIM = 4
"""Words, of a statement that has no full stop: fewer are keywords with a verb among them."""
_SHORTEST_YES_NO = 3
"""Units, of a question that has no mark: `can openers` asks nothing."""
_LONG = 8
"""Words, from which on a text is a claim in a language that has no table."""

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Grammar:
    """The table of one language; every phrase is in units, as `words.units` cuts them."""

    language: str
    anywhere: bool
    """A question word keeps the place of what it asks for (Chinese, Hindi), so it may stand anywhere. Elsewhere it
    stands first, or after `lead`; further back only where a mark says that it is a question, because there the same
    words join clauses."""
    phrases: Mapping[Phrase, str]
    """Phrase to type, of WORDS."""
    yes_no: frozenset[Phrase]
    """At the beginning."""
    yes_no_within: frozenset[Phrase]
    """Anywhere."""
    yes_no_end: tuple[str, ...]
    """The last letters of a question."""
    lead: frozenset[str]
    """Words that may stand before a question word, mostly prepositions."""
    verbs: frozenset[Phrase]
    """Forms of common verbs, by which a claim differs from keywords."""

    @cached_property
    def longest(self) -> int:
        """Units of the longest phrase."""
        return max(
            (len(phrase) for phrase in (*self.phrases, *self.yes_no, *self.yes_no_within, *self.verbs)), default=0
        )


def query_type(text: str, grammar: Grammar) -> str:
    """The type of a query, one of TYPES. Of several question words the first counts, and at one place the longest
    phrase; then a sign of yes or no; then a full stop or a verb, which make a claim."""
    said = units(text, grammar.language)
    plain = unicodedata.normalize("NFKC", text).rstrip(_CLOSING)
    marked = plain.endswith(tuple(_MARKS))
    asks = marked or _ends_as_question(said, grammar)
    if (found := _question_word(said, grammar, asks)) is not None:
        return found
    if grammar.language == _OTHER:
        return "question" if asks else "claim" if plain.endswith(_STOPS) or _words(said) >= _LONG else "keyword"
    if asks or _within(said, grammar.yes_no_within, grammar.longest):
        return "yes-no"
    stated = _words(said) >= _SHORTEST_CLAIM and _within(said[1:], grammar.verbs, grammar.longest)
    return "claim" if said and (plain.endswith(_STOPS) or stated) else "keyword"


@cache
def grammar_of(language: str | None) -> Grammar:
    """The table of a language; of one that has none, `other`, which knows marks only."""
    tables = _tables()
    known = code(language) if code(language) in tables else _OTHER
    return _read(known, tables.get(known, {}))


def languages() -> Sequence[str]:
    """Those that have a table."""
    return sorted(_tables())


def _question_word(said: Sequence[str], grammar: Grammar, asks: bool) -> str | None:
    free = grammar.anywhere or asks
    for start in range(len(said)):
        leading = all(word in grammar.lead for word in said[:start])
        if not leading and not free:
            return None
        found = _phrase_at(said, start, grammar)
        if leading and _yes_no_at(said, start, grammar, asks) > len(found):
            return "yes-no"
        if found:
            return grammar.phrases[found]
    return None


def _phrase_at(said: Sequence[str], start: int, grammar: Grammar) -> Phrase:
    """The longest phrase that begins here; of no units, if none does."""
    lengths = range(min(grammar.longest, len(said) - start), 0, -1)
    candidates = (tuple(said[start : start + length]) for length in lengths)
    return next((phrase for phrase in candidates if phrase in grammar.phrases), ())


def _yes_no_at(said: Sequence[str], start: int, grammar: Grammar, asks: bool) -> float:
    """How many units of a beginning of a yes-no question stand here. One that is a question word too wins against
    it: at the beginning of Hindi's questions the word for `what` asks for yes or no."""
    if start or not (asks or len(said) >= _SHORTEST_YES_NO):
        return 0
    fitting = [len(phrase) for phrase in grammar.yes_no if tuple(said[: len(phrase)]) == phrase]
    return max(fitting, default=-0.5) + 0.5


def _within(said: Sequence[str], phrases: frozenset[Phrase], longest: int) -> bool:
    return any(
        tuple(said[start : start + length]) in phrases
        for length in range(1, longest + 1)
        for start in range(len(said) - length + 1)
    )


def _words(said: Sequence[str]) -> float:
    """How many words units are about; two characters of a script without spaces are one."""
    return sum(0.5 if unspaced(unit) else 1 for unit in said)


def _ends_as_question(said: Sequence[str], grammar: Grammar) -> bool:
    return len(said) > 1 and bool(grammar.yes_no_end) and "".join(said).endswith(grammar.yes_no_end)


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

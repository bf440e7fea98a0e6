"""Check a generator's answers against its profile: each query is accepted, or rejected for one named reason."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from training.synthesis.profiles import Profile, languages
from training.validating.query_types import grammar_of, query_type

REASONS = (
    "grammar",
    "refusal",
    "empty",
    "surplus",
    "echo",
    "wrong script",
    "wrong language",
    "too short",
    "too long",
    "wrong form",
    "copies the document",
    "copies a stretch",
    "overlaps too much",
    "duplicate",
)
"""The reasons for which a query is rejected, in the order of the checks."""
_STATEMENTS = ("claim", "keyword")
"""The types of queries that do not ask."""
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\Z", re.DOTALL)
_NUMBERED = re.compile(r"\s*\d+[.)]\s+(\S.*?)\s*\Z")
_WORD = re.compile(r"[^\W_]+")
_SPACE = re.compile(r"\s+")
REFUSAL = re.compile(
    r"\b(as an ai\b|(as )?an? (ai )?language model|i(?:'m| am) (?:sorry|unable)|"
    r"i can(?:not|'t) (?:help|assist|provide|do)|"
    r"je suis désolé|je ne peux pas|lo siento|no puedo|es tut mir leid|ich kann (?:dir |ihnen )?(?:dabei )?nicht)"
    r"|извините|я не могу|抱歉|无法提供|申し訳|죄송",
    re.IGNORECASE,
)
_COPIED = {"words": 5, "characters": 12}
"""The smallest length of a copied passage. Shorter ones are names and phrases, which a query may share with the
document."""


@dataclass(frozen=True)
class ParsedQuery:
    """One query, or one answer without queries."""

    text: str
    reason: str | None = None
    """One of REASONS; None for an accepted query."""


@dataclass
class AnswerParser:
    """Checks answers in the order of their documents. A query that was accepted for an earlier document is a
    duplicate."""

    profile: Profile
    _seen: set[str] = field(default_factory=set)

    def parse(self, answer: str, document: str) -> list[ParsedQuery]:
        """The queries of one answer. An answer that breaks the grammar counts as all the queries that were
        requested."""
        queries = parsed(answer, self.profile.grammar)
        if queries is None:
            reason = "empty" if not answer.strip() else "refusal" if REFUSAL.search(answer) else "grammar"
            return [ParsedQuery(answer, reason)] * self.profile.count
        # A query that repeats a demand of the prompt is an echo. Copies of the document are found later.
        demands = _plain(self.profile.prompt("").text)
        shown = _plain(document)
        return [ParsedQuery(query, self._reason(query, number, shown, demands)) for number, query in enumerate(queries)]

    def reason(self, query: str, document: str = "") -> str | None:
        """Why a query that somebody else wrote breaks the profile; None if it keeps to it."""
        return self._reason(query, 0, _plain(document), _plain(self.profile.prompt("").text))

    def _reason(self, query: str, number: int, document: str, demands: str) -> str | None:
        profile, plain = self.profile, _plain(query)
        words = words_of(query, profile.unit)
        reasons: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("refusal", lambda: bool(REFUSAL.search(query))),
            ("empty", lambda: not words),
            ("surplus", lambda: number >= profile.count),
            ("echo", lambda: len(words) >= 4 and plain in demands),
            ("wrong script", lambda: not _in_script(query, profile.scripts)),
            ("wrong language", lambda: _other_language(query, profile)),
            ("too short", lambda: len(words) < profile.shortest),
            ("too long", lambda: len(words) > profile.longest),
            ("wrong form", lambda: _wrong_form(query, profile)),
            (
                "copies the document",
                lambda: len(words) >= _COPIED[profile.unit] and plain.strip(" ?.!。？") in document,
            ),
            ("copies a stretch", lambda: _copies_a_stretch(words, document, profile)),
            ("overlaps too much", lambda: overlap(query, document, profile.unit) > profile.max_overlap),
            ("duplicate", lambda: " ".join(words) in self._seen),
        )
        reason: str | None = next((name for name, holds in reasons if holds()), None)
        if reason is None:
            self._seen.add(" ".join(words))
        return reason


def parsed(answer: str, grammar: str) -> list[str] | None:
    """The queries of an answer, or None if it breaks the grammar. The grammars are a JSON list of strings, which may be
    in a code fence; only numbered lines; and exactly one line."""
    answer = answer.strip()
    if grammar == "json":
        return _json_list(answer)
    lines = [line for line in answer.splitlines() if line.strip()]
    if grammar == "line":
        return [_SPACE.sub(" ", lines[0]).strip()] if len(lines) == 1 else None
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    return [match[1] for match in numbered if match] if lines and all(numbered) else None


def words_of(text: str, unit: str) -> list[str]:
    """The words in lower case; for the unit `characters`, each letter and digit."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if unit == "characters":
        return [letter for letter in folded if letter.isalnum() or unicodedata.category(letter).startswith("M")]
    # Vowel signs are marks, not letters; without them Hindi words would be split into syllables.
    return "".join(c if c.isalnum() or unicodedata.category(c).startswith("M") else " " for c in folded).split()


def overlap(query: str, document: str, unit: str) -> float:
    """The share of the query's distinct words, or character bigrams, that occur in the document; 0 for no words."""
    query_terms, document_terms = _terms(query, unit), _terms(document, unit)
    return len(query_terms & document_terms) / len(query_terms) if query_terms else 0.0


def _terms(text: str, unit: str) -> set[str]:
    words = words_of(text, unit)
    return {a + b for a, b in pairwise(words)} if unit == "characters" else set(words)


def _json_list(answer: str) -> list[str] | None:
    fenced = _FENCE.match(answer)
    try:
        queries = json.loads(fenced[1] if fenced else answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(queries, list) or not queries or not all(isinstance(query, str) for query in queries):
        return None
    return [_SPACE.sub(" ", query).strip() for query in queries]


def _plain(text: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _in_script(query: str, scripts: Sequence[str]) -> bool:
    """Whether at least half of the letters belong to the scripts. Names may be in another script."""
    letters = [unicodedata.name(letter, "").replace("-", " ").split(" ")[0] for letter in query if letter.isalpha()]
    return not letters or sum(letter in scripts for letter in letters) * 2 >= len(letters)


def _other_language(query: str, profile: Profile) -> bool:
    """Whether the query has at least two frequent words of another language with the same script, and more of them than
    of the profile's language."""
    words = set(_WORD.findall(unicodedata.normalize("NFC", query).casefold()))
    if not profile.frequent or not words:
        return False
    rivals = [p for p in languages().values() if p.language != profile.language and p.scripts == profile.scripts]
    most = max((len(words.intersection(rival.frequent)) for rival in rivals), default=0)
    return most >= 2 and most > len(words.intersection(profile.frequent))


def _wrong_form(query: str, profile: Profile) -> bool:
    if profile.form == "any":
        return False
    asks = query_type(query, grammar_of(profile.language)) not in _STATEMENTS
    return asks != (profile.form == "question")


def _copies_a_stretch(words: Sequence[str], document: str, profile: Profile) -> bool:
    """Whether more words in a row than the profile allows are in the document in the same order."""
    if profile.longest_copy is None:
        return False
    size, shown = profile.longest_copy + 1, words_of(document, profile.unit)
    stretches = {tuple(shown[at : at + size]) for at in range(len(shown) - size + 1)}
    return any(tuple(words[at : at + size]) in stretches for at in range(len(words) - size + 1))


def as_queries(judged: Sequence[ParsedQuery]) -> list[str]:
    """The texts of the accepted queries."""
    return [one.text for one in judged if one.reason is None]

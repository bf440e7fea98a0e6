"""Queries taken from the document itself, for use without a language model."""

from __future__ import annotations

import copy
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from adapters.analysis import OF_COLLECTION, Analyzer
from adapters.protocols import Identity, Prompt, Setting
from adapters.terms import Statistics, corpus_statistics

_VERSION = 1
SENTENCE = re.compile(r"(?<=[.!?؟।])\s+|(?<=[。！？])|\n+")
_SPACED = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_CLAUSE = re.compile(r"[\s、，；：,;:()（）「」『』《》\"“”・]+")
_KANA = re.compile(r"[ぁ-ゖ]+")
UNSPACED = ("zh", "ja", "th", "lo", "km", "my")
"""Languages written without spaces, whose queries are counted in characters."""


@dataclass(frozen=True)
class _Unit:
    """A word, or in a language without spaces a part of a clause, with its weight."""

    text: str
    weight: float


class ExtractiveGenerator:
    """Writes three kinds of query in turn, each about another sentence: a question about the most informative phrase,
    the sentence without its commonest words (a claim), and the most informative words of the document (keywords).

    A word is informative if it is rare in the corpus and frequent in the document (tf-idf). Every word of a query,
    except the question words, occurs in its document, so these queries are easier than real ones and overlap more with
    their documents. A question asks about a subject, not for a fact. If the generator is not bound to a corpus, long
    words count as rare.

    Args:
        language: an ISO 639 code, which overrides the language of the prompt; None uses the language of the prompt;
            `collection` (the default) uses the language of the corpus, declared or detected.
    """

    name = "extractive"

    def __init__(self, *, language: str | None = OF_COLLECTION) -> None:
        self.uses_language = language == OF_COLLECTION
        self._language = None if self.uses_language else language
        self._statistics: Statistics | None = None
        self._corpus: str | None = None

    @property
    def identity(self) -> Identity:
        return {"adapter": "extractive", "version": _VERSION, "language": self._language, "corpus": self._corpus}

    def bind(self, setting: Setting) -> ExtractiveGenerator:
        """A copy with the document frequencies of a corpus."""
        part = copy.copy(self)
        part._language = setting.language if self.uses_language else self._language
        part._statistics = corpus_statistics(Analyzer(part._language), setting)
        part._corpus = setting.corpus_digest
        return part

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[str]:
        """Yield one answer for each prompt, in the grammar that it asks for."""
        for prompt in prompts:
            yield _written(self._queries(prompt), prompt.grammar)

    def _queries(self, prompt: Prompt) -> list[str]:
        language = self._language or prompt.language
        sentences = [units for text in SENTENCE.split(prompt.document) if (units := self._units(text, language))]
        if self._statistics is not None:
            sentences = _weighed(sentences)
        ranked = sorted(sentences, key=_salience, reverse=True)
        ranked = [[unit for units in sentences for unit in units], *ranked] if ranked else []
        found: dict[str, None] = {}
        for turn in range(3 * (len(ranked) - 1)):
            if len(found) == prompt.count:
                break
            sentence = ranked[0] if turn == 2 else ranked[1 + turn % (len(ranked) - 1)]
            query = _unspaced_query(turn, sentence, prompt) if is_unspaced(language) else _query(turn, sentence, prompt)
            if query:
                found[query] = None
        return list(found)

    def _units(self, text: str, language: str | None) -> list[_Unit]:
        words = _stretches(text) if is_unspaced(language) else _SPACED.findall(text)
        analyzer = self.analyzer(language)
        return [_Unit(word, self.weight(word, analyzer)) for word in words]

    @property
    def documents(self) -> int:
        """The number of documents of the corpus; 0 if the generator is not bound to one."""
        return 0 if self._statistics is None else self._statistics.documents

    def analyzer(self, language: str | None) -> Analyzer:
        """The analyzer of the generator's language, else of the given one."""
        return Analyzer(self._language or language)

    def weight(self, word: str, analyzer: Analyzer) -> float:
        """The negative logarithm of the share of documents that have a word, 0 for a word that is no term; without a
        corpus a longer word has a larger weight."""
        if self._statistics is None:
            return math.log1p(len(word))
        terms = self._statistics.known(analyzer.terms(word))
        if not len(terms):
            return 0.0
        shares = (self._statistics.frequencies[terms] / self._statistics.documents).tolist()
        return -sum(map(math.log, shares)) / len(shares)


def is_unspaced(language: str | None) -> bool:
    """Whether a language is written without spaces."""
    return (language or "").split("-")[0].lower() in UNSPACED


def _stretches(text: str) -> list[str]:
    """Clauses, in Japanese cut at hiragana, which are mostly particles and endings."""
    return [part for clause in _CLAUSE.split(text) for part in _KANA.split(clause) if len(part.strip("。！？.")) > 1]


def _salience(units: Sequence[_Unit]) -> float:
    """The summed weight of the ten rarest units, so that a longer sentence does not win by its length alone."""
    return sum(sorted((unit.weight for unit in units), reverse=True)[:10])


def _weighed(sentences: Sequence[Sequence[_Unit]]) -> list[list[_Unit]]:
    """The sentences with weights that also count how often a word occurs in the document."""
    times = Counter(unit.text.casefold() for units in sentences for unit in units)
    return [
        [replace(unit, weight=unit.weight * (1 + math.log(times[unit.text.casefold()]))) for unit in units]
        for units in sentences
    ]


def _query(turn: int, units: Sequence[_Unit], prompt: Prompt) -> str:
    shortest, longest = prompt.words
    if turn % 3 == 0:
        return _asked(" ".join(unit.text for unit in _phrase(units, max(2, shortest - 2))), prompt, turn)
    if turn % 3 == 1:
        room = max(shortest, min(longest, math.ceil(0.7 * len(units))))
        return " ".join(unit.text for unit in _best(units, room))
    return " ".join(unit.text for unit in _best(units, max(shortest, min(longest, 5))))


def _phrase(units: Sequence[_Unit], shortest: int) -> Sequence[_Unit]:
    """The most informative phrase, up to two words longer than the shortest; a longer phrase needs more weight."""
    stretches = [
        units[start : start + size]
        for size in range(shortest, shortest + 3)
        for start in range(max(1, len(units) - size + 1))
    ]
    return max(stretches, key=lambda stretch: sum(unit.weight for unit in stretch) / math.sqrt(len(stretch) or 1))


def _unspaced_query(turn: int, units: Sequence[_Unit], prompt: Prompt) -> str:
    """The most informative parts, in their order, up to the maximum number of characters."""
    shortest, longest = prompt.words
    room = max(shortest, longest // (2 + turn % 2))
    kept, length = [], 0
    for index in sorted(range(len(units)), key=lambda i: (-units[i].weight, i)):
        size = len(units[index].text)
        if length + size <= room:
            kept.append(index)
            length += size
    subject = " ".join(units[index].text for index in sorted(kept)) or units[0].text[:room]
    return _asked(subject, prompt, turn) if turn % 3 == 0 else subject


def _best(units: Sequence[_Unit], room: int) -> list[_Unit]:
    """The units with the highest weights, each text once, in the order of the sentence."""
    ranked = sorted(range(len(units)), key=lambda i: (-units[i].weight, i))
    chosen: dict[str, int] = {}
    for index in ranked:
        if len(chosen) < room:
            chosen.setdefault(units[index].text.casefold(), index)
    return [units[index] for index in sorted(chosen.values())]


def _asked(subject: str, prompt: Prompt, turn: int) -> str:
    if not prompt.questions:
        return subject
    return prompt.questions[(turn // 3) % len(prompt.questions)].replace("{}", subject)


def _written(queries: Sequence[str], grammar: str) -> str:
    if grammar == "json":
        return json.dumps(list(queries), ensure_ascii=False)
    if grammar == "lines":
        return "\n".join(f"{number}. {query}" for number, query in enumerate(queries, 1))
    return queries[0] if queries else ""

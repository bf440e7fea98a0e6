"""Splits text into terms, by one rule for every script, so that a term match means the same in every collection."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from adapters.errors import MissingExtra, UsageError, need
from adapters.languages import is_language

_VERSION = 1
_CODES = {
    "arabic": "ar ara arb",
    "armenian": "hy hye arm",
    "basque": "eu eus baq",
    "catalan": "ca cat",
    "czech": "cs ces cze",
    "danish": "da dan",
    "dutch": "nl nld dut",
    "english": "en eng",
    "esperanto": "eo epo",
    "estonian": "et est ekk",
    "finnish": "fi fin",
    "french": "fr fra fre",
    "german": "de deu ger",
    "greek": "el ell gre",
    "hindi": "hi hin",
    "hungarian": "hu hun",
    "indonesian": "id ind",
    "irish": "ga gle",
    "italian": "it ita",
    "lithuanian": "lt lit",
    "nepali": "ne nep npi",
    "norwegian": "no nb nn nor nob nno",
    "persian": "fa fas per pes",
    "polish": "pl pol",
    "portuguese": "pt por",
    "romanian": "ro ron rum",
    "russian": "ru rus",
    "serbian": "sr srp",
    "sesotho": "st sot",
    "spanish": "es spa",
    "swedish": "sv swe",
    "tamil": "ta tam",
    "turkish": "tr tur",
    "yiddish": "yi yid ydd",
}
_SNOWBALL = {code: name for name, codes in _CODES.items() for code in codes.split()}
_DOTLESS_I = {"tr", "tur", "az", "aze", "azj"}
_LANGUAGE = re.compile(r"([a-z]{2,3})([-_].*)?", re.IGNORECASE | re.DOTALL)
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_SILENT = re.compile("[\u00ad\u200d\u2060\ufeff]|\u200c(?![\u0600-\u06ff])|[\u0640\u064b-\u065f\u0670]")
"""Soft hyphen and joiners; the non-joiner except in Arabic script, where it parts words; tatweel and harakat."""
_UNSPACED = "Hani Hira Kana Hang Thai Laoo Khmr Mymr"
_BIGRAMS = "zh zho chi cmn yue wuu ja jpn ko kor th tha lo lao km khm my mya bur"
"""The languages that are written in these scripts."""
NEW_STEMMERS = frozenset({"czech", "esperanto", "estonian", "persian", "polish", "sesotho"})
"""The stemmers that PyStemmer 3.1 has and 2.2 lacks."""
OF_COLLECTION = "collection"
"""The value of an adapter's option `language` for the language of the collection, declared or detected."""
_KNOWN_WORDS = 1 << 16
"""Words whose stems are kept; the frequent ones stay."""


@dataclass(frozen=True)
class Analyzer:
    """Splits a text into the terms that BM25 counts.

    1. NFKC, case folding, NFKC again (folding can decompose). Turkish and Azerbaijani `I` folds to dotless `ı`.
    2. Soft hyphens, joiners, Arabic tatweel and harakat disappear.
    3. A word is a run of letters, marks and numbers, so that the vowel signs of Hindi or Thai stay in their word.
    4. Runs in scripts written without spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) become overlapping
       character bigrams, a single character where the run is one long. This goes by script, not by declared language,
       so mixed text works. Hangul is treated alike: Korean has spaces, but its particles cling to the noun and
       Snowball has no stemmer for it.
    5. Every other word is stemmed with the language's Snowball stemmer, if a language is declared and has one.

    There are no stop-word lists: a word that is in most documents has an idf near zero, which has the same effect in
    every language.

    Raises:
        UsageError: the language is not a code of ISO 639 of two or three letters, with or without a suffix (`pt-BR`).
    """

    language: str | None = None
    stem: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        if self.language is None:
            return
        written = _LANGUAGE.fullmatch(self.language)
        # Not every code of three letters is listed; all of two letters are, so 'jp' and 'cn' are countries.
        if written is None or (len(written[1]) == 2 and not is_language(self.language)):
            raise UsageError(
                f"language '{self.language}' is not an ISO 639 code; write for instance 'en', 'swa' or 'zh'"
            )

    @property
    def stemmer(self) -> str | None:
        """Snowball's name of the stemmer in use, or None."""
        return _stemmer_for(_code(self.language)) if self.stem else None

    def terms(self, text: str) -> list[str]:
        """The terms of a text in their order, with repetitions."""
        stem = _stem_with(self.stemmer)
        dotless = _code(self.language) in _DOTLESS_I
        if text.isascii() and not dotless:
            return list(map(stem, _ASCII_WORD.findall(text.lower())))
        terms: list[str] = []
        for word, unspaced in _runs().findall(_folded(text, dotless)):
            if word:
                terms.append(stem(word))
            else:
                terms.extend(_bigrams(unspaced))
        return terms

    def describe(self) -> dict[str, object]:
        """Everything that can change a term. Languages without a stemmer share one description, because they share the
        rule. The Unicode version is not included: Unicode keeps the normalisation of assigned characters stable."""
        stemmer = self.stemmer
        return {
            "rule": _VERSION,
            "dotless_i": _code(self.language) in _DOTLESS_I,
            "stemmer": stemmer,
            "snowball": None if stemmer is None else str(_snowball().version()),
        }


def snowball_stemmer(language: str | None) -> str | None:
    """Snowball's name of a language's stemmer, even if the installed version lacks it; None if Snowball has none."""
    return _SNOWBALL.get(_code(language))


def lacks_stemmer(language: str | None) -> bool:
    """Whether Snowball has a stemmer for a language but the installed, older PyStemmer lacks it."""
    with suppress(MissingExtra):
        return snowball_stemmer(language) is not None and _stemmer_for(_code(language)) is None
    return False


def stemmed_language(stemmer: str) -> str:
    """The language code of a stemmer, given Snowball's name of it."""
    return _CODES[stemmer].split()[0]


def has_bigrams(language: str | None) -> bool:
    """Whether a language is written in a script that is cut into character bigrams."""
    return _code(language) in _BIGRAMS.split()


def _code(language: str | None) -> str:
    return "" if language is None else re.split("[-_]", language.lower())[0]


def _folded(text: str, dotless: bool) -> str:
    text = unicodedata.normalize("NFKC", text)
    if dotless:
        text = text.replace("I", "ı")
    text = text.casefold().replace("i\u0307", "i")  # what is left of İ
    return _SILENT.sub("", unicodedata.normalize("NFKC", text))


def _bigrams(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]


@cache
def _runs() -> Any:
    """Pattern with two groups: a word, or a run in a script without spaces. By script extensions, which hold the
    Japanese length mark."""
    scripts = "".join(rf"\p{{scx={script}}}" for script in _UNSPACED.split())
    character = r"[\p{L}\p{M}\p{N}]"
    regex = need("regex", "bm25", "cutting text into terms")
    return regex.compile(rf"(?V1)([{character}--[{scripts}]]+)|([{character}&&[{scripts}]]+)")


def _snowball() -> Any:
    return need("Stemmer", "bm25", "stemming")


@cache
def _stemmer_for(code: str) -> str | None:
    name = _SNOWBALL.get(code)
    return name if name is None or name in _snowball().algorithms() else None


@cache
def _stem_with(stemmer: str | None) -> Callable[[str], str]:
    if stemmer is None:
        return str
    stem: Callable[[str], str] = _snowball().Stemmer(stemmer, 0).stemWord
    return lru_cache(maxsize=_KNOWN_WORDS)(lambda word: stem(word) or word)

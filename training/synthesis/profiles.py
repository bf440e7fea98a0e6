"""Prompt profiles: how a query of a target looks, as data. A profile is a TOML table; a new one needs no code."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from adapters.errors import UsageError, did_you_mean
from adapters.extractive import UNSPACED
from adapters.identity import digest
from adapters.protocols import Prompt

GRAMMARS = ("json", "lines", "line")
_GENERIC = "generic"
_CHOICES = {
    "grammar": GRAMMARS,
    "overlap": ("avoid", "allow"),
    "entity_alias": ("any", "same", "other"),
    "unit": ("words", "characters"),
}
_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "float": ((int, float), "a number"),
    "tuple[str, ...]": (tuple, "a list of texts"),
}
_GRAMMAR = {
    "json": "Answer with a JSON list of exactly {count} strings and nothing else.",
    "lines": "Answer with exactly {count} numbered lines, one query a line, as in `1. ...`, and nothing else.",
    "line": "Answer with exactly one line that holds the query alone.",
}
_OVERLAP = {
    "avoid": "Use other words than the document where you can; never copy or restate one of its sentences.",
    "allow": "Words of the document may return in the query; never copy a whole sentence.",
}
_ALIAS = {
    "any": "",
    "same": "Name people, places and things as the document names them.",
    "other": "If what you ask about has another usual name or spelling (another script, a transliteration, a "
    "colloquial form), use that one and not the document's.",
}


@dataclass(frozen=True)
class Profile:
    """What is asked of a generator, and what its answers are held against."""

    name: str
    language: str
    """An ISO 639 code."""
    language_name: str
    """In English, for the prompt."""
    scripts: tuple[str, ...]
    """Unicode's names of the scripts: LATIN, CYRILLIC, CJK, HIRAGANA, ..."""
    count: int = 3
    """Queries for each document."""
    shortest: int = 3
    longest: int = 20
    unit: str = "words"
    """Of the two above: `words`, or `characters` in languages without spaces."""
    register: str = "neutral and natural, as people type into a search box"
    style: str = "Each query asks for one thing that the document answers."
    overlap: str = "avoid"
    max_overlap: float = 1.0
    """The largest share of a query's words that may stand in the document; 1 lets everything through."""
    entity_alias: str = "any"
    grammar: str = "json"
    questions: tuple[str, ...] = ()
    """For the extractive generator: questions of the language with {} for the subject."""
    frequent: tuple[str, ...] = ()
    """Frequent words by which the language is told from others of its script; none: the script alone is checked."""
    document_characters: int = 4000
    """As much of a document as the prompt shows."""

    @property
    def identity(self) -> str:
        """The digest of everything in it."""
        return digest({field.name: getattr(self, field.name) for field in fields(self)})

    def prompt(self, document: str) -> Prompt:
        """The prompt for one document."""
        shown = document[: self.document_characters]
        demands = (
            f"Language: {self.language_name} only.",
            f"Length of a query: {self.shortest} to {self.longest} {self.unit}.",
            f"Register: {self.register}.",
            self.style,
            _OVERLAP[self.overlap],
            _ALIAS[self.entity_alias],
            _GRAMMAR[self.grammar].format(count=self.count),
        )
        listed = "\n".join(f"- {demand}" for demand in demands if demand)
        wanted = f"{self.count} different search queries" if self.count > 1 else "one search query"
        text = (
            f"Write {wanted} to which the document below is a good answer.\n{listed}\n\nDocument:\n{shown}\n\nAnswer:"
        )
        window = (self.shortest, self.longest)
        return Prompt(text, shown, self.count, self.language, window, self.grammar, self.questions)


def load_profile(name: str) -> Profile:
    """A packaged profile (`web-zh`), the generic one of a language (`generic/sw`), or a TOML file of one's own.

    Raises:
        UsageError: there is no such profile, or a key or value in it is wrong.
    """
    if name.endswith(".toml"):
        return _own(Path(name))
    language = name.removeprefix(f"{_GENERIC}/")
    if name.startswith(f"{_GENERIC}/") and language in _languages():
        return _made(name, _generic(language), name)
    packaged = _packaged()
    if name not in packaged:
        raise UsageError(f"no profile '{name}'.{did_you_mean(name, profile_names())} Or name a .toml file.")
    return _made(name, packaged[name], f"profiles/{name}.toml")


def profile_names() -> list[str]:
    """Every packaged profile."""
    return sorted([*_packaged(), *(f"{_GENERIC}/{language}" for language in _languages())])


def profile_for(language: str | None) -> Profile:
    """The generic profile of a language.

    Raises:
        UsageError: the language is not declared, or none of those that there is a profile for.
    """
    code = (language or "").split("-")[0].lower()
    if code not in _languages():
        known = ", ".join(sorted(_languages()))
        named = f"the language '{language}' has no generic profile" if language else "the corpus declares no language"
        raise UsageError(f"{named}; name a profile, as in generic/en (languages: {known}), or a .toml file")
    return load_profile(f"{_GENERIC}/{code}")


@cache
def languages() -> dict[str, Profile]:
    """The generic profiles by language."""
    return {code: load_profile(f"{_GENERIC}/{code}") for code in _languages()}


def _own(file: Path) -> Profile:
    try:
        keys = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as TOML ({error})") from None
    return _made(file.stem, keys, str(file))


def _made(name: str, keys: dict[str, Any], label: str) -> Profile:
    language = keys.get("language", "")
    known = _generic(language) if language in _languages() else {}
    keys = {**known, **keys}
    allowed = [field.name for field in fields(Profile) if field.name != "name"]
    for key in keys:
        if key not in allowed:
            raise UsageError(f"{label}: unknown key '{key}'.{did_you_mean(key, allowed)}")
    lists = {key: tuple(value) for key, value in keys.items() if isinstance(value, list)}
    try:
        profile = Profile(name, **{**keys, **lists})
    except TypeError as error:
        raise UsageError(f"{label}: {str(error).split('__init__() ')[-1]}") from None
    _check(profile, label)
    return profile


def _check(profile: Profile, label: str) -> None:
    for field in fields(Profile):
        value, wanted = getattr(profile, field.name), _TYPES[str(field.type)]
        if not isinstance(value, wanted[0]) or isinstance(value, bool):
            raise UsageError(f"{label}: '{field.name}' is {value!r}; write {wanted[1]}")
    for key, allowed in _CHOICES.items():
        if getattr(profile, key) not in allowed:
            raise UsageError(
                f"{label}: {key} = '{getattr(profile, key)}'.{did_you_mean(getattr(profile, key), allowed)}"
            )
    if not 1 <= profile.shortest <= profile.longest or profile.count < 1 or not 0 < profile.max_overlap <= 1:
        raise UsageError(
            f"{label}: count is at least 1, 1 <= shortest <= longest, and max_overlap above 0 and at most 1"
        )
    if profile.grammar == "line" and profile.count != 1:
        raise UsageError(f"{label}: the grammar 'line' holds one query; set count = 1, or grammar = 'lines'")
    if not re.fullmatch(r"[a-z]{2,3}", profile.language) or not profile.scripts:
        raise UsageError(f"{label}: name the language by its code, as in language = 'en', and its scripts")


@cache
def _packaged() -> dict[str, dict[str, Any]]:
    files = sorted(importlib.resources.files("training.synthesis").joinpath("profiles").iterdir(), key=lambda f: f.name)
    named = [file for file in files if file.name.endswith(".toml") and file.name != f"{_GENERIC}.toml"]
    return {file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8")) for file in named}


@cache
def _languages() -> dict[str, dict[str, Any]]:
    file = importlib.resources.files("training.synthesis").joinpath("profiles", f"{_GENERIC}.toml")
    return tomllib.loads(file.read_text("utf-8"))


def _generic(language: str) -> dict[str, Any]:
    unspaced = {"unit": "characters", "shortest": 4, "longest": 40} if language in UNSPACED else {}
    return {"language": language, **unspaced, **_languages()[language]}

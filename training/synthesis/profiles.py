"""Prompt profiles: descriptions of the queries of a target, as TOML tables. A new profile needs no code."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from msgspec import Meta

from adapters.errors import UsageError, did_you_mean
from adapters.extractive import UNSPACED
from adapters.identity import digest
from adapters.protocols import Prompt
from adapters.typed_file import parsed_toml, read_toml
from adapters.typed_values import Place, Positive, Text, typed

Grammar = Literal["json", "lines", "line"]
GRAMMARS: tuple[Grammar, ...] = get_args(Grammar)
_GENERIC = "generic"
_GRAMMAR = {
    "json": "Answer with a JSON list of exactly {count} strings and nothing else.",
    "lines": "Answer with exactly {count} numbered lines, one query a line, as in `1. ...`, and nothing else.",
    "line": "Answer with exactly one line that holds the query alone.",
}
_OVERLAP = {
    "avoid": "Use other words than the document where you can; never copy or restate one of its sentences.",
    "allow": "Words of the document may return in the query; never copy a whole sentence.",
}
_FORM = {
    "any": "",
    "question": "Each query is a question.",
    "statement": "No query is a question.",
}
_LATER = {"longest_copy", "form"}
_ALIAS = {
    "any": "",
    "same": "Name people, places and things as the document names them.",
    "other": "If what you ask about has another usual name or spelling (another script, a transliteration, a "
    "colloquial form), use that one and not the document's.",
}


@dataclass(frozen=True)
class Profile:
    """The demands on a generator's queries, in its prompt and in the check of its answers."""

    name: str
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}\Z", description="a code such as 'en'")]
    """An ISO 639 code."""
    language_name: Text
    """The English name of the language, for the prompt."""
    scripts: Annotated[tuple[Text, ...], Meta(min_length=1)]
    """Unicode's names of the scripts: LATIN, CYRILLIC, CJK, HIRAGANA, ..."""
    count: Positive = 3
    """Queries per document."""
    shortest: Positive = 3
    longest: Positive = 20
    unit: Literal["words", "characters"] = "words"
    """The unit of `shortest` and `longest`: `words`, or `characters` in languages without spaces."""
    register: str = "neutral and natural, as people type into a search box"
    style: str = "Each query asks for one thing that the document answers."
    overlap: Literal["avoid", "allow"] = "avoid"
    max_overlap: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """The largest share of a query's words that may occur in the document; 1 accepts all queries."""
    longest_copy: Positive | None = None
    """The largest number of words, or characters, of a stretch that is copied from the document; None accepts all."""
    form: Literal["any", "question", "statement"] = "any"
    """Whether a query has to be a question, or must not be one. See `training.validating.query_types`."""
    entity_alias: Literal["any", "same", "other"] = "any"
    grammar: Grammar = "json"
    questions: tuple[str, ...] = ()
    """For the extractive generator: questions of the language with {} for the subject."""
    frequent: tuple[str, ...] = ()
    """Frequent words that distinguish the language from others with the same script. Empty: only the script is
    checked."""
    document_characters: Positive = 4000
    """The largest number of a document's characters in the prompt."""

    @property
    def identity(self) -> str:
        """The digest of all fields. Later ones that are not set are left out, so that a profile keeps its identity."""
        unset = {field.name for field in fields(self) if getattr(self, field.name) == field.default} & _LATER
        return digest({field.name: getattr(self, field.name) for field in fields(self) if field.name not in unset})

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if self.shortest > self.longest:
            return f"shortest: {self.shortest} is above longest = {self.longest}; swap them"
        if self.grammar == "line" and self.count != 1:
            return f"count: {self.count}, but the grammar 'line' has one query; write 1, or grammar = 'lines'"
        return None

    def prompt(self, document: str) -> Prompt:
        """The prompt for one document."""
        shown = document[: self.document_characters]
        demands = (
            f"Language: {self.language_name} only.",
            f"Length of a query: {self.shortest} to {self.longest} {self.unit}.",
            f"Register: {self.register}.",
            self.style,
            _FORM[self.form],
            _OVERLAP[self.overlap],
            f"Never take more than {self.longest_copy} {self.unit} in a row from the document."
            if self.longest_copy
            else "",
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
    """Load a packaged profile (`web-zh`), the generic profile of a language (`generic/sw`), or a TOML file.

    Raises:
        UsageError: the profile does not exist, or a key or value in it is wrong.
    """
    if name.endswith(".toml"):
        return _from_file(Path(name))
    language = name.removeprefix(f"{_GENERIC}/")
    if name.startswith(f"{_GENERIC}/") and language in _languages():
        return _made(name, _generic(language), name)
    packaged = _packaged()
    if name not in packaged:
        raise UsageError(f"no profile '{name}'.{did_you_mean(name, profile_names())} Or name a .toml file.")
    return _made(name, packaged[name], f"profiles/{name}.toml")


def profile_names() -> list[str]:
    """The names of all packaged profiles."""
    return sorted([*_packaged(), *(f"{_GENERIC}/{language}" for language in _languages())])


def profile_for(language: str | None) -> Profile:
    """The generic profile of a language.

    Raises:
        UsageError: the language is None, or has no generic profile.
    """
    code = (language or "").split("-")[0].lower()
    if code not in _languages():
        known = ", ".join(sorted(_languages()))
        named = f"the language '{language}' has no generic profile" if language else "the corpus declares no language"
        raise UsageError(f"{named}; name a profile such as generic/en (languages: {known}), or a .toml file")
    return load_profile(f"{_GENERIC}/{code}")


@cache
def languages() -> dict[str, Profile]:
    """The generic profiles by language."""
    return {code: load_profile(f"{_GENERIC}/{code}") for code in _languages()}


def _from_file(file: Path) -> Profile:
    return _made(file.stem, read_toml(file, dict), str(file))


def _made(name: str, keys: dict[str, Any], label: str) -> Profile:
    if "name" in keys:
        Place(label, "name").refuse("unknown key; a profile is named by its file")
    language = keys.get("language", "")
    generic = _generic(language) if isinstance(language, str) and language in _languages() else {}
    return typed(Profile, {"name": name, **generic, **keys}, label)


@cache
def _packaged() -> dict[str, dict[str, Any]]:
    files = sorted(importlib.resources.files("training.synthesis").joinpath("profiles").iterdir(), key=lambda f: f.name)
    named = [file for file in files if file.name.endswith(".toml") and file.name != f"{_GENERIC}.toml"]
    return {file.name.removesuffix(".toml"): _tables(file) for file in named}


@cache
def _languages() -> dict[str, dict[str, Any]]:
    file = importlib.resources.files("training.synthesis").joinpath("profiles", f"{_GENERIC}.toml")
    return _tables(file)


def _tables(file: Traversable) -> dict[str, Any]:
    return parsed_toml(file.read_text("utf-8"), Place(f"profiles/{file.name}"))


def _generic(language: str) -> dict[str, Any]:
    unspaced = {"unit": "characters", "shortest": 4, "longest": 40} if language in UNSPACED else {}
    return {"language": language, **unspaced, **_languages()[language]}

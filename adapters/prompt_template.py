"""Prompts of models as data: `templates/*.toml`, one file per published form, or the user's own file.

The keys of such a file are described in docs/templates.md.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from importlib.resources.abc import Traversable
from typing import Annotated

from msgspec import Meta

from adapters.errors import ModelError, UsageError, did_you_mean
from adapters.identity import digest
from adapters.models import ModelFolder
from adapters.paths import user_path
from adapters.typed_file import parsed_toml, read_toml
from adapters.typed_values import Place, Positive, typed


class Field(Enum):
    """A place in a template that is filled with a text."""

    INSTRUCTION = "instruction"
    QUERY = "query"
    DOCUMENT = "document"


Piece = tuple[str | Field, ...]
"""Text and fields that are tokenised as one string."""

_FIELDS = re.compile(r"\{(instruction|query|document)\}")
_PLACE = re.compile(r"\{+\s*(\w+)\s*\}+")
"""Matches anything that looks like a field."""


@dataclass(frozen=True)
class Recognised:
    """Signs in a folder that its model was trained with a template. One sign is enough."""

    chat_template: str | None = None
    """A text that its chat template contains."""
    title: str | None = None
    """A text that the first heading of its README.md contains."""
    file: str | None = None
    """A file that the folder has."""

    def matches(self, folder: ModelFolder, chat_template: str) -> bool:
        """Whether a folder shows one of the signs."""
        in_template = self.chat_template is not None and self.chat_template in chat_template
        has_file = self.file is not None and (folder.path / self.file).is_file()
        return in_template or has_file or (self.title is not None and self.title in _title(folder))


@dataclass(frozen=True)
class PromptTemplate:
    """A prompt in pieces. Each piece is tokenised by itself; only the document is ever cut.

    Args:
        pieces: in their order; together they hold the query and the document exactly once each.
        described: the description that goes into the identity of a score.
        instruction: the default instruction.
        positive, negative: the words whose logits are compared; without `negative` the logit of `positive` counts.
        max_length: tokens of a whole input that the model is published with.
        strip: whether white space at the ends of a query and a document is removed.
    """

    pieces: tuple[Piece, ...]
    described: Mapping[str, object]
    instruction: str = ""
    positive: str | None = None
    negative: str | None = None
    max_length: int | None = None
    recognised: Recognised = field(default_factory=Recognised)
    strip: bool = False

    @property
    def digest(self) -> str:
        """32 hex digits over the texts that reach the model, except the instruction."""
        return digest(self.described)

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are compared, the relevant one first."""
        return tuple(word for word in (self.positive, self.negative) if word is not None)

    @property
    def instructed(self) -> bool:
        """Whether it has a field for an instruction."""
        return any(Field.INSTRUCTION in piece for piece in self.pieces)

    @property
    def document_piece(self) -> int:
        """The place of the piece with the document."""
        return next(place for place, piece in enumerate(self.pieces) if Field.DOCUMENT in piece)

    @property
    def document_ends_piece(self) -> bool:
        """Whether the document is the last of its piece, so that its tokens can be cut at their end."""
        return self.pieces[self.document_piece][-1] is Field.DOCUMENT

    @property
    def document_first(self) -> bool:
        """Whether the query follows the document."""
        fields = [part for piece in self.pieces for part in piece if isinstance(part, Field)]
        return fields.index(Field.DOCUMENT) < fields.index(Field.QUERY)

    def render(self, place: int, instruction: str, query: str, document: str) -> str:
        """The text of a piece."""
        return rendered(self.pieces[place], instruction, self.read(query), self.read(document))

    def read(self, text: str) -> str:
        """A query or a document as it is put into the prompt."""
        return text.strip() if self.strip else text

    def whole(self, instruction: str, query: str, document: str) -> str:
        """The whole prompt as text."""
        return "".join(self.render(place, instruction, query, document) for place in range(len(self.pieces)))


def rendered(piece: Piece, instruction: str, query: str, document: str) -> str:
    """The text of a piece."""
    texts = {Field.INSTRUCTION: instruction, Field.QUERY: query, Field.DOCUMENT: document}
    return "".join(texts[part] if isinstance(part, Field) else part for part in piece)


def load_template(name: str) -> PromptTemplate:
    """A packaged template by its name, or one from a TOML file by its path.

    Raises:
        UsageError: there is no such template, or the file does not describe one; the message names the key.
    """
    packaged = _packaged()
    if name in packaged:
        return parse_template(packaged[name].read_text("utf-8"), f"templates/{name}.toml")
    path = user_path(name)
    if path.is_file():
        return _template(read_toml(path, _Written), str(path))
    raise UsageError(f"no template '{name}', and no file of that name.{did_you_mean(name, packaged)}")


def template_names() -> list[str]:
    """The packaged templates."""
    return sorted(_packaged())


def recognised_template(folder: ModelFolder, chat_template: str) -> str | None:
    """The packaged template that a folder's model was trained with, by its signs; None if it has no signs.

    Raises:
        ModelError: it has signs of two templates.
    """
    loaded = {name: load_template(name) for name in template_names()}
    found = [name for name, template in loaded.items() if template.recognised.matches(folder, chat_template)]
    if len(found) > 1:
        raise ModelError(
            f"'{folder.name}' looks like {' and like '.join(found)}; say which template it was trained with, as in "
            f"?template={found[0]}"
        )
    return found[0] if found else None


def parse_template(text: str, label: str) -> PromptTemplate:
    """Read a template.

    Raises:
        UsageError: a key is unknown or of the wrong type, the query or the document does not occur exactly once, or
            nothing separates the two.
    """
    at = Place(label)
    return _template(typed(_Written, parsed_toml(text, at), at), label)


@dataclass(frozen=True)
class _Written:
    """The keys of the file."""

    body: str | Annotated[tuple[str, ...], Meta(min_length=1)]
    prefix: str = ""
    suffix: str = ""
    instruction: str = ""
    positive: str | None = None
    negative: str | None = None
    source: str = ""
    max_length: Positive | None = None
    recognised: Recognised = field(default_factory=Recognised)
    strip: bool = False

    def problem(self) -> str | None:
        """A broken rule that types do not express, or None."""
        alone = self.negative is not None and self.positive is None
        return "negative: is given without 'positive'; add 'positive', the word that means relevant" if alone else None


def _template(keys: _Written, label: str) -> PromptTemplate:
    texts = [keys.prefix, *([keys.body] if isinstance(keys.body, str) else keys.body), keys.suffix]
    pieces = tuple(piece for piece in map(_piece, texts) if piece)
    for written in texts:
        _check_places(written, label)
    _check_fields(pieces, label)
    described: dict[str, object] = {"prefix": keys.prefix, "body": keys.body, "suffix": keys.suffix}
    described |= {"strip": True} if keys.strip else {}
    return PromptTemplate(
        pieces, described, keys.instruction, keys.positive, keys.negative, keys.max_length, keys.recognised, keys.strip
    )


def _check_places(text: str, label: str) -> None:
    known = {f"{{{field.value}}}" for field in Field}
    for place in _PLACE.finditer(text):
        if place[0] not in known:
            raise UsageError(
                f"{label}: {place[0]} is not a field and would reach the model unchanged; the fields are "
                f"{', '.join(sorted(known))}"
            )


def _check_fields(pieces: tuple[Piece, ...], label: str) -> None:
    parts = [part for piece in pieces for part in piece]
    for one in (Field.QUERY, Field.DOCUMENT):
        if parts.count(one) != 1:
            raise UsageError(f"{label}: {{{one.value}}} must occur exactly once, not {parts.count(one)} times")
    first, last = sorted((parts.index(Field.QUERY), parts.index(Field.DOCUMENT)))
    if not any(isinstance(part, str) and part.strip() for part in parts[first + 1 : last]):
        raise UsageError(f"{label}: nothing separates {{query}} and {{document}}; write some text between them")


def _piece(text: str) -> Piece:
    parts = _FIELDS.split(text)
    fields = (Field(part) if place % 2 else part for place, part in enumerate(parts))
    return tuple(part for part in fields if part != "")


def _packaged() -> dict[str, Traversable]:
    folder = importlib.resources.files("adapters").joinpath("templates")
    return {file.name.removesuffix(".toml"): file for file in folder.iterdir() if file.name.endswith(".toml")}


def _title(folder: ModelFolder) -> str:
    """The first heading of the model's card, without its metadata."""
    file = folder.path / "README.md"
    try:
        lines = file.read_text("utf-8", errors="replace").splitlines() if file.is_file() else []
    except OSError:
        return ""
    return next((line.lstrip("# ").strip() for line in _after_metadata(lines) if line.startswith("# ")), "")


def _after_metadata(lines: list[str]) -> Iterator[str]:
    if not lines or lines[0].strip() != "---":
        return iter(lines)
    end = next((place for place, line in enumerate(lines[1:], 1) if line.strip() == "---"), len(lines))
    return iter(lines[end + 1 :])

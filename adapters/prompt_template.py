"""The prompts of rerankers: those of the packaged families, or of the user's own file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from adapters.errors import ModelError, UsageError
from adapters.family_files import family_named
from adapters.identity import digest
from adapters.models import ModelFolder
from adapters.reranker_family import RerankerFamily, families
from adapters.typed_file import parsed_toml
from adapters.typed_values import Place, typed


class Field(Enum):
    """A place in a template that is filled with a text."""

    INSTRUCTION = "instruction"
    QUERY = "query"
    DOCUMENT = "document"


Piece = tuple[str | Field, ...]
"""Text and fields that are tokenised as one string."""

_FIELDS = re.compile(r"\{(instruction|query|document)\}")


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
        special: tokens of the prompt that the tokenizer needs to have as one token each.
    """

    pieces: tuple[Piece, ...]
    described: Mapping[str, object]
    instruction: str = ""
    positive: str | None = None
    negative: str | None = None
    max_length: int | None = None
    strip: bool = False
    special: tuple[str, ...] = ()

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
    """The prompt of a packaged family by its name, or one from a TOML file by its path.

    Raises:
        UsageError: there is no such prompt, or the file does not describe one; the message names the key.
    """
    family = family_named(name, _prompted(), RerankerFamily, "template")
    if family.body is None:
        raise UsageError(f"{name}: body: is missing; a text or a list of texts is needed")
    return template_of(family)


def template_names() -> list[str]:
    """The packaged families that have a prompt."""
    return sorted(_prompted())


def recognised_template(folder: ModelFolder, chat_template: str) -> str | None:
    """The packaged template that a folder's model was trained with, by its signs; None if it has no signs.

    Raises:
        ModelError: it has signs of two templates.
    """
    shown = _prompted().items()
    found = [name for name, family in shown if family.recognised.show_template(folder, chat_template)]
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
    return template_of(typed(RerankerFamily, parsed_toml(text, at), at))


def template_of(family: RerankerFamily) -> PromptTemplate:
    """The prompt of a family that has one."""
    prefix, *_, suffix = family.texts
    described: dict[str, object] = {"prefix": prefix, "body": family.body, "suffix": suffix}
    described |= {"strip": True} if family.strip else {}
    return PromptTemplate(
        tuple(piece for piece in map(_piece, family.texts) if piece), described, family.instruction, family.positive,
        family.negative, family.max_length, family.strip, family.special,
    )  # fmt: skip


def _piece(text: str) -> Piece:
    parts = _FIELDS.split(text)
    fields = (Field(part) if place % 2 else part for place, part in enumerate(parts))
    return tuple(part for part in fields if part != "")


def _prompted() -> Mapping[str, RerankerFamily]:
    return {name: family for name, family in families().items() if family.body is not None}

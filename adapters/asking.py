"""The prompt and the compared tokens of a model: those that its folder declares, else those of a template.

A folder can declare the compared tokens (`1_LogitScore/config.json`), the chat template and the default prompt. A
packaged template is used only if the folder declares nothing, or if the user names the template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from adapters.chat_template import (
    PROBES,
    ChatTemplate,
    chat_template_of,
    chat_template_text,
    day_of,
    default_prompt,
    reads_messages,
)
from adapters.declaration import chat_template
from adapters.declared_settings import is_unusual
from adapters.errors import ModelError, UsageError
from adapters.lengths import length_of
from adapters.models import ModelFolder
from adapters.prompt_template import PromptTemplate, load_template, recognised_template, template_names
from adapters.prompt_tokens import Encode, PromptEncoder, seams_are_exact, splits_exactly
from adapters.protocols import IndexPairs
from adapters.reference import NoReference
from adapters.reranker_family import families, family_of_class
from adapters.soundness import separates_pairs

USUAL_LENGTH = 8192
Word = str | int
"""A token: a word that is one token, or the number of a token."""


@dataclass(frozen=True)
class Asking:
    """The prompt and the compared tokens of a folder, by its small files and the options.

    Args:
        template: a packaged template or the user's; None for the folder's chat template.
        instruction: the instruction if neither an option nor the collection gives one.
        instructed: whether the instruction of a collection belongs in the prompt.
        words: the tokens that are compared; empty for a classifier.
        declared: the tokens that the folder declares; empty where it declares none.
        fallback: a packaged template, used if the chat template does not render both texts of a pair.
    """

    folder: ModelFolder
    template: PromptTemplate | None
    instruction: str = ""
    instructed: bool = False
    words: tuple[Word, ...] = ()
    declared: tuple[int, ...] = ()
    fallback: PromptTemplate | None = None

    @property
    def identity(self) -> str:
        """The template's part of an identity. The text of a chat template is covered by the folder's digests."""
        if self.template is not None:
            return self.template.digest
        return "chat template" if self.fallback is None else f"chat template, else {self.fallback.digest}"

    @property
    def day(self) -> dict[str, str]:
        """The current day if a chat template may write it into the prompt, else empty; for identities."""
        return {} if self.template is not None else day_of(self.folder)

    def length(self, asked: int | None, usual: int | None = None) -> int:
        """Tokens of a whole input: the declared length, at most the length that the model is published with.

        Args:
            usual: the length for a folder that is called with its chat template.

        Raises:
            ModelError: the network has fewer positions.
        """
        ours = self.template or self.fallback
        return length_of(self.folder, asked, usual if ours is None else ours.max_length or USUAL_LENGTH)


def asking_of(
    folder: ModelFolder, template: str | None = None, positive: str | None = None, negative: str | None = None
) -> Asking:
    """Choose the prompt and the compared tokens of a language model.

    Args:
        template: the name of a packaged template, or the path of a TOML file; it overrides the chat template.
        positive, negative: the words to compare, if the folder declares no tokens.

    Raises:
        ModelError: the folder declares no prompt, and no template is given; the message says how to give one.
        UsageError: there is no such template.
    """
    declared = declared_tokens(folder)
    given = tuple(word for word in (positive, negative) if word is not None)
    if negative is not None and positive is None:
        raise UsageError(f"'{folder.name}': negative={negative} without positive=...; name both words")
    if template is not None:
        named = _named(folder, template)
        words = _some(folder, given or named.words or declared)
        return Asking(folder, named, named.instruction, named.instructed, words, declared)
    if folder.chain:
        prompt = default_prompt(folder)
        return Asking(folder, None, prompt or "", prompt is not None, given or declared, declared)
    return _recognised(folder, given)


def asking_of_classifier(folder: ModelFolder, template: str | None = None) -> Asking | None:
    """Choose the prompt of a classifier; None if it takes pairs of texts as its tokenizer joins them.

    sentence-transformers renders a pair through the chat template if the tokenizer has one, unless a modules.json says
    otherwise.

    Raises:
        ModelError: the tokenizer puts nothing between two texts, and no file declares a prompt.
        UsageError: there is no such template.
    """
    if template is not None:
        _refuse_packaged(folder, template)
        named = _named(folder, template)
        return Asking(folder, named, named.instruction, named.instructed)
    text = chat_template_text(folder)
    name = None if folder.chain else recognised_template(folder, text)
    ours = None if name is None else load_template(name)
    if text and reads_messages(folder):
        prompt = default_prompt(folder)
        if ours is None:
            return Asking(folder, None, prompt or "", prompt is not None)
        return Asking(folder, None, ours.instruction, ours.instructed, fallback=ours)
    if separates_pairs(folder) is not False:
        return None
    if ours is None:
        raise ModelError(
            f"'{folder.name}': its tokenizer puts nothing between a query and a document, and its files do not say how "
            f"it is asked; {_name_one()}"
        )
    return Asking(folder, ours, ours.instruction, ours.instructed)


def _recognised(folder: ModelFolder, given: tuple[str, ...]) -> Asking:
    text = chat_template_text(folder)
    name = recognised_template(folder, text)
    if name is not None:
        ours, sign = load_template(name), families()[name].recognised.chat_template
        shown = sign is not None and sign in text
        words = given or ours.words
        template, fallback = (None, ours) if shown else (ours, None)
        return Asking(folder, template, ours.instruction, ours.instructed, words, fallback=fallback)
    if given and text:
        return Asking(folder, None, words=given)
    raise ModelError(
        f"'{folder.name}' is a language model, and its files do not say how it is asked for relevance (no 1_LogitScore "
        f"and no chat template that is known); {_name_one()}"
    )


def _named(folder: ModelFolder, name: str) -> PromptTemplate:
    """The template that the user names.

    Raises:
        ModelError: it is packaged, and the folder shows that its model was trained with another one.
    """
    named = load_template(name)
    if name in families():
        shown = recognised_template(folder, chat_template_text(folder))
        if shown not in (None, name, families()[name].variant_of):
            raise ModelError(
                f"'{folder.name}': template={name} was asked for, and the files of the folder show {shown}; leave "
                "template out, or name a TOML file of your own if the model was trained with that prompt"
            )
    return named


def _refuse_packaged(folder: ModelFolder, template: str) -> None:
    """Refuse a packaged prompt for a classifier of a family that reads pairs.

    Raises:
        ModelError: it is such a classifier.
    """
    name = family_of_class(folder.architecture)
    if name is not None and template in families() and separates_pairs(folder) is not False:
        raise ModelError(
            f"'{folder.name}' ({folder.architecture}) reads a pair as its tokenizer joins it, like the family {name}, "
            f"and template={template} is a prompt for other models; leave template out, or name a TOML file of your "
            "own if the model was trained with that prompt"
        )


def declared_tokens(folder: ModelFolder) -> tuple[int, ...]:
    """The tokens that 1_LogitScore/config.json names, relevant first; empty if there is no such module.

    Raises:
        ModelError: the file does not name them.
    """
    module = next((one for one in folder.chain if one.name == "LogitScore"), None)
    if module is None:
        return ()
    name = f"{module.path}/config.json"
    config = folder.json(name)
    tokens = [config.get("true_token_id"), config.get("false_token_id")]
    found = tuple(token for token in tokens if isinstance(token, int) and not isinstance(token, bool))
    if not isinstance(tokens[0], int) or len(found) != len([token for token in tokens if token is not None]):
        raise ModelError(f"{folder.path / name}: true_token_id must be the number of a token; fetch the file again")
    return found


def _some(folder: ModelFolder, words: tuple[Word, ...]) -> tuple[Word, ...]:
    if not words:
        raise ModelError(
            f"'{folder.name}': neither the template nor the folder names the words that are compared; write them into "
            "the template (positive, negative), or add &positive=yes&negative=no"
        )
    return words


def _name_one() -> str:
    return (
        f"name the template that it was trained with, as in ?template=qwen3 ({', '.join(template_names())}, or a TOML "
        "file: docs/templates.md)"
    )


class Reader(Protocol):
    """The tokenizer of a model, loaded when it is first needed."""

    @property
    def tokenizer(self) -> Any:
        """Of transformers."""
        ...

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Token ids without special tokens at the ends."""
        ...


@dataclass(frozen=True)
class PromptMaker:
    """Makes the prompts of a model with one instruction; the tokenizer is loaded when it is first needed.

    Args:
        fixed: whether the user gave the instruction; then a template without a field for it is an error.
    """

    asking: Asking
    reader: Reader
    instruction: str
    max_length: int
    fixed: bool

    @cached_property
    def template(self) -> PromptTemplate | None:
        """The template, packaged or made from the chat template; None if the prompts can only be rendered.

        Raises:
            ModelError: the chat template does not render both texts of a pair, or has no field for the instruction.
        """
        chat, ours = self.chat, self.asking.template or self.asking.fallback
        takes = chat.takes_instruction() if chat is not None else ours is not None and ours.instructed
        if self.fixed and not takes:
            raise ModelError(f"'{self.asking.folder.name}': its prompt has no place for an instruction; leave it out")
        return ours if chat is None else chat.as_template(self.instruction or None, self.reader.encode)

    @cached_property
    def chat(self) -> ChatTemplate | None:
        """The folder's chat template; None if another template is used.

        Raises:
            ModelError: it is needed and does not render both texts of a pair.
        """
        folder = self.asking.folder
        if self.asking.template is not None:
            return None
        chat = chat_template_of(folder, self.reader.tokenizer)
        if chat is not None and chat.carries_pairs():
            return chat
        if self.asking.fallback is not None:
            return None
        what = "no chat template" if chat is None else "a chat template that leaves the query or the document out"
        raise ModelError(f"'{folder.name}' has {what}, so nothing separates the two; {_name_one()}")

    def packaged(self, tokens: tuple[int, ...]) -> PromptTemplate | None:
        """The packaged template that gives the same prompts and compares the same tokens; None if none does.

        Raises:
            ModelError: the chat template does not render both texts of a pair.
        """
        if self.chat is None:
            return None
        templates = (load_template(name) for name in template_names())
        return next((one for one in templates if one.words and self._is(one, tokens)), None)

    def agree(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> bool:
        """Whether the template gives the chat template's prompt for every text of a request. A chat template may change
        only some texts, such as long ones."""
        chat, template = self.chat, self.template
        if chat is None or template is None:
            return True
        firsts = [np.unique(pairs[:, column], return_index=True)[1] for column in (0, 1)]
        texts = ((queries[int(query)], documents[int(document)]) for query, document in pairs[np.union1d(*firsts)])
        return all(template.whole("", *pair) == chat.render(*pair, self.instruction or None) for pair in texts)

    def _is(self, template: PromptTemplate, tokens: tuple[int, ...]) -> bool:
        assert self.chat is not None
        instruction = self.instruction if template.instructed else ""
        same = all(
            template.whole(instruction, *pair) == self.chat.render(*pair, self.instruction or None) for pair in PROBES
        )
        return same and self.reader.encode(list(template.words)) == [[token] for token in tokens]

    @cached_property
    def encoder(self) -> PromptEncoder | None:
        """The encoder that makes token ids; None if only sentence-transformers can make them.

        Raises:
            ModelError: see `template`.
        """
        template = self.template
        if template is None or is_unusual(self.asking.folder):
            return None
        self._refuse_unknown_tokens(template)
        split = splits_exactly(template, self.reader.encode)
        return PromptEncoder(template, self.reader.encode, self.instruction, self.max_length, split)

    def _refuse_unknown_tokens(self, template: PromptTemplate) -> None:
        for token in template.special:
            if len(self.reader.encode([token])[0]) != 1:
                raise ModelError(
                    f"'{self.asking.folder.name}': its prompt needs the token '{token}', and its tokenizer has no such "
                    f"token; {_name_one()}"
                )


def named_template(template: PromptTemplate | None, encode: Encode) -> str | None:
    """A packaged template as the chat template of a reference; None if no template is given.

    Raises:
        NoReference: it is tokenised piece by piece, which a chat template cannot express.
    """
    if template is None:
        return None
    if not seams_are_exact(template, encode):
        raise NoReference("the template is tokenised piece by piece, which sentence-transformers cannot do")
    return chat_template(template)

"""The signs by which a folder shows the family of its model. They are read from its small files, never from weights."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.model_card import ModelCard, card_of
from adapters.models import ModelFolder
from adapters.typed_values import OneOrMore, Text


@dataclass(frozen=True)
class Signs:
    """The table `[recognised]` in the file of a family. One sign is enough."""

    names: OneOrMore = ()
    """Regular expressions, searched in the names of the model and its base: the first heading, `base_model` and
    `model-index` of README.md, and `_name_or_path` in config.json. Case is ignored."""
    architectures: OneOrMore = ()
    """Classes, in `architectures` or `auto_map` of config.json."""
    chat_template: Text | None = None
    """A text in the chat template."""
    title: Text | None = None
    """A text in the title of README.md, its first heading of the first level."""
    file: Text | None = None
    """A file of the folder."""
    card: OneOrMore = ()
    """Texts in README.md. They count only if nothing names a family."""

    def problem(self) -> str | None:
        """A broken rule that types do not express, or None."""
        for name in self.names:
            try:
                re.compile(name)
            except re.error as error:
                return f"names: '{name}' is no regular expression ({error})"
        return None

    def show_template(self, folder: ModelFolder, chat_template: str) -> bool:
        """Whether a folder shows that its model is prompted as this family is.

        Args:
            chat_template: the text of the folder's chat template, or ''.
        """
        in_template = self.chat_template is not None and self.chat_template in chat_template
        has_file = self.file is not None and (folder.path / self.file).is_file()
        return in_template or has_file or (self.title is not None and self.title in card_of(folder).title)

    def name(self, folder: ModelFolder, card: ModelCard) -> bool:
        """Whether a folder names this family: by the name of its model or base, or by its architecture."""
        names = (*card.names, str(folder.config.get("_name_or_path") or ""))
        matches = any(re.search(sign, name, re.IGNORECASE) for sign in self.names for name in names)
        return matches or folder.architecture in self.architectures

    def describe(self, card: ModelCard) -> bool:
        """Whether the README.md of a folder has one of the texts."""
        return any(text in card.body for text in self.card)

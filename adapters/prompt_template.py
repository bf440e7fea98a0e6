"""The text that a language model is asked with, as data: `templates/*.toml`, one file per published form."""

from __future__ import annotations

import importlib.resources
import tomllib
from dataclasses import dataclass

from adapters.errors import UsageError, did_you_mean
from adapters.identity import digest


@dataclass(frozen=True)
class PromptTemplate:
    """Prefix and suffix stand whole around every body. A body ends with its document, which is what truncation cuts."""

    prefix: str
    body: str
    suffix: str
    default_instruction: str

    @property
    def digest(self) -> str:
        """32 hex digits over the texts that reach the model whatever the instruction is."""
        return digest({"prefix": self.prefix, "body": self.body, "suffix": self.suffix})

    @property
    def anchor(self) -> str:
        """What stands before every document, without the space at its end: '<Document>:'."""
        return self._before_document.rpartition("}")[2].strip()

    def head(self, instruction: str, query: str) -> str:
        """The body up to the space before the document. In most vocabularies that space is part of the next word."""
        return self._before_document.rstrip(" ").format(instruction=instruction, query=query)

    def tail(self, document: str) -> str:
        """The rest of the body: `head + tail` is the whole body."""
        spaces = len(self._before_document) - len(self._before_document.rstrip(" "))
        return " " * spaces + document

    @property
    def _before_document(self) -> str:
        return self.body.removesuffix("{document}")


def load_template(name: str) -> PromptTemplate:
    """A packaged template.

    Raises:
        UsageError: there is none of that name.
    """
    folder = importlib.resources.files("adapters").joinpath("templates")
    known = {file.name.removesuffix(".toml"): file for file in folder.iterdir() if file.name.endswith(".toml")}
    if name not in known:
        raise UsageError(f"unknown template '{name}'.{did_you_mean(name, known)}")
    return PromptTemplate(**tomllib.loads(known[name].read_text("utf-8")))

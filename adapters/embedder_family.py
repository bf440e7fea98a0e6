"""Families of embedders as data (`embedder_families/*.toml`): the prompts of their authors, and what recognises them.

The keys of such a file are described in docs/models.md.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from adapters.errors import UsageError, did_you_mean
from adapters.model_card import ModelCard, card_of
from adapters.models import ModelFolder
from adapters.protocols import Role
from adapters.similarity import Similarity
from adapters.typed_file import read_toml
from adapters.vector_form import Pooling


@dataclass(frozen=True)
class Signs:
    """What in a folder shows its family. One of them is enough."""

    names: tuple[str, ...] = ()
    """Expressions, searched in what names the model or its base: the first heading of its README.md, `base_model` and
    `model-index` there, `_name_or_path` in config.json. Upper and lower case are the same."""
    architecture: str | None = None
    """The first of the architectures in config.json."""
    card: tuple[str, ...] = ()
    """Texts in README.md. They count where no family is named."""

    def problem(self) -> str | None:
        """What is wrong beyond types."""
        for name in self.names:
            try:
                re.compile(name)
            except re.error as error:
                return f"names: '{name}' is no regular expression ({error})"
        return None


@dataclass(frozen=True)
class EmbedderFamily:
    """How the authors of a family ask it.

    Args:
        query, document: put before the texts of a role. A query prompt of the form 'Instruct: ...\\nQuery:' or
            '<instruct>...\\n<query>' takes the instruction of a collection.
        pooling: for folders that do not say it.
        similarity: for folders that do not say it.
        layer_norm_before_cut: whether the authors normalise a vector over its numbers before they cut it.
    """

    query: str = ""
    document: str = ""
    pooling: Pooling | None = None
    similarity: Similarity | None = None
    layer_norm_before_cut: bool = False
    source: str = ""
    recognised: Signs = field(default_factory=Signs)

    @property
    def prompts(self) -> dict[Role, str]:
        """The prompt of each role."""
        return {"query": self.query, "document": self.document}


def load_family(name: str) -> EmbedderFamily:
    """A packaged family by its name, or one from a TOML file by its path.

    Raises:
        UsageError: there is none of that name, or the file is no family; the message names the key.
    """
    if name in families():
        return families()[name]
    path = Path(name).expanduser()
    if path.is_file():
        return read_toml(path, EmbedderFamily)
    raise UsageError(f"no family '{name}', and no file of that name.{did_you_mean(name, families())}")


@cache
def families() -> Mapping[str, EmbedderFamily]:
    """The packaged families by name."""
    with importlib.resources.as_file(importlib.resources.files("adapters").joinpath("embedder_families")) as folder:
        return {file.stem: read_toml(file, EmbedderFamily) for file in sorted(folder.glob("*.toml"))}


def recognised_families(folder: ModelFolder) -> tuple[str, ...]:
    """The packaged families that a folder shows: those that it names, else those that its README.md describes. Families
    that are asked and compared alike count as one."""
    card = card_of(folder)
    named = [name for name, family in families().items() if _is_named(family.recognised, folder, card)]
    described = [name for name, one in families().items() if any(text in card.body for text in one.recognised.card)]
    found = named or described
    return tuple({_use(families()[name]): name for name in reversed(found)}.values())[::-1]


def _is_named(signs: Signs, folder: ModelFolder, card: ModelCard) -> bool:
    names = (*card.names, str(folder.config.get("_name_or_path") or ""))
    matches = any(re.search(sign, name, re.IGNORECASE) for sign in signs.names for name in names)
    return matches or (signs.architecture is not None and signs.architecture == folder.architecture)


def _use(family: EmbedderFamily) -> tuple[object, ...]:
    return (family.query, family.document, family.similarity)

"""Families of embedders as data (`embedder_families/*.toml`): their prompts, and the signs that identify them.

The keys of such a file are described in docs/models.md.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from adapters.errors import UsageError, did_you_mean
from adapters.model_card import ModelCard, card_of
from adapters.models import ModelFolder
from adapters.paths import user_path
from adapters.protocols import Role
from adapters.similarity import Similarity
from adapters.typed_file import read_toml
from adapters.vector_form import Pooling


@dataclass(frozen=True)
class Signs:
    """Signs in a folder that identify its family. One sign is enough."""

    names: tuple[str, ...] = ()
    """Regular expressions, searched in the names of the model and its base: the first heading, `base_model` and
    `model-index` of README.md, and `_name_or_path` in config.json. Case is ignored."""
    architecture: str | None = None
    """The first of the architectures in config.json."""
    card: tuple[str, ...] = ()
    """Texts in README.md, used if no family is named."""

    def problem(self) -> str | None:
        """A broken rule that types do not express, or None."""
        for name in self.names:
            try:
                re.compile(name)
            except re.error as error:
                return f"names: '{name}' is no regular expression ({error})"
        return None


@dataclass(frozen=True)
class EmbedderFamily:
    """How the authors of a family use it.

    Args:
        query, document: put before the texts of a role. A query prompt of the form 'Instruct: ...\\nQuery:' or
            '<instruct>...\\n<query>' takes the instruction of a collection.
        pooling: for folders that declare none.
        similarity: for folders that declare none.
        layer_norm_before_cut: whether the authors apply a layer norm to a vector before they cut it.
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
        UsageError: there is no such family, or the file does not describe one; the message names the key.
    """
    if name in families():
        return families()[name]
    path = user_path(name)
    if path.is_file():
        return read_toml(path, EmbedderFamily)
    raise UsageError(f"no family '{name}', and no file of that name.{did_you_mean(name, families())}")


@cache
def families() -> Mapping[str, EmbedderFamily]:
    """The packaged families by name."""
    with importlib.resources.as_file(importlib.resources.files("adapters").joinpath("embedder_families")) as folder:
        return {file.stem: read_toml(file, EmbedderFamily) for file in sorted(folder.glob("*.toml"))}


def recognised_families(folder: ModelFolder) -> tuple[str, ...]:
    """The packaged families of a folder: those that it names, else those that its README.md describes. Families with
    the same prompts and similarity count as one."""
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

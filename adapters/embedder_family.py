"""Families of embedders as data (`families/embedders/*.toml`): their prompts, and the signs that identify them.

The keys of such a file are described in docs/models.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from adapters.family_files import family_named, packaged_families
from adapters.model_card import card_of
from adapters.models import ModelFolder
from adapters.protocols import Role
from adapters.signs import Signs
from adapters.similarity import Similarity
from adapters.vector_form import Pooling


@dataclass(frozen=True)
class EmbedderFamily:
    """How the authors of a family use it.

    Args:
        models: the published models, for readers.
        query, document: put before the texts of a role. A query prompt of the form 'Instruct: ...\\nQuery:' or
            '<instruct>...\\n<query>' takes the instruction of a collection.
        pooling: for folders that declare none.
        similarity: for folders that declare none.
        layer_norm_before_cut: whether the authors apply a layer norm to a vector before they cut it.
    """

    models: str = ""
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
    return family_named(name, families(), EmbedderFamily, "family")


@cache
def families() -> Mapping[str, EmbedderFamily]:
    """The packaged families by name."""
    return packaged_families("embedders", EmbedderFamily)


def recognised_families(folder: ModelFolder) -> tuple[str, ...]:
    """The packaged families of a folder: those that it names, else those that its README.md describes. Families with
    the same prompts and similarity count as one."""
    card = card_of(folder)
    named = [name for name, family in families().items() if family.recognised.name(folder, card)]
    described = [name for name, family in families().items() if family.recognised.describe(card)]
    found = named or described
    return tuple({_use(families()[name]): name for name in reversed(found)}.values())[::-1]


def _use(family: EmbedderFamily) -> tuple[object, ...]:
    return (family.query, family.document, family.similarity)

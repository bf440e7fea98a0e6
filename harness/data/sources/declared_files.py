"""The table `[files]` of a `collection.toml`: which files are the corpus, the queries and the judgments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from adapters.typed_values import OneOrMore, Text
from adapters.typed_words import Then

KEY = "files"


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("an empty list names no file; name one, or leave the key out")
    return names


@dataclass(frozen=True)
class Files:
    """Names of files, relative to the folder. Files that are not named here are searched for."""

    corpus: Annotated[OneOrMore, Then(_some)] = ()
    queries: Text | None = None
    judgments: Text | None = None
    query_field: Text | None = None
    """The field of topics or records that is the query."""

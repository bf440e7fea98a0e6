"""The table `[files]` of a `collection.toml`: which files are the corpus, the queries and the judgments."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.typed_values import OneOrMore, Text

KEY = "files"


@dataclass(frozen=True)
class Files:
    """Names of files, relative to the folder; what is None is looked for."""

    corpus: OneOrMore = ()
    queries: Text | None = None
    judgments: Text | None = None
    query_field: Text | None = None
    """The field of topics or records that is asked."""

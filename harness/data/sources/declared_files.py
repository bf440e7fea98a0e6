"""The table `[files]` of a `collection.toml`: which files are the corpus, the queries and the judgments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.errors import UsageError, did_you_mean

KEY = "files"
_NAMES = ("corpus", "queries", "judgments", "query_field")


@dataclass(frozen=True)
class Files:
    """Names of files, relative to the folder; what is None is looked for."""

    corpus: tuple[str, ...] = ()
    queries: str | None = None
    judgments: str | None = None
    query_field: str | None = None
    """The field of topics or records that is asked."""


def files_of(table: object, label: str) -> Files:
    """The declared files.

    Raises:
        UsageError: an unknown key, or a value that is no text; `corpus` may be a list of texts.
    """
    declared = table if isinstance(table, Mapping) else {}
    for key, value in declared.items():
        if key not in _NAMES:
            raise UsageError(f"{label}: unknown key '{key}' in [files].{did_you_mean(key, _NAMES)}")
        values = value if key == "corpus" and isinstance(value, list) else [value]
        if not values or not all(isinstance(one, str) and one for one in values):
            raise UsageError(f"{label}: '{key}' in [files] must be the name of a file")
    corpus = declared.get("corpus", ())
    names = {key: value for key, value in declared.items() if key != "corpus"}
    return Files(corpus=(corpus,) if isinstance(corpus, str) else tuple(corpus), **names)

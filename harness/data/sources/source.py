"""What a source is: something that can be converted once into the columns of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adapters.errors import UsageError, did_you_mean
from harness.data.collection import Changes, GivenCandidates
from harness.data.qrels import Qrels
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.dirt import Dirt
from harness.data.sources.second_reading import Judgment

CORPUS = "corpus.arrow"
QUERIES = "queries.arrow"


@dataclass(frozen=True)
class ConvertedSource:
    """What a conversion found beside the texts, which it wrote to the files CORPUS and QUERIES."""

    qrels: Qrels
    given: GivenCandidates | None
    empty_documents: int
    queries_without_judgments: int
    repeated_candidates: int = 0
    drift: str | None = None
    """How the data differ from what a suite's table says; its numbers carry a mark."""
    changes: Changes | None = None
    published: Sequence[Judgment] | None = None
    """The judgments of the source, read a second time by `second_reading`; None where there can be none."""


class Source(Protocol):
    """One collection and split at its origin."""

    @property
    def name(self) -> str:
        """The name of the collection where none is declared."""
        ...

    @property
    def split(self) -> str: ...
    @property
    def declared(self) -> DeclaredCollection: ...
    @property
    def origin(self) -> str:
        """What tells this source from others: its kind and resolved path."""
        ...

    def files(self) -> Sequence[Path]:
        """The files on disk that are read."""
        ...

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Read everything, write the texts to `folder`.

        Raises:
            DataError: naming file and line.
        """
        ...


def choose_split(wanted: str | None, there: Sequence[str], where: str) -> str:
    """The wanted split, else `test`, else the only one.

    Raises:
        UsageError: the wanted one is not there, or there are several and none was named.
    """
    if wanted is not None:
        if wanted in there:
            return wanted
        raise UsageError(f"{where}: no split '{wanted}'.{did_you_mean(wanted, there)}")
    if "test" in there:
        return "test"
    if len(there) == 1:
        return there[0]
    raise UsageError(f"{where}: no split 'test'; name one with --split: {', '.join(sorted(there))}")


def join(title: str | None, text: str) -> str:
    """The one text of a document that every model reads."""
    return f"{title or ''} {text}".strip()

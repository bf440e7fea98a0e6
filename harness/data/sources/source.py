"""The protocol of a source: something that is converted once into the columns of a collection."""

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
    """The result of a conversion, except the texts: those are in the files CORPUS and QUERIES."""

    qrels: Qrels
    given: GivenCandidates | None
    empty_documents: int
    queries_without_judgments: int
    repeated_candidates: int = 0
    drift: str | None = None
    """How the data differ from the suite's table. The numbers of such a collection are marked."""
    changes: Changes | None = None
    published: Sequence[Judgment] | None = None
    """The judgments of the source, read a second time by `second_reading`; None if there is no second reading."""


class Source(Protocol):
    """One split of a collection, before it is converted."""

    @property
    def name(self) -> str:
        """The name of the collection if none is declared."""
        ...

    @property
    def split(self) -> str: ...
    @property
    def declared(self) -> DeclaredCollection: ...
    @property
    def origin(self) -> str:
        """The identity of this source: its kind and resolved path."""
        ...

    def files(self) -> Sequence[Path]:
        """The files on disk that the conversion reads."""
        ...

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Read everything, and write the texts to `folder`.

        Raises:
            DataError: something cannot be trusted; the message names file and line.
        """
        ...


def choose_split(wanted: str | None, splits: Sequence[str], where: str) -> str:
    """The wanted split, else `test`, else the only one.

    Raises:
        UsageError: the wanted split does not exist, or there are several and none is given.
    """
    if wanted is not None:
        if wanted in splits:
            return wanted
        raise UsageError(f"{where}: no split '{wanted}'.{did_you_mean(wanted, splits)}")
    if "test" in splits:
        return "test"
    if len(splits) == 1:
        return splits[0]
    raise UsageError(f"{where}: no split 'test'; name one with --split: {', '.join(sorted(splits))}")


def join(title: str | None, text: str) -> str:
    """Join title and text: the text of a document that every model reads."""
    return f"{title or ''} {text}".strip()

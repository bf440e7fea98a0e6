"""A source around another one. What a subclass does not change is that of the inner source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.source import Source


@dataclass(frozen=True)
class WrappedSource:
    """The split, the declarations and the files of another source."""

    inner: Source

    @property
    def split(self) -> str:
        """The split of the inner source."""
        return self.inner.split

    @property
    def declared(self) -> DeclaredCollection:
        """The declarations of the inner source, with those of the user."""
        return self.inner.declared

    def files(self) -> Sequence[Path]:
        """The files of the inner source."""
        return self.inner.files()

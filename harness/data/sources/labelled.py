"""A source with a label version: `TARGET?labels=NAME`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.data.label_names import OPTION
from harness.data.sources.dirt import Dirt
from harness.data.sources.source import ConvertedSource
from harness.data.sources.wrapped import WrappedSource


@dataclass(frozen=True)
class LabelledSource(WrappedSource):
    """A source whose judgments get the labels of a version. `build.collection_of` adds them after the conversion."""

    labels: str
    """The name of the version."""
    versions: Path | None
    """The workspace with the version. Default: the one that the collection is converted into."""

    @property
    def name(self) -> str:
        """The name of the source without its labels."""
        return self.inner.name

    @property
    def origin(self) -> str:
        """The identity of the source, with the name of the version."""
        return f"{self.inner.origin}{OPTION}{self.labels}"

    def convert(self, folder: Path, dirt: Dirt) -> ConvertedSource:
        """Convert the source without its labels."""
        return self.inner.convert(folder, dirt)

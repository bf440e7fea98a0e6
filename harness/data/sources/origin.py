"""Where the collections of a suite are read from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class SourceChoice:
    """The choices of whoever loads a suite; they say where texts come from, never what they are."""

    source: Literal["auto", "mteb", "beir", "irds"] = "auto"
    """`auto` is mteb where it is installed, else BEIR's zip file, else ir_datasets."""
    mirror: Path | None = None
    """A folder with everything that would be downloaded, as `harness fetch TARGET --mirror DIR` makes it."""
    allow_drift: bool = False
    """Take data whose revision or counts differ from the suite's table, and mark its numbers."""


ANYWHERE = SourceChoice()

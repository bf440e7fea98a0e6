"""Where the collections of a suite are read from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class SourceChoice:
    """Where the user wants a suite to be read from. It does not change the content of the texts."""

    source: Literal["auto", "mteb", "beir", "irds"] = "auto"
    """`auto` is mteb if it is installed, else BEIR's zip file, else ir_datasets."""
    mirror: Path | None = None
    """A folder with everything that would be downloaded, as `harness fetch TARGET --mirror DIR` makes it."""
    allow_drift: bool = False
    """Accept data whose revision or counts differ from the suite's table, and mark its numbers."""


ANYWHERE = SourceChoice()

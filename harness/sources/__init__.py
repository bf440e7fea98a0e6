"""Collections from where they lie: one file per origin, one conversion into the workspace.

This room reads and checks texts and judgments. It never searches, scores or measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.collection import Collection
from harness.sources.build import collection_of
from harness.sources.origin import ANYWHERE, Origin
from harness.sources.recognise import DEMO, chosen_sources, sources
from harness.sources.source import Source
from harness.workspace import Workspace

__all__ = ["DEMO", "Origin", "Source", "load", "load_all"]


def load(
    target: str,
    workspace: Workspace,
    *,
    split: str | None = None,
    languages: Sequence[str] = (),
    rules: Path | None = None,
    origin: Origin = ANYWHERE,
) -> list[Collection]:
    """The collections that a target names: the packaged `demo`, a suite or one of its collections, a folder or zip file
    in BEIR's layout, a file or folder of reranking rows, or a folder of such folders. `origin` says where a suite is
    read from.

    Raises:
        UsageError: the target, split, language or a rule is unknown.
        DataError: a file cannot be trusted; the message names the line and what to do.
    """
    found = sources(target, split, languages, rules, origin=origin, workspace=workspace)
    return [collection_of(source, workspace) for source in found]


def load_all(
    targets: Sequence[str],
    workspace: Workspace,
    *,
    split: str | None = None,
    languages: Sequence[str] = (),
    rules: Path | None = None,
    origin: Origin = ANYWHERE,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Collection]:
    """The collections that several targets name. `tell` gets a line for whatever is in other languages.

    Raises:
        UsageError: as `load`; a language has to be that of some target, not of every one.
        DataError: as `load`.
    """
    found = chosen_sources(targets, split, languages, rules, origin=origin, workspace=workspace)
    for line in found.skipped:
        tell(line)
    return [collection_of(source, workspace) for source in found.sources]

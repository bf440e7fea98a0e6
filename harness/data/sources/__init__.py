"""Collections from where they lie: one file per origin, one conversion into the workspace.

This package reads and checks texts and judgments. It never searches, scores or measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.data.collection import Collection
from harness.data.parallel import Member, with_parallel
from harness.data.sources.build import collection_of
from harness.data.sources.origin import ANYWHERE, SourceChoice
from harness.data.sources.recognise import DEMO, chosen_sources
from harness.data.sources.source import Source
from harness.workspace import Workspace

__all__ = ["DEMO", "Origin", "Source", "load"]


def load(
    targets: str | Sequence[str],
    workspace: Workspace,
    *,
    split: str | None = None,
    languages: Sequence[str] = (),
    rules: Path | None = None,
    origin: SourceChoice = ANYWHERE,
    parallel: bool | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Collection]:
    """The collections that one or several targets name: the packaged `demo`, a suite or one of its collections, a
    folder or zip file in BEIR's layout, a file or folder of reranking rows, or a folder of such folders.

    Args:
        languages: see `harness.data.sources.offered.chosen`.
        origin: where a suite is read from.
        parallel: whether the collections of a set ask the same questions, whatever is declared; see
            `harness.data.parallel`.
        tell: gets a line for whatever is in other languages than those.

    Raises:
        UsageError: a target, split, language or rule is unknown.
        DataError: a file cannot be trusted; the message names the line and what to do.
    """
    named = [targets] if isinstance(targets, str) else targets
    found = chosen_sources(named, split, languages, rules, origin=origin, workspace=workspace)
    for line in found.skipped:
        tell(line)
    members = []
    for source in found.sources:
        said = source.declared
        members.append(Member(collection_of(source, workspace), said.within, said.parallel, said.in_set))
    return with_parallel(members, parallel)

"""Read collections from folders, files, suites and libraries: one module per source, one conversion into the workspace.

This package reads and checks texts and judgments. It does not search, score or measure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from harness.data.collection import Collection
from harness.data.parallel import Member, with_parallel
from harness.data.sources.build import collection_of
from harness.data.sources.origin import ANYWHERE, SourceChoice
from harness.data.sources.recognise import DEMO, chosen_sources
from harness.data.sources.request import keep, requested
from harness.data.sources.source import Source
from harness.workspace import Workspace

__all__ = ["DEMO", "Source", "load"]


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
    """Load the collections of one or several targets.

    Args:
        targets: the packaged `demo`, a suite or one of its collections, a folder or zip file in BEIR's layout, a file
            or folder of reranking rows, or a folder of such folders.
        split: Default: `test`, or the only split.
        languages: see `harness.data.sources.offered.chosen`. Default: all.
        rules: a TOML file with declarations that override those of the collections.
        origin: where a suite is read from.
        parallel: whether the collections of a set ask the same questions. It overrides what is declared; see
            `harness.data.parallel`.
        tell: called with a line about the collections that `languages` leaves out.

    Raises:
        UsageError: a target, split, language or rule is unknown.
        DataError: a file cannot be trusted; the message names the line and what to do.
    """
    names = [targets] if isinstance(targets, str) else targets
    chosen = chosen_sources(names, split, languages, rules, origin=origin, workspace=workspace)
    for line in chosen.skipped:
        tell(line)
    request = requested(names, split, languages, rules, origin)
    members = []
    for source in chosen.sources:
        declared, collection = source.declared, collection_of(source, workspace)
        with suppress(OSError):  # a read-only workspace
            here = replace(request, origin=source.origin, of_split=source.split)
            keep(workspace, collection.fingerprint, here)
        members.append(Member(collection, declared.within, declared.parallel, declared.in_set))
    return with_parallel(members, parallel)

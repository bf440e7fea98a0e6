"""The collections that targets name, and the first stage where none is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.errors import UsageError
from harness.data.collection import Collection, sample_queries
from harness.data.sources import load
from harness.data.sources.offered import ChosenSources
from harness.data.sources.origin import ANYWHERE, SourceChoice
from harness.data.sources.recognise import chosen_sources
from harness.scoring.retrieve import GIVEN
from harness.workspace import Workspace

FIRST_STAGE = "Qwen/Qwen3-Embedding-0.6B"


def collections_of(
    targets: Sequence[str],
    workspace: Workspace,
    *,
    split: str | None = None,
    languages: Sequence[str] = (),
    sample: int | None = None,
    rules: str | Path | None = None,
    origin: SourceChoice = ANYWHERE,
    parallel: bool | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Collection]:
    """The collections that the targets name, each once.

    Args:
        sample: take this many queries of each collection; None takes all.
        parallel: as in `harness.run`.
        tell: gets a line for whatever is in other languages.
    """
    found = load(
        targets,
        workspace,
        split=split,
        languages=languages,
        rules=Path(rules) if rules else None,
        origin=origin,
        parallel=parallel,
        tell=tell,
    )
    if sample is not None:
        found = [sample_queries(collection, sample) for collection in found]
    return list({collection.fingerprint: collection for collection in found}.values())


def first_stage_of(collections: Sequence[Collection]) -> str:
    """The first stage where none is named: the lists that all collections bring, else Qwen3-Embedding-0.6B."""
    with_lists = [collection.given is not None for collection in collections]
    if all(with_lists):
        return GIVEN
    if any(with_lists):
        raise UsageError("some of these collections bring candidate lists and some do not; name a --first-stage")
    return FIRST_STAGE


def named_sources(
    targets: Sequence[str], split: str | None, languages: Sequence[str], rules: Path | None, origin: SourceChoice
) -> ChosenSources:
    """What the targets name, before any model is looked for, so that a wrong target is refused at once.

    Raises:
        UsageError: there is no target, or one is wrong.
    """
    if not targets:
        raise UsageError("name what to run on: a suite, a folder, a zip, a file of reranking rows, or 'demo'")
    return chosen_sources(targets, split, languages, rules, origin=origin)

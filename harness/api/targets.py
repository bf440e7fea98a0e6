"""The collections that targets name, and the default first stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.errors import UsageError
from harness.data.collection import Collection, sample_queries
from harness.data.label_names import other_versions
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
    """Return the collections that the targets name, each once.

    Args:
        sample: take this many queries of each collection; None takes all.
        parallel: as in `harness.run`.
        tell: gets a line for everything that is skipped because of its language.

    Raises:
        UsageError: the targets name two label versions of one collection.
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
    if others := other_versions(one.name for one in found):
        raise UsageError(
            f"'{others[0]}' is another label version of a collection that is named too; run one version at a time"
        )
    if sample is not None:
        found = [sample_queries(collection, sample) for collection in found]
    return list({collection.fingerprint: collection for collection in found}.values())


def first_stage_of(collections: Sequence[Collection]) -> str:
    """Return the default first stage: the candidate lists if all collections have them, else Qwen3-Embedding-0.6B.

    Raises:
        UsageError: only some of the collections have candidate lists.
    """
    with_lists = [collection.given is not None for collection in collections]
    if all(with_lists):
        return GIVEN
    if any(with_lists):
        raise UsageError("only some of these collections have candidate lists; name a --first-stage")
    return FIRST_STAGE


def named_sources(
    targets: Sequence[str], split: str | None, languages: Sequence[str], rules: Path | None, origin: SourceChoice
) -> ChosenSources:
    """Return the sources that the targets name. This comes before models are looked up, to refuse a wrong target early.

    Raises:
        UsageError: there is no target, or a target is wrong.
    """
    if not targets:
        raise UsageError("name what to run on: a suite, a folder, a zip, a file of reranking rows, or 'demo'")
    return chosen_sources(targets, split, languages, rules, origin=origin)

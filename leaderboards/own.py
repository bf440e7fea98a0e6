"""A measured value with the details that a published number is compared by."""

from __future__ import annotations

from adapters.errors import UsageError
from harness.data.sources.stored import DRIFTED
from harness.result.result import Result
from harness.scoring.retrieve import GIVEN
from leaderboards.published import OwnNumber
from reports.marks import is_drifted
from reports.model_name import ModelName, model_name


def own_number(result: Result) -> OwnNumber | None:
    """The value of a result with its details; None if the collection belongs to no suite."""
    entry, name = result.collection.entry, name_of(result.stored.system)
    if entry is None:
        return None
    return OwnNumber(
        model=name.name if name else "",
        model_revision=(name.commit if name else None) or "",
        suite=entry.suite,
        collection=entry.name,
        split=result.collection.split,
        task=entry.mteb.task,
        measure=result.measure,
        value=result.value,
        dataset_revision=entry.mteb.revision,
        first_stage=_first_stage(result),
        altered=_altered(result),
    )


def name_of(spec: str) -> ModelName | None:
    """The name of a model; None for given lists, controls, and adapters that are not installed here."""
    try:
        return model_name(spec)
    except UsageError:
        return None


def _first_stage(result: Result) -> str:
    system = result.system
    if system.reranker is None or system.first_stage == GIVEN:
        return "" if system.reranker is None else GIVEN
    name = name_of(system.first_stage)
    return f"{system.first_stage if name is None or '?' in system.first_stage else name.name} top-{system.depth}"


def _altered(result: Result) -> str:
    collection = result.collection
    if collection.sampled_from:
        return f"a sample of {collection.queries:,} of {collection.sampled_from:,} queries"
    return f"on data that differ from the suite's ({DRIFTED})" if is_drifted(result.stored.collection) else ""

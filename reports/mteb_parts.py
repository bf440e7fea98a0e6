"""The data that mteb's files need about one system on one collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError
from harness.data.collection import ORIGINAL
from harness.data.sources.stored import DRIFTED
from harness.data.suites.targets import PAIRED_MEASURE, SuiteCollection
from harness.result.keys import CollectionKey
from harness.result.result import Result
from reports.marks import is_drifted

Means = Mapping[str, float]


@dataclass(frozen=True)
class MtebPart:
    """The result of one system on one collection of a task. Values are fractions by measure (`nDCG@10`)."""

    entry: SuiteCollection
    id: str
    system: str
    """The spec as the user wrote it."""
    label: str
    reranked: bool
    first_stage: str
    depth: int
    means: Means
    halves: Mapping[str, Means]
    """The means over the original queries (`og`) and over the changed ones (`changed`), for instruction tasks."""
    first_stage_means: Means | None
    """None for a first stage."""
    tie_span: Means
    candidates: str
    """The identity of the candidate lists."""
    pairs: int
    pairs_per_second: float | None
    truncated_away: int | None
    alarms: tuple[object, ...]
    """Plain values."""
    identity: Mapping[str, object]
    """The identity of the reranker, or of the first stage if there is no reranker."""
    packages: Mapping[str, object]
    """The package versions of the measurement."""


def part_of(results: Sequence[Result]) -> MtebPart:
    """The part for one evaluation.

    Args:
        results: all its measures.

    Raises:
        UsageError: mteb has no such result: the collection belongs to no suite, is a sample, has drifted, or has
            another split.
    """
    one = results[0]
    stored, key, audit = one.stored, one.collection, one.stored.audit
    entry = _entry(key, drifted=is_drifted(stored.collection))
    values = {result.measure: result.values for result in results}
    return MtebPart(
        entry=entry, id=stored.id, system=stored.system, label=one.system.label, reranked=stored.reranker is not None,
        first_stage=stored.first_stage, depth=stored.depth, means=_means(values),
        halves=_halves(values, next((one.ids for one in results if one.measure != PAIRED_MEASURE), ())),
        first_stage_means=stored.controls.means.get("identity", {}) if stored.reranker else None,
        tie_span={result.measure: result.tie_span for result in results if result.tie_span is not None},
        candidates=stored.candidates, pairs=audit.candidates or 0,
        pairs_per_second=one.pairs_per_second,
        truncated_away=audit.tokens.truncated_away if audit.tokens else None,
        alarms=tuple(alarm.as_dict() for alarm in audit.alarms),
        identity=_ranker(stored.identity, reranked=stored.reranker is not None),
        packages=stored.environment.packages,
    )  # fmt: skip


def _entry(key: CollectionKey, *, drifted: bool) -> SuiteCollection:
    """The collection's entry in the table of its suite."""
    name, entry = key.name, key.entry
    if entry is None:
        raise UsageError(f"{name}: mteb has results of the suites' collections only, such as beir/scifact")
    if drifted:
        raise UsageError(f"{name}: its data differ from the suite's ({DRIFTED}), so mteb does not take the result")
    if key.sampled_from:
        raise UsageError(f"{name}: a sample of {key.queries:,} queries; mteb takes results on all queries of the task")
    if key.split != entry.mteb.split:
        raise UsageError(f"{name}: the split is '{key.split}', but mteb's task has '{entry.mteb.split}'")
    return entry


def _means(values: Mapping[str, npt.NDArray[np.float64]]) -> dict[str, float]:
    """The mean of every measure that has values. p-MRR has none if no question has both of its queries."""
    return {measure: float(np.mean(row)) for measure, row in values.items() if len(row)}


def _halves(values: Mapping[str, npt.NDArray[np.float64]], queries: Sequence[str]) -> dict[str, Means]:
    if not len(values.get(PAIRED_MEASURE, ())):
        return {}
    original = np.array([name.endswith(ORIGINAL) for name in queries])
    ordinary = {measure: row for measure, row in values.items() if measure != PAIRED_MEASURE}
    halves = {"og": original, "changed": ~original}
    return {name: _means({key: row[half] for key, row in ordinary.items()}) for name, half in halves.items()}


def _ranker(content: Mapping[str, object], *, reranked: bool) -> Mapping[str, object]:
    ranker = content["reranker" if reranked else "retriever"]
    return ranker if isinstance(ranker, Mapping) else {}

"""One measure of one system in figures: value, interval, difference to the first stage, ceiling, headroom, ties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.collection import Collection
from harness.evaluation import Evaluation
from harness.measuring.measures import Measure, parse
from harness.statistics.intervals import stratified_interval
from harness.suites.targets import is_suite_target

OFFICIAL = "official measures"
"""The name of a mean over collections of which each is measured as its task says."""


@dataclass(frozen=True)
class Summary:
    """Means over queries; over several collections the macro average of their means, see `votes`. Fractions."""

    measure: str
    value: float
    interval: tuple[float, float]
    """95 % bootstrap interval over queries, for these collections; (nan, nan) with fewer than two queries."""
    delta: float
    """Value minus the first stage's, paired per query."""
    delta_interval: tuple[float, float]
    ceiling: float
    """What a perfect order of the same candidates gets."""
    chance: float
    """What a random order of the same candidates expects."""
    tie_span: float

    @property
    def headroom(self) -> float | None:
        """The share of what the first stage left to gain that was gained; None where nothing was left."""
        left = self.ceiling - (self.value - self.delta)
        return self.delta / left if left > 1e-12 else None

    @property
    def moved(self) -> bool:
        """Whether the interval of the difference leaves out zero."""
        low, high = self.delta_interval
        return low > 0 or high < 0


def parts(collections: Sequence[Collection]) -> list[list[Collection]]:
    """What has one vote in a macro average: the members of each group, and every collection without one by itself."""
    found: dict[object, list[Collection]] = {}
    for place, collection in enumerate(collections):
        found.setdefault(collection.group or place, []).append(collection)
    return list(found.values())


def shares(groups: Sequence[str | None]) -> npt.NDArray[np.float64]:
    """What each collection weighs in a macro average, float64, summing to 1, by the name of its group: the members of a
    group share one vote, and a collection without a group has one of its own."""
    sizes = Counter(group for group in groups if group)
    voters = len(sizes) + sum(not group for group in groups)
    return np.array([1 / voters / (sizes[group] if group else 1) for group in groups])


def votes(collections: Sequence[Collection]) -> npt.NDArray[np.float64]:
    """What each collection weighs in a macro average; see `shares`."""
    return shares([collection.group for collection in collections])


def summarise(evaluations: Sequence[Evaluation], measure: Measure) -> Summary:
    """Summarise one system over one collection or several."""
    return _summarised(evaluations, [measure] * len(evaluations), str(measure))


def has_official(evaluations: Sequence[Evaluation]) -> bool:
    """Whether the collections are of one suite that has several main measures, and each was measured by its own. What a
    user puts together is never averaged over measures."""
    mains = {evaluation.collection.rules.main_measure for evaluation in evaluations}
    suites = {evaluation.collection.name.partition("/")[0] for evaluation in evaluations}
    of_one_suite = len(suites) == 1 and all(is_suite_target(evaluation.collection.name) for evaluation in evaluations)
    return (
        of_one_suite
        and len(mains) > 1
        and all(evaluation.collection.rules.main_measure in map(str, evaluation.measures) for evaluation in evaluations)
    )


def summarise_official(evaluations: Sequence[Evaluation]) -> Summary:
    """Summarise one system over several collections, each by its own main measure: mteb's mean over tasks."""
    return _summarised(evaluations, [parse(one.collection.rules.main_measure) for one in evaluations], OFFICIAL)


def _summarised(evaluations: Sequence[Evaluation], measures: Sequence[Measure], name: str) -> Summary:
    rows = [evaluation.measures.index(one) for evaluation, one in zip(evaluations, measures, strict=True)]
    values = [evaluation.values[row] for evaluation, row in zip(evaluations, rows, strict=True)]
    first = [evaluation.ground.first_stage[row] for evaluation, row in zip(evaluations, rows, strict=True)]
    deltas = [ours - theirs for ours, theirs in zip(values, first, strict=True)]
    weights = votes([evaluation.collection for evaluation in evaluations])
    spans = [evaluation.audit.tie_span[str(one)] for evaluation, one in zip(evaluations, measures, strict=True)]

    def macro(strata: Sequence[npt.NDArray[np.float64]]) -> float:
        return float(np.average([np.mean(queries) for queries in strata], weights=weights))

    def control(name: str) -> float:
        return macro([e.ground.controls[name][row] for e, row in zip(evaluations, rows, strict=True)])

    return Summary(
        measure=name,
        value=macro(values),
        interval=stratified_interval(values, weights),
        delta=macro(deltas),
        delta_interval=stratified_interval(deltas, weights),
        ceiling=control("oracle"),
        chance=control("chance"),
        tie_span=macro([np.array(span) for span in spans]),
    )


@dataclass(frozen=True)
class PairedSummary:
    """p-MRR: the mean over questions; over several collections the macro average. From -1 to 1."""

    value: float
    """nan where a collection has no question with both of its queries."""
    interval: tuple[float, float]
    """95 % bootstrap interval over questions; (nan, nan) with fewer than two."""
    questions: int


def paired_by_system(evaluations: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """The evaluations that have p-MRR, by the label of their system."""
    groups: dict[str, list[Evaluation]] = {}
    for evaluation in evaluations:
        if evaluation.paired:
            groups.setdefault(evaluation.system.label, []).append(evaluation)
    return groups


def summarise_paired(evaluations: Sequence[Evaluation]) -> PairedSummary:
    """Summarise one system over the collections that have pairs of queries."""
    measured = [evaluation for evaluation in evaluations if evaluation.paired]
    strata = [evaluation.paired.values for evaluation in measured if evaluation.paired]
    weights = votes([evaluation.collection for evaluation in measured])
    means = [float(np.mean(values)) if len(values) else float("nan") for values in strata]
    return PairedSummary(
        value=float(np.average(means, weights=weights)),
        interval=stratified_interval(strata, weights),
        questions=sum(map(len, strata)),
    )

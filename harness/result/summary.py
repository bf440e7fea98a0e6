"""The figures of the systems of a run: values, intervals, differences from the first stage, ceilings, tie spans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.collection import Collection
from harness.data.suites.table import PAIRED_MEASURE
from harness.data.suites.targets import is_suite_target
from harness.measuring.measures import Measure
from harness.measuring.questions import questions_of
from harness.measuring.statistics.design import Floats64, Questions
from harness.result.evaluation import Evaluation
from harness.result.figure import COLLECTIONS, GROUPS, SYSTEMS, Figure, Selection, figures

OFFICIAL = "official measures"
"""The name of a mean over collections, each measured by its task's main measure."""


def parts(collections: Sequence[Collection]) -> list[list[Collection]]:
    """Return what has one vote in a macro average: the members of each group, and each collection without a group."""
    found: dict[object, list[Collection]] = {}
    for place, collection in enumerate(collections):
        found.setdefault(collection.group or place, []).append(collection)
    return list(found.values())


def shares(groups: Sequence[str | None]) -> npt.NDArray[np.float64]:
    """Return the weights of collections in a macro average, float64, summing to 1. The members of a group share one
    vote; a collection without a group has one vote.

    Args:
        groups: the name of the group of each collection, None for a collection without a group.
    """
    sizes = Counter(group for group in groups if group)
    voters = len(sizes) + sum(not group for group in groups)
    return np.array([1 / voters / (sizes[group] if group else 1) for group in groups])


def votes(collections: Sequence[Collection]) -> npt.NDArray[np.float64]:
    """Return the weight of each collection in a macro average; see `shares`."""
    return shares([collection.group for collection in collections])


@dataclass(frozen=True, eq=False)
class EvaluatedMeasure:
    """One measure of one evaluation; see `harness.result.figure.MeasuredCell`."""

    questions: Questions
    values: Floats64
    candidates: str
    chance: float | None = None
    ceiling: float | None = None
    tie_span: float | None = None

    @property
    def value(self) -> float:
        """The mean; NaN if there are no values."""
        return float(np.mean(self.values)) if len(self.values) else float("nan")


@dataclass(frozen=True)
class Summary:
    """One measure of all systems of a run. They are summarised together because they are corrected together."""

    measure: str
    collections: tuple[Collection, ...]
    """The collections that have the measure."""
    figures: Mapping[tuple[str, tuple[str, ...]], Figure]
    """The figures, by label of the system and fingerprints of the collections: each collection, each group, and all."""

    def of(self, system: str, collections: Sequence[Collection] | None = None) -> Figure:
        """Return the figure of a system on a collection or a group. Default: on all collections.

        Raises:
            KeyError: the system or the collections are not in the run.
        """
        wanted = self.collections if collections is None else collections
        return self.figures[system, tuple(one.fingerprint for one in wanted)]

    @property
    def systems(self) -> dict[str, Figure]:
        """The figures over all collections, by label of the system, the first stage first."""
        return {system: self.of(system) for system in dict.fromkeys(system for system, _ in self.figures)}


def summarise(evaluations: Sequence[Evaluation], measure: Measure | str) -> Summary:
    """Summarise all systems of a run by one measure, which may be p-MRR, over the collections that have it.

    Several collections are averaged with the weights of `votes`. The average is corrected over the systems, a
    collection over the collections of its system, and a group over the groups of its system.
    """
    name = str(measure)
    return _summarised([(one, name) for one in evaluations if _has(one, name)], name)


def has_official(evaluations: Sequence[Evaluation]) -> bool:
    """Whether the collections are of one suite with several main measures, and each was measured by its own.

    Collections that a user puts together are not averaged over different measures."""
    mains = {evaluation.collection.rules.main_measure for evaluation in evaluations}
    suites = {evaluation.collection.name.partition("/")[0] for evaluation in evaluations}
    of_one_suite = len(suites) == 1 and all(is_suite_target(evaluation.collection.name) for evaluation in evaluations)
    return (
        of_one_suite
        and len(mains) > 1
        and all(evaluation.collection.rules.main_measure in map(str, evaluation.measures) for evaluation in evaluations)
    )


def summarise_official(evaluations: Sequence[Evaluation]) -> Summary:
    """Summarise systems over several collections, each by its main measure, as mteb's mean over tasks does."""
    return _summarised([(one, one.collection.rules.main_measure) for one in evaluations], OFFICIAL)


@dataclass(frozen=True)
class _Column:
    """A `harness.result.figure.FigureColumn` of fingerprints."""

    collections: tuple[str, ...]
    weights: tuple[float, ...]
    family: str


def _summarised(measured: Sequence[tuple[Evaluation, str]], name: str) -> Summary:
    collections = list({one.collection.fingerprint: one.collection for one, _ in measured}.values())
    cells: dict[tuple[str, str], EvaluatedMeasure] = {}
    bases: dict[str, str | None] = {}
    for evaluation, measure in measured:
        label, base, place = evaluation.system.label, _base(evaluation), evaluation.collection.fingerprint
        bases[label] = base if evaluation.system.reranker else None
        cells[label, place] = _measured(evaluation, measure)
        if (before := _before(evaluation, measure)) is not None:
            cells[base, place] = before
    selection = Selection(list(bases), [one.fingerprint for one in collections], cells, bases.__getitem__)
    columns = _columns(collections)
    found = {(label, columns[place].collections): one for (label, place), one in figures(selection, columns).items()}
    return Summary(name, tuple(collections), found)


def _columns(collections: Sequence[Collection]) -> list[_Column]:
    """Return the columns: every collection, every group, and all collections."""
    voters = parts(collections)
    wanted = [([one], COLLECTIONS) for one in collections]
    wanted += [(part, GROUPS) for part in voters if len(part) > 1]
    wanted += [(list(collections), SYSTEMS)] if collections else []
    return [_Column(tuple(o.fingerprint for o in own), tuple(votes(own).tolist()), family) for own, family in wanted]


def _has(evaluation: Evaluation, name: str) -> bool:
    return evaluation.paired is not None if name == PAIRED_MEASURE else name in map(str, evaluation.measures)


def _base(evaluation: Evaluation) -> str:
    """Return the key of the baseline of a system. It differs from every label."""
    return f"\0{evaluation.system.first_stage.name}\0{evaluation.system.depth}"


def _measured(evaluation: Evaluation, name: str) -> EvaluatedMeasure:
    asked, candidates = questions_of(evaluation.collection), evaluation.run.candidates
    if name == PAIRED_MEASURE and evaluation.paired is not None:
        asked = questions_of(evaluation.collection, evaluation.paired.questions)
        return EvaluatedMeasure(asked, evaluation.paired.values, candidates)
    values, means = evaluation.values[_row(evaluation, name)], evaluation.ground.means()
    bounds = means["chance"][name], means["oracle"][name]
    return EvaluatedMeasure(asked, values, candidates, *bounds, evaluation.audit.tie_span[name])


def _before(evaluation: Evaluation, name: str) -> EvaluatedMeasure | None:
    """Return the first stage on the same candidates. For p-MRR, only an evaluation of the first stage has it."""
    if name == PAIRED_MEASURE:
        return None if evaluation.system.reranker else _measured(evaluation, name)
    values = evaluation.ground.first_stage[_row(evaluation, name)]
    return EvaluatedMeasure(questions_of(evaluation.collection), values, evaluation.run.candidates)


def _row(evaluation: Evaluation, name: str) -> int:
    return list(map(str, evaluation.measures)).index(name)

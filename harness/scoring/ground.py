"""The candidate pool of an experiment: frozen candidates with their judgments, controls and alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from adapters.errors import DataError, UsageError
from harness.data.collection import Collection, with_queries
from harness.data.runs import Run
from harness.data.suites.table import PAIRED_MEASURE
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.controls import CONTROLS, control_scores, expected_random
from harness.measuring.crosscheck import check_judgments
from harness.measuring.judged import Judged
from harness.measuring.measures import Measure, parse
from harness.scoring.alarms.candidates import candidate_alarms
from harness.scoring.retrieve import FirstStage, retrieve
from harness.scoring.session import Session

Values = npt.NDArray[np.float64]
WITH_PAIRED = "nDCG@5"
"""The measure of single queries if only p-MRR is named. FollowIR uses it for News21 (https://arxiv.org/abs/2403.15246)."""


@dataclass(frozen=True)
class CandidatePool:
    """The candidates that all systems of an experiment share. Value arrays are float64 [measures, queries]."""

    collection: Collection
    measures: tuple[Measure, ...]
    candidates: Run
    judged: Judged

    @cached_property
    def controls(self) -> dict[str, Values]:
        """The values of the controls by name, and `chance`, the expectation over random orders."""
        scores = {name: control_scores(name, self.judged) for name in CONTROLS}
        values = {name: self.judged.values(self.measures, given) for name, given in scores.items()}
        return {**values, "chance": expected_random(self.judged, self.measures)}

    @cached_property
    def first_stage(self) -> Values:
        """The values of the candidates in the order of the first stage."""
        return self.judged.values(self.measures)

    @cached_property
    def alarms(self) -> tuple[Alarm, ...]:
        """Alarms about the candidates themselves."""
        return tuple(candidate_alarms(self))

    def means(self) -> dict[str, dict[str, float]]:
        """The mean of every control, by control and measure."""
        return {
            name: {str(measure): float(row.mean()) for measure, row in zip(self.measures, values, strict=True)}
            for name, values in self.controls.items()
        }


def ordinary_measures(collection: Collection, named: Sequence[str]) -> list[str]:
    """The measures of single queries: the named ones, else the collection's main measure. p-MRR is left out, because
    every collection with pairs of queries gets it. If no measure is left, it is `WITH_PAIRED`.

    Raises:
        UsageError: p-MRR is named, but the collection has no pairs of queries.
    """
    names = list(named or [collection.rules.main_measure])
    ordinary = [name for name in names if not is_paired(name)]
    if len(ordinary) < len(names) and collection.changes is None:
        raise UsageError(f"{collection.name}: {PAIRED_MEASURE} compares pairs of queries; this collection has none")
    return ordinary or [WITH_PAIRED]


def is_paired(measure: str) -> bool:
    """Whether a measure is p-MRR. Case does not matter."""
    return measure.strip().casefold() == PAIRED_MEASURE.casefold()


def prepare(
    collection: Collection, first_stage: FirstStage, depth: int, measures: Sequence[str], session: Session
) -> CandidatePool:
    """Retrieve the candidates of a collection and check them.

    Raises:
        UsageError: a measure is unknown, or it is p-MRR and the collection has no pairs of queries.
        DataError: the judgments are not those of their source, or the identity control does not reproduce the first
            stage bit by bit.
    """
    if collection.published is not None:
        check_judgments(collection.qrels, collection.published, collection.queries.ids())
    wanted = tuple(dict.fromkeys(map(parse, ordinary_measures(collection, measures))))
    candidates = retrieve(collection, first_stage, depth, session)
    ground = CandidatePool(
        collection, wanted, candidates, Judged(candidates, collection.qrels, len(collection.queries))
    )
    if not np.array_equal(ground.controls["identity"], ground.first_stage):
        raise DataError(f"{collection.name}: the identity order does not reproduce the first stage; please report it")
    return ground


def part_of(ground: CandidatePool, rows: npt.NDArray[np.int64]) -> CandidatePool:
    """The candidate pool of some queries: the collection with only these queries, and their candidates."""
    collection = with_queries(ground.collection, rows)
    candidates = _candidates(ground.candidates, np.unique(rows))
    judged = Judged(candidates, collection.qrels, len(collection.queries))
    return CandidatePool(collection, ground.measures, candidates, judged)


def _candidates(run: Run, rows: npt.NDArray[np.int64]) -> Run:
    """The candidates of some queries. Tie-breaks are computed again, so that the identity is the same as if only these
    lists had been made."""
    lengths = np.diff(run.offsets)[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    kept = np.repeat(run.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
    _, tiebreaks = np.unique(run.tiebreaks[kept], return_inverse=True)
    return Run(offsets, run.documents[kept], run.scores[kept], tiebreaks.astype(np.int32))

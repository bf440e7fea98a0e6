"""The common ground of an experiment: candidates that no reranker can change, and what is known of them beforehand."""

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
BESIDE_PAIRED = "nDCG@5"
"""The measure of single queries where only p-MRR is named; FollowIR has it for News21 (https://arxiv.org/abs/2403.15246)."""


@dataclass(frozen=True)
class CandidatePool:
    """What every system of an experiment stands on, the same for all. Value arrays are float64 [measures, queries]."""

    collection: Collection
    measures: tuple[Measure, ...]
    candidates: Run
    judged: Judged

    @cached_property
    def controls(self) -> dict[str, Values]:
        """The values of every ranking that knows no text, and `chance`, their expectation over random orders."""
        scores = {name: control_scores(name, self.judged) for name in CONTROLS}
        values = {name: self.judged.values(self.measures, given) for name, given in scores.items()}
        return {**values, "chance": expected_random(self.judged, self.measures)}

    @cached_property
    def first_stage(self) -> Values:
        """The values of the candidates in the first stage's own order."""
        return self.judged.values(self.measures)

    @cached_property
    def alarms(self) -> tuple[Alarm, ...]:
        """What is wrong with the candidates themselves."""
        return tuple(candidate_alarms(self))

    def means(self) -> dict[str, dict[str, float]]:
        """Per control its mean per measure."""
        return {
            name: {str(measure): float(row.mean()) for measure, row in zip(self.measures, values, strict=True)}
            for name, values in self.controls.items()
        }


def ordinary_measures(collection: Collection, named: Sequence[str]) -> list[str]:
    """The measures of single queries: those that are named, else the collection's main one, without p-MRR, which every
    collection with pairs of queries gets; where none is left, `BESIDE_PAIRED`.

    Raises:
        UsageError: p-MRR, for a collection that has no pairs.
    """
    names = list(named or [collection.rules.main_measure])
    ordinary = [name for name in names if not is_paired(name)]
    if len(ordinary) < len(names) and collection.changes is None:
        raise UsageError(f"{collection.name}: {PAIRED_MEASURE} compares pairs of queries; this collection has none")
    return ordinary or [BESIDE_PAIRED]


def is_paired(measure: str) -> bool:
    """Whether it is p-MRR, in any case."""
    return measure.strip().casefold() == PAIRED_MEASURE.casefold()


def prepare(
    collection: Collection, first_stage: FirstStage, depth: int, measures: Sequence[str], session: Session
) -> CandidatePool:
    """From a collection to frozen candidates.

    Raises:
        UsageError: an unknown measure, or p-MRR for a collection without pairs of queries.
        DataError: the judgments are not those of their source, or the identity order does not reproduce the first stage
            to the last bit; nothing built on it would mean anything.
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
    """The ground of some queries: the collection with those alone, and their candidates as they were found."""
    collection = with_queries(ground.collection, rows)
    candidates = _candidates(ground.candidates, np.unique(rows))
    judged = Judged(candidates, collection.qrels, len(collection.queries))
    return CandidatePool(collection, ground.measures, candidates, judged)


def _candidates(run: Run, rows: npt.NDArray[np.int64]) -> Run:
    """Tie-breaks are counted anew, so that the part has the identity of the same lists made by themselves."""
    lengths = np.diff(run.offsets)[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    kept = np.repeat(run.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
    _, tiebreaks = np.unique(run.tiebreaks[kept], return_inverse=True)
    return Run(offsets, run.documents[kept], run.scores[kept], tiebreaks.astype(np.int32))

"""Which measures of a validation see a planted fault, for `benchmarks/validation_signs.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from harness.data.collection import Collection
from harness.scoring.session import Session
from planted.queries import Cell
from training.corpus import corpus_of
from training.stages import LEAK_THRESHOLD
from training.synthesis.profiles import profile_for
from training.validating import (
    classifier,
    conformance,
    coverage,
    difficulty,
    distance,
    diversity,
    form,
    length,
    overlap,
    realism,
    similarity,
)
from training.validating.alike import alike
from training.validating.decision import LEAST_CONFORMANCE
from training.validating.drawn import Effort
from training.validating.faults.find import faults
from training.validating.measured import LEAST, ValidationRow
from training.validating.sets import Sets
from training.validating.topics import with_topics
from training.validating.vectors import embedded

MEASURES = (*(f"V{number}" for number in range(1, 11)), "V13", "V14", "V15")
BLOCKED = "blocked"
_DEPTH = 100
_NO_INTERVALS = Effort(resamples=0)
Signs = Mapping[str, bool]
"""Whether each measure has a sign; a measure without a figure is absent."""


@dataclass(frozen=True)
class Ground:
    """A collection in a workspace, for searches and vectors."""

    cell: Cell
    folder: Path
    session: Session
    embedder: str | None = None

    @cached_property
    def corpus(self) -> Collection:
        """Its documents."""
        return replace(corpus_of(str(self.folder), self.session.workspace), language=self.cell.language)

    def by_texts(self, sets: Sets, known: Sequence[str]) -> Signs:
        """All measures that need no vectors, V9 with BM25, and whether the set is blocked.

        V1 to V9: a figure of at least one row is above its floor. V13: at least one query is one of the known ones, by
        letters. V14: less than 95 % keep to the generic profile of the language. V15: a named fault.
        """
        named = [one for one in faults(sets, self.cell.background, self.cell.background) if one.found]
        leaked = any(True for _ in alike(sets.synthetic.texts, known, LEAK_THRESHOLD))
        sets, effort = with_topics(sets), _NO_INTERVALS
        return _above([
            *length.measure(sets, effort=effort), *overlap.measure(sets, effort=effort),
            *form.measure(sets, effort), *realism.measure(sets, effort), *classifier.measure(sets, enough=LEAST),
            *diversity.measure(sets, effort),
            *difficulty.measure(sets, self.corpus, ["bm25"], self.session, depth=_DEPTH),
        ]) | {
            "V13": leaked, "V14": _conforming(sets) < LEAST_CONFORMANCE, "V15": bool(named),
            BLOCKED: any(one.blocks for one in named),
        }  # fmt: skip

    def by_vectors(self, sets: Sets) -> Signs:
        """V5, V7, and the first row of V10, the cosine of query and document."""
        sets = with_topics(embedded(sets, self.embedder, self.corpus, self.session))
        return _above([*distance.measure(sets), *coverage.measure(sets), *similarity.measure(sets)])


def _conforming(sets: Sets) -> float:
    (row,) = conformance.measure(sets, profile=profile_for(sets.synthetic.language))
    return row.levels[sets.synthetic.name] or 0.0


def _above(rows: Iterable[ValidationRow]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for row in rows:
        if row.above_floor is not None:
            found[row.id] = found.get(row.id, False) or row.above_floor
    return found

"""Both sides of a gate as the results store returns them, read before any figure is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.judging.compare.paired import PairedValues, joined
from harness.judging.compare.side import stored_side
from harness.judging.gate.anchor import Anchor
from harness.judging.gate.integrity import findings
from harness.judging.gate.stage import Stage
from harness.judging.gate.verdict import Findings
from harness.result.evaluation import Evaluation
from harness.result.result import Result
from harness.result.store import Results
from harness.result.stored import Stored


@dataclass(frozen=True)
class Sides:
    """What a verdict is made of."""

    anchor: Mapping[str, Stored]
    """By fingerprint of the collection."""
    ours: Mapping[str, Stored]
    """The candidate's evaluations, by fingerprint of the collection."""
    results: tuple[Result, ...]
    """The candidate's results, with all time that was spent on them on this machine."""
    anchor_results: tuple[Result, ...]
    """The anchor's results."""
    findings: Findings
    pairs: tuple[PairedValues, ...]
    """Empty if the numbers cannot be trusted."""
    unkept: tuple[Result, ...]
    """The figures, which are stored when the look is counted."""


def sides_of(stage: Stage, anchor: Anchor, ours: Sequence[Evaluation]) -> Sides:
    """Read both sides. The evaluations of this gate are not stored by this, and no other process sees them."""
    with Results(stage.session.workspace.results) as results, Results(stage.reference.results) as reference:
        unkept = tuple(result for one in (*anchor.fresh, *ours) for result in results.made_of(one))
        there = results if anchor.fresh else reference
        with results.unkept(unkept):
            theirs = _stored(results, anchor.fresh) if anchor.fresh else anchor.stored
            return _read(stage, (there, results), theirs, ours, anchor.caution, unkept)


def _read(  # noqa: PLR0917
    stage: Stage,
    stores: tuple[Results, Results],
    theirs: Mapping[str, Stored],
    ours: Sequence[Evaluation],
    cautions: Sequence[str],
    unkept: tuple[Result, ...],
) -> Sides:
    names = {one.collection.fingerprint: one.collection.name for one in ours}
    measures = stage.measures_of([one.collection for one in ours])
    mine = _stored(stores[1], ours)
    found = findings(names, theirs, mine, measures, [*cautions, *stage.cautions])
    both = list(zip(stores, (theirs, mine), strict=True))
    pairs = [
        joined(*(stored_side(store, side[key], measure) for store, side in both))
        for key, measure in ({} if found.hard else measures).items()
    ]
    results = tuple(stores[1].results(one.id for one in mine.values()))
    others = tuple(stores[0].results(one.id for one in theirs.values()))
    return Sides(theirs, mine, results, others, found, tuple(pairs), unkept)


def _stored(results: Results, evaluations: Sequence[Evaluation]) -> dict[str, Stored]:
    return {one.collection.fingerprint: results.find(one.id) for one in evaluations}

"""Holes: unjudged documents, which measures count as not relevant (Zobel 1998; Sakai 2007)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.data.runs import Run, only
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.judged import Judged

if TYPE_CHECKING:
    from harness.scoring.ground import CandidatePool, Values

_DEPTH = 10
_WIDER = 0.1
"""The alarm is raised if the judged share of the top ten is this much smaller than the first stage's."""


def unjudged(ground: CandidatePool, run: Run) -> list[Alarm]:
    """The alarm, with the values of both orders without unjudged documents."""
    judged = ground.judged
    ours, first = (float(judged.judged_at(_DEPTH, scores).mean()) for scores in (run.scores, None))
    if first - ours <= _WIDER:
        return []
    measure = ground.measures[0]
    condensed = [condensed_values(ground, each)[0].mean() for each in (run, ground.candidates)]
    whole = [judged.values([measure], scores).mean() for scores in (run.scores, None)]
    message = f"{100 * ours:.0f} % of the top {_DEPTH} are judged, of the first stage's {100 * first:.0f} %; "
    message += f"without unjudged documents {measure} is {100 * condensed[0]:.2f} instead of {100 * whole[0]:.2f}, "
    message += f"the first stage's {100 * condensed[1]:.2f} instead of {100 * whole[1]:.2f}"
    return [Alarm("unjudged", message, str(measure))]


def condensed_values(ground: CandidatePool, run: Run) -> Values:
    """The values of the lists without unjudged candidates, float64 [measures, queries] (condensed lists, Sakai
    2007)."""
    kept = only(run, np.asarray(ground.judged.grades >= 0))
    return Judged(kept, ground.judged.qrels, ground.judged.queries).values(ground.measures)

"""The points that a system lost to truncation, computed from stored scores."""

from __future__ import annotations

import numpy as np

from harness.judging.why.facing import ComparedSystem
from harness.judging.why.headroom import headroom
from harness.measuring.measures import Measure
from harness.result.recall import Recalled
from harness.result.result import Result
from harness.workspace import Workspace
from reports.plots.kept import judged, kept, ordinary


def truncated_points(result: Result, workspace: Workspace) -> float:
    """The most that the result can have lost to truncation, a fraction; 0 if nothing was truncated or it is unknown."""
    tokens = result.stored.audit.tokens
    if tokens is None or not tokens.truncated_half:
        return 0.0
    measure, recalled = ordinary(result.measure), kept(result, workspace)
    return _truncated(recalled, measure) if measure and recalled else 0.0


def _truncated(recalled: Recalled, measure: Measure) -> float:
    side = ComparedSystem(recalled.run, recalled.tokens, recalled.kept)
    found = headroom(side, judged(recalled, recalled.run), measure)
    return float(np.mean(found.truncated))

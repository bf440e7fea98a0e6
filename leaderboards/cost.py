"""Quality against cost: pairs per second of every ranked system, and the systems that no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.result.gathered import Grid, speed_of
from leaderboards.standing import BoardStanding


@dataclass(frozen=True)
class Costed:
    """A point of the plot."""

    standing: BoardStanding
    speed: float
    """Pairs per second on this machine."""
    front: bool
    """Whether no other system is at least as good and as fast, and better in one of the two."""


def costed(grid: Grid, standings: Sequence[BoardStanding]) -> list[Costed]:
    """The ranked systems whose speed is known, fastest first."""
    timed = [
        (row, row.value, speed)
        for row in standings
        if row.value is not None and (speed := speed_of(filter(None, grid.row(row.system)))) is not None
    ]
    timed.sort(key=lambda one: (-one[2], -one[1]))
    points, best = [], float("-inf")
    for row, value, speed in timed:
        points.append(Costed(row, speed, front=value > best))
        best = max(best, value)
    return points

"""The settings of `harness train teach`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from adapters.errors import UsageError
from adapters.typed_values import Positive
from training.stages import Map, Plan, Teaching
from training.teaching.choosing import DevQueries


@dataclass(frozen=True)
class TeachingSettings:
    """The settings of teaching, without the teachers."""

    plan: Plan = field(default_factory=Plan)
    weights: tuple[float, ...] = Teaching.weights
    max_length: int | None = None
    map: Map = Teaching.map
    task: str | None = None
    """The name of the task in the examples. Default: the name of the corpus."""
    facts: Path | None = Teaching.facts
    """A TOML file with the teachers' licences and training sets."""
    dtype: str | None = None
    """The number format of teachers that name none; see `harness.scoring.precision.with_dtype`."""
    choose_on: DevQueries | None = None
    """Judged queries to choose the weights of the teachers on; None for the given weights."""
    pairwise: Positive | None = Teaching.pairwise
    """The number of random cycles of comparisons; None for scores."""
    score_as: str | None = Teaching.score_as
    """A parallel collection whose texts the teachers read; see `training.teaching.parallel`."""

    def __post_init__(self) -> None:
        if self.pairwise is not None and self.choose_on is not None:
            raise UsageError("weights of teachers are chosen from scores; leave out --pairwise, or --choose-on")

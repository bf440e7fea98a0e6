"""The loss of each source of a mixture, for the history and the logs. It changes no weight."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.result.secrets import public
from training.encoded import Encoded, Rows
from training.examples import Examples
from training.settings import Loss

if TYPE_CHECKING:
    from torch import Tensor

KEY = "loss/"
"""The beginning of a key of the history; the name of the source follows."""


@dataclass(frozen=True)
class BySource:
    """The sources of all examples of a run."""

    names: tuple[str, ...]
    """Each once."""
    ends: Rows
    """int64 [sources]: source i has the examples from ends[i - 1] to ends[i]."""

    def losses(self, loss: Loss, scores: Tensor, teacher: Tensor, data: Encoded) -> dict[str, float | None]:
        """The loss of the examples of each source in a step, by key. A source without examples in the step has no
        entry; one whose examples give no finite loss has None.

        Args:
            scores, teacher: one for each row of `data`.
        """
        assert data.examples is not None
        sources = np.searchsorted(self.ends, data.examples, side="right")
        found: dict[str, float | None] = {}
        for number in np.unique(sources).tolist():
            places = np.flatnonzero(sources == number)
            rows = data.rows(places)
            value = float(loss(scores[rows].detach(), teacher[rows], data.sizes[places].tolist()))
            found[f"{KEY}{self.names[number]}"] = value if math.isfinite(value) else None
        return found


def by_source_of(examples: Examples, replay: Examples) -> BySource | None:
    """The sources of a run: those of the examples, then those of the replayed ones; None if neither is a mixture."""
    if not examples.parts and not replay.parts:
        return None
    parts = [*_parts(examples, "examples"), *_parts(replay, "replay")]
    names = _unique(name for name, _ in parts)
    return BySource(names, np.cumsum([size for _, size in parts]))


def _parts(examples: Examples, name: str) -> list[tuple[str, int]]:
    if not examples.parts:
        return [(name, len(examples))]
    return [(public(part.name), part.examples) for part in examples.parts]


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    times: Counter[str] = Counter()
    found = []
    for name in names:
        times[name] += 1
        found.append(name if times[name] == 1 else f"{name} ({times[name]})")
    return tuple(found)

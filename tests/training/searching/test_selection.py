"""The optimism of a choice: the best of many equal systems looks better than it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from harness.measuring.statistics.design import Questions
from training.searching import selection as module
from training.searching.selection import leads, selection

QUESTIONS = 150


@dataclass(frozen=True)
class Scores:
    """The values of one system on one collection."""

    values: Any

    @property
    def value(self) -> float:
        return float(self.values.mean())


@dataclass(frozen=True)
class Pair:
    """Paired values, as `paired` gives them."""

    baseline: Any
    candidate: Any
    group: str | None = None

    @property
    def questions(self) -> Questions:
        return Questions("one", tuple(map(str, range(QUESTIONS))))

    @property
    def deltas(self) -> Any:
        return self.candidate - self.baseline


@pytest.fixture(autouse=True)
def _plain_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "paired", lambda one, other: [Pair(one.values, other.values)])


def drawn(systems: int, seed: int, better: float = 0.0) -> dict[str, Any]:
    """Systems that are equal on average, except for the last."""
    source = np.random.default_rng(seed)
    own = source.normal(0.5, 0.2, (systems, QUESTIONS))
    own[-1] += better
    return {f"s{number}": Scores(row) for number, row in enumerate(own)}


def test_the_best_of_many_equal_systems_is_not_expected_to_be_ahead() -> None:
    raw, corrected = [], []
    for seed in range(12):
        found: Any = drawn(12, seed)
        winner = max(found, key=lambda name, found=found: found[name].value)  # type: ignore[misc]
        picked = selection(found, winner, "s0")
        raw.append(picked.lead.delta)
        assert picked.corrected is not None and picked.optimism is not None and picked.optimism > 0
        corrected.append(picked.corrected)
    assert np.mean(raw) > 0.02 and abs(np.mean(corrected)) < np.mean(raw) / 2


def test_a_system_that_is_clearly_ahead_was_not_lucky() -> None:
    found: Any = drawn(5, 0, better=0.2)
    picked = selection(found, "s4", "s0")
    assert picked.chosen_again == 1.0 and picked.optimism == pytest.approx(0, abs=1e-3)
    assert picked.lead.low is not None and picked.lead.low > 0


def test_the_lead_of_a_system_over_itself_is_zero() -> None:
    found: Any = drawn(2, 0)
    lead = leads(found, "s0")["s0"]
    assert (lead.delta, lead.low, lead.high) == (0.0, 0.0, 0.0)

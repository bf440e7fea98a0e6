"""The values of a verdict: what was found, what it costs, how large the difference is, and the answer."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harness.judging.gate.local import Part
from harness.measuring.statistics.difference import Difference

State = Literal["pass", "refused", "inconclusive", "invalid"]
REASONS = 10
"""Lines at most that a verdict gives."""
TIME, MEMORY = "time", "memory"
"""The names of costs."""


@dataclass(frozen=True)
class Findings:
    """What was found about the numbers themselves."""

    hard: tuple[str, ...] = ()
    """Each makes the verdict invalid; nothing overrides it."""
    cautions: tuple[str, ...] = ()
    """Said with the verdict, without changing it."""


NOTHING_FOUND = Findings()


@dataclass(frozen=True)
class CheckpointCost:
    """One cost of the candidate on this machine."""

    name: str
    unit: str
    value: float | None
    """None where it was not measured."""
    limit: float | None

    @property
    def over(self) -> bool:
        """Measured, and above the limit."""
        return self.value is not None and self.limit is not None and self.value > self.limit

    @property
    def unknown(self) -> bool:
        """A limit was declared, and nothing was measured."""
        return self.value is None and self.limit is not None


@dataclass(frozen=True)
class Macro:
    """The primary endpoint: the macro average of the differences. Fractions."""

    baseline: float
    candidate: float
    difference: Difference
    """Candidate minus anchor, a family of one. After an early stop it has no interval and no p-value."""
    lower: float
    """One-sided bound at `alpha`: it has to be above -margin."""
    upper: float
    """One-sided bound at the policy's whole alpha: at or below -margin the candidate is certainly worse."""
    margin: float
    alpha: float
    """What this look spends."""
    detectable: float
    """The smallest true difference from -margin that such a look sees with the declared power."""
    queries: int
    questions: int
    """Different ones: a question in several languages is one. The statistics count these."""
    anytime: tuple[float, float] | None = None
    """After an early stop: the interval that holds at whatever block it was looked at."""

    @property
    def unit(self) -> str:
        """What is counted."""
        return "queries" if self.queries == self.questions else "questions"


@dataclass(frozen=True)
class Verdict:
    """The answer, with every figure that it rests on."""

    state: State
    reasons: tuple[str, ...]
    """At most ten lines, the most important first."""
    macro: Macro | None = None
    """None where the verdict is invalid: such numbers are not shown."""
    parts: tuple[Part, ...] = ()
    costs: tuple[CheckpointCost, ...] = ()
    findings: Findings = field(default_factory=Findings)
    better: bool = False
    """Ahead by a significant difference, and at what this look may spend: to be promoted, after the final split has
    confirmed it."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON: fractions; numbers that are none are null."""
        plain: dict[str, Any] = asdict(self)
        if plain["macro"] is not None:
            found = plain["macro"].pop("difference")
            plain["macro"] |= {"delta": found.pop("value"), **found}
        finite: dict[str, Any] = _finite(plain)
        return finite


def _finite(value: object) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

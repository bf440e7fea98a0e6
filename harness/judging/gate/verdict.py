"""The values of a verdict: findings, costs, the size of the difference, and the answer."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from harness.judging.gate.claims import PartClaim
from harness.judging.gate.local import Part
from harness.measuring.statistics.difference import Difference
from harness.measuring.statistics.rare import Test

State = Literal["pass", "refused", "inconclusive", "invalid"]
REASONS = 10
"""The largest number of lines that a verdict has."""
TIME, MEMORY = "time", "memory"
"""The names of costs."""


@dataclass(frozen=True)
class Findings:
    """Findings about whether the numbers can be trusted."""

    hard: tuple[str, ...] = ()
    """Each of these makes the verdict invalid. Nothing overrides them."""
    cautions: tuple[str, ...] = ()
    """Reported with the verdict, without changing it."""


NOTHING_FOUND = Findings()


@dataclass(frozen=True)
class CheckpointCost:
    """One cost of the candidate on this machine."""

    name: str
    unit: str
    value: float | None
    """None if it was not measured."""
    limit: float | None

    @property
    def over(self) -> bool:
        """Whether the cost was measured and is above the limit."""
        return self.value is not None and self.limit is not None and self.value > self.limit

    @property
    def unknown(self) -> bool:
        """Whether a limit was declared, but the cost was not measured."""
        return self.value is None and self.limit is not None


@dataclass(frozen=True)
class AttackLimit:
    """One limit for an attack, with its figures. Shares of questions are fractions."""

    name: str
    limit: float
    alpha: float
    """The alpha at which a pass has to exclude more than the limit."""
    questions: int = 0
    value: float | None = None
    """The share of questions for which the attack succeeds, or the difference from the anchor; None if not measured."""
    lower: float | None = None
    """One-sided lower bound. Above the limit, the candidate is refused."""
    upper: float | None = None
    """One-sided upper bound at `alpha`. For a pass it must not be above the limit."""
    against_anchor: bool = False

    @property
    def over(self) -> bool:
        """Whether the attack certainly succeeds too often."""
        return self.lower is not None and self.lower > self.limit

    @property
    def kept(self) -> bool:
        """Whether it is excluded that the attack succeeds too often."""
        return self.upper is not None and self.upper <= self.limit


@dataclass(frozen=True)
class Macro:
    """The primary endpoint: the macro average of the differences. Values are fractions."""

    baseline: float
    candidate: float
    difference: Difference
    """Candidate minus anchor, without correction. After an early stop it has no interval and no p-value."""
    lower: float
    """One-sided lower bound at `alpha`. For a pass it must be above -margin."""
    upper: float
    """One-sided upper bound at the policy's whole alpha. At or below -margin the candidate is certainly worse."""
    margin: float
    alpha: float
    """The alpha that this look spends."""
    detectable: float
    """The smallest true difference from -margin that such a look detects with the declared power."""
    queries: int
    questions: int
    """The number of distinct questions, which the statistics count. A question in several languages is one."""
    anytime: tuple[float, float] | None = None
    """After an early stop, the interval that is valid at every block; else None."""
    lower_by: Test = "t"
    """The test that `lower` is from."""

    @property
    def unit(self) -> str:
        """The unit that is counted: queries or questions."""
        return "queries" if self.queries == self.questions else "questions"


@dataclass(frozen=True)
class Verdict:
    """The answer, with every figure that it depends on."""

    state: State
    reasons: tuple[str, ...]
    """At most ten lines, the most important first."""
    macro: Macro | None = None
    """None if the verdict is invalid, because such numbers are not shown."""
    parts: tuple[Part, ...] = ()
    costs: tuple[CheckpointCost, ...] = ()
    findings: Findings = field(default_factory=Findings)
    better: bool = False
    """Whether the candidate is significantly better, also at the alpha of this look. Confirm it on the final split
    before you promote it."""
    claims: tuple[PartClaim, ...] = ()
    """All parts, the claimed ones first, as they were planned before anything was scored."""
    same: bool = False
    """Whether the candidate is the anchor itself, so that nothing was tested."""
    attacks: tuple[AttackLimit, ...] = ()
    """The limits of the policy for attacks; empty without limits."""

    @property
    def not_shown(self) -> list[Part]:
        """The claimed parts in which a loss of `hard_bound` is not excluded."""
        return [] if self.same else [one for one in self.parts if one.claimed and not one.shown]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values. Numbers are fractions; NaN becomes null."""
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

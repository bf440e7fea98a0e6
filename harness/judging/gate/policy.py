"""The policy of a gate, from a `gate.toml`: what is compared, how much may be lost, and the number of looks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from msgspec import Meta

from adapters.errors import UsageError
from adapters.identity import digest
from adapters.typed_file import read_toml
from adapters.typed_values import Count, OneOrMore, Place, Positive, Share, Text, typed
from adapters.typed_words import Then
from harness.measuring.measures import parse
from harness.scoring.ground import is_paired

BEST_ACCEPTED = "best-accepted"
"""The name of the anchor that is the best of all accepted systems."""
Tier = Literal["dev", "gate", "final"]
TIERS: tuple[Tier, ...] = ("dev", "gate", "final")
_Points = Annotated[float, Meta(ge=0.001, le=100), Then(lambda points: points / 100)]
"""Points in the file, a fraction in the value."""
_Margin = Annotated[
    float,
    Meta(ge=0.001, lt=100, description="a number from 0.001 to below 100"),
    Then(lambda points: points / 100),
]
_Amount = Annotated[float, Meta(ge=1e-6, le=1e9)]


def _measure(name: str) -> str:
    if not is_paired(name):
        parse(name)
    return name


@dataclass(frozen=True)
class Local:
    """What one collection or language may lose, and what a pass claims of it. Drops are fractions."""

    min_drop: _Points = 0.02
    min_drop_small: _Points = 0.03
    """`min_drop` for collections with fewer than `small` queries."""
    small: Count = 200
    hard_bound: _Points = 0.05
    """A pass excludes this loss in every claimed part."""
    sd: Annotated[float, Meta(ge=0.001, le=1)] = 0.2
    """The assumed standard deviation of a question's difference where no earlier gate has measured it: a fraction, also
    in the file."""
    weak: Literal["report", "inconclusive"] = "report"
    """Parts that an equal candidate would probably not pass: `report` does not claim them, and the verdict names them;
    `inconclusive` claims every part."""

    @property
    def statistics(self) -> dict[str, object]:
        """The values by name. Those that a later version added are left out where they are the default, so that looks
        taken before keep their ids."""
        added = {"sd": Local.sd, "weak": Local.weak}
        return {key: value for key, value in asdict(self).items() if added.get(key) != value}


@dataclass(frozen=True)
class LookBudget:
    """The number of looks that a release may take at its gate queries."""

    release: Text | None = None
    budget: Positive | None = None
    """None counts the looks without a limit; each of them spends the whole alpha."""

    def problem(self) -> str | None:
        """What is wrong besides types; None if nothing is."""
        unnamed = self.budget is not None and self.release is None
        return "a budget belongs to a release; name it, as in release = '2.1'" if unnamed else None


@dataclass(frozen=True)
class Splits:
    """The share of the queries of each tier, and the salt of the hash that assigns queries to tiers."""

    dev: Share = 0.2
    gate: Share = 0.6
    final: Share = 0.2
    salt: str = ""

    def share(self, tier: Tier) -> float:
        """Return the share of one tier."""
        return {"dev": self.dev, "gate": self.gate, "final": self.final}[tier]

    def problem(self) -> str | None:
        """What is wrong besides types; None if nothing is."""
        total = self.dev + self.gate + self.final
        return f"dev + gate + final is {total:g}; make it 1" if abs(total - 1) > 1e-9 else None


@dataclass(frozen=True)
class CostLimits:
    """Limits for the cost of the candidate on this machine; None sets no limit."""

    max_seconds_per_1000_pairs: _Amount | None = None
    max_memory_mb: _Amount | None = None


@dataclass(frozen=True)
class NoiseLimits:
    """Limits for the difference of the same checkpoint scored twice."""

    margin_factor: Annotated[float, Meta(ge=0, le=100)] = 2.0
    """The margin has to be this many times the noise; otherwise nothing passes."""


@dataclass(frozen=True)
class Warn:
    """Limits for warnings, which do not change the verdict."""

    tail: _Points = 0.5
    """A query that loses more than this (fraction) is in the tail."""


@dataclass(frozen=True)
class RobustnessLimits:
    """How often attacks may succeed: limits for the shares of questions, see docs/robustness.md. None sets no limit."""

    stuffing: Share | None = None
    alone: Share | None = None
    claim: Share | None = None
    instruction: Share | None = None
    nothing: Share | None = None
    no_worse: Share | None = None
    """How much more often than against the anchor each of these attacks may succeed."""
    queries: Positive = 300
    """The number of queries of each collection on which attacks are tried."""

    @property
    def rates(self) -> dict[str, float]:
        """The limits by family of attacks."""
        families = ("stuffing", "alone", "claim", "instruction", "nothing")
        return {name: limit for name in families if (limit := getattr(self, name)) is not None}

    @property
    def statistics(self) -> dict[str, object]:
        """The values by name; empty without a limit, so that looks of other policies keep their ids."""
        return {**self.rates, "no_worse": self.no_worse, "queries": self.queries} if self.rates else {}

    def problem(self) -> str | None:
        """What is wrong besides types; None if nothing is."""
        unnamed = self.no_worse is not None and not self.rates
        return "no_worse compares attacks that have a limit; name one, as in stuffing = 0.1" if unnamed else None


@dataclass(frozen=True)
class Policy:
    """Everything that a verdict depends on besides the numbers. Margins and drops are fractions, not points.

    Examples:
        >>> import harness
        >>> policy = harness.Policy(targets="./xquad", first_stage="bm25", margin=0.005)
        >>> policy.targets, policy.depth
        (('./xquad',), 100)
    """

    anchor: Text = BEST_ACCEPTED
    targets: OneOrMore = ()
    first_stage: Text | None = None
    depth: Positive = 100
    languages: OneOrMore = ()
    measure: Annotated[Text, Then(_measure)] | None = None
    """The measure that decides. Default: the main measure of each collection."""
    margin: _Margin = 0.005
    alpha: Annotated[float, Meta(ge=1e-6, le=0.5)] = 0.05
    power: Annotated[float, Meta(ge=0.5, le=0.999)] = 0.8
    min_queries: Annotated[int, Meta(ge=2)] = 30
    """With fewer queries in total, nothing passes."""
    local: Local = field(default_factory=Local)
    looks: LookBudget = field(default_factory=LookBudget)
    splits: Splits = field(default_factory=Splits)
    cost: CostLimits = field(default_factory=CostLimits)
    noise: NoiseLimits = field(default_factory=NoiseLimits)
    warn: Warn = field(default_factory=Warn)
    robustness: RobustnessLimits = field(default_factory=RobustnessLimits)

    def __post_init__(self) -> None:
        """Accept a single name for a list of one.

        Raises:
            UsageError: the margin is not a fraction, or a name is not a string.
        """
        for key in ("targets", "languages"):
            names: Any = typed(cast(Any, OneOrMore), getattr(self, key), Place("Policy").key(key))
            object.__setattr__(self, key, names)
        if not 0 <= self.margin < 1:
            raise UsageError(f"Policy: margin must be a fraction, such as 0.005 for half a point, not {self.margin!r}")

    @property
    def digest(self) -> str:
        """12 hex digits over everything that the statistics depend on. With another margin, a look is another look."""
        depends = {"margin": self.margin, "alpha": self.alpha, "least": self.min_queries, "budget": self.looks.budget}
        attacks = {"robustness": limits} if (limits := self.robustness.statistics) else {}
        return digest({**depends, "local": self.local.statistics, "noise": asdict(self.noise), **attacks})[:12]

    def describe(self) -> dict[str, Any]:
        """Return the policy as plain values. Without limits for attacks they are left out, so that adaptations of
        earlier versions keep their identity."""
        found = asdict(self)
        if not self.robustness.rates:
            del found["robustness"]
        return found

    def alpha_of(self, tier: Tier) -> float:
        """Return the alpha that one look of a tier may spend. At the gate, alpha is divided by the number of looks."""
        return self.alpha / (self.looks.budget or 1) if tier == "gate" else self.alpha

    def overridden(self, **given: object) -> Policy:
        """Return a copy with other values, from a call or the command line. None and empty lists change nothing.

        Raises:
            UsageError: a value is not allowed.
        """
        said = {key: value for key, value in given.items() if value is not None and value not in ((), [])}
        read = typed(Policy, said, "the arguments")
        changed: dict[str, Any] = {key: getattr(read, key) for key in said}
        return replace(self, **changed)


def read_policy(file: Path) -> Policy:
    """Read a policy. Keys that are left out get their defaults.

    Raises:
        UsageError: the file cannot be read, or has an unknown key, a wrong type or a number outside its range.
    """
    return read_toml(file, Policy)

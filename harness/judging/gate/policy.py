"""The policy of a gate: what is compared, how much may be lost, how often may be looked. Written in a `gate.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from adapters.errors import HarnessError, UsageError, did_you_mean
from adapters.identity import digest
from harness.measuring.measures import parse
from harness.scoring.ground import is_paired

BEST_ACCEPTED = "best-accepted"
"""The anchor that is the best of all accepted systems, never the one before."""
Tier = Literal["dev", "gate", "final"]
TIERS: tuple[Tier, ...] = ("dev", "gate", "final")


@dataclass(frozen=True)
class Local:
    """When one collection or language has collapsed. Drops are fractions."""

    min_drop: float = 0.02
    min_drop_small: float = 0.03
    """The same for collections of fewer than `small` queries."""
    small: int = 200
    hard_bound: float = 0.05


@dataclass(frozen=True)
class LookBudget:
    """How often a release may look at its gate queries."""

    release: str | None = None
    budget: int | None = None
    """None counts the looks, and takes the whole alpha for each of them."""


@dataclass(frozen=True)
class Splits:
    """Shares of the queries that the tiers have, and the salt of the lot that deals them out."""

    dev: float = 0.2
    gate: float = 0.6
    final: float = 0.2
    salt: str = ""

    def share(self, tier: Tier) -> float:
        """The share of one tier."""
        return {"dev": self.dev, "gate": self.gate, "final": self.final}[tier]


@dataclass(frozen=True)
class CostLimits:
    """What the candidate may cost on this machine; None sets no limit."""

    max_seconds_per_1000_pairs: float | None = None
    max_memory_mb: float | None = None


@dataclass(frozen=True)
class NoiseLimits:
    """What the same checkpoint, scored twice, may differ by."""

    margin_factor: float = 2.0
    """The margin has to be this many times the noise; otherwise nothing passes."""


@dataclass(frozen=True)
class Warn:
    """What is said without changing the verdict."""

    tail: float = 0.5
    """A query that loses more than this (fraction) is in the tail."""


@dataclass(frozen=True)
class Policy:
    """Everything that a verdict depends on, besides the numbers. Margins and drops are fractions, not points.

    Examples:
        >>> import harness
        >>> policy = harness.Policy(targets="./xquad", first_stage="bm25", margin=0.005)
        >>> policy.targets, policy.depth
        (('./xquad',), 100)
    """

    anchor: str = BEST_ACCEPTED
    targets: tuple[str, ...] = ()
    first_stage: str | None = None
    depth: int = 100
    languages: tuple[str, ...] = ()
    measure: str | None = None
    """The primary endpoint; None takes each collection's main measure."""
    margin: float = 0.005
    alpha: float = 0.05
    power: float = 0.8
    min_queries: int = 30
    """With fewer in all, nothing passes."""
    local: Local = field(default_factory=Local)
    looks: LookBudget = field(default_factory=LookBudget)
    splits: Splits = field(default_factory=Splits)
    cost: CostLimits = field(default_factory=CostLimits)
    noise: NoiseLimits = field(default_factory=NoiseLimits)
    warn: Warn = field(default_factory=Warn)

    def __post_init__(self) -> None:
        """One name may stand for a list of one.

        Raises:
            UsageError: the margin is no fraction, or a name is no text.
        """
        for key in ("targets", "languages"):
            object.__setattr__(self, key, _value(f"Policy: {key}", _texts, getattr(self, key)))
        if not 0 <= self.margin < 1:
            raise UsageError(f"Policy: margin is a fraction, 0.005 for half a point, not {self.margin!r}")

    @property
    def digest(self) -> str:
        """12 hex digits over what the statistics depend on: with another margin a look is another look."""
        depends = {"margin": self.margin, "alpha": self.alpha, "least": self.min_queries, "budget": self.looks.budget}
        return digest({**depends, "local": asdict(self.local), "noise": asdict(self.noise)})[:12]

    def alpha_of(self, tier: Tier) -> float:
        """What one look of a tier may spend: an equal part of alpha for each of the budget's looks at the gate."""
        return self.alpha / (self.looks.budget or 1) if tier == "gate" else self.alpha

    def overridden(self, **given: object) -> Policy:
        """With what a call or the command line says; None and empty lists say nothing.

        Raises:
            UsageError: a value that no policy can have.
        """
        said = {key: value for key, value in given.items() if value is not None and value not in ((), [])}
        changed: dict[str, Any] = _section("", _ROOT, said, "the arguments")
        return replace(self, **changed)


def read_policy(file: Path) -> Policy:
    """Read a policy. What the file leaves out has its default.

    Raises:
        UsageError: the file cannot be read, or holds an unknown key, a wrong type or a number out of its range.
    """
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as TOML ({error})") from None
    plain = {key: value for key, value in found.items() if key not in _SECTIONS}
    sections = {
        name: _table_of(name, kind, keys, found.get(name, {}), file) for name, (kind, keys) in _SECTIONS.items()
    }
    return _checked(Policy(**_section("", _ROOT, plain, str(file)), **sections), file)


def _checked(policy: Policy, file: Path) -> Policy:
    splits = policy.splits
    if abs(splits.dev + splits.gate + splits.final - 1) > 1e-9:
        raise UsageError(
            f"{file}: [splits] dev + gate + final is {splits.dev + splits.gate + splits.final:g}; make it 1"
        )
    if policy.looks.budget is not None and policy.looks.release is None:
        raise UsageError(f"{file}: [looks] a budget belongs to a release; name it, as in release = '2.1'")
    return policy


_Parse = Callable[[object], object]


def _number(low: float, high: float, per: float = 1.0) -> _Parse:
    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value / per

    return read


def _whole(low: int) -> _Parse:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ValueError(f"a whole number, {low} or more")
        return value

    return read


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value


def _any_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) and one for one in given):
        raise ValueError("a text, or a list of texts")
    return tuple(given)


def _measure(value: object) -> str:
    name = _text(value)
    if not is_paired(name):
        parse(name)
    return name


_POINTS = _number(0.001, 100, per=100)
_SHARE = _number(0, 1)
_AMOUNT = _number(1e-6, 1e9)
_ROOT: dict[str, _Parse] = {
    "anchor": _text, "targets": _texts, "first_stage": _text, "depth": _whole(1), "languages": _texts,
    "measure": _measure, "margin": _POINTS, "alpha": _number(1e-6, 0.5), "power": _number(0.5, 0.999),
    "min_queries": _whole(2),
}  # fmt: skip
_SECTIONS: dict[str, tuple[Callable[..., Any], dict[str, _Parse]]] = {
    "local": (Local, {"min_drop": _POINTS, "min_drop_small": _POINTS, "small": _whole(0), "hard_bound": _POINTS}),
    "looks": (LookBudget, {"release": _text, "budget": _whole(1)}),
    "splits": (Splits, {"dev": _SHARE, "gate": _SHARE, "final": _SHARE, "salt": _any_text}),
    "cost": (CostLimits, {"max_seconds_per_1000_pairs": _AMOUNT, "max_memory_mb": _AMOUNT}),
    "noise": (NoiseLimits, {"margin_factor": _number(0, 100)}),
    "warn": (Warn, {"tail": _POINTS}),
}


def _table_of(name: str, kind: Callable[..., Any], keys: Mapping[str, _Parse], found: object, file: Path) -> Any:
    if not isinstance(found, dict):
        raise UsageError(f"{file}: '{name}' is a table; write [{name}] above its keys")
    return kind(**_section(f"[{name}] ", keys, found, str(file)))


def _section(where: str, keys: Mapping[str, _Parse], found: Mapping[str, object], source: str) -> dict[str, Any]:
    for key in found:
        if key not in keys:
            known = [*keys, *_SECTIONS] if keys is _ROOT else keys
            raise UsageError(f"{source}: unknown key '{where}{key}'.{did_you_mean(key, known)}")
    return {key: _value(f"{source}: {where}{key}", keys[key], value) for key, value in found.items()}


def _value(where: str, read: _Parse, value: object) -> object:
    try:
        return read(value)
    except ValueError as error:
        raise UsageError(f"{where} has to be {error}, not {value!r}") from None
    except HarnessError as error:
        raise UsageError(f"{where}: {error}") from None

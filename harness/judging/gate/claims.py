"""What a pass claims: the parts in which a loss of `hard_bound` must be excluded, chosen before anything is scored.

Each claimed part is tested at the whole alpha of the look. No correction is needed, because a pass needs all of them
(intersection-union test): if one of them truly loses `hard_bound`, its own test errs with at most alpha.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from harness.judging.gate.policy import Policy, Tier
from harness.measuring.statistics.chance import chance, needed, size_of
from harness.measuring.statistics.design import Design, Floats64, Questions

PartKind = Literal["collection", "language"]
SpreadOrigin = Literal["earlier gates", "[local] sd"]
TOGETHER = 0.8
"""Parts are claimed as long as the product of their chances is at least this."""
_PRECISE = 1e-9


@dataclass(frozen=True)
class PartQuestions:
    """The questions of one collection of a gate."""

    name: str
    fingerprint: str
    language: str | None
    questions: Questions


@dataclass(frozen=True)
class PartClaim:
    """One part of a gate: whether a pass claims it, and why. Values are fractions."""

    name: str
    kind: PartKind
    key: str
    """The fingerprint of the collection, or the language."""
    questions: int
    sd: float
    """The assumed standard deviation of a question's difference."""
    sd_from: SpreadOrigin
    chance: float
    """The probability that an equal candidate is shown not to lose `hard_bound` here."""
    needed: int
    """The number of questions with which all parts would be claimed, if the others had as many."""
    claimed: bool = False
    stretch: float = 1.0
    """How many times wider the gap between the mean and its lower bound was in earlier gates than by Student's t. It is
    above 1 if few questions lose much. `chance` and `needed` are those of a standard deviation of `sd` times this."""


def claims_of(
    collections: Sequence[PartQuestions],
    shares: Floats64,
    policy: Policy,
    tier: Tier,
    *,
    spreads: Mapping[str, float] | None = None,
    stretches: Mapping[str, float] | None = None,
) -> tuple[PartClaim, ...]:
    """Return all parts of a gate, the claimed ones first.

    Parts are ordered by their chance, the largest first, and by name if it is equal. They are claimed in this order as
    long as the product of their chances is at least 80 %. With `weak = "inconclusive"` all are claimed.

    Args:
        shares: the weights of the collections in the macro average.
        spreads: standard deviations of earlier gates, by key of the part. Default: `[local] sd` for all.
        stretches: see `PartClaim.stretch`, by key of the part. Default: 1 for all.
    """
    named = [_Part(one.name, "collection", one.fingerprint, (place,)) for place, one in enumerate(collections)]
    shared = languages([one.language for one in collections])
    named += [_Part(name, "language", name, places) for name, places in shared]
    whole = Design(tuple(one.questions for one in collections), shares)
    wanted, alpha = TOGETHER ** (1 / max(len(named), 1)), policy.alpha_of(tier)
    known, wider = spreads or {}, stretches or {}
    found = [
        _planned(one, whole.part(one.places), policy, alpha, wanted, known.get(one.key), wider.get(one.key, 1.0))
        for one in named
    ]
    return _chosen(found, policy)


def languages(of: Sequence[str | None]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the languages that several collections share, if there are several languages, with the places of their
    collections."""
    named = sorted({name for name in of if name})
    places = [(name, tuple(place for place, one in enumerate(of) if one == name)) for name in named]
    return [(name, of_it) for name, of_it in places if len(of_it) > 1] if len(named) > 1 else []


def claimed(claims: Iterable[PartClaim]) -> list[PartClaim]:
    """Return the claimed parts."""
    return [one for one in claims if one.claimed]


def read_claims(figures: Mapping[str, Any]) -> tuple[PartClaim, ...]:
    """Return the claims of a stored look; empty if an earlier version stored it."""
    return tuple(PartClaim(**one) for one in figures.get("claims") or ())


@dataclass(frozen=True)
class _Part:
    name: str
    kind: PartKind
    key: str
    places: tuple[int, ...]


def _planned(  # noqa: PLR0917
    part: _Part, design: Design, policy: Policy, alpha: float, wanted: float, measured: float | None, stretch: float
) -> PartClaim:  # fmt: skip
    sd, size, loss = policy.local.sd if measured is None else measured, size_of(design), policy.local.hard_bound
    draws = needed(loss, sd * stretch, alpha, wanted)
    return PartClaim(
        name=part.name,
        kind=part.kind,
        key=part.key,
        questions=design.questions,
        sd=sd,
        sd_from="[local] sd" if measured is None else "earlier gates",
        chance=chance(loss, sd * stretch, size, alpha),
        needed=max(2, round(draws * design.questions / size.draws)) if size.draws else draws,
        stretch=stretch,
    )


def _chosen(parts: Sequence[PartClaim], policy: Policy) -> tuple[PartClaim, ...]:
    product, chosen = 1.0, []
    for part in sorted(parts, key=lambda one: (-one.chance, one.name, one.kind)):
        product *= part.chance
        taken = policy.local.weak == "inconclusive" or product >= TOGETHER - _PRECISE
        chosen.append(replace(part, claimed=taken))
    return tuple(chosen)

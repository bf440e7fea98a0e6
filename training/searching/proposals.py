"""What a search tries next, decided by the values on dev so far. Pure: the same values give the same proposals.

A search is a generator. It yields proposals, is sent their values, and is closed when the looks are spent.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

Phase = Literal["single", "curve", "layers", "order", "weights"]
_GRID = (0.5, 0.25, 0.75)
_FINEST = 1 / 32
"""The smallest distance of two points on the curve."""
_STEPS = (0.25, 0.125, 0.0625)
"""How far a value of the layers is moved."""
_FACTORS = (2.0, 1.4)
"""By how much a weight is multiplied or divided."""
_ALL_ORDERS = 4
"""Up to this number of ingredients, all orders of a chain are proposed."""


@dataclass(frozen=True)
class Proposal:
    """A merge to try."""

    phase: Phase
    order: tuple[int, ...]
    """The ingredients by their place, in the order of the merge."""
    weights: tuple[tuple[float, ...], ...]
    """For each of them one weight, or several that are interpolated over the layers. They sum to 1."""

    @property
    def t(self) -> tuple[float, ...] | None:
        """With two ingredients, the share of the second: one value, or one for each anchor of the layers."""
        return self.weights[1] if len(self.order) == 2 else None

    @property
    def name(self) -> str:
        """A name that no other proposal and no ingredient has."""
        if self.phase in {"curve", "layers"}:
            return "t=" + "-".join(f"{value:g}" for value in self.t or ())
        order = "-".join(str(place + 1) for place in self.order)
        return f"chain={order}-at-" + "-".join(f"{weight:g}" for (weight,) in self.weights)


Search = Generator[Proposal, float, None]


def between_two(values: Sequence[float], *, layers: int, looks: int) -> Search:
    """The curve between two checkpoints: a coarse grid, then points next to the best one; after three fifths of the
    looks, a t that changes over the layers.

    Args:
        values: of the two checkpoints.
        layers: the number of values over the layers; 0 for a constant t only.
        looks: the number of looks that are left for merges.
    """
    known = {0.0: values[0], 1.0: values[1]}
    most = max(len(_GRID), -(-looks * 3 // 5)) if layers else looks
    for first in _GRID:
        known[first] = yield _at("curve", (first,))
    while len(known) - 2 < most and (t := next_point(known)) is not None:
        known[t] = yield _at("curve", (t,))
    if layers:
        best = min(known, key=lambda t: (-known[t], t))
        yield from _over_layers((best,) * layers, known[best])


def next_point(known: dict[float, float]) -> float | None:
    """The middle between the best point and a neighbour: the farther one, of equally far ones the better one. None if
    both are near."""
    points = sorted(known)
    place = min(range(len(points)), key=lambda each: (-known[points[each]], each))
    neighbours = [points[each] for each in (place - 1, place + 1) if 0 <= each < len(points)]
    far = [one for one in neighbours if abs(one - points[place]) >= 2 * _FINEST]
    chosen = max(far, key=lambda one: (abs(one - points[place]), known[one], -one), default=None)
    return None if chosen is None else (chosen + points[place]) / 2


def _over_layers(anchors: tuple[float, ...], value: float) -> Search:
    seen = {anchors}
    for step in _STEPS:
        improved = True
        while improved:
            improved = False
            for tried in _moved(anchors, step):
                if tried in seen or len(set(tried)) == 1:
                    continue
                seen.add(tried)
                found = yield _at("layers", tried)
                if found > value:
                    anchors, value, improved = tried, found, True
                    break


def _moved(anchors: tuple[float, ...], step: float) -> Iterator[tuple[float, ...]]:
    for place in range(len(anchors)):
        for change in (step, -step):
            moved = min(1.0, max(0.0, anchors[place] + change))
            yield (*anchors[:place], moved, *anchors[place + 1 :])


def _at(phase: Phase, t: tuple[float, ...]) -> Proposal:
    return Proposal(phase, (0, 1), (tuple(1 - value for value in t), t))


def among_many(values: Sequence[float], *, ordered: bool, looks: int) -> Search:
    """Merges of three or more: orders of the chain at equal weights, best first, with at most half of the looks; then
    the weights, one at a time.

    Args:
        values: of the ingredients.
        ordered: whether the order matters.
        looks: the number of looks that are left for merges.
    """
    ranked = sorted(range(len(values)), key=lambda place: (-values[place], place))
    found: dict[tuple[int, ...], float] = {}
    for order in orders(ranked)[: max(1, looks // 2)] if ordered else [tuple(ranked)]:
        found[order] = yield _weighted("order", order, [1.0] * len(order))
    best = max(found, key=lambda order: found[order])
    yield from _by_weight(best, found[best])


def orders(ranked: Sequence[int]) -> list[tuple[int, ...]]:
    """The orders of a chain, best first. The first two are interchangeable at equal weights. With many ingredients only
    the order of their values."""
    if len(ranked) > _ALL_ORDERS:
        return [tuple(ranked)]
    return [order for order in permutations(ranked) if ranked.index(order[0]) < ranked.index(order[1])]


def _by_weight(order: tuple[int, ...], value: float) -> Search:
    weights = [1.0] * len(order)
    seen = {_weighted("weights", order, weights)}
    for factor in _FACTORS:
        improved = True
        while improved:
            improved = False
            for tried in _scaled(weights, factor):
                proposal = _weighted("weights", order, tried)
                if proposal in seen or len(proposal.order) < 2:
                    continue
                seen.add(proposal)
                found = yield proposal
                if found > value:
                    weights, value, improved = tried, found, True
                    break


def _scaled(weights: Sequence[float], factor: float) -> Iterator[list[float]]:
    for place in range(len(weights)):
        for by in (factor, 1 / factor, 0.0):
            yield [weight * by if each == place else weight for each, weight in enumerate(weights)]


def _weighted(phase: Phase, order: Sequence[int], weights: Sequence[float]) -> Proposal:
    """A proposal without the ingredients of weight 0."""
    kept = [(place, weight) for place, weight in zip(order, weights, strict=True) if weight > 0]
    total = sum(weight for _, weight in kept)
    return Proposal(phase, tuple(place for place, _ in kept), tuple((round(weight / total, 4),) for _, weight in kept))

"""The sequential gate, which stops as soon as the answer is certain. Checking after every block does not increase the
probability of an error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.judging.gate.blocks import Blocks, Counts
from harness.judging.gate.local import p_worse
from harness.measuring.statistics.anytime import (
    Either,
    Evidence,
    averaged,
    evidence,
    headroom_evidence,
    macro_evidence,
)
from harness.measuring.statistics.design import Design, Floats64
from harness.measuring.statistics.rare import cautious_bound

Mask = npt.NDArray[np.bool_]
Verdict = Literal["pass", "refused"]


@dataclass(frozen=True)
class SequentialRule:
    """When the sequential gate stops. Margins and drops are fractions."""

    margin: float = 0.005
    alpha: float = 0.05
    """The probability of a pass if the true macro mean is -margin, over all blocks and the end."""
    refusal_alpha: float = 0.05
    """The probability of a refusal because of the macro mean in the same case."""
    local_alpha: float = 0.05
    """The probability of a refusal because of a collection if none is below 0, and of an early pass if one has
    collapsed."""
    min_drop: float = 0.02
    min_drop_small: float = 0.03
    """`min_drop` for collections with fewer than `small` queries."""
    small: int = 200
    hard_bound: float = 0.05
    """A pass excludes this loss in every claimed collection."""
    claimed: tuple[int, ...] = ()
    """The collections that a pass claims. A claimed language claims all its collections: if each of them is shown not
    to lose `hard_bound`, their average does not either."""
    early: float = 0.2
    """The part of each alpha that may be spent before the end. If all queries are scored, the fixed-size rule decides
    with the rest, 1 - early, of each of its alphas."""

    def drops(self, sizes: Counts) -> Floats64:
        """Return the smallest drop of each collection that counts as a collapse."""
        return np.where(sizes < self.small, self.min_drop_small, self.min_drop)


@dataclass(frozen=True)
class SequentialDecision:
    """What is certain after a block. Values are fractions."""

    verdict: Verdict | None
    """None if nothing is certain yet. If no query is left, the fixed-size rule decides."""
    collapsed: tuple[int, ...]
    """The collections that are the reason for a refusal; empty if the macro mean is the reason."""
    macro_certain: bool
    """Whether the macro mean is certainly above -margin."""
    delta: float
    """The weighted mean of the collections' means so far."""
    interval: tuple[float, float]
    """The anytime interval of the macro mean. Over all blocks, each end is wrong with a probability of at most `early`
    times its alpha."""
    blocks: int
    used: tuple[int, ...]
    """The number of scored queries of each collection."""


@dataclass(frozen=True, eq=False)
class Monitor:
    """The state between blocks. It uses only differences and does not change: `fed` returns the next state.

    The verdict is refused if the macro mean is certainly not above -margin; or if a collection is certainly below 0
    (all collections together with the local alpha) and its mean so far is at or below its smallest drop; or if a
    collection has no queries left and the fixed-size rule finds it collapsed. The verdict is pass if the macro mean is
    certainly above -margin; every collection is certainly above its smallest drop, or has no queries left and has not
    collapsed; and every claimed collection is certainly above -hard_bound, or has no queries left and the fixed-size
    rule excludes that loss. Once the macro mean is certain, only collections that are not certain are continued. If a
    claimed collection has no queries left and is not shown, all queries are scored, and the fixed-size rule decides.
    """

    rule: SequentialRule
    plan: Blocks
    strata: tuple[Floats64, ...] = ()
    """The differences so far."""
    blocks: int = 0
    gains: tuple[Evidence, ...] = ()
    """Evidence that the macro mean is large, one for each pattern of stakes so far."""
    losses: tuple[Evidence, ...] = ()
    """Evidence that the macro mean is small, likewise."""
    headroom: tuple[Floats64, ...] | None = None
    """The largest possible difference of every query of each collection, in the order in which they are scored; None if
    it is not known, or if the plan has no partners."""
    bounded: Evidence | None = None
    """Evidence from the headroom that the macro mean is small."""
    macro_certain: bool = False
    above: Mask = field(default_factory=lambda: np.zeros(0, bool))
    """Collections that are certainly above their smallest drop."""
    below: Mask = field(default_factory=lambda: np.zeros(0, bool))
    """Collections that are certainly below 0."""
    shown: Mask = field(default_factory=lambda: np.zeros(0, bool))
    """Collections that are certainly above -hard_bound, and those that no pass claims."""

    @classmethod
    def of(cls, rule: SequentialRule, plan: Blocks, headroom: Sequence[Floats64] | None = None) -> Monitor:
        """Return the state before the first block.

        Args:
            headroom: the largest possible difference of every query of each collection, from 0 to 1, in the order of
                the plan. Default: not known.
        """
        none = np.zeros(len(plan.sizes), bool)
        unclaimed = ~np.isin(np.arange(len(none)), rule.claimed)
        known = tuple(headroom) if headroom is not None and plan.partnered else None
        strata = tuple(np.empty(0) for _ in none)
        return cls(rule, plan, strata, headroom=known, above=none, below=none, shown=unclaimed)

    @property
    def used(self) -> Counts:
        """The number of scored queries of each collection so far."""
        return np.array([len(deltas) for deltas in self.strata], np.int64)

    @property
    def wanted(self) -> Counts:
        """The number of queries of each collection in the next block; zeros if no block follows."""
        if self.decision.verdict:
            return np.zeros_like(self.plan.sizes)
        target = self.plan.counts[min(self.blocks, len(self.plan.counts) - 1)]
        hopeless = bool((self._used_up & ~self._cleared).any())
        return np.where(self.macro_certain & self._cleared & (not hopeless), 0, target - self.used)

    def fed(self, block: Sequence[Floats64]) -> Monitor:
        """Return the state after a block.

        Args:
            block: for each collection the differences (candidate minus anchor) of the next `wanted` queries.

        Raises:
            ValueError: the block has another number of queries, or a difference is outside [-1, 1] or above its
                headroom.
        """
        if [len(deltas) for deltas in block] != self.wanted.tolist():
            raise ValueError(f"the next block has {self.wanted.tolist()} queries of the collections")
        strata = tuple(np.append(seen, new) for seen, new in zip(self.strata, block, strict=True))
        state = replace(self, strata=strata, blocks=self.blocks + 1)
        return state._with_collections() if self.macro_certain else state._with_macro()._with_collections()

    @cached_property
    def decision(self) -> SequentialDecision:
        """Return what is certain now."""
        collapsed = np.flatnonzero(self._collapsed)
        macro_refused = self._refused
        passed = self.macro_certain and bool(self._cleared.all())
        return SequentialDecision(
            verdict="refused" if macro_refused or len(collapsed) else "pass" if passed else None,
            collapsed=() if macro_refused else tuple(collapsed.tolist()),
            macro_certain=self.macro_certain,
            delta=float(self._means @ self.plan.weights),
            interval=self._interval,
            blocks=self.blocks,
            used=tuple(self.used.tolist()),
        )

    def _with_macro(self) -> Monitor:
        """Return the state with new evidence. Earlier patterns have stopped betting; the current one continues or
        begins."""
        if self.blocks >= len(self.plan.counts):
            return self  # all queries are scored, so the fixed-size rule decides
        place = self.plan.patterns[self.blocks - 1]
        design = self.plan.designs[self.blocks - 1]
        gains = (*self.gains[:place], macro_evidence(design, self.strata))
        losses = (*self.losses[:place], macro_evidence(design, [-deltas for deltas in self.strata]))
        state = replace(self, gains=gains, losses=losses, bounded=self._bounded(design))
        return replace(state, macro_certain=state._certain(gains, -self.rule.margin, self.rule.alpha))

    def _bounded(self, design: Design) -> Evidence | None:
        """Return the evidence from the headroom. It stops when not every question has a partner."""
        if self.headroom is None or self.blocks > self.plan.partnered:
            return self.bounded
        both = [(own[:size], own[len(own) - size :]) for own, size in zip(self.headroom, self.used, strict=True)]
        return headroom_evidence(design, self.strata, [own for own, _ in both], [others for _, others in both])

    def _with_collections(self) -> Monitor:
        spent = self.rule.local_alpha * self.rule.early
        above = [
            evidence(deltas).against(-drop) >= math.log(1 / spent)
            for deltas, drop in zip(self.strata, self.rule.drops(self.plan.sizes), strict=True)
        ]
        below = [evidence(-deltas).against(0) >= math.log(len(self.strata) / spent) for deltas in self.strata]
        claim = math.log(1 / (self.rule.alpha * self.rule.early))
        shown = [evidence(deltas).against(-self.rule.hard_bound) >= claim for deltas in self.strata]
        return replace(self, above=self.above | above, below=self.below | below, shown=self.shown | shown)

    def _certain(self, parts: tuple[Evidence, ...], mean: float, alpha: float) -> bool:
        return bool(parts) and self._averaged(parts).against(mean) >= math.log(1 / (alpha * self.rule.early))

    @property
    def _smaller(self) -> Either:
        """All evidence that the macro mean is small. A part of alpha is kept for the headroom whenever it is known."""
        plain = self._averaged(self.losses)
        return Either((plain,) if self.bounded is None else (plain, self.bounded))

    @property
    def _refused(self) -> bool:
        if not self.losses:
            return False
        wanted = math.log(1 / (self.rule.refusal_alpha * self.rule.early))
        return self._smaller.against(self.rule.margin) >= wanted

    def _averaged(self, parts: tuple[Evidence, ...]) -> Evidence:
        return averaged(parts, of=max(self.plan.patterns[:-1]) + 1)

    @property
    def _interval(self) -> tuple[float, float]:
        if not self.gains:
            return -1.0, 1.0
        low, high = self.rule.alpha * self.rule.early, self.rule.refusal_alpha * self.rule.early
        return self._averaged(self.gains).bound(low), -self._smaller.bound(high)

    @property
    def _means(self) -> Floats64:
        return np.array([deltas.mean() if len(deltas) else np.nan for deltas in self.strata])

    @property
    def _used_up(self) -> Mask:
        return np.equal(self.used, self.plan.sizes)

    @cached_property
    def _cleared(self) -> Mask:
        """The collections that do not prevent a pass."""
        return (self.above | self._used_up) & (self.shown | self._shown_at_end)

    @property
    def _shown_at_end(self) -> Mask:
        """The collections without queries left in which the fixed-size rule excludes a loss of `hard_bound`."""
        level, whole = self.rule.alpha * (1 - self.rule.early), self.plan.whole
        asked = np.flatnonzero(self._used_up & ~self.shown).tolist()
        bounds = {place: cautious_bound(whole.part([place]), [self.strata[place]], level).value for place in asked}
        found = [place for place, bound in bounds.items() if bound > -self.rule.hard_bound]
        return np.isin(np.arange(len(self.strata)), found)

    @property
    def _collapsed(self) -> Mask:
        dropped = self._means <= -self.rule.drops(self.plan.sizes)
        level = self.rule.local_alpha * (1 - self.rule.early) / len(self.strata)
        asked = np.flatnonzero(dropped & self._used_up)
        whole = self.plan.whole
        ended = [place for place in asked.tolist() if p_worse(whole.part([place]), [self.strata[place]]) <= level]
        return dropped & (self.below | np.isin(np.arange(len(dropped)), ended))

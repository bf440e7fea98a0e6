"""The rules of `harness.judging.gate` in arrays: the same statistics for many resamples at once.

Queries take one of `LEVELS`, so the counts of the levels are all that a statistic needs. `sequential_gate.py` compares
some resamples with the rules themselves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from harness.judging.gate.blocks import Blocks
from harness.judging.gate.local import HARD_LEVEL
from harness.judging.gate.sequential import SequentialRule
from harness.measuring.statistics.anytime import BETS, SHARES, balanced
from harness.measuring.statistics.design import TIE
from harness.measuring.statistics.effects import LARGE
from harness.measuring.statistics.rare import SKEWED
from harness.measuring.statistics.student import quantile

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
RULE = SequentialRule()
LEVELS = np.round(np.arange(-10, 11) / 10, 1)
"""The differences that a query can have."""


def total(logs: Floats) -> Floats:
    top = logs.max(axis=-1)
    result: Floats = top + np.log(np.exp(logs - top[..., None]).sum(axis=-1))
    return result


def macro_evidence(seen: Floats, blocks: Blocks, side: int, mean: float) -> Floats:
    """The logarithm of the evidence after each block but the last, [resamples, blocks - 1]."""
    patterns = max(blocks.patterns[:-1]) + 1
    parts = np.full((len(seen), patterns), -np.inf)
    found = np.empty((len(seen), len(blocks.counts) - 1))
    for place, pattern in enumerate(blocks.patterns[:-1]):
        every, reach = balanced(blocks.designs[place])
        stakes = np.array([every[units[0]] for units in blocks.designs[place].units])
        grown = np.log1p(side * BETS * stakes[:, None, None] * LEVELS[:, None]).reshape(-1, len(BETS))
        wealth = seen[:, place].reshape(len(seen), -1) @ grown
        parts[:, pattern] = total(SHARES + wealth - BETS * reach * side * mean)
        found[:, place] = total(parts) - math.log(patterns)
    return found


def collection_evidence(seen: Floats, side: int, means: Floats | float) -> Floats:
    """The same for each collection by itself after one block, [resamples, collections]."""
    queries = seen.sum(axis=-1)[..., None]
    terms = SHARES + seen @ np.log1p(side * BETS * LEVELS[:, None]) - BETS * queries * side * np.reshape(means, (-1, 1))
    return total(terms)


@dataclass(frozen=True)
class Moments:
    """What a bound needs of some collections; all [resamples, collections] but `queries`, [collections]."""

    queries: Floats
    mean: Floats
    square: Floats
    """The sum of squares from the mean; likewise `cube`."""
    cube: Floats
    large: Bools
    """Whether a query lost more than 20 points."""

    def excluded(self, weights: Floats, loss: float | Floats, level: float, bet: Bools) -> Bools:
        """Whether a loss of the weighted mean is excluded, as `rare.cautious_bound` says.

        Args:
            weights: [sets, collections]; several means at once.
            bet: whether the betting bound excludes it, [resamples, sets].
        """
        mean, error, freedom = self.bounds(weights)
        spread = (self.square / self.queries**2) @ (weights**2).T
        skew = np.divide((self.cube / self.queries**3) @ (weights**3).T, spread**1.5, where=spread > 0,
                         out=np.zeros_like(spread))  # fmt: skip
        tail = np.where(self.large @ (weights > 0).T, np.minimum(skew, 0), 0)
        own = stdtrit(freedom, 1 - level)
        wider = np.where(tail < 0, own - tail * (2 * own**2 + 1) / 6, own)
        result: Bools = (mean - wider * error > -loss) & ((tail >= SKEWED) | bet)
        return result

    def bounds(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        """Mean, standard error and Satterthwaite's degrees of freedom of the weighted mean, [resamples, sets]."""
        parts = self.square / (self.queries * np.maximum(self.queries - 1, 1))
        total, below = parts @ (weights**2).T, (parts**2 / np.maximum(self.queries - 1, 1)) @ (weights**4).T
        freedom = np.divide(total**2, below, where=below > 0, out=np.full_like(total, 1e9))
        return self.mean @ weights.T, np.sqrt(total), freedom


def moments(seen: Floats) -> Moments:
    """The moments after one block."""
    queries = seen[0].sum(axis=-1)
    mean = seen @ LEVELS / queries
    rest = LEVELS - mean[..., None]
    square, cube = (seen * rest**2).sum(axis=-1), (seen * rest**3).sum(axis=-1)
    return Moments(queries, mean, square, cube, (seen[..., LEVELS < -LARGE - TIE] > 0).any(axis=-1))


def fallen(found: Moments, level: float) -> Bools:
    """Collections that a paired t-test at `level` finds below 0."""
    limits = np.array([quantile(1 - level, max(n - 1, 1)) for n in found.queries.tolist()])
    error = np.sqrt(found.square / (found.queries * np.maximum(found.queries - 1, 1)))
    result: Bools = found.mean <= -limits * error
    return result & (found.mean < 0)


def shown(seen: Floats, level: float) -> Bools:
    """Collections in which the fixed-size rule excludes a loss of `hard_bound`."""
    bet = collection_evidence(seen, 1, -RULE.hard_bound) >= math.log(1 / level)
    return moments(seen).excluded(np.eye(seen.shape[1]), RULE.hard_bound, level, bet)


def fixed(seen: Floats, blocks: Blocks, share: float, claims: Bools) -> tuple[Bools, Bools, Bools]:
    """The fixed-size rule on all queries, at a share of each alpha: (refused, for the macro mean, passed). Bonferroni
    stands for Holm."""
    found, alpha = moments(seen), RULE.alpha * share
    certain = fallen(found, alpha / len(blocks.sizes))
    hard = found.mean - stdtrit(found.queries - 1, 1 - HARD_LEVEL) * np.sqrt(
        found.square / (found.queries * (found.queries - 1))
    )
    local = certain & ((found.mean < -RULE.drops(blocks.sizes)) | (hard < -RULE.hard_bound))
    weights = blocks.weights[None]
    macro, error, freedom = (one[:, 0] for one in found.bounds(weights))
    worse = macro + stdtrit(freedom, 1 - alpha) * error <= -RULE.margin
    refused = worse | local.any(axis=1)
    bet = betting(seen, blocks, -RULE.margin) >= math.log(1 / alpha)
    held = found.excluded(weights, RULE.margin, alpha, bet[:, None])[:, 0]
    return refused, worse, ~refused & held & (shown(seen, alpha) | ~claims).all(axis=1)


def betting(seen: Floats, blocks: Blocks, mean: float) -> Floats:
    """The logarithm of the evidence at one look at all queries, [resamples]."""
    every, reach = balanced(blocks.whole)
    stakes = np.array([every[units[0]] for units in blocks.whole.units])
    grown = np.log1p(BETS * stakes[:, None, None] * LEVELS[:, None]).reshape(-1, len(BETS))
    return total(SHARES + seen.reshape(len(seen), -1) @ grown - BETS * reach * mean)


def t_test(seen: Floats, blocks: Blocks) -> tuple[Bools, Bools, Bools]:
    """A t-test on what was seen by one block, likewise."""
    found = moments(seen)
    local = fallen(found, RULE.alpha / len(blocks.sizes)) & (found.mean <= -RULE.drops(blocks.sizes))
    macro, error, _ = (one[:, 0] for one in found.bounds(blocks.weights[None]))
    limit = quantile(1 - RULE.alpha, math.inf) * error
    worse = macro + limit <= -RULE.margin
    refused = worse | local.any(axis=1)
    return refused, worse, ~refused & (macro - limit > -RULE.margin)

"""The sequential gate, simulated: how often it errs under continuous looking, what it sees, how many pairs it takes.

Differences per query are drawn from a law on multiples of 0.1 in [-1, 1], half of them zero, tilted to the true mean.
On the same draws: the fixed-size rule (one look at all queries) and a t-test that looks after every block as if each
were the only one. Every resample is of queries. The rules are those of `harness.judging.gate`, written in arrays: the
sequential one with what a pass claims, and at the end the bounds for rare large losses. Some resamples of each task are
decided by `Monitor` and by the fixed-size rule itself, which have to say the same.

    python benchmarks/sequential_gate.py --resamples 1000 --out sequential_gate.json
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.gate import as_paired, verdict
from benchmarks.gate_in_arrays import (
    LEVELS,
    RULE,
    Bools,
    Floats,
    collection_evidence,
    fallen,
    fixed,
    macro_evidence,
    moments,
    shown,
    t_test,
)
from harness.judging.gate.blocks import Blocks, plan
from harness.judging.gate.claims import PartClaim, claimed, claims_of
from harness.judging.gate.local import asked
from harness.judging.gate.policy import Policy
from harness.judging.gate.sequential import Monitor, SequentialRule
from harness.measuring.statistics.design import Design, Questions

BEIR = (500, 50, 323, 500, 500, 500, 500, 49, 500, 500, 400, 500, 500, 500, 300)
"""Queries of 15 collections of BEIR, capped at 500; the last is SciFact, the fifth FiQA."""
LANGUAGES = (500,) * 18
EVERYWHERE = {
    "identical": 0.0, "at the margin": -RULE.margin, "-1": -0.01, "-2": -0.02, "-3": -0.03, "-5": -0.05,
    "+0.5": 0.005, "+1": 0.01,
}  # fmt: skip
ONE = {"one collection -5, rest 0": (-0.05, 0.0), "one collection -5, rest +0.5": (-0.05, 0.005)}
LOPSIDED = {"at the margin, rare wins": 1, "at the margin, rare losses": -1}
CHECKED = 5
"""Resamples of each task that `Monitor` decides too."""


@dataclass(frozen=True)
class Outcome:
    """One rule on every resample. A resample that is neither refused nor passed is inconclusive."""

    refused: Bools
    macro: Bools
    """Refused for the macro mean, not for a collection."""
    passed: Bools
    used: npt.NDArray[np.int64]
    """Queries."""
    early: Bools
    """Decided before all queries were scored."""

    def figures(self, queries: int) -> dict[str, float]:
        return {
            "refused": float(self.refused.mean()),
            "refused for the macro mean": float(self.macro.mean()),
            "passed": float(self.passed.mean()),
            "inconclusive": float((~self.refused & ~self.passed).mean()),
            "share of pairs": round(float(self.used.mean() / queries), 4),
            "refused early for the macro mean": float((self.macro & self.early).mean()),
            "passed early": float((self.passed & self.early).mean()),
        }


def law(sd: float, mean: float) -> Floats:
    """Probabilities of `LEVELS`: half zero, the others falling with their size so that the sd is met; then tilted."""
    size = np.abs(LEVELS)

    def spread(width: float) -> Floats:
        shares = np.where(size > 0, np.exp(-(size - 0.1) / width), 0)
        return np.where(size > 0, 0.5 * shares / shares.sum(), 0.5)

    def tilted(by: float) -> Floats:
        shares: Floats = untilted * np.exp(by * LEVELS)
        shares /= shares.sum()
        return shares

    untilted = spread(solved(lambda width: float(spread(width) @ LEVELS**2), sd * sd, 1e-3, 5))
    return tilted(solved(lambda by: float(tilted(by) @ LEVELS), mean, -50, 50))


def lopsided(mean: float, rare: int) -> Floats:
    """2 % of the queries move by `rare` (1 or -1), some by 0.1 the other way: few queries look surer than many."""
    shares = np.zeros(len(LEVELS))
    shares[10 + 10 * rare] = 0.02
    shares[10 - rare] = abs(0.02 * rare - mean) / 0.1
    shares[10] = 1 - shares.sum()
    return shares


def solved(function: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Where a rising function has a value."""
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if function(middle) > wanted else (middle, high)
    return low


def drawn(blocks: Blocks, laws: Floats, resamples: int, seed: int) -> Floats:
    """How often each level was seen by the end of each block: float64 [resamples, blocks, collections, levels]."""
    new = np.diff(blocks.counts, axis=0, prepend=0)
    seen = np.random.default_rng(seed).multinomial(new, laws, size=(resamples, *new.shape))
    return seen.cumsum(axis=1).astype(np.float64)


def fixed_size(seen: Floats, blocks: Blocks, claims: Bools) -> Outcome:
    none, everything = np.zeros(len(seen), bool), np.full(len(seen), blocks.sizes.sum())
    return Outcome(*fixed(seen[:, -1], blocks, 1.0, claims), everything, none)


def peeking(seen: Floats, blocks: Blocks) -> Outcome:
    """A t-test after every block, as if each were the only one."""
    refused, macro, passed, early = (np.zeros(len(seen), bool) for _ in range(4))
    used = np.full(len(seen), blocks.sizes.sum())
    for place, counts in enumerate(blocks.counts):
        bad, worse, good = t_test(seen[:, place], blocks)
        now = (bad | good) & ~refused & ~passed
        refused, macro, passed = refused | (now & bad), macro | (now & worse), passed | (now & good)
        used[now] = counts.sum()
        early |= now & (place < len(blocks.counts) - 1)
    return Outcome(refused, macro, passed, used, early)


def sequential(seen: Floats, blocks: Blocks, claims: Bools, rule: SequentialRule = RULE) -> Outcome:
    """`Monitor` for all resamples at once, and the fixed-size rule on the alpha that is left where it stays open."""
    drops, several = rule.drops(blocks.sizes), len(blocks.sizes)
    spent, left = rule.local_alpha * rule.early, rule.local_alpha * (1 - rule.early)
    claim = math.log(1 / (rule.alpha * rule.early))
    sure = macro_evidence(seen, blocks, 1, -rule.margin) >= claim
    worse = macro_evidence(seen, blocks, -1, -rule.margin) >= math.log(1 / (rule.refusal_alpha * rule.early))
    refused, macro, passed, certain = (np.zeros(len(seen), bool) for _ in range(4))
    above, below = (np.zeros((len(seen), several), bool) for _ in range(2))
    held = np.tile(~claims, (len(seen), 1))
    used = np.zeros((len(seen), several), np.int64)
    going = np.ones((len(seen), several), bool)
    for place, counts in enumerate(blocks.counts):
        used = np.where(going, counts, used)
        if place < len(blocks.counts) - 1:
            macro |= ~refused & ~passed & ~certain & worse[:, place]
            refused |= macro
            certain |= ~refused & sure[:, place]
        now = seen[:, place]
        above |= going & (collection_evidence(now, 1, -drops) >= math.log(1 / spent))
        below |= going & (collection_evidence(now, -1, 0.0) >= math.log(several / spent))
        held |= going & (collection_evidence(now, 1, -rule.hard_bound) >= claim)
        found, ended = moments(now), counts == blocks.sizes
        collapsed = going & (found.mean <= -drops) & (below | (fallen(found, left / several) & ended))
        refused |= ~passed & collapsed.any(axis=1)
        at_end = shown(now, rule.alpha * (1 - rule.early)) & ended if ended.any() else np.zeros_like(held)
        cleared = (above | (ended & (used == counts))) & (held | at_end)
        passed |= ~refused & certain & cleared.all(axis=1)
        hopeless = ((used == blocks.sizes) & ~cleared).any(axis=1)
        going = ~(refused | passed)[:, None] & ~(certain[:, None] & cleared & ~hopeless[:, None])
    early = (refused | passed) & (used.sum(axis=1) < blocks.sizes.sum())
    bad, worse_at_end, good = fixed(seen[:, -1], blocks, 1 - rule.early, claims)
    still = ~refused & ~passed
    macro |= still & worse_at_end
    return Outcome(refused | (still & bad), macro, passed | (still & good), used.sum(axis=1), early)


def disagreements(seen: Floats, blocks: Blocks, found: Outcome, claims: Bools) -> int:
    """Resamples of the first few on which `Monitor` itself stops elsewhere or says something else."""
    wrong, rule = 0, replace(RULE, claimed=tuple(np.flatnonzero(claims).tolist()))
    for row in range(min(CHECKED, len(seen))):
        monitor = Monitor.of(rule, blocks)
        while monitor.wanted.any():
            new = np.diff(seen[row], axis=0, prepend=0)[monitor.blocks].astype(np.int64)
            wanted = zip(new, monitor.wanted, strict=True)
            monitor = monitor.fed([np.repeat(LEVELS, one) if more else np.empty(0) for one, more in wanted])
        decided, used = monitor.decision.verdict, sum(monitor.decision.used)
        theirs = "refused" if found.refused[row] else "pass" if found.passed[row] else None
        wrong += used != found.used[row] or (decided is not None and decided != theirs)
    return wrong


def differently_ruled(seen: Floats, blocks: Blocks, found: Outcome, claims: list[PartClaim]) -> int:
    """Resamples of the first few on which the fixed-size rule itself says something else."""
    wrong = 0
    for row in range(min(CHECKED, len(seen))):
        strata = [np.repeat(LEVELS, one) for one in seen[row, -1].astype(np.int64)]
        said = verdict(strata, blocks.weights, Policy(), claims)
        theirs = "refused" if found.refused[row] else "pass" if found.passed[row] else "inconclusive"
        wrong += theirs != said.replace("collapsed", "refused")
    return wrong


def planned_claims(sizes: tuple[int, ...]) -> list[PartClaim]:
    """What a pass claims, planned with `[local] sd`."""
    pairs = [as_paired(str(place), np.zeros(size)) for place, size in enumerate(sizes)]
    return list(claims_of(asked(pairs), np.full(len(sizes), 1 / len(sizes)), Policy(), "gate"))


def tasks(sd: float, collections: int) -> Iterator[tuple[str, Floats]]:
    for name, mean in EVERYWHERE.items():
        yield name, np.tile(law(sd, mean), (collections, 1))
    for name, (one, others) in ONE.items():
        yield name, np.concatenate([np.tile(law(sd, others), (collections - 1, 1)), law(sd, one)[None]])


def simulated(blocks: Blocks, laws: Floats, resamples: int, seed: int) -> dict[str, Any]:
    seen = drawn(blocks, laws, resamples, seed)
    planned = planned_claims(tuple(blocks.sizes.tolist()))
    names = {one.name for one in claimed(planned)}
    claims = np.array([str(place) in names for place in range(len(blocks.sizes))])
    found, whole = sequential(seen, blocks, claims), fixed_size(seen, blocks, claims)
    queries = int(blocks.sizes.sum())
    return {
        "sequential": found.figures(queries),
        "fixed size": whole.figures(queries),
        "peeking t-test": peeking(seen, blocks).figures(queries),
        "Monitor disagrees": disagreements(seen, blocks, found, claims),
        "the rule disagrees": differently_ruled(seen, blocks, whole, planned),
    }


def worst(results: dict[str, dict[str, Any]], rule: str) -> dict[str, float]:
    """The largest error rates over all laws."""

    def largest(names: tuple[str, ...], key: str) -> float:
        return max(
            float(found[rule][key]) for tasks in results.values() for name, found in tasks.items() if name in names
        )

    at_margin = ("at the margin", *LOPSIDED)
    return {
        "identical, refused": largest(("identical",), "refused"),
        "at the margin, refused for the macro mean": largest(at_margin, "refused for the macro mean"),
        "the same before the end": largest(at_margin, "refused early for the macro mean"),
        "at the margin, passed": largest(at_margin, "passed"),
        "passed before the end": largest(at_margin, "passed early"),
        "one collection -5, passed": largest(tuple(ONE), "passed"),
    }


def line(where: str, name: str, found: dict[str, Any]) -> str:
    keys = {"sequential": ("refused", "passed", "share of pairs"), "fixed size": ("refused", "passed")}
    keys["peeking t-test"] = keys["sequential"]
    shown = [f"{100 * found[rule][key]:6.1f}" for rule, wanted in keys.items() for key in wanted]
    return f"{where:24} {name:28} {' '.join(shown)}"


def named_tasks(design: str, sizes: tuple[int, ...]) -> Iterator[tuple[str, str, Floats]]:
    for sd in (0.1, 0.15, 0.2):
        for name, laws in tasks(sd, len(sizes)):
            yield f"{design}, sd {sd:.2f}", name, laws
    for name, rare in LOPSIDED.items():
        yield f"{design}, lopsided", name, np.tile(lopsided(-RULE.margin, rare), (len(sizes), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    started = time.process_time()
    print(f"{'percent':53} sequential           fixed size    peeking t-test\n{'':53}", end="")
    print("refused passed pairs  refused passed refused passed pairs")
    results: dict[str, dict[str, Any]] = {}
    for design, sizes in (("15 collections", BEIR), ("18 languages", LANGUAGES)):
        ids = [tuple(map(str, range(size))) for size in sizes]
        blocks = plan(Design(tuple(Questions(str(place), own) for place, own in enumerate(ids))))
        for number, (where, name, laws) in enumerate(named_tasks(design, sizes)):
            found = simulated(blocks, laws, options.resamples, options.seed + number)
            results.setdefault(where, {})[name] = found
            print(line(where, name, found), flush=True)
    made = {
        "resamples": options.resamples,
        "seed": options.seed,
        "rule": asdict(RULE),
        "seconds": round(time.process_time() - started, 1),
        "largest error rates": {rule: worst(results, rule) for rule in ("sequential", "fixed size", "peeking t-test")},
        "results": results,
    }
    print(json.dumps(made["largest error rates"], indent=1))
    if options.out:
        options.out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""Operating points of the gate on simulated releases whose truth is known, compared with three simpler gates.

Differences per query are like those of nDCG@10: half of them are exactly zero, the others are heavy-tailed and lie in
[-1, 1]. `harness.judging.gate.local` and `harness.judging.gate.rule` decide; nothing of the rule is written again here.

    python benchmarks/gate.py --out benchmarks/results/gate.json
    python benchmarks/gate.py --store .harness/results.sqlite --anchor A --candidate B   # real differences, resampled
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.judging.compare.paired import PairedValues
from harness.judging.compare.side import stored_side
from harness.judging.gate.claims import PartClaim, claims_of
from harness.judging.gate.local import asked, local
from harness.judging.gate.policy import LookBudget, Policy
from harness.judging.gate.rule import decide
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.error import estimate
from harness.measuring.statistics.student import survival
from harness.result.store import Results

Floats64 = npt.NDArray[np.float64]
CAP = 500
BEIR = {
    "trec-covid": 50, "nfcorpus": 323, "nq": CAP, "hotpotqa": CAP, "fiqa": CAP, "arguana": CAP, "touche": 49,
    "cqadupstack": CAP, "quora": CAP, "dbpedia": 400, "scidocs": CAP, "fever": CAP, "climate-fever": CAP,
    "scifact": 300, "msmarco": CAP,
}  # fmt: skip
MIRACL = dict.fromkeys(("ar", "en", "es", "fa", "fi", "id", "ja", "ru", "te", "th"), CAP) | {
    "bn": 411, "fr": 343, "hi": 350, "ko": 213, "sw": 482, "zh": 393, "de": 305, "yo": 119,
}  # fmt: skip
MAIN_SD = 0.15
"""With other standard deviations a third of the runs, except for identical systems."""
ZERO = 0.5
"""The share of queries on which two rerankers have the same nDCG@10."""


def deltas(queries: int, sd: float, truth: float, generator: np.random.Generator) -> Floats64:
    """Differences per query with about this standard deviation and this true mean (fractions)."""
    moved = generator.random(queries) >= ZERO
    values = generator.laplace(truth / (1 - ZERO), sd / np.sqrt(2 * (1 - ZERO)), queries)
    clipped: Floats64 = np.clip(np.where(moved, values, 0.0), -1, 1)
    return clipped


def questions(name: str, values: Floats64) -> Questions:
    """A collection of its own."""
    return Questions(name, tuple(map(str, range(len(values)))))


def as_paired(name: str, values: Floats64) -> PairedValues:
    """Differences as the rule takes them."""
    return PairedValues(
        name, "test", None, None, name, questions(name, values), np.zeros(len(values)), values, "a", "b", True
    )


def verdict(
    strata: Sequence[Floats64], shares: Floats64, policy: Policy, claims: Sequence[PartClaim] | None = None
) -> str:  # fmt: skip
    """The rule, without costs and integrity; a collapse is called `collapsed`.

    Args:
        claims: what a pass claims. Default: planned with `[local] sd`.
    """
    pairs, alpha = [as_paired(str(place), values) for place, values in enumerate(strata)], policy.alpha_of("gate")
    if claims is None:
        claims = claims_of(asked(pairs), shares, policy, "gate")
    parts = local(pairs, shares, policy, alpha, claims)
    if any(part.collapsed for part in parts):
        return "collapsed"
    found = decide(pairs, shares, policy, alpha)
    open_ends = any(part.claimed and not part.shown for part in parts)
    return "inconclusive" if found == "pass" and open_ends else found


def others(strata: Sequence[Floats64], shares: Floats64) -> dict[str, bool]:
    """Whether the simpler gates refuse; and the hard bound, taken by its letter."""
    asked = tuple(questions(str(place), values) for place, values in enumerate(strata))
    found = estimate(Design(asked, shares), strata)
    means = np.array([values.mean() for values in strata])
    errors = np.array([values.std(ddof=1) / np.sqrt(len(values)) for values in strata])
    return {
        "raw mean < -0.2": found.mean < -0.002,
        "t-test significantly worse": survival(-found.mean / found.se, found.freedom) <= 0.05,
        "any collection < -1 raw": bool((means < -0.01).any()),
        "any lower 99 % bound < -5": bool((means - 2.326 * errors < -0.05).any()),
    }


def rates(draw: Callable[[], list[Floats64]], runs: int, policy: Policy) -> dict[str, float]:
    """Shares of the verdicts over so many drawn releases."""
    counted: Counter[str] = Counter()
    for _ in range(runs):
        strata = draw()
        shares = np.full(len(strata), 1 / len(strata))
        counted[verdict(strata, shares, policy)] += 1
        counted.update(name for name, refused in others(strata, shares).items() if refused)
    names = ("pass", "inconclusive", "refused", "collapsed", *others([np.array([0.0, 1.0])], np.ones(1)))
    shown = {name: counted[name] / runs for name in names}
    shown["refused"] += shown.pop("collapsed")
    return shown


SCENARIOS: dict[str, tuple[dict[str, int], dict[str, float], float]] = {
    "identical": (BEIR, {}, 0.0),
    "+0.5 everywhere": (BEIR, {}, 0.005),
    "-0.5 everywhere": (BEIR, {}, -0.005),
    "-1 everywhere": (BEIR, {}, -0.01),
    "-3 everywhere": (BEIR, {}, -0.03),
    "scifact -5, rest 0": (BEIR, {"scifact": -0.05}, 0.0),
    "fiqa -5, rest +0.5": (BEIR, {"fiqa": -0.05}, 0.005),
    "sw (482 queries) -5 of 18 languages, rest 0": (MIRACL, {"sw": -0.05}, 0.0),
    "yo (119 queries) -5 of 18 languages, rest 0": (MIRACL, {"yo": -0.05}, 0.0),
    "identical, 18 languages": (MIRACL, {}, 0.0),
}
"""Sizes, true differences of single collections, true difference of all others."""


def operating_points(runs: int, seed: int, sds: Sequence[float]) -> dict[str, dict[str, dict[str, float]]]:
    """Per standard deviation and scenario the rates of every gate."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for sd in sds:
        found[str(sd)] = {}
        for name, (sizes, special, rest) in SCENARIOS.items():
            generator = np.random.default_rng([seed, int(1000 * sd), list(SCENARIOS).index(name)])

            def draw(
                sizes: dict[str, int] = sizes, special: dict[str, float] = special, rest: float = rest,
                sd: float = sd, generator: np.random.Generator = generator,
            ) -> list[Floats64]:  # fmt: skip
                return [deltas(size, sd, special.get(one, rest), generator) for one, size in sizes.items()]

            whole = name == "identical" or sd == MAIN_SD
            found[str(sd)][name] = rates(draw, runs if whole else max(runs // 3, 1), Policy())
    return found


def drift(chains: int, steps: int, seed: int, step: float = -0.002) -> dict[str, dict[str, float]]:
    """Candidates that are each truly a little worse than what was accepted last, against several kinds of anchor."""
    ways = {
        "previous, fresh queries for every look": partial(_fresh_chain, previous=True),
        "fixed release, fresh queries for every look": partial(_fresh_chain, previous=False),
        "previous, the same queries": partial(_fixed_chain, previous=True),
        "best accepted, the same queries": partial(_fixed_chain, previous=False),
    }
    found = {}
    for name, way in ways.items():
        ends = [100 * way(steps, step, np.random.default_rng([seed, chain])) for chain in range(chains)]
        found[name] = {"mean": float(np.mean(ends)), "5 % of chains end below": float(np.quantile(ends, 0.05))}
    return found


def _fresh_chain(steps: int, step: float, generator: np.random.Generator, *, previous: bool) -> float:
    """The true value of what is accepted in the end, if every look has queries of its own."""
    shares, truth = np.full(len(BEIR), 1 / len(BEIR)), 0.0
    for _ in range(steps):
        lost = step if previous else truth + step
        moved = [deltas(size, MAIN_SD, lost, generator) for size in BEIR.values()]
        truth += step if verdict(moved, shares, Policy()) == "pass" else 0.0
    return truth


def _fixed_chain(steps: int, step: float, generator: np.random.Generator, *, previous: bool) -> float:
    """The same if all looks share their queries, and every system has values of its own on them."""
    shares, truth = np.full(len(BEIR), 1 / len(BEIR)), 0.0

    def system(true: float) -> list[Floats64]:
        return [true + deltas(size, MAIN_SD / np.sqrt(2), 0, generator) for size in BEIR.values()]

    accepted = [system(0.0)]
    for _ in range(steps):
        candidate = system(truth + step)
        macros = [sum(share * values.mean() for share, values in zip(shares, one, strict=True)) for one in accepted]
        anchor = accepted[-1 if previous else int(np.argmax(macros))]
        moved = [new - old for new, old in zip(candidate, anchor, strict=True)]
        if verdict(moved, shares, Policy()) == "pass":
            truth += step
            accepted.append(candidate)
    return truth


def false_passes(releases: int, seed: int, sd: float = MAIN_SD) -> dict[str, dict[str, float]]:
    """How often at least one of K candidates passes, all of them truly worse by exactly the margin.

    The candidates of a release are looked at on one set of queries, so they share the anchor's values.
    """
    sizes = list(BEIR.values())
    shares = np.full(len(sizes), 1 / len(sizes))
    found: dict[str, dict[str, float]] = {}
    for looks in (1, 5, 10, 20):
        passed = {"no budget": 0, "declared budget": 0}
        policies = {"no budget": Policy(), "declared budget": Policy(looks=LookBudget("1", looks))}
        for release in range(releases):
            generator = np.random.default_rng([seed, looks, release])
            anchor = [deltas(size, sd / np.sqrt(2), 0, generator) for size in sizes]
            candidates = [
                [
                    deltas(size, sd / np.sqrt(2), -0.005, generator) - old
                    for size, old in zip(sizes, anchor, strict=True)
                ]
                for _ in range(looks)
            ]
            for name, policy in policies.items():
                passed[name] += any(verdict(moved, shares, policy) == "pass" for moved in candidates)
        found[str(looks)] = {name: count / releases for name, count in passed.items()}
    return found


def resampled(store: Path, asked: Sequence[str], measure: str, *, runs: int, seed: int) -> dict[str, object]:
    """The same rates with the real differences of two stored systems, centred, then drawn with replacement.

    Args:
        asked: the names of the anchor and the candidate.
    """
    anchor, candidate = asked
    with Results(store) as results:
        sides = {
            name: {one.collection.fingerprint: stored_side(results, one, measure)
                   for one in results.all() if one.system == name and measure in one.means}
            for name in (anchor, candidate)
        }  # fmt: skip
    shared = [key for key in sides[anchor] if key in sides[candidate]]
    real = [sides[candidate][key].values - sides[anchor][key].values for key in shared]
    generator = np.random.default_rng(seed)

    def draw(shift: float) -> list[Floats64]:
        return [generator.choice(values, len(values)) - values.mean() + shift for values in real]

    return {
        "collections": len(real),
        "queries": sum(map(len, real)),
        "sd": [round(float(values.std(ddof=1)), 4) for values in real],
        "unchanged": [round(float(np.mean(values == 0)), 3) for values in real],
        "rates": {
            f"{100 * shift:+g} everywhere": rates(lambda shift=shift: draw(shift), runs, Policy())  # type: ignore[misc]
            for shift in (0.0, 0.005, -0.005, -0.01, -0.03)
        },
    }


def simulated(runs: int, seed: int) -> dict[str, object]:
    """Everything that is reported."""
    points = operating_points(runs, seed, (0.10, 0.15, 0.20))
    return {
        "runs": runs,
        "seed": seed,
        "operating_points": points,
        "drift_points_after_20_steps_of_-0.2": drift(max(runs // 20, 1), 20, seed),
        "at_least_one_false_pass": false_passes(max(runs // 10, 1), seed),
    }


def main() -> None:
    """Print the rates, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", type=Path, help="a results store with two systems on the same queries")
    parser.add_argument("--anchor")
    parser.add_argument("--candidate")
    parser.add_argument("--measure", default="nDCG@10")
    parser.add_argument("--out", type=Path, help="also write the result here, as JSON")
    options = parser.parse_args()
    started = time.process_time()
    if options.store:
        asked = (options.anchor, options.candidate)
        result = resampled(options.store, asked, options.measure, runs=options.runs, seed=options.seed)
    else:
        result = simulated(options.runs, options.seed)
    result["processor_seconds"] = round(time.process_time() - started, 1)
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

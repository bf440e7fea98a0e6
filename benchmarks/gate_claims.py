"""What the gate claims of every language, simulated: how often a loss slips through a claim, and what a claim costs.

11 languages of 150 held-out queries each. The margin of the average is wide (3 points), so that only the languages
decide. Differences per query are those of `benchmarks/gate.py`; rare losses have laws of their own.

    python benchmarks/gate_claims.py --out benchmarks/results/gate_claims.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gate import BEIR, as_paired, deltas, questions, verdict

from harness.judging.gate.claims import PartClaim, claims_of
from harness.judging.gate.local import asked
from harness.judging.gate.policy import Local, LookBudget, Policy
from harness.measuring.statistics.design import Design
from harness.measuring.statistics.equivalence import lower_bound
from harness.measuring.statistics.rare import cautious_bound

Floats64 = npt.NDArray[np.float64]
Law = Callable[[int, np.random.Generator], Floats64]
LANGUAGES, QUERIES, LOSS = 11, 150, 0.05
SDS = (0.11, 0.15, 0.20, 0.30)
WIDE = Policy(margin=0.03)
SHARES = np.full(LANGUAGES, 1 / LANGUAGES)


def planned(policy: Policy, sd: float | None) -> tuple[PartClaim, ...]:
    """The claims, with the sd of earlier gates or, without one, `[local] sd`."""
    parts = asked([as_paired(str(place), np.zeros(QUERIES)) for place in range(LANGUAGES)])
    spreads = None if sd is None else {one.fingerprint: sd for one in parts}
    return claims_of(parts, SHARES, policy, "gate", spreads=spreads)


def passes(policy: Policy, claims: tuple[PartClaim, ...], sd: float, runs: int, seed: int) -> dict[str, float]:
    """Shares of passes: of an equal candidate, and of one that loses 5 points in a language that is claimed, or in one
    that is not claimed; nan if there is none."""
    places = {state: next((int(one.key) for one in claims if one.claimed is state), None) for state in (True, False)}
    found = {"claimed": float(sum(one.claimed for one in claims)), "chance of one": claims[0].chance}
    named = {"equal": None, "-5 in a claimed language": places[True], "-5 in another language": places[False]}
    for name, place in named.items():
        generator = np.random.default_rng([seed, int(1000 * sd), list(named).index(name)])
        if name != "equal" and place is None:
            found[name] = float("nan")
            continue
        truths = [-LOSS if one == place else 0.0 for one in range(LANGUAGES)]
        states = [
            verdict([deltas(QUERIES, sd, truth, generator) for truth in truths], SHARES, policy, claims)
            for _ in range(runs)
        ]
        found[name] = states.count("pass") / runs
    return found


def languages(runs: int, seed: int) -> dict[str, object]:
    """Per standard deviation and policy the shares of passes."""
    every = replace(WIDE, local=Local(weak="inconclusive"))
    five = replace(WIDE, looks=LookBudget("1", 5))
    ways = {"sd known": (WIDE, True), "[local] sd": (WIDE, False), "weak = inconclusive": (every, True),
            "sd known, 5 looks": (five, True)}  # fmt: skip
    return {
        str(sd): {
            name: passes(policy, planned(policy, sd if known else None), sd, runs, seed)
            for name, (policy, known) in ways.items()
        }
        for sd in SDS
    }


def _rare(lost: float, gained: float = 0.0) -> Law:
    """A share of the questions loses 1.0, another gains 0.1, the rest does not move."""

    def law(size: int, generator: np.random.Generator) -> Floats64:
        drawn = generator.random(size)
        return np.where(drawn < lost, -1.0, np.where(drawn < lost + gained, 0.1, 0.0))

    return law


def _mixed(lost: float, sd: float, mean: float) -> Law:
    """A share of the questions loses 1.0, the rest is normal, and the true mean is as given."""
    rest = (mean + lost) / (1 - lost)

    def law(size: int, generator: np.random.Generator) -> Floats64:
        moved = np.clip(generator.normal(rest, sd, size), -1, 1)
        return np.where(generator.random(size) < lost, -1.0, moved)

    return law


LOSSES: Mapping[str, Law] = {
    "5 % lose 1.0": _rare(0.05),
    "6 % lose 1.0, 10 % gain 0.1": _rare(0.06, 0.1),
    "8 % lose 1.0, 30 % gain 0.1": _rare(0.08, 0.3),
    "3 % lose 1.0, rest normal (sd .10)": _mixed(0.03, 0.10, -LOSS),
    "2 % lose 1.0, rest normal (sd .10)": _mixed(0.02, 0.10, -LOSS),
    "2 % lose 1.0, rest normal (sd .05)": _mixed(0.02, 0.05, -LOSS),
    "1 % lose 1.0, rest normal (sd .10)": _mixed(0.01, 0.10, -LOSS),
    "half zero, Laplace (sd .20)": lambda size, generator: deltas(size, 0.2, -LOSS, generator),
}
"""A true loss of 5 points each."""
EQUAL: Mapping[str, Law] = {
    "equal, half zero, Laplace (sd .11)": lambda size, generator: deltas(size, 0.11, 0, generator),
    "equal, half zero, Laplace (sd .15)": lambda size, generator: deltas(size, 0.15, 0, generator),
    "equal, half zero, Laplace (sd .20)": lambda size, generator: deltas(size, 0.20, 0, generator),
    "equal, 2 % lose 1.0, 20 % gain 0.1": _rare(0.02, 0.2),
}


def excluded(law: Law, size: int, runs: int, seed: int) -> dict[str, float]:
    """The shares of samples in which a loss of 5 points is excluded, by Student's t alone and by the rule."""
    design, generator = Design((questions("one", np.zeros(size)),)), np.random.default_rng([seed, size])
    counted = {f"{name}, alpha {alpha}": 0 for alpha in (0.05, 0.01) for name in ("t alone", "rule")}
    for _ in range(runs):
        values = [law(size, generator)]
        for alpha in (0.05, 0.01):
            counted[f"t alone, alpha {alpha}"] += lower_bound(design, values, alpha) > -LOSS
            counted[f"rule, alpha {alpha}"] += cautious_bound(design, values, alpha).value > -LOSS
    return {name: count / runs for name, count in counted.items()}


def average(runs: int, seed: int) -> dict[str, float]:
    """Passes of a candidate that truly loses the margin of 0.5 points by rare losses, on 15 collections of BEIR: 2 % of
    the questions lose 1.0, 15 % gain 0.1."""
    law, shares, generator = _rare(0.02, 0.15), np.full(len(BEIR), 1 / len(BEIR)), np.random.default_rng(seed)
    design = Design(tuple(questions(name, np.zeros(size)) for name, size in BEIR.items()), shares)
    passed = {"t alone": 0, "rule": 0}
    for _ in range(runs):
        values = [law(size, generator) for size in BEIR.values()]
        passed["t alone"] += lower_bound(design, values, 0.05) > -0.005
        passed["rule"] += cautious_bound(design, values, 0.05).value > -0.005
    return {name: count / runs for name, count in passed.items()}


def simulated(runs: int, seed: int) -> dict[str, object]:
    """Everything that is reported."""
    laws = {**LOSSES, **EQUAL}
    return {
        "runs": runs,
        "seed": seed,
        "languages": languages(runs, seed),
        "loss_of_5_excluded": {
            str(size): {name: excluded(law, size, 4 * runs, seed) for name, law in laws.items()}
            for size in (60, QUERIES, 500)
        },
        "average_at_the_margin_by_rare_losses": average(4 * runs, seed),
    }


def main() -> None:
    """Print the shares, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the result here, as JSON")
    options = parser.parse_args()
    started = time.process_time()
    result = simulated(options.runs, options.seed)
    result["processor_seconds"] = round(time.process_time() - started, 1)
    text = json.dumps(result, indent=1).replace("NaN", "null") + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

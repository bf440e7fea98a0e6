"""The statistics of a comparison: ours beside scipy.stats, on the same paired differences of 15 collections.

Each side runs in a process of its own, one after the other, so that its peak memory is its own:

    python benchmarks/comparison.py --out comparison.json

The test is the paired randomisation test over questions, in scipy `permutation_test` with permutation_type "samples";
ours gives the interval of the difference as well. The interval is the percentile bootstrap of a value, in scipy
`bootstrap` with one sample per collection. scipy vectorises and gets the batch that it needs to stay in memory; without
one it would hold queries x flips at once. Its test gets fewer flips (--peer-flips), and the ratio of times is per flip.

The referee of the p-values is exact: a sum of numbers under random signs has the characteristic function
prod cos(part x t), which is inverted (Gil-Pelaez 1951). Both two-sided p-values are twice the smaller tail.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.measuring.statistics.bootstrap import RESAMPLES, value_interval
from harness.measuring.statistics.design import Design, Questions
from harness.measuring.statistics.difference import difference
from harness.measuring.statistics.flips import FLIPS
from harness.result.environment import machine

Floats64 = npt.NDArray[np.float64]

SHARES = np.array([50, 49, 323, 300, 648, 1000, 1406, 2000, 3452, 3452, 6666, 6666, 7405, 13145, 13438]) / 60_000
"""Collections from 49 to 13,438 queries, as in BEIR."""
BATCH = 100


def make(queries: int) -> list[Floats64]:
    """Differences per query: half are 0, as those of nDCG often are; the macro mean is about one standard error."""
    generator = np.random.default_rng(0)
    sizes = np.maximum(2, np.round(SHARES * queries).astype(int))
    return [generator.laplace(0.003, 0.12, size) * (generator.random(size) < 0.5) for size in sizes]


def design(strata: list[Floats64]) -> Design:
    """Collections with questions of their own."""
    return Design(
        tuple(Questions(str(place), tuple(map(str, range(len(values))))) for place, values in enumerate(strata))
    )


def contributions(strata: list[Floats64]) -> Floats64:
    """The part of every query in the macro mean; made here, so that the referee shares no code with what it judges."""
    return np.concatenate([values / (len(values) * len(strata)) for values in strata])


def exact_p(strata: list[Floats64], steps: int = 4000, reach: float = 12.0) -> float:
    """The two-sided p-value over all flips: 1 - 2/pi x integral of sin(ts)/t x prod cos(part x t)."""
    parts = contributions(strata)
    parts = parts[parts != 0] / math.sqrt(float(np.square(parts).sum()))
    times = (np.arange(steps) + 0.5) * (reach / steps)
    transform = np.ones(steps)
    for first in range(0, len(parts), 200):
        transform *= np.cos(np.outer(times, parts[first : first + 200])).prod(axis=1)
    inside = np.sin(times * abs(float(parts.sum()))) / times * transform
    return 1 - 2 / math.pi * float(inside.sum()) * reach / steps


def our_test(strata: list[Floats64], _: int) -> list[float]:
    """The p-value; the number of flips is fixed."""
    return [difference(design(strata), strata).p]


def our_interval(strata: list[Floats64], _: int) -> list[float]:
    """Low and high; the number of resamples is fixed."""
    return list(value_interval(design(strata), strata))


def scipy_test(strata: list[Floats64], draws: int) -> list[float]:
    """One sample of weighted differences, whose signs are flipped: the same test."""
    from scipy.stats import permutation_test

    found = permutation_test(
        (contributions(strata),),
        lambda values, axis: values.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=draws,
        batch=BATCH,
        rng=0,
    )
    return [float(found.pvalue)]


def scipy_interval(strata: list[Floats64], draws: int) -> list[float]:
    """Several independent samples, one per collection: resampled within each."""
    from scipy.stats import bootstrap

    found = bootstrap(
        strata,
        lambda *samples, axis: sum(values.mean(axis=axis) for values in samples) / len(samples),
        vectorized=True,
        n_resamples=draws,
        batch=BATCH,
        method="percentile",
        rng=0,
    ).confidence_interval
    return [float(found.low), float(found.high)]


SIDES: dict[str, Callable[[list[Floats64], int], list[float]]] = {
    "our_test": our_test,
    "scipy_test": scipy_test,
    "our_interval": our_interval,
    "scipy_interval": scipy_interval,
}


def alone(side: str, queries: int, draws: int) -> dict[str, Any]:
    """One side, in this process: seconds, peak memory beyond data and imports, values."""
    strata = make(queries)
    SIDES[side](make(100), 10)  # imports and first calls are not what is measured
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, start_processor = time.perf_counter(), time.process_time()
    values = SIDES[side](strata, draws)
    return {
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - start_processor,
        "peak_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "values": values,
    }


def in_own_process(side: str, queries: int, draws: int) -> dict[str, Any]:
    """The same in a new process."""
    command = [sys.executable, __file__, "--alone", side, "--queries", str(queries), "--draws", str(draws)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(queries: int, peer_flips: int, rounds: int) -> dict[str, Any]:
    """Medians of interleaved rounds, ratios, and how far the values lie apart."""
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            runs[side].append(in_own_process(side, queries, peer_flips if side == "scipy_test" else RESAMPLES))
    sides: dict[str, dict[str, Any]] = {side: _medians(own) for side, own in runs.items()}
    ours, theirs = np.array(sides["our_interval"]["values"]), np.array(sides["scipy_interval"]["values"])
    return {
        "machine": machine(),
        "queries": sum(map(len, make(queries))),
        "collections": len(SHARES),
        "flips": FLIPS,
        "resamples": RESAMPLES,
        "flips_of_scipys_test": peer_flips,
        "rounds": rounds,
        "scipy_batch": BATCH,
        "sides": sides,
        "test_ratio_per_flip": _ratio(sides, "test", FLIPS / peer_flips),
        "interval_ratio": _ratio(sides, "interval", 1.0),
        "p_values": _p_values(sides, exact_p(make(queries)), peer_flips),
        "interval_difference": float(np.abs(ours - theirs).max()),
        "interval_width": float(ours[1] - ours[0]),
    }


def _medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    keys = ("seconds", "processor_seconds", "peak_mb")
    return {key: round(statistics.median(run[key] for run in runs), 3) for key in keys} | {"values": runs[0]["values"]}


def _ratio(sides: dict[str, dict[str, Any]], what: str, draws: float) -> dict[str, float]:
    """Of times per draw; of memory as it is, for a batch has the same size whatever the number of draws."""
    ours, theirs = sides[f"our_{what}"], sides[f"scipy_{what}"]
    scale = {"seconds": draws, "processor_seconds": draws, "peak_mb": 1.0}
    return {key: round(by * theirs[key] / ours[key], 2) for key, by in scale.items() if ours[key]}


def _p_values(sides: dict[str, dict[str, Any]], exact: float, peer_flips: int) -> dict[str, float]:
    """Both against the exact one, in their own standard errors of sampling flips."""
    ours, theirs = sides["our_test"]["values"][0], sides["scipy_test"]["values"][0]
    error, peer_error = (2 * math.sqrt(exact / 2 * (1 - exact / 2) / flips) for flips in (FLIPS, peer_flips))
    return {
        "exact": exact,
        "ours": ours,
        "scipy": theirs,
        "our_errors_off": (ours - exact) / error,
        "scipy_errors_off": (theirs - exact) / peer_error,
    }


def main() -> int:
    """Print the comparison; exit 1 if ours is off by more than sampled flips or resamples explain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=60_000)
    parser.add_argument("--draws", type=int, default=RESAMPLES, help=argparse.SUPPRESS)
    parser.add_argument("--peer-flips", type=int, default=1_000, help="of scipy's test, which is slow")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path, help="also write the result here, as JSON")
    parser.add_argument("--alone", choices=list(SIDES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(alone(options.alone, options.queries, options.draws)))
        return 0
    result = compare(options.queries, options.peer_flips, options.rounds)
    text = json.dumps(result, indent=2) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    apart = result["interval_difference"] / result["interval_width"]
    return 0 if abs(result["p_values"]["our_errors_off"]) < 4 and apart < 0.03 else 1


if __name__ == "__main__":
    sys.exit(main())

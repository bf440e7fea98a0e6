"""The sequential gate on a parallel set, with and without the anchor's known headroom: how often it errs under
continuous looking, and how many questions it reads.

A question is one draw: its difference and its headroom (how much it can gain at most) are averages over its languages.
Both are drawn together from laws, and `harness.judging.gate.sequential.Monitor` decides. At the margin the laws are the
worst that were found: rare gains that only questions with headroom have, rare large losses, differences that follow the
headroom, spreads that depend on it.

    python benchmarks/sequential_headroom.py --resamples 1000 --out benchmarks/results/sequential_headroom.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.judging.gate.blocks import Blocks, plan
from harness.judging.gate.sequential import Monitor, SequentialRule
from harness.measuring.statistics.design import Design, Questions

Floats = npt.NDArray[np.float64]
Law = Callable[[np.random.Generator, int, float], tuple[Floats, Floats]]
"""Draws (differences, headroom) of some questions, from the true mean."""
RULE = SequentialRule(min_drop=0.9, min_drop_small=0.9)
"""Only the macro average decides."""
QUESTIONS = 714
"""The gate tier of XQuAD."""


def ordinary(room: float, sd: float) -> Law:
    """Headroom with this mean; differences that follow it a little (r = -.2 with the anchor), never above it."""

    def drawn(generator: np.random.Generator, size: int) -> tuple[Floats, Floats]:
        high = generator.beta(2 * room / (1 - room), 2, size)
        slope = 0.2 * sd / float(np.sqrt(room * (1 - room) / (2 / (1 - room) + 1)))
        return slope * (high - room) + generator.laplace(0, sd / np.sqrt(2), size), high

    shift = lru_cache(lambda mean: _shift(*drawn(np.random.default_rng(10**9), 400_000), mean))

    def draw(generator: np.random.Generator, size: int, mean: float) -> tuple[Floats, Floats]:
        wanted, high = drawn(generator, size)
        return np.clip(wanted + shift(mean), high - 1, high), high

    return draw


def _shift(wanted: Floats, high: Floats, mean: float) -> float:
    """What to add so that the clipped differences have this mean."""
    low, top = -1.0, 1.0
    for _ in range(40):
        middle = (low + top) / 2
        above = float(np.clip(wanted + middle, high - 1, high).mean()) > mean
        low, top = (low, middle) if above else (middle, top)
    return low


def kinds(*each: tuple[float, float, float]) -> Law:
    """Kinds of questions (headroom, difference, share); the last kind's difference is moved to meet the mean."""
    room, delta, share = (np.array(column, float) for column in zip(*each, strict=True))

    def draw(generator: np.random.Generator, size: int, mean: float) -> tuple[Floats, Floats]:
        moved = delta.copy()
        moved[-1] = (mean - float(delta[:-1] @ share[:-1])) / share[-1]
        kind = generator.choice(len(share), size, p=share)
        return moved[kind], room[kind]

    return draw


LAWS: dict[str, Law] = {
    "only 2 % with headroom gain, 0.9 each": kinds((0.9, 0.9, 0.02), (0.05, 0.0, 0.98)),
    "only 5 % with headroom gain, 0.5 each": kinds((0.5, 0.5, 0.05), (0.03, 0.0, 0.95)),
    "2 % lose 0.9": kinds((0.1, -0.9, 0.02), (0.1, 0.0, 0.98)),
    "half lose all that the other half gains": kinds((0.0, -0.2, 0.5), (0.5, 0.0, 0.5)),
    "wide spread where there is headroom": kinds((0.9, 0.8, 0.05), (0.9, -0.1, 0.2), (0.05, 0.0, 0.75)),
    "loses what has no headroom": kinds((1.0, 0.3, 0.1), (0.0, 0.0, 0.9)),
}
PLAIN: dict[str, Law] = {
    "headroom .06, sd .06": ordinary(0.06, 0.06),
    "headroom .15, sd .08": ordinary(0.15, 0.08),
    "headroom .35, sd .10": ordinary(0.35, 0.10),
    "headroom .35, sd .15": ordinary(0.35, 0.15),
}


def read(law: Law, mean: float, blocks: Blocks, seed: int, *, known: bool) -> tuple[str | None, int]:
    """The early verdict of one simulated candidate, and the questions that it takes."""
    values, high = law(np.random.default_rng(seed), QUESTIONS, mean)
    monitor = Monitor.of(RULE, blocks, [high] if known else None)
    while monitor.wanted.any():
        start, more = int(monitor.used[0]), int(monitor.wanted[0])
        monitor = monitor.fed([values[start : start + more]])
    return monitor.decision.verdict, int(monitor.used[0])


def population(law: Law, blocks: Blocks, mean: float, resamples: int, *, known: bool) -> dict[str, float]:
    """The shares of early verdicts, and the mean share of the questions that are read."""
    found = [read(law, mean, blocks, seed, known=known) for seed in range(resamples)]
    verdicts = [verdict for verdict, _ in found]
    return {
        "refused early": verdicts.count("refused") / resamples,
        "passed early": verdicts.count("pass") / resamples,
        "share of the pairs": round(float(np.mean([used for _, used in found])) / QUESTIONS, 3),
    }


def main() -> None:
    """Print the rates, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    started = time.process_time()
    blocks = plan(Design((Questions("set", tuple(map(str, range(QUESTIONS)))),)))
    made: dict[str, Any] = {"resamples": options.resamples, "questions": QUESTIONS, "at the margin": {}, "losses": {}}
    for name, law in {**LAWS, **PLAIN}.items():
        made["at the margin"][name] = both(law, blocks, -RULE.margin, options.resamples)
        print(name, made["at the margin"][name], flush=True)
    for name, law in PLAIN.items():
        for loss in (0.02, 0.03, 0.05):
            key = f"{name}, -{100 * loss:.0f}"
            made["losses"][key] = both(law, blocks, -loss, max(options.resamples // 5, 1))
            print(key, made["losses"][key], flush=True)
    made["largest refused early at the margin"] = max(
        one["known"]["refused early"] for one in made["at the margin"].values()
    )
    made["seconds"] = round(time.process_time() - started, 1)
    if options.out:
        options.out.write_text(json.dumps(made, indent=1) + "\n", "utf-8")


def both(law: Law, blocks: Blocks, mean: float, resamples: int) -> dict[str, dict[str, float]]:
    """The same candidates with and without known headroom."""
    return {
        name: population(law, blocks, mean, resamples, known=known)
        for name, known in (("known", True), ("unknown", False))
    }


if __name__ == "__main__":
    main()

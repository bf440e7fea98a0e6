"""The rule of significance on simulated differences whose truth is known: its level, its intervals, its corrections.

Differences of questions are like those of nDCG@10: half of them are exactly zero, the others heavy-tailed, symmetric
or skewed (more losses than wins, the wins larger). In a parallel set the languages of a question share three quarters
of the variance. The same data are also judged as if every language asked questions of its own, which is the fault that
the rule prevents, and by Student's t.

    OPENBLAS_NUM_THREADS=1 python benchmarks/significance.py --out benchmarks/results/significance.json
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.measuring.statistics.design import Design, Floats64, Questions
from harness.measuring.statistics.difference import ALPHA, DesignPart, Difference, differences
from harness.measuring.statistics.equivalence import lower_bound, upper_bound

Generator = np.random.Generator
Law = Callable[[Generator, tuple[int, ...]], Floats64]
ZERO = 0.5
"""The share of questions on which two systems have the same value."""
SHARED = 0.75
"""Of the variance of a question's difference, between its languages."""
EFFECT = 0.03
MARGIN = 0.01
SYSTEMS = 10


def symmetric(generator: Generator, shape: tuple[int, ...]) -> Floats64:
    """Mean 0, standard deviation 0.2."""
    return generator.laplace(0, 0.2 / math.sqrt(2), shape)


def skewed(generator: Generator, shape: tuple[int, ...]) -> Floats64:
    """Mean 0, standard deviation 0.19; with the zeros the skewness is 1.9."""
    return _two_sided(generator, shape, 0.35, 0.186)


def very_skewed(generator: Generator, shape: tuple[int, ...]) -> Floats64:
    """Mean 0, standard deviation 0.2; with the zeros the skewness is 4.5: four in five lose a little, one wins much."""
    return _two_sided(generator, shape, 0.2, 0.28)


def _two_sided(generator: Generator, shape: tuple[int, ...], share: float, win: float) -> Floats64:
    """This share wins by exponential amounts with the mean `win`; the others lose what balances it."""
    wins, loss = generator.random(shape) < share, win * share / (1 - share)
    found: Floats64 = np.where(wins, generator.exponential(win, shape), -generator.exponential(loss, shape))
    return found


LAWS: dict[str, Law] = {"symmetric": symmetric, "skewed": skewed, "very skewed": very_skewed}


@dataclass(frozen=True)
class Case:
    """What is drawn: collections of their own, or one parallel set."""

    collections: int
    questions: int
    parallel: bool = False

    @property
    def name(self) -> str:
        """For the table."""
        if self.collections == 1:
            return f"1 collection, {self.questions:,} questions"
        if self.parallel:
            return f"{self.questions:,} questions in {self.collections} languages"
        return f"{self.collections} collections of {self.questions:,} questions"

    def design(self, *, parallel: bool | None = None) -> Design:
        """By questions; with `parallel=False` every language has questions of its own."""
        joined = self.parallel if parallel is None else parallel
        ids = tuple(map(str, range(self.questions)))
        names = ["set" if joined else f"set {place}" for place in range(self.collections)]
        return Design(tuple(Questions(name, ids) for name in names))

    def draw(self, law: Law, runs: int, generator: Generator, means: Sequence[float] | None = None) -> list[Floats64]:
        """Differences of `runs` systems, float64 [runs, questions] for each collection, with these true means."""
        shape = (runs, self.questions)
        shared, found = law(generator, shape), []
        for mean in means or [0.0] * self.collections:
            own = law(generator, shape)
            if self.parallel:
                own = math.sqrt(SHARED) * shared + math.sqrt(1 - SHARED) * own
            moved = generator.random(shape) >= ZERO
            found.append(np.where(moved, own + mean / (1 - ZERO), 0.0))
        return found


CASES = (
    Case(1, 20), Case(1, 50), Case(1, 200), Case(1, 1000), Case(10, 20), Case(10, 100), Case(5, 20, parallel=True),
    Case(10, 20, parallel=True), Case(5, 50, parallel=True), Case(10, 50, parallel=True), Case(10, 200, parallel=True),
    Case(10, 1000, parallel=True),
)  # fmt: skip


def single(case: Case, law: Law, runs: int, generator: Generator) -> dict[str, float]:
    """One difference at a time: how often p <= 5 % without an effect, and how often the interval holds the effect."""
    null, moved = (case.draw(law, runs, generator, [mean] * case.collections) for mean in (0.0, EFFECT))
    spread = np.linspace(-0.1, 0.1, case.collections)
    uneven = case.draw(law, runs, generator, (EFFECT + spread).tolist())
    worse = case.draw(law, runs, generator, [-MARGIN] * case.collections)
    found = {
        "level": _level(case.design(), null),
        "level, Student's t": _rejected(case.design(), null),
        "coverage": _coverage(case.design(), moved),
        "not worse by mistake": _passed(case.design(), worse),
    }
    if case.collections > 1:
        found["coverage, uneven effects"] = _coverage(case.design(), uneven)
    if case.parallel:
        apart = case.design(parallel=False)
        found |= {
            "level, languages as queries": _level(apart, null),
            "coverage, languages as queries": _coverage(apart, moved),
            "not worse by mistake, languages as queries": _passed(apart, worse),
        }
    return found


def _of(design: Design, deltas: Sequence[Floats64]) -> list[Difference]:
    """Every run by itself; the signs are the same, for the questions are."""
    return [one.macro for one in differences(design, deltas)]


def _level(design: Design, deltas: Sequence[Floats64]) -> float:
    return float(np.mean([one.p <= ALPHA for one in _of(design, deltas)]))


def _coverage(design: Design, deltas: Sequence[Floats64]) -> float:
    return float(np.mean([one.interval[0] <= EFFECT <= one.interval[1] for one in _of(design, deltas)]))


def _rejected(design: Design, deltas: Sequence[Floats64]) -> float:
    """How often Student's t on the sums of the questions rejects an average of 0."""
    rows = [[own[run] for own in deltas] for run in range(len(deltas[0]))]
    outside = [lower_bound(design, own, ALPHA / 2) > 0 or upper_bound(design, own, ALPHA / 2) < 0 for own in rows]
    return float(np.mean(outside))


def _passed(design: Design, deltas: Sequence[Floats64]) -> float:
    """How often the gate's lower bound lies above the margin, of systems that are worse by exactly the margin."""
    runs = range(len(deltas[0]))
    return float(np.mean([lower_bound(design, [own[run] for own in deltas], ALPHA) > -MARGIN for run in runs]))


def family(case: Case, law: Law, runs: int, generator: Generator, *, real: int) -> dict[str, float]:
    """Ten systems against one baseline, the first `real` of them better: how often any other is called different."""
    design, false, raw, power = case.design(), 0, 0, 0.0
    for _ in range(runs):
        baseline = case.draw(law, 1, generator)
        own = case.draw(law, SYSTEMS, generator)
        deltas = [(new - old) / math.sqrt(2) for new, old in zip(own, baseline, strict=True)]
        for moved in deltas:
            moved[:real] += 2 * EFFECT
        found = _of(design, deltas)
        false += any(one.significant for one in found[real:])
        raw += any(one.p <= ALPHA for one in found[real:])
        power += float(np.mean([one.significant for one in found[:real]])) if real else 0.0
    return _shares(false, raw, power, runs, real)


def local(case: Case, law: Law, runs: int, generator: Generator, *, real: int) -> dict[str, float]:
    """The collections of one system, the first `real` of them better: how often any other is called different."""
    means = [2 * EFFECT] * real + [0.0] * (case.collections - real)
    parts = [DesignPart((place,), (1.0,)) for place in range(case.collections)]
    every = differences(case.design(), case.draw(law, runs, generator, means), [parts])
    false = sum(any(one.significant for one in own.local[0][real:]) for own in every)
    raw = sum(any(one.p <= ALPHA for one in own.local[0][real:]) for own in every)
    power = sum(float(np.mean([one.significant for one in own.local[0][:real]])) for own in every) if real else 0.0
    return _shares(false, raw, power, runs, real)


def _shares(false: int, raw: int, power: float, runs: int, real: int) -> dict[str, float]:
    found = {"any false mark": false / runs, "any false mark, uncorrected": raw / runs}
    return found | {"true ones marked": power / runs} if real else found


MACRO_FAMILIES = (Case(1, 50), Case(1, 300), Case(10, 50, parallel=True))
LOCAL_FAMILIES = (Case(10, 50), Case(10, 50, parallel=True), Case(10, 200, parallel=True))


def simulated(runs: int, seed: int) -> dict[str, object]:
    """Everything that is reported."""
    found: dict[str, object] = {"runs": runs, "seed": seed}
    for place, (name, law) in enumerate(LAWS.items()):
        generator = np.random.default_rng([seed, place])
        found[name] = {
            "one difference": {case.name: single(case, law, _fewer(case, runs), generator) for case in CASES},
            "10 systems": {
                f"{case.name}, {real} of 10 differ": family(case, law, runs // 4, generator, real=real)
                for case in MACRO_FAMILIES for real in (0, 5)
            },
            "10 collections of one system": {
                f"{case.name}, {real} of 10 differ": local(case, law, runs // 2, generator, real=real)
                for case in LOCAL_FAMILIES for real in (0, 5)
            },
        }  # fmt: skip
    return found


def _fewer(case: Case, runs: int) -> int:
    return runs if case.collections * case.questions <= 1000 else runs // 4


def main() -> None:
    """Print the rates, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the result here, as JSON")
    options = parser.parse_args()
    started = time.process_time()
    result = simulated(options.runs, options.seed)
    result["processor_seconds"] = round(time.process_time() - started, 1)
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

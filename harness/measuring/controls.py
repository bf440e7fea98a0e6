"""Rerankers whose value is known before they run: if one of them surprises, the measurement is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from adapters.errors import UsageError, did_you_mean
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.measuring.chance import Floats64
from harness.measuring.judged import Judged
from harness.measuring.measures import Measure, expect
from harness.measuring.ranking import Scores, ranks

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MASK = (1 << 64) - 1


def control_scores(name: str, judged: Judged, seed: int = 0) -> Scores:
    """The scores, float32 aligned with the run's documents, that a control gives the candidates.

    - `identity`: the first stage's order with its ties resolved; its values are the first stage's, to the last bit
    - `reverse`: that order upside down
    - `constant`: 1 for every candidate; what the tie rule alone is worth
    - `random`: a hash of seed, query and document; its mean is `expected_random`
    - `oracle`, `anti-oracle`: by grade, unjudged as 0; the ceiling and the floor of these candidates

    Raises:
        UsageError: there is no such control.
    """
    control = _CONTROLS.get(name)
    if control is None:
        raise UsageError(f"unknown control '{name}'.{did_you_mean(name, _CONTROLS)}")
    return control(judged, seed)


def noisy_oracle(judged: Judged, noise: float, seed: int = 0) -> Scores:
    """The oracle with this share of its labels replaced by a number out of nowhere: at 0 the ceiling, at 1 chance."""
    drawn, other = _random(judged, seed), _random(judged, ~seed)
    grades = judged.oracle()
    return np.where(drawn < noise, other * grades.max(initial=1), grades).astype(np.float32)


def length_scores(collection: Collection, run: Run) -> Scores:
    """Characters of every candidate: what an order by length alone is worth."""
    documents, inverse = np.unique(run.documents, return_inverse=True)
    lengths = np.array([len(text) for text in collection.corpus.take(documents)], np.float32)
    return lengths[inverse]


def expected_random(judged: Judged, measures: Sequence[Measure]) -> Floats64:
    """Chance: the exact expectation over all orders of the candidates, float64 [len(measures), queries]."""
    pool, ideal = judged.pool, judged.ideal
    return np.array([expect(measure, pool, ideal) for measure in measures]).reshape(len(measures), judged.queries)


def _identity(judged: Judged, _seed: int) -> Scores:
    return -_reverse(judged, 0)


def _reverse(judged: Judged, _seed: int) -> Scores:
    return ranks(judged.run).astype(np.float32)


def _constant(judged: Judged, _seed: int) -> Scores:
    return np.ones(len(judged.run.documents), dtype=np.float32)


def _random(judged: Judged, seed: int) -> Scores:
    state = np.full(1, seed & _MASK, dtype=np.uint64)
    for part in (judged.run.queries, judged.run.documents):
        state = mixed(mixed(state) + part.astype(np.uint64))
    # 24 bits are what a float32 in [0, 1) holds without rounding.
    return (state >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)


def _oracle(judged: Judged, _seed: int) -> Scores:
    return judged.oracle()


def _anti_oracle(judged: Judged, _seed: int) -> Scores:
    return -judged.oracle()


def mixed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit of the word."""
    words = words + _STEP
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


_CONTROLS: dict[str, Callable[[Judged, int], Scores]] = {
    "identity": _identity,
    "reverse": _reverse,
    "constant": _constant,
    "random": _random,
    "oracle": _oracle,
    "anti-oracle": _anti_oracle,
}
CONTROLS = tuple(_CONTROLS)

"""Controls: rankings with known values. If a control has another value, the measurement is broken."""

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
    """Return a control's scores for the candidates, float32 aligned with the run's documents.

    - `identity`: the first stage's order with its ties resolved. The values are bit-identical to the first stage's.
    - `reverse`: that order reversed.
    - `constant`: 1 for every candidate. The value shows the effect of the tie rule alone.
    - `random`: a hash of seed, query and document. The mean over seeds is `expected_random`.
    - `oracle`, `anti-oracle`: by grade, unjudged as 0. The highest and the lowest value of these candidates.

    Raises:
        UsageError: the control is unknown.
    """
    control = _CONTROLS.get(name)
    if control is None:
        raise UsageError(f"unknown control '{name}'.{did_you_mean(name, _CONTROLS)}")
    return control(judged, seed)


def noisy_oracle(judged: Judged, noise: float, seed: int = 0) -> Scores:
    """Return the oracle's scores with a share `noise` of its labels replaced by random numbers. 0 is the oracle, 1 is
    chance."""
    drawn, other = _random(judged, seed), _random(judged, ~seed)
    grades = judged.oracle()
    return np.where(drawn < noise, other * grades.max(initial=1), grades).astype(np.float32)


def length_scores(collection: Collection, run: Run) -> Scores:
    """Return the number of characters of every candidate as its score."""
    documents, inverse = np.unique(run.documents, return_inverse=True)
    lengths = np.array([len(text) for text in collection.corpus.take(documents)], np.float32)
    return lengths[inverse]


def expected_random(judged: Judged, measures: Sequence[Measure]) -> Floats64:
    """Return the exact expectation over all orders of the candidates, float64 [len(measures), queries]."""
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
    # A float32 in [0, 1) holds 24 bits without rounding.
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

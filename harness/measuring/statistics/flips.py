"""Random sign flips: the distribution of a difference if the two systems were the same.

If they were, the difference of every question could have had the other sign (Fisher 1935; for retrieval Smucker, Allan
and Carterette 2007). The signs of a question depend only on its set and its id, so all systems, measures and tables use
the same flips on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import shake_128

import numpy as np

from harness.measuring.statistics.design import Floats64, Questions

FLIPS = 10_000
_BLOCK = 64
"""Number of questions whose signs are in memory at once."""


def flipped_sums(questions: Questions, values: Floats64) -> Floats64:
    """Return the sums of the values whose sign is flipped, float64 [systems, FLIPS].

    If S is the sum of all values, the sum with the flipped signs is S - 2 x the returned sum.

    Args:
        values: float64 [systems, queries].
    """
    sums = np.zeros((len(values), FLIPS))
    for first in range(0, len(questions.ids), _BLOCK):
        names = questions.ids[first : first + _BLOCK]
        sums += values[:, first : first + len(names)] @ _flipped(questions.drawn_from, names)
    return sums


def _flipped(drawn_from: str, ids: Sequence[str]) -> Floats64:
    """1 where the sign of a question is flipped, else 0; float64 [questions, FLIPS]."""
    drawn = b"".join(shake_128(_name(drawn_from, id)).digest(FLIPS // 8) for id in ids)
    return np.unpackbits(np.frombuffer(drawn, np.uint8).reshape(len(ids), -1), axis=1).astype(np.float64)


def _name(drawn_from: str, id: str) -> bytes:
    return f"{drawn_from}\0{id}".encode("utf-8", "surrogatepass")

"""Signs that are flipped at random: what a difference would be if the two systems were the same.

If they were, every question's difference could have had the other sign (Fisher 1935; for retrieval Smucker, Allan and
Carterette 2007). The signs of a question follow from its set and its id alone. So all systems, measures and tables see
the same flips, whatever else is compared, on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import shake_128

import numpy as np

from harness.measuring.statistics.design import Floats64, Questions

FLIPS = 10_000
_BLOCK = 64
"""Questions whose signs are in memory at once."""


def flipped_sums(questions: Questions, values: Floats64) -> Floats64:
    """The sums of the values whose sign is flipped, float64 [systems, FLIPS], of values float64 [systems, queries].

    With the sum of all values S, the sum under the flipped signs is S - 2 x the one that is given here.
    """
    found = np.zeros((len(values), FLIPS))
    for first in range(0, len(questions.ids), _BLOCK):
        names = questions.ids[first : first + _BLOCK]
        found += values[:, first : first + len(names)] @ _flipped(questions.drawn_from, names)
    return found


def _flipped(drawn_from: str, ids: Sequence[str]) -> Floats64:
    """1 where the sign of a question is flipped, else 0; float64 [questions, FLIPS]."""
    drawn = b"".join(shake_128(_name(drawn_from, id)).digest(FLIPS // 8) for id in ids)
    return np.unpackbits(np.frombuffer(drawn, np.uint8).reshape(len(ids), -1), axis=1).astype(np.float64)


def _name(drawn_from: str, id: str) -> bytes:
    return f"{drawn_from}\0{id}".encode("utf-8", "surrogatepass")

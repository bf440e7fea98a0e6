"""Judgments for many answers at once: each computation asks for the pairs that it needs next, and one call of the judge
answers all of them, each distinct pair once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Generator, Sequence
from typing import TypeVar

import numpy as np

from adapters.errors import EnvironmentFailure, MissingExtra, ModelError
from adapters.identity import text_digest
from adapters.protocols import Judge

T = TypeVar("T")
Pair = tuple[str, str]
"""A premise and a claim."""
Asking = Generator[Sequence[Pair], Sequence[float], T]
"""A computation that yields the pairs that it needs next and is sent their values, in the same order: 0 to 1, NaN where
the judge gave none. It must not depend on anything else, so that it can be run together with others."""

_FAILURES = (EnvironmentFailure, TimeoutError, ConnectionError)
_TOGETHER = 4096
"""The number of pairs in one call of the judge; if a call fails, only its pairs are missing."""


class Verdicts:
    """The values of a judge for pairs of premise and claim, each asked for once.

    Args:
        judge: says how far a premise supports a claim.
        together: the largest number of pairs in one call.
    """

    def __init__(self, judge: Judge, together: int = _TOGETHER) -> None:
        self.judge = judge
        self.missing: Counter[str] = Counter()
        """For each reason why the judge gave no value, the number of pairs."""
        self._together = together
        self._known = dict[bytes, float]()

    @property
    def asked(self) -> int:
        """The number of distinct pairs that were asked for."""
        return len(self._known)

    def of(self, pairs: Sequence[Pair]) -> list[float]:
        """Return the values of pairs; NaN for those that the judge gave none for.

        Raises:
            ModelError: the judge gave values outside [0, 1], or another number of values than pairs, or failed on every
                pair that it was asked for.
        """
        keys = [_key(pair) for pair in pairs]
        new = {key: pair for key, pair in zip(keys, pairs, strict=True) if key not in self._known}
        wanted = list(new.items())
        for first in range(0, len(wanted), self._together):
            part = wanted[first : first + self._together]
            self._known.update(zip([key for key, _ in part], self._judged([pair for _, pair in part]), strict=True))
        return [self._known[key] for key in keys]

    def _judged(self, pairs: Sequence[Pair]) -> list[float]:
        try:
            found = self.judge.judge([premise for premise, _ in pairs], [claim for _, claim in pairs])
        except MissingExtra:
            raise
        except _FAILURES as error:
            reason = (str(error).splitlines() or [""])[0] or type(error).__name__
            self.missing[reason] += len(pairs)
            return [math.nan] * len(pairs)
        return self._checked(np.asarray(found, np.float64), pairs)

    def _checked(self, values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], pairs: Sequence[Pair]) -> list[float]:
        if values.shape != (len(pairs),):
            raise ModelError(f"{self.judge.name}: {values.shape} values for {len(pairs)} pairs; give one for each")
        for value, (_, claim) in zip(values, pairs, strict=True):
            if not math.isnan(value) and not 0 <= value <= 1:
                what = f"{self.judge.name}: the value {value:g} for the claim {claim[:60]!r}"
                raise ModelError(f"{what} is not in [0, 1]; a judge gives shares, not raw scores")
        if lost := int(np.isnan(values).sum()):
            self.missing["no number (NaN)"] += lost
        return [float(value) for value in values]


def _key(pair: Pair) -> bytes:
    return text_digest(pair[0]) + text_digest(pair[1])


def answered(computations: Sequence[Asking[T]], verdicts: Verdicts) -> list[T]:
    """Run computations in rounds: all pairs that any of them needs next are judged together.

    Returns:
        the results, in the order of the computations.
    """
    whole = together(computations)
    try:
        pairs = next(whole)
        while True:
            pairs = whole.send(verdicts.of(pairs))
    except StopIteration as done:
        found: list[T] = done.value
        return found


def _advance(
    place: int,
    computation: Asking[T],
    values: Sequence[float] | None,
    results: dict[int, T],
    open_now: list[tuple[int, Asking[T], Sequence[Pair]]],
) -> None:
    try:
        pairs = next(computation) if values is None else computation.send(values)
    except StopIteration as done:
        results[place] = done.value
    else:
        open_now.append((place, computation, pairs))


def together(computations: Sequence[Asking[T]]) -> Asking[list[T]]:
    """Return one computation that runs several in the same rounds."""
    results = dict[int, T]()
    open_now = list[tuple[int, Asking[T], Sequence[Pair]]]()
    for place, computation in enumerate(computations):
        _advance(place, computation, None, results, open_now)
    while open_now:
        values = iter((yield [pair for _, _, pairs in open_now for pair in pairs]))
        waiting, open_now = open_now, []
        for place, computation, pairs in waiting:
            _advance(place, computation, [next(values) for _ in pairs], results, open_now)
    return [results[place] for place in range(len(results))]

"""The permutation trials: whether the output of a listwise reranker depends on the order of its input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from adapters.protocols import Floats, Integers, ListwiseReranker
from adapters.spec import open_ranker
from harness.checks.invariance import InvarianceFinding
from harness.checks.shift import MANY_TURNED, Verdict, shift, values
from harness.measuring.alarms.alarm import Alarm
from harness.scoring.ground import CandidatePool
from harness.scoring.listwise import CandidateList, candidate_lists, ordered
from harness.scoring.retrieve import bound

ORDERS = 5
_BROKEN = 0.4
"""The share of swapped pairs that is broken. It is one half if only the order of the input counts."""


class ListExamination:
    """The trials of a listwise reranker on a few candidates."""

    def __init__(self, spec: str, grounds: Sequence[CandidatePool]) -> None:
        self.spec, self.grounds = spec, grounds
        self._adapter = open_ranker(spec)
        self._asked = self._faulty = 0
        self.first = self._scores(None)
        self.again: list[Floats] = []
        """The scores of the same lists, scored again."""

    def findings(self) -> Iterator[InvarianceFinding]:
        """Yield every trial when it is done."""
        self.again = self._scores(None)
        same = shift(self.grounds, self.first, self.again)
        message = f"the same lists got another order: {100 * same.turned:.1f} % of the pairs of candidates are swapped"
        repeats = not same.largest
        yield InvarianceFinding(
            "again", "OK" if repeats else "suspicious", same, "", None if repeats else _dependent(message)
        )
        yield self._shuffled()
        yield self._outputs()

    def _shuffled(self) -> InvarianceFinding:
        found = [self._scores(seed) for seed in range(1, ORDERS + 1)]
        moved = [shift(self.grounds, self.first, scores) for scores in found]
        turned = float(np.mean([one.turned for one in moved]))
        worst = max(moved, key=lambda one: one.turned)
        means = [100 * self._mean(scores) for scores in (self.first, *found)]
        verdict: Verdict = "OK" if turned <= MANY_TURNED else "broken" if turned >= _BROKEN else "suspicious"
        note = f"the worst of {ORDERS} orders; nDCG@10 from {min(means):.2f} to {max(means):.2f}"
        message = f"the order of the input swaps {100 * turned:.1f} % of the pairs of candidates; {note.split('; ')[1]}"
        return InvarianceFinding(
            "shuffled lists", verdict, worst, note, None if verdict == "OK" else _dependent(message)
        )

    def _outputs(self) -> InvarianceFinding:
        if not self._faulty:
            return InvarianceFinding("outputs", "OK", note=f"{self._asked} permutations")
        message = f"{self._faulty} of {self._asked} outputs were not permutations of the list"
        verdict: Verdict = "broken" if 2 * self._faulty > self._asked else "suspicious"
        return InvarianceFinding("outputs", verdict, note=message, alarm=Alarm("malformed-output", message))

    def _mean(self, scores: Sequence[Floats]) -> float:
        each = [values(ground, some) for ground, some in zip(self.grounds, scores, strict=True)]
        return float(np.concatenate(each).mean())

    def _scores(self, seed: int | None) -> list[Floats]:
        return [self._on(ground, seed) for ground in self.grounds]

    def _on(self, ground: CandidatePool, seed: int | None) -> Floats:
        collection = ground.collection
        reranker: ListwiseReranker = bound(self._adapter, collection, None, collection.rules.instruction)  # type: ignore[assignment]
        scores = np.zeros(len(ground.candidates), np.float32)
        for one in candidate_lists(collection, ground.candidates):
            random = np.random.default_rng([0 if seed is None else seed, one.query])
            shown = np.arange(len(one.documents)) if seed is None else random.permutation(len(one.documents))
            scores[one.rows] = self._asks(reranker, ground, one, shown)[one.place]
        return scores

    def _asks(self, reranker: ListwiseReranker, ground: CandidatePool, one: CandidateList, shown: Integers) -> Floats:
        """Return minus the position of each document in the output, with the documents shown in the order `shown`."""
        texts = ground.collection.corpus.take(one.documents[shown])
        found = ordered(reranker, ground.collection.queries[one.query], texts)
        self._asked, self._faulty = self._asked + 1, self._faulty + bool(found.faults)
        scores = np.empty(len(shown), np.float32)
        scores[shown[found.order]] = -np.arange(len(shown), dtype=np.float32)
        return scores


def _dependent(message: str) -> Alarm:
    return Alarm("order-dependent", message)

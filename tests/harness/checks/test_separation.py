"""A model that reads query and document glued together is not believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from adapters.batching import input_digest
from adapters.protocols import Floats, IndexPairs, Scored
from harness.checks.separation import PROBES, separation
from harness.measuring.alarms.alarm import is_hard
from tests.tiny_collection import Place


class Reads:
    """Says what its input is."""

    between = ""

    def __init__(self) -> None:
        self.identity = {"adapter": type(self).__name__}
        self.asked = 0

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        return np.concatenate([part.scores for part in self.stream(queries, documents, pairs)])

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        self.asked += len(pairs)
        inputs = [f"{queries[query]}{self.between}{documents[document]}" for query, document in pairs]
        digests = np.array([self.digest(text) for text in inputs], np.uint64)
        unknown = np.full(len(pairs), -1, np.int32)
        yield Scored(np.arange(len(pairs)), np.arange(len(pairs), dtype=np.float32), unknown, unknown, digests)

    def digest(self, text: str) -> int:
        return input_digest(list(text.encode()))


class Separates(Reads):
    between = "\n"


class SaysNothing(Reads):
    def digest(self, text: str) -> int:
        return 0


def test_glued_inputs_raise_a_hard_alarm(place: Place) -> None:
    with place.session() as session:
        (alarm,) = separation("glue", Reads(), session, to_score=True)
    assert alarm.name == "no-separator"
    assert is_hard("no-separator")
    assert "'1 2' with '3' and '1 ' with '23' are the same input" in alarm.message


@pytest.mark.parametrize("kind", [Separates, SaysNothing])
def test_separated_or_unknown_inputs_raise_nothing(place: Place, kind: type[Reads]) -> None:
    with place.session() as session:
        assert separation("fine", kind(), session, to_score=True) == ()


def test_the_probe_is_paid_once_and_never_where_nothing_is_scored(place: Place) -> None:
    with place.session() as session:
        reranker = Reads()
        assert separation("glue", reranker, session, to_score=False) == ()
        assert reranker.asked == 0
        for _ in range(2):
            assert separation("glue", reranker, session, to_score=True)
        assert separation("glue", reranker, session, to_score=False)
        assert reranker.asked == 2 * len(PROBES)

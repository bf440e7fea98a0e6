"""The overlap with the test queries. What a user would lose: seeing which queries had an easier test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adapters.protocols import Floats
from harness.data.collection import Collection
from tests.tiny_collection import Place
from training.corpus import asking
from training.utility.overlap import overlap_of
from training.utility.sets import CorpusQueries, Query, real_set, without_test_queries


class Vectors:
    """One vector for each first word."""

    name = "first words"

    def encode(self, texts: list[str], role: str) -> Floats:
        words = sorted({"what", "who", "where"})
        return np.array([[float(text.split()[0] == word) for word in words] for text in texts], np.float32)


DOCUMENTS = {"d1": "the river runs north", "d2": "the king died in 1204", "d3": "iron melts", "d4": "bees dance"}
TEST = {"t1": "what direction does the river run", "t2": "who died in 1204 of the kings"}
JUDGED = [("t1", "d1", 1), ("t2", "d2", 1), ("t2", "d3", 0)]


@pytest.fixture
def test_collection(place: Place) -> Collection:
    return place.load(place.beir("own", DOCUMENTS, TEST, JUDGED))


def queries(test: Collection, *texts: str, document: str | None = None) -> CorpusQueries:
    found = tuple(Query(f"q{place}", text, document) for place, text in enumerate(texts))
    return CorpusQueries("synthetic", asking(test, [], []), "own", "en", found, len(found))


def test_what_was_removed_is_counted_by_how_it_resembled_a_test_query(test_collection: Collection) -> None:
    cleaned = without_test_queries(
        queries(
            test_collection, "What direction does the river run?", "what direction does the river run to",
            "please tell me now and quickly: what direction does the river run", "do bees dance",
        ),
        test_collection,
    )  # fmt: skip
    assert overlap_of(cleaned, test_collection).removed == {
        "the same as a test query": 1, "nearly the same as a test query": 1, "with a test query inside": 1,
    }  # fmt: skip
    assert [one.text for one in cleaned.queries] == ["do bees dance"]


def test_the_rest_is_as_near_as_its_nearest_test_query(test_collection: Collection) -> None:
    one = overlap_of(queries(test_collection, "what direction does the river run"), test_collection)
    assert one.letters.median == one.letters.p95 == one.letters.highest == 1
    nothing = overlap_of(queries(test_collection, "?!"), test_collection)
    assert nothing.letters.highest == 0, "a text without letters resembles nothing"
    far = overlap_of(queries(test_collection, "zzz", "what direction does it run"), test_collection)
    assert 0 <= far.letters.median < far.letters.highest < 1


def test_trigrams_in_common_are_counted_as_by_hand(test_collection: Collection) -> None:
    text = "who died in 1205"

    def grams(words: str) -> set[str]:
        marked = f"\x02{words}\x03"
        return {marked[at : at + 3] for at in range(len(marked) - 2)}

    expected = max(len(grams(text) & grams(other)) / len(grams(text) | grams(other)) for other in TEST.values())
    assert overlap_of(queries(test_collection, text), test_collection).letters.highest == pytest.approx(expected)


def test_vectors_see_what_letters_do_not_and_are_missing_without_an_embedder(test_collection: Collection) -> None:
    asked = queries(test_collection, "what is iron", "where do bees dance")
    assert overlap_of(asked, test_collection).vectors is None
    vectors = overlap_of(asked, test_collection, Vectors()).vectors  # type: ignore[arg-type]
    assert vectors is not None and (vectors.median, vectors.highest) == (0.5, 1)


def test_a_document_of_a_test_query_that_is_trained_on_is_counted_in_both_kinds_of_sets(
    place: Place, test_collection: Collection
) -> None:
    test = test_collection
    assert overlap_of(queries(test, "which river", document="d1"), test).same_document == 0.5
    assert overlap_of(queries(test, "does iron melt", document="d3"), test).same_document == 0, "it is not relevant"
    texts, judged = {"x": DOCUMENTS["d2"], "y": "another"}, [("r", "x", 1), ("r", "y", 0)]
    trained = place.load(place.beir("train", texts, {"r": "which king"}, judged))
    assert overlap_of(real_set(trained, "train"), test).same_document == 0.5, "ids differ, texts do not"
    nothing = replace(real_set(trained, "train"), queries=(Query("r", "which king", grades={1: 0}),))
    assert overlap_of(nothing, test).same_document == 0

"""The round trip. What a user would lose: the warning that queries are too easy, or cannot be answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tiny_collection import CORPUS, FIRST, Place
from training.corpus import corpus_of
from training.validating.difficulty import measure, within
from training.validating.measured import ValidationRow
from training.validating.searching import searched, searched_together, source_ranks
from training.validating.sets import QuerySet, Sets
from training.validating.two_samples import wasserstein

COPIED = tuple(CORPUS[name] for name in ("d1", "d2", "d4", "d5", "d6"))
"""Documents whose whole text finds them first."""


def ranks_of(place: Place, one: QuerySet, depth: int = 3) -> list[int]:
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    with place.session() as session:
        return [int(rank) for rank in source_ranks(one, corpus, searched(one, corpus, FIRST, depth, session), depth)]


def measured(place: Place, sets: Sets, depth: int = 3) -> list[ValidationRow]:
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    with place.session() as session:
        return measure(sets, corpus, [FIRST], session, depth=depth)


def test_ranks_by_hand(place: Place) -> None:
    place.beir()
    one = QuerySet(
        "synthetic",
        ("the mill turns at low tide", "ferry in winter tide", "the ferry", "bread"),
        (CORPUS["d2"], CORPUS["d1"], CORPUS["d3"], "a text that the corpus lacks"),
    )
    # the whole text is first; d4 and d6 share three words with the second, d1, d2 and d5 one, and the larger id is
    # first; of the third's words d3 has none
    assert ranks_of(place, one) == [1, 3, 4, 0]


def test_documents_with_the_same_text_are_the_same_document(place: Place) -> None:
    place.beir()
    assert CORPUS["d3"] == CORPUS["d7"]
    assert ranks_of(place, QuerySet("s", (CORPUS["d7"],), (CORPUS["d7"],)), 1) == [1]


def test_sets_that_are_searched_together_find_what_each_finds_alone(place: Place) -> None:
    place.beir()
    sets = [QuerySet("a", ("the mill", "bread in winter")), QuerySet("b", ("low tide",)), QuerySet("c", ("no ferry",))]
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    with place.session() as session:
        together = searched_together(sets, corpus, FIRST, 3, session)
        alone = [searched(one, corpus, FIRST, 3, session) for one in sets]
    for one, other in zip(together, alone, strict=True):
        assert one.offsets.tolist() == other.offsets.tolist()
        assert one.documents[one.order()].tolist() == other.documents[other.order()].tolist()
        assert one.scores[one.order()].tolist() == other.scores[other.order()].tolist()


def test_round_trip_rates_and_distance_by_hand() -> None:
    ranks = np.array([1.0, 1, 3, 6, 21])
    assert [within(ranks.astype(np.int64), k) for k in (1, 5, 20)] == [0.4, 0.6, 0.8]
    # sorted pairs: 1-1, 1-2, 3-3, 6-10, 21-21
    assert wasserstein(ranks, np.array([2.0, 10, 1, 21, 3])) == pytest.approx((1 + 4) / 5)


def test_queries_that_copy_are_easier_than_real_ones(place: Place) -> None:
    """Synthetic queries are their documents; real ones name another document's words."""
    place.beir()
    synthetic = QuerySet("synthetic", COPIED * 10, COPIED * 10)
    real = QuerySet("real", COPIED * 12, (COPIED[1:] + COPIED[:1]) * 12)
    rank, first, *_ = measured(place, Sets(synthetic, real))
    assert (rank.levels["synthetic"], first.levels["synthetic"], first.levels["real"]) == (1.0, 1.0, 0.0)
    assert rank.above_floor
    assert first.above_floor
    assert first.value == 1.0
    assert rank.parts["ranks"]["synthetic"] == [50, 0, 0, 0]
    assert sum(rank.parts["ranks"]["real"]) == 60
    assert rank.interval is not None


def test_without_real_queries_only_the_rates_are_reported(place: Place) -> None:
    place.beir()
    found = measured(place, Sets(QuerySet("synthetic", COPIED, COPIED)))
    assert [row.statistic for row in found] == ["Wasserstein-1", "RT@1", "RT@5", "RT@20"]
    assert all(row.value is None and "no real queries" in row.note for row in found)
    assert [row.levels["synthetic"] for row in found] == [1.0, 1.0, 1.0, 1.0]


def test_queries_without_a_document_are_counted_not_averaged(place: Place) -> None:
    place.beir()
    texts = (*COPIED, "who knows", "nobody")
    sets = Sets(QuerySet("synthetic", texts, (*COPIED, "", "a text that the corpus lacks")))
    rank, first, *_ = measured(place, sets)
    assert "2 of 7 synthetic queries have no document in the corpus" in rank.note
    assert (rank.levels["synthetic"], first.levels["synthetic"]) == (1.0, 1.0)
    assert sum(rank.parts["ranks"]["synthetic"]) == 5
    gone = measured(place, replace(sets, real=QuerySet("real", COPIED)))
    assert "5 of 5 real queries have no document" in gone[0].note


def test_each_first_stage_has_its_own_rows(place: Place) -> None:
    place.beir()
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    with place.session() as session:
        found = measure(Sets(QuerySet("synthetic", COPIED, COPIED)), corpus, [FIRST, "bm25"], session)
    assert len(found) == 8
    assert {row.name for row in found} >= {f"round trip, {FIRST}", "round trip, bm25"}

"""A sample of the queries is a collection of its own: reproducible, consistent, and never taken for the whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import UsageError
from harness.data.collection import Collection, Counts, GivenCandidates, Rules, counts_of_queries, sample_queries
from harness.data.columns import TextWriter, open_texts
from harness.data.qrels import Qrels


def collection_of(folder: Path, order: list[int]) -> Collection:
    """20 queries in some order; query i has the judgments (i, 1) and (i + 1, 0)."""
    with TextWriter(folder / "corpus.arrow") as corpus, TextWriter(folder / "queries.arrow") as queries:
        for i in range(21):
            corpus.add(f"d{i}", f"document {i}")
        for i in order:
            queries.add(f"q{i}", f"query {i}" if i else "")
    rows = np.array([[row, i + step, 1 - step] for row, i in enumerate(order) for step in (0, 1)], np.int32).T
    qrels = Qrels(rows[0], rows[1], rows[2])
    given = GivenCandidates(np.arange(0, 41, 2), rows[1])
    texts = open_texts(folder / "queries.arrow")
    counts = Counts(
        documents=21,
        empty_documents=0,
        duplicate_texts=0,
        queries_without_judgments=3,
        **counts_of_queries(texts, qrels, given),
    )
    return Collection(
        name="x",
        split="test",
        language=None,
        corpus=open_texts(folder / "corpus.arrow"),
        queries=texts,
        qrels=qrels,
        given=given,
        rules=Rules(),
        counts=counts,
        fingerprint="of the whole",
    )


@pytest.fixture
def whole(tmp_path: Path) -> Collection:
    return collection_of(tmp_path, list(range(20)))


def judged(collection: Collection) -> set[tuple[str, str, int]]:
    queries, documents = collection.queries.ids(), collection.corpus.ids()
    rows = zip(collection.qrels.queries, collection.qrels.documents, collection.qrels.grades, strict=True)
    return {(queries[q], documents[d], int(grade)) for q, d, grade in rows}


def test_judgments_and_lists_stay_with_their_queries(whole: Collection) -> None:
    sample = sample_queries(whole, 7)
    ids = sample.queries.ids()
    assert len(ids) == 7
    assert judged(sample) == {row for row in judged(whole) if row[0] in ids}
    assert sample.given is not None
    for row, query in enumerate(ids):
        listed = sample.given.documents[sample.given.offsets[row] : sample.given.offsets[row + 1]]
        assert listed.tolist() == [int(query[1:]), int(query[1:]) + 1]
    assert sample.given.offsets[-1] == len(sample.given.documents)


def test_counts_are_those_of_the_sample(whole: Collection) -> None:
    counts = sample_queries(whole, 7).counts
    assert (counts.queries, counts.judgments, counts.judged_zero) == (7, 14, 7)
    assert (counts.documents, counts.queries_without_judgments) == (21, 3)


def test_the_order_of_the_file_does_not_choose(tmp_path: Path, whole: Collection) -> None:
    (tmp_path / "other").mkdir()
    other = collection_of(tmp_path / "other", list(range(19, -1, -1)))
    assert set(sample_queries(other, 7).queries.ids()) == set(sample_queries(whole, 7).queries.ids())


def test_a_larger_sample_holds_the_smaller_and_another_seed_does_not(whole: Collection) -> None:
    small, large = sample_queries(whole, 5), sample_queries(whole, 12)
    assert set(small.queries.ids()) < set(large.queries.ids())
    assert sample_queries(whole, 5, seed=1).queries.ids() != small.queries.ids()


def test_a_sample_is_not_taken_for_the_whole(whole: Collection) -> None:
    sample = sample_queries(whole, 7)
    assert sample.sampled_from == 20
    assert len({whole.fingerprint, sample.fingerprint, sample_queries(whole, 8).fingerprint}) == 3
    assert sample.fingerprint == sample_queries(whole, 7).fingerprint
    assert sample.fingerprint != sample_queries(replace(whole, fingerprint="of another"), 7).fingerprint
    assert sample_queries(sample, 3).sampled_from == 20


def test_a_sample_as_large_as_the_whole_is_the_whole(whole: Collection) -> None:
    assert sample_queries(whole, 20) is whole
    assert sample_queries(whole, 1000) is whole


def test_a_sample_of_nothing_is_refused(whole: Collection) -> None:
    with pytest.raises(UsageError, match="a sample of 0 queries measures nothing"):
        sample_queries(whole, 0)


def test_a_collection_without_lists_is_sampled_without_lists(whole: Collection) -> None:
    assert sample_queries(replace(whole, given=None), 7).given is None


def test_queries_of_one_kind_of_judgment_are_counted() -> None:
    qrels = Qrels(*(np.array(column, np.int32) for column in ([0, 0, 1, 2], [0, 1, 0, 0], [1, 0, 0, 2])))
    counts = counts_of_queries(["x", "", "z"], qrels, GivenCandidates(np.array([0, 2, 3, 4]), qrels.documents))  # type: ignore[arg-type]
    assert counts == {
        "queries": 3,
        "empty_queries": 1,
        "judgments": 4,
        "judged_zero": 2,
        "queries_without_relevant": 1,
        "queries_all_relevant": 1,
    }

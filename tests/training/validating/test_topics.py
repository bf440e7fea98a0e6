"""Topics. What a user would lose: a floor that is drawn within articles calls real questions on other articles
synthetic."""

from __future__ import annotations

import numpy as np

from training.validating.sets import QuerySet, Sets
from training.validating.topics import LEAST, clustered, with_topics


def about(name: str, topics: int, start: int = 0, each: int = 8) -> QuerySet:
    """Queries about documents whose words show their topic."""
    draw = np.random.default_rng(start)
    documents = [
        " ".join([*(f"w{topic}x{int(at)}" for at in draw.integers(12, size=20)), f"only{topic}y{number}"])
        for topic in range(start, start + topics)
        for number in range(each)
    ]
    return QuerySet(name, tuple(f"query {at}" for at in range(len(documents))), tuple(documents), (), "en")


def test_documents_on_one_topic_share_a_number() -> None:
    found = with_topics(Sets(about("synthetic", 8), about("real", 8, start=100))).synthetic
    for topic in range(8):
        numbers = found.topics[8 * topic : 8 * topic + 8]
        assert max(numbers.count(one) for one in numbers) >= 6
    assert len(set(found.topics)) >= 4


def test_a_half_has_all_or_none_of_a_topic() -> None:
    real = with_topics(Sets(about("synthetic", 8), about("real", 10, start=100))).real
    assert real is not None
    for seed in range(10):
        first, second = real.halves(np.random.default_rng(seed))
        assert not set(first.topics) & set(second.topics)
        assert len(first) + len(second) == len(real)
        assert min(len(first), len(second)) >= 0.2 * len(real)


def test_a_document_of_two_sets_has_one_topic() -> None:
    one, other = about("synthetic", 8), about("real", 8)
    found = with_topics(Sets(one, other))
    assert found.real is not None and found.synthetic.topics == found.real.topics


def test_few_documents_or_one_large_topic_keep_the_groups() -> None:
    few = Sets(about("synthetic", 1, each=LEAST - 1))
    assert with_topics(few).synthetic.topics == ()
    same = QuerySet("synthetic", ("a",) * 60, ("the mill " * 3,) * 50 + tuple(f"word{n} sea{n}" for n in range(10)))
    assert with_topics(Sets(same, about("real", 8))).synthetic.topics == ()


def test_queries_without_a_document_are_topics_of_their_own() -> None:
    whole = about("synthetic", 8)
    assert whole.documents is not None
    bare = QuerySet("synthetic", whole.texts, ("", "", *whole.documents[2:]), (), "en")
    topics = with_topics(Sets(bare)).synthetic.topics
    assert topics[0] < 0 and topics[1] < 0 and topics[0] != topics[1]


def test_clusters_by_hand() -> None:
    rows = np.array([[1.0, 0.0], [0.99, 0.14], [0.0, 1.0], [0.14, 0.99]])
    found = clustered(rows / np.linalg.norm(rows, axis=1, keepdims=True), 2, 0)
    assert found[0] == found[1] and found[2] == found[3]

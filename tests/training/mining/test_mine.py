"""Queries get candidates. What a user would lose: documents that one retriever never finds, and honest sources."""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from harness.data.runs import build
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place
from tests.training.loop import HASH, mined
from training.corpus import corpus_of
from training.mining.mine import mine, read_queries
from training.mining.pool import ABSENT, load, union
from training.teaching.lesson import lesson_of


def test_the_pool_is_the_union_and_says_who_found_what(place: Place) -> None:
    manifest = mined(place, depth=2)
    pool = load(place.path / "pool")
    assert manifest["pairs"] == len(pool)
    assert [row["retriever"] for row in manifest["contributions"]] == [FIRST, HASH]
    # A rank for every candidate of each retriever, once; everything else was added as a source.
    for column in range(2):
        assert sorted(pool.ranks[:, column][pool.ranks[:, column] >= 0]) == sorted([0, 1] * manifest["asked"])
    lonely = (pool.ranks == ABSENT).all(axis=1)
    assert (pool.is_source[lonely]).all()
    assert manifest["sources_added"] == lonely.sum()


def test_every_query_has_its_source_in_the_pool_once(place: Place) -> None:
    manifest = mined(place, depth=1)
    pool = load(place.path / "pool")
    per_query = np.bincount(pool.queries[pool.is_source], minlength=manifest["asked"])
    assert per_query.tolist() == [1] * manifest["asked"]


def test_a_source_that_no_retriever_found_is_in_the_pool() -> None:
    names = [str(row) for row in range(9)]
    found = build(
        np.array([0, 2, 3]), np.array([1, 2, 5]), np.array([1.0, 2.0, 1.0]), lambda rows: [names[r] for r in rows]
    )
    pool = union([found, found], np.array([7, ABSENT]), 9)
    assert (pool.offsets.tolist(), pool.documents.tolist()) == ([0, 3, 4], [1, 2, 7, 5])
    assert pool.is_source.tolist() == [False, False, True, False]
    assert pool.ranks.tolist() == [[1, 1], [0, 0], [ABSENT, ABSENT], [0, 0]]


def test_one_retriever_is_not_enough(place: Place) -> None:
    with pytest.raises(UsageError, match="at least two different retrievers"):
        mined(place, (FIRST, FIRST))


def test_a_second_run_finds_the_pool_finished(place: Place) -> None:
    assert mined(place) == mined(place)
    with pytest.raises(UsageError, match="holds another job"):
        mined(place, depth=4)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ('{"_id": "a", "text": "x", "document": "d99"}', r"queries\.jsonl:2: the corpus has no document 'd99'"),
        ('{"_id": "s", "text": "x"}', r"queries\.jsonl:2: the id 's' occurs twice"),
        ('{"_id": "a"}', r"queries\.jsonl:2: field 'text' is missing"),
    ],
)
def test_a_wrong_line_is_named(place: Place, line: str, answer: str) -> None:
    corpus = corpus_of(str(place.beir()), place.workspace)
    file = place.path / "queries.jsonl"
    file.write_text('{"_id": "s", "text": "x", "document": "d1"}\n' + line + "\n")
    with pytest.raises(DataError, match=answer):
        read_queries(file, corpus)


def test_each_query_keeps_the_language_that_it_declares(place: Place) -> None:
    """A pool of questions in two languages would lose them, and its examples would be of no language."""
    corpus = corpus_of(str(place.beir()), place.workspace)
    file, rows = (
        place.path / "both.jsonl",
        [("a", "when is low tide", "en"), ("b", "wann ist Ebbe", "de"), ("c", "tide", None)],
    )
    file.write_text("".join(json.dumps({"_id": id_, "text": text, "language": one}) + "\n" for id_, text, one in rows))
    asked, out = read_queries(file, corpus), place.path / "pool"
    assert asked.declared == ("en", "de", None) and asked.language is None
    with place.session() as session:
        mine(corpus, str(place.path / "coll"), asked, [FIRST, HASH], 3, out, session)
    assert read_queries(out, corpus).declared == ("en", "de", None)
    teaching_set = lesson_of(out, corpus)
    assert [teaching_set.language_of(row) for row in range(3)] == ["en", "de", corpus.language]


def test_queries_without_a_source_are_welcome(place: Place) -> None:
    corpus = corpus_of(str(place.beir()), place.workspace)
    file = place.path / "real.jsonl"
    file.write_text('{"_id": "s", "text": "when is low tide"}\n')
    assert read_queries(file, corpus).sources.tolist() == [ABSENT]


def test_a_damaged_pool_is_refused(place: Place) -> None:
    mined(place)
    file = place.path / "pool" / "pool.npz"
    sound = file.read_bytes()
    for damage in (
        b"PK",
        *(sound[:at] + bytes([sound[at] ^ 255]) + sound[at + 1 :] for at in range(40, len(sound), 40)),
    ):
        file.write_bytes(damage)
        with suppress(DataError):  # where the content is still the same
            load(place.path / "pool")
    file.write_bytes(sound[:-1])
    advice = "mine the pool again into an empty folder"
    with pytest.raises(DataError, match=rf"pool\.npz: it cannot be read \(.*\); {advice}"):
        load(place.path / "pool")


def test_the_command_shows_where_the_sources_were_found(place: Place, command: Command) -> None:
    mined(place)
    options = (
        "--corpus",
        place.path / "coll",
        "--queries",
        place.path / "q",
        "--retriever",
        FIRST,
        "--retriever",
        HASH,
    )
    run = (*options, "--depth", 3, "--out", place.path / "pool", "--workspace", place.workspace.path)
    said = command("train", "mine", *run)
    assert said.code == 0
    assert "source first" in said.out
    assert json.loads(command("train", "mine", *run, "--json").out)["depth"] == 3

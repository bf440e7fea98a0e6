"""Reranking rows bring their candidates; nothing about ids or order may tell which candidate is relevant."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from adapters.identity import text_digest

ROWS = (
    {"id": "a", "query": "boat", "positive": ["leaves at nine"], "negative": ["bread", "mill"]},
    {"id": 2, "query": "bread", "positive": ["bread"], "negative": ["mill"]},
)


def test_a_document_is_its_text_and_is_there_once(session: Any) -> None:
    collection = session.load(session.rows(ROWS))
    texts = ["leaves at nine", "bread", "mill"]
    assert sorted(collection.corpus) == sorted(texts)
    assert collection.corpus.ids() == sorted(text_digest(text).hex() for text in texts)
    assert collection.queries.ids() == ["a", "2"]
    assert (collection.name, collection.split) == ("rows", "test")


def test_labels_are_grades_and_the_lists_hold_every_candidate(session: Any) -> None:
    collection = session.load(session.rows(ROWS))
    relevant = {
        (collection.queries[q], collection.corpus[d])
        for q, d, grade in zip(
            collection.qrels.queries, collection.qrels.documents, collection.qrels.grades, strict=True
        )
        if grade
    }
    assert relevant == {("boat", "leaves at nine"), ("bread", "bread")}
    assert collection.given.offsets.tolist() == [0, 3, 5]
    assert (collection.counts.judgments, collection.counts.judged_zero) == (5, 3)


def test_swapping_the_labels_changes_neither_ids_nor_rows_nor_lists(session: Any) -> None:
    swapped = [{**row, "positive": row["negative"], "negative": row["positive"]} for row in ROWS]
    one, other = session.load(session.rows(ROWS)), session.load(session.rows(swapped, "swapped.jsonl"))
    assert one.corpus.ids() == other.corpus.ids()
    assert one.given.offsets.tolist() == other.given.offsets.tolist()
    assert one.given.documents.tolist() == other.given.documents.tolist()
    assert one.fingerprint != other.fingerprint


def test_lists_are_sorted_by_document_id(session: Any) -> None:
    given = session.load(session.rows(ROWS)).given
    for start, end in zip(given.offsets[:-1], given.offsets[1:], strict=True):
        assert (np.diff(given.documents[start:end]) > 0).all()


def test_a_text_that_one_row_lists_twice_is_one_candidate_and_is_counted(session: Any) -> None:
    rows = [{"id": "a", "query": "x", "positive": ["p"], "negative": ["n", " n ", "", ""]}]
    collection = session.load(session.rows(rows))
    assert collection.given.offsets.tolist() == [0, 3]
    assert collection.counts.repeated_candidates == 2
    assert collection.counts.empty_documents == 1


def test_contradicting_labels_are_refused_unless_declared(session: Any) -> None:
    rows = [ROWS[0], {"id": "b", "query": "x", "positive": ["p", "n"], "negative": ["n"]}]
    file = session.rows(rows)
    assert session.refused(DataError, file).startswith(
        "rows.jsonl:2: 'n' is both positive and negative; correct it, or"
    )
    collection = session.load(file, rules=session.rules('allow = ["contradicting-labels"]'))
    assert collection.counts.let_through == {"contradicting-labels": 1}
    assert collection.qrels.grades[collection.qrels.queries == 1].tolist() == [1, 1]


def test_one_sided_rows_stay_and_are_counted(session: Any) -> None:
    rows = [
        {"id": "a", "query": "x", "positive": [], "negative": ["n"]},
        {"id": "b", "query": "y", "positive": ["p"], "negative": []},
        {"id": "c", "query": "z", "positive": [], "negative": []},
    ]
    counts = session.load(session.rows(rows)).counts
    assert counts.queries == 2
    assert counts.queries_without_relevant == 1
    assert counts.queries_all_relevant == 1
    assert counts.queries_without_judgments == 1


def test_rows_without_ids_are_numbered(session: Any) -> None:
    rows = [{"query": "x", "positive": ["p"], "negative": []}] * 2
    assert session.load(session.rows(rows)).queries.ids() == ["row-1", "row-2"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ('["x"]', "a list, not a JSON object"),
        ('{"query": "x", "positive": []}', "field 'negative' is missing"),
        ('{"query": "x", "negative": []}', "field 'positive' is missing"),
        ('{"positive": [], "negative": []}', "field 'query' is missing"),
        ('{"query": 3, "positive": [], "negative": []}', "field 'query' is a number; write text"),
        ('{"query": ["x", "y"], "positive": ["p"], "negative": []}', "field 'query' is a list; write one row for each"),
        ('{"query": "x", "positive": [1], "negative": []}', "field 'positive' is a number; write text"),
        ('{"query": "x", "positive": [], "negative": [null]}', "field 'negative' is null; write text"),
        ('{"id": "", "query": "x", "positive": ["p"], "negative": []}', "an empty id"),
        ('{"id": "x y", "query": "x", "positive": ["p"], "negative": []}', "id 'x y' has white space"),
        ('{"id": "a", "query": "x", "positive": ["p"], "negative": []}', "query id 'a' is already in line 1"),
    ],
)
def test_a_bad_row_is_named(session: Any, line: str, message: str) -> None:
    assert session.refused(DataError, session.rows([ROWS[0], line])).startswith(f"rows.jsonl:2: {message}")


def test_rows_of_files_that_were_put_together_may_begin_with_byte_order_marks(session: Any) -> None:
    rows = [{"query": name, "positive": [f"p{name}"], "negative": ["n"]} for name in "xyz"]
    file = session.rows([f"\ufeff{json.dumps(row)}" for row in rows])
    assert session.load(file).queries.ids() == ["row-1", "row-2", "row-3"]


@pytest.mark.parametrize("rows", [[], [{"query": "x", "positive": [], "negative": []}]])
def test_a_file_without_candidates_is_refused(session: Any, rows: list[object]) -> None:
    assert session.refused(DataError, session.rows(rows)).startswith("rows.jsonl:1: ")


def test_a_repeated_query_id_that_is_declared_keeps_the_first_row(session: Any) -> None:
    rows = [*ROWS, {"id": "a", "query": "again", "positive": ["p"], "negative": []}]
    collection = session.load(session.rows(rows), rules=session.rules('allow = ["duplicate-ids"]'))
    assert collection.counts.let_through == {"duplicate-ids": 1}
    assert list(collection.queries) == ["boat", "bread"]
    assert "p" not in list(collection.corpus)


def test_a_folder_has_one_file_for_each_split_plain_or_gzipped(session: Any) -> None:
    session.rows(ROWS, "qa/test.jsonl")
    packed = "".join(json.dumps(row) + "\n" for row in ROWS)
    (session.path / "qa" / "dev.jsonl.gz").write_bytes(gzip.compress(packed.encode()))
    test, dev = session.load(session.path / "qa"), session.load(session.path / "qa", split="dev")
    assert test.fingerprint == dev.fingerprint
    assert [(c.name, c.split) for c in (test, dev)] == [("qa", "test"), ("qa", "dev")]
    message = session.refused(UsageError, session.path / "qa", split="tset")
    assert message == "qa: no split 'tset'. Did you mean test? Available: dev, test."


def test_a_single_file_named_after_a_split_is_that_split_of_its_folder(session: Any) -> None:
    collection = session.load(session.rows(ROWS, "qa/dev.jsonl"))
    assert (collection.name, collection.split) == ("qa", "dev")
    assert session.refused(UsageError, session.path / "qa" / "dev.jsonl", split="test").endswith("Available: dev.")


def test_a_split_that_lies_there_plain_and_gzipped_is_refused(session: Any) -> None:
    session.rows(ROWS, "qa/test.jsonl")
    (session.path / "qa" / "test.jsonl.gz").write_bytes(b"")
    assert "plain and gzipped" in session.refused(DataError, session.path / "qa")

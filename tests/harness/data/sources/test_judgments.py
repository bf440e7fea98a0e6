"""Judgments that cannot be trusted are refused with their line; what a rule lets through is counted."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import DataError

LINE = "coll/qrels/test.tsv:2: "


@pytest.mark.parametrize(
    ("qrels", "message"),
    [
        ("q1\td1\t1\nq9\td1\t1\n", "query 'q9' is not in queries.jsonl"),
        ("q1\td1\t1\nq1\td9\t1\n", "document 'd9' is not in corpus.jsonl"),
        ("q1\td1\t1\nq1\td1\t1\n", "document 'd1' is already judged for query 'q1' in line 1; "),
        ("q1\td1\t1\nq1\td1\t0\n", "document 'd1' is already judged for query 'q1' in line 1, with grade 1 there"),
        ("q1\td1\t1\nq1\td2\t0.5\n", "grade '0.5' is not a whole number"),
        ("q1\td1\t1\nq1\td2\tyes\n", "grade 'yes' is not a whole number"),
        ("q1\td1\t1\nq1\td2\t1_0\n", "grade '1_0' is not a whole number"),
        ("q1\td1\t1\nq1\td2\t99999999999\n", "grade '99999999999' is above 1,000,000"),
        ("q1\td1\t1\nq1\td2\n", "2 columns, not 3"),
        ("q1\td1\t1\nq1\t0\td2\t1\n", "4 columns, not 3"),
        ("q1\td1\t1\nq1\t\t1\n", "an empty id"),
        ("q1\td1\t1\nq1\td 2\t1\n", "id 'd 2' has white space"),
    ],
)
def test_a_bad_judgment_is_named(session: Any, qrels: str, message: str) -> None:
    assert session.refused(DataError, session.beir(qrels=qrels)).startswith(LINE + message)


def test_bytes_that_are_not_utf8_are_named_by_line_and_byte(session: Any) -> None:
    folder = session.beir()
    (folder / "qrels" / "test.tsv").write_bytes(b"q1\td1\t1\nq\xff\td1\t1\n")
    assert session.refused(DataError, folder).startswith(LINE + "byte 2 (0xff) is not UTF-8")


def test_a_first_judgment_with_a_broken_grade_is_not_taken_for_a_header(session: Any) -> None:
    message = session.refused(DataError, session.beir(qrels="q1\td1\tl\nq2\td3\t1\n"))
    assert message.startswith("coll/qrels/test.tsv:1: grade 'l' is not a whole number")


def test_a_single_wrong_column_count_is_refused_in_the_first_line(session: Any) -> None:
    message = session.refused(DataError, session.beir(qrels="q1 d1\n"))
    assert message.startswith("coll/qrels/test.tsv:1: 2 columns, not 3")


def test_judgments_of_another_collection_are_refused_even_if_unknown_queries_are_allowed(session: Any) -> None:
    message = session.refused(DataError, session.beir(qrels="z1 d1 1\n", rules='allow = ["unknown-queries"]'))
    assert message.startswith("coll/qrels/test.tsv:1: no judged query is in queries.jsonl")


@pytest.mark.parametrize(
    ("name", "qrels", "grades", "count"),
    [
        ("unknown-queries", "q1 d1 1\nq9 d1 1\nq8 d1 1\n", [1], 2),
        ("unknown-documents", "q1 d1 1\nq1 d9 1\n", [1], 1),
        ("repeated-judgments", "q1 d1 1\nq1 d1 1\nq1 d1 1\n", [1], 2),
        ("contradicting-labels", "q1 d1 1\nq1 d1 0\nq1 d1 3\n", [3], 2),
    ],
)
def test_declared_dirt_has_one_effect_and_is_counted(
    session: Any, name: str, qrels: str, grades: list[int], count: int
) -> None:
    assert f'declare allow = ["{name}"]' in session.refused(DataError, session.beir("refused", qrels=qrels))
    collection = session.load(session.beir("allowed", qrels=qrels, rules=f'allow = ["{name}"]'))
    assert collection.qrels.grades.tolist() == grades
    assert collection.counts.let_through == {name: count}


def test_a_rule_allows_only_what_it_names(session: Any) -> None:
    folder = session.beir(qrels="q1 d1 1\nq1 d1 0\n", rules='allow = ["repeated-judgments"]')
    assert "contradicting-labels" in session.refused(DataError, folder)


def test_a_query_whose_only_documents_are_unknown_stays_in_the_denominator(session: Any) -> None:
    folder = session.beir(qrels="q1 d1 1\nq2 d9 1\n", rules='allow = ["unknown-documents"]')
    counts = session.load(folder).counts
    assert (counts.queries, counts.queries_without_relevant) == (2, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"q1": {"d1": 1},\n\n"q2": {"d3": 1},\n"q1": {"d2": 1}}', "4: the key 'q1' occurs twice; write it once"),
        ('{"q2": {"d1": 0},\n"q1": {"d1": 1,\n"d1": 2}}', "3: the key 'd1' occurs twice; write it once"),
        ('{"q1": {"d1": 1,\n"d\\u0031": 2}}', "2: the key 'd1' occurs twice; write it once"),
        ('{"query-id": "q1", "corpus-id": "d1", "score": 1, "score": 2}', "1: the key 'score' occurs twice"),
        ('{"q1":' * 100_000, "1: not JSON (nested too deeply); write "),
        ('{"q1": {"d1": ' + "[" * 100_000 + "\n}}", "1: not JSON (nested too deeply); write "),
        ('{"q1": {"d1": 1},\n\n"q2": }', "3: not JSON (column 7: Expecting value); write "),
        ('{"q1": {"d1": ' + "9" * 5000 + "}}", "1: a whole number of more than 4,300 digits; write "),
        ('{"q1": {"d1": ' + "9" * 400 + "}}", "1: grade '99999"),
    ],
)  # fmt: skip
def test_judgments_in_json_that_are_no_clear_judgments_are_named(session: Any, content: str, message: str) -> None:
    assert session.refused(DataError, session.beir(qrels=content)).startswith(f"coll/qrels/test.tsv:{message}")


def test_a_very_long_name_of_a_column_is_refused_in_one_line(session: Any) -> None:
    content = '{"query-id": "q1", "corpus-id": "d1", "score' + "- " * 300 + '": 2}\n'
    assert session.refused(DataError, session.beir(qrels=content)).startswith("coll/qrels/test.tsv:1: fields query-id")

"""What a folder in BEIR's layout becomes, and what is refused of it, with the line."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from adapters.identity import text_digests

D1 = {"_id": "d1", "title": "Ferry", "text": "The boat leaves at nine."}
D2 = {"_id": "d2", "text": "The mill turns."}
D3 = {"_id": "d3", "text": "Bread."}
Q1 = {"_id": "q1", "text": "boat"}
Q2 = {"_id": "q2", "text": "bread"}


def test_title_and_text_are_joined_once_and_ids_digests_and_rows_fit_together(session: Any) -> None:
    collection = session.load(session.beir())
    assert list(collection.corpus) == [
        "Ferry The boat leaves at nine.",
        "The mill turns at low tide.",
        "Bread is sold until noon.",
    ]
    assert collection.corpus.ids() == ["d1", "d2", "d3"]
    assert (collection.corpus.digests == text_digests(collection.corpus)).all()
    assert (collection.name, collection.split, collection.language) == ("coll", "test", None)


def test_judgments_are_rows_sorted_by_query_and_document(session: Any) -> None:
    qrels = session.load(session.beir(qrels="q2\td3\t1\nq1\td2\t0\nq1\td1\t2\n")).qrels
    assert qrels.queries.tolist() == [0, 0, 1]
    assert qrels.documents.tolist() == [0, 1, 2]
    assert qrels.grades.tolist() == [2, 0, 1]


def test_only_judged_queries_count_in_the_order_of_the_query_file(session: Any) -> None:
    queries = [{"_id": "q2", "text": "two"}, {"_id": "q9", "text": "nobody judged"}, {"_id": "q1", "text": "one"}]
    collection = session.load(session.beir(queries=queries))
    assert collection.queries.ids() == ["q2", "q1"]
    assert collection.counts.queries_without_judgments == 1
    assert collection.counts.queries == 2


def test_every_oddity_that_may_stay_is_counted(session: Any) -> None:
    corpus = [D1, {"_id": "d2", "title": None, "text": "  "}, {"_id": "d3", "text": "x"}, {"_id": "d4", "text": " x "}]
    counts = session.load(
        session.beir(corpus=corpus, qrels="q1 d1 0\nq2 d3 1\n", queries=[Q1, {**Q2, "text": ""}])
    ).counts
    assert (counts.documents, counts.empty_documents, counts.duplicate_texts) == (4, 1, 1)
    assert (counts.judgments, counts.judged_zero, counts.queries_without_relevant) == (2, 1, 1)
    assert counts.empty_queries == 1


def test_whole_numbers_may_be_ids(session: Any) -> None:
    collection = session.load(session.beir(corpus=[{"_id": 7, "text": "x"}], queries=[Q1], qrels="q1 7 1\n"))
    assert collection.corpus.ids() == ["7"]


def test_the_header_is_optional_and_trec_qrels_have_four_columns(session: Any) -> None:
    three = session.load(session.beir("a", qrels="q1\td1\t2\nq1\td2\t0\nq2\td3\t1\n"))
    four = session.load(session.beir("b", qrels="q1 0 d1 2\nq1 Q0 d2 0\n\nq2 0 d3 1\n"))
    with_header = session.load(session.beir("c"))
    assert three.fingerprint == four.fingerprint == with_header.fingerprint


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(session: Any) -> None:
    plain, windows = session.beir("a"), session.beir("b")
    for file in (windows / "corpus.jsonl", windows / "queries.jsonl", windows / "qrels" / "test.tsv"):
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert session.load(plain).fingerprint == session.load(windows).fingerprint


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"_id": "d2", "text": }', "not JSON (column 23: Expecting value)"),
        ('{"_id": "d2", "text": "x", "text": "y"}', "the key 'text' occurs twice; write it once"),
        ('{"_id": "d2", "text": "cut of', "not JSON (column 23: Unterminated string"),
        ("[" * 100_000, "not JSON (nested too deeply)"),
        ("[1, 2]", "a list, not a JSON object"),
        ('"d2"', "text, not a JSON object"),
        ('{"text": "no id"}', "field '_id' is missing"),
        ('{"_id": "d2", "text": 3}', "field 'text' is a number; write text"),
        ('{"_id": 1.5, "text": "x"}', "field '_id' is a number; write text or a whole number"),
        ('{"_id": true, "text": "x"}', "field '_id' is true or false; write text or a whole number"),
        ('{"_id": null, "text": "x"}', "field '_id' is null"),
        ('{"_id": "d2", "text": ["x"]}', "field 'text' is a list; write text"),
        ('{"_id": "d2", "text": "\\ud83d"}', "field 'text' has half a surrogate pair"),
        ('{"_id": "", "text": "x"}', "an empty id"),
        ('{"_id": "d 2", "text": "x"}', "id 'd 2' has white space"),
        ('{"_id": "d\\n2", "text": "x"}', "id 'd\\n2' has white space"),
        ('{"_id": "d1", "text": "again"}', "id 'd1' is already in line 1"),
    ],
)
@pytest.mark.parametrize("file", ["corpus", "queries"])
def test_a_bad_line_is_named(session: Any, line: str, message: str, file: str) -> None:
    good = {"_id": "d1", "text": "x"}
    folder = session.beir(**{"corpus": [good], "queries": [good], file: [good, "", line, D3]}, qrels="d1 d1 1\n")
    assert session.refused(DataError, folder).startswith(f"coll/{file}.jsonl:3: {message}")


def test_a_title_that_is_no_text_is_refused(session: Any) -> None:
    message = session.refused(DataError, session.beir(corpus=[D1, {"_id": "d2", "title": 3, "text": "x"}]))
    assert message.startswith("coll/corpus.jsonl:2: field 'title' is a number; write text")


def test_bytes_that_are_not_utf8_are_named_by_line_and_byte(session: Any) -> None:
    folder = session.beir()
    with (folder / "corpus.jsonl").open("ab") as file:
        file.write(b'{"_id": "caf\xe9", "text": "x"}\n')
    message = session.refused(DataError, folder)
    assert message.startswith("coll/corpus.jsonl:4: byte 13 (0xe9) is not UTF-8")


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_an_empty_file_is_refused(session: Any, name: str) -> None:
    folder = session.beir()
    (folder / name).write_text("\n")
    assert session.refused(DataError, folder).startswith(f"coll/{name}:1: ")


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_is_named(session: Any, name: str) -> None:
    folder = session.beir()
    (folder / name).unlink()
    assert session.refused(DataError, folder).startswith(f"coll/{name}: not found; a collection has corpus.jsonl")


def test_a_missing_qrels_folder_is_named(session: Any) -> None:
    folder = session.beir()
    (folder / "qrels" / "test.tsv").unlink()
    (folder / "qrels").rmdir()
    assert session.refused(DataError, folder).startswith("coll/qrels: no <split>.tsv with judgments;")


def test_a_wrong_split_is_answered_with_those_that_exist(session: Any) -> None:
    folder = session.beir()
    (folder / "qrels" / "train.tsv").write_text("q1 d1 1\n")
    message = session.refused(UsageError, folder, split="tain")
    assert message == "coll/qrels: no split 'tain'. Did you mean train? Available: test, train."


def test_without_a_test_split_one_has_to_be_named_unless_it_is_the_only_one(session: Any) -> None:
    folder = session.beir()
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    assert session.load(folder).split == "dev"
    (folder / "qrels" / "train.tsv").write_text("q1 d1 1\n")
    message = session.refused(UsageError, folder)
    assert message == "coll/qrels: no split 'test'; name one with --split: dev, train"
    assert session.load(folder, split="train").counts.queries == 1


def test_a_file_that_lies_there_plain_and_gzipped_is_refused(session: Any) -> None:
    folder = session.beir()
    (folder / "corpus.jsonl.gz").write_bytes(b"")
    assert "plain and gzipped" in session.refused(DataError, folder)


def test_an_allowed_duplicate_id_keeps_the_first_line_and_is_counted(session: Any) -> None:
    corpus = [D1, D2, {"_id": "d1", "text": "another boat"}, D3, {"_id": "d1", "text": "a third"}]
    collection = session.load(session.beir(corpus=corpus, rules='allow = ["duplicate-ids"]\n'))
    assert collection.corpus.ids() == ["d1", "d2", "d3"]
    assert collection.corpus[0].startswith("Ferry")
    assert collection.qrels.documents.tolist() == [0, 1, 2]
    assert collection.counts.let_through == {"duplicate-ids": 2}


def test_allowed_white_space_in_ids_becomes_an_underscore_in_texts_and_judgments(session: Any) -> None:
    corpus = [{"_id": "Geneva Durben", "text": "likes limes"}, {"_id": "x", "text": "y"}, {"_id": "x", "text": "z"}]
    rules = 'allow = ["white-space-ids", "duplicate-ids"]\n'
    folder = session.beir(corpus=corpus, queries=[Q1], qrels="q1\tGeneva Durben\t1\n", rules=rules)
    collection = session.load(folder)
    assert collection.corpus.ids() == ["Geneva_Durben", "x"]
    assert collection.counts.let_through == {"duplicate-ids": 1, "white-space-ids": 1}

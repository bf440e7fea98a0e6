"""Rows of others are targets as they are: every form of one collection is one collection, and no grade is made up."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from adapters.errors import DataError
from harness.data.collection import Collection
from harness.data.sources.row_files import row_records

QUERIES = (
    ("why does bread rise", ["yeast makes gas"], ["rain falls", "salt melts ice"]),
    ("what is rain", ["drops fall from clouds"], ["bees dance", "yeast makes gas"]),
)
Rows = list[dict[str, Any]]


def passages(texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"docid": str(n), "title": "", "text": text} for n, text in enumerate(texts)]


FORMS: dict[str, Rows] = {
    "mteb": [{"query": q, "positive": p, "negative": n} for q, p, n in QUERIES],
    "one positive text": [{"query": q, "positive": p[0], "negative": n} for q, p, n in QUERIES],
    "FlagEmbedding": [{"query": q, "pos": p, "neg": n, "id": "7", "type": "normal"} for q, p, n in QUERIES],
    "Tevatron": [
        {"query": q, "positive_passages": passages(p), "negative_passages": passages(n)} for q, p, n in QUERIES
    ],
    "sentence-transformers' evaluator": [{"query": q, "positive": p, "documents": [*n, *p]} for q, p, n in QUERIES],
    "numbered negatives": [
        {"anchor": q, "positive": p[0], **{f"negative_{i}": text for i, text in enumerate(n, 1)}} for q, p, n in QUERIES
    ],
    "triplets": [{"anchor": q, "positive": p[0], "negative": text} for q, p, n in QUERIES for text in n],
    "lists with labels": [{"query": q, "docs": p + n, "labels": [1] + [0] * len(n)} for q, p, n in QUERIES],
    "pairs with labels under positive": [
        {"anchor": q, "positive": text, "label": float(text in p)} for q, p, n in QUERIES for text in p + n
    ],
    "lists with labels under answer": [
        {"query": q, "answer": p + n, "labels": [1] + [0] * len(n)} for q, p, n in QUERIES
    ],
    "numbered documents": [
        {"query": q, "document_1": p[0], "document_2": n[0], "document_3": n[1], "scores": [1, 0, 0]}
        for q, p, n in QUERIES
    ],
    "triplets of answers": [{"query": q, "answer": p[0], "negative": text} for q, p, n in QUERIES for text in n],
    "sentence1 and sentence2": [
        {"sentence1": q, "sentence2": text, "label": int(text in p)} for q, p, n in QUERIES for text in p + n
    ],
    "numbered hard negatives": [
        {"Query": q, "Positive": p[0], **{f"hard_neg-{i}": text for i, text in enumerate(n, 1)}} for q, p, n in QUERIES
    ],
    "two kinds of negatives": [
        {
            "question": q,
            "positive_ctxs": passages(p),
            "negative_ctxs": passages(n[1:]),
            "hard_negative_ctxs": passages(n[:1]),
        }
        for q, p, n in QUERIES
    ],
    "hard negatives": [{"query": q, "pos_docs": p, "hardNegatives": n} for q, p, n in QUERIES],
    "pairs that are relevant or not": [
        {"query": q, "passage": text, "isRelevant": text in p} for q, p, n in QUERIES for text in p + n
    ],
    "pairs with labels": [
        {"query": q, "passage": text, "label": float(text in p)} for q, p, n in QUERIES for text in p + n
    ],
}


def judged(collection: Collection) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = {}
    qrels = collection.qrels
    for q, d, grade in zip(qrels.queries, qrels.documents, qrels.grades, strict=True):
        found.setdefault(collection.queries[q], {})[collection.corpus[d]] = int(grade)
    return found


def given(collection: Collection) -> list[set[str]]:
    lists = collection.given
    bounds = zip(lists.offsets[:-1], lists.offsets[1:], strict=True)
    return [set(collection.corpus.take(lists.documents[start:stop])) for start, stop in bounds]


def write(file: Path, rows: Rows) -> Path:
    name = file.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        parquet.write_table(pa.Table.from_pylist(rows), file)
        return file
    text = json.dumps(rows) if name.endswith(".json") else "".join(f"{json.dumps(row)}\n" for row in rows)
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())
    return file


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "json", "parquet"])
def test_every_form_has_the_same_judgments_and_candidates(session: Any, form: str, ending: str) -> None:
    collection = session.load(write(session.path / f"rows.{ending}", FORMS[form]))
    assert judged(collection) == {q: {**dict.fromkeys(p, 1), **dict.fromkeys(n, 0)} for q, p, n in QUERIES}
    assert given(collection) == [{*p, *n} for _, p, n in QUERIES]
    assert collection.name == "rows"


@pytest.mark.parametrize("header", ["query\tpassage\tlabel", '"Query"\t"passage"\t"label"'])
def test_texts_in_quotation_marks_are_read_as_csv_reads_them(session: Any, header: str) -> None:
    """Otherwise a quoted header would be a triple of texts, and a text in quotation marks another document."""
    file = session.path / "pairs.tsv"
    file.write_text(f'{header}\n"what is ""rain"""\t"drops fall"\t"1"\nwhat is "rain"\ta "dry" day\t0\n')
    assert judged(session.load(file)) == {'what is "rain"': {"drops fall": 1, 'a "dry" day': 0}}


def test_quotation_marks_without_a_header_belong_to_the_text(session: Any) -> None:
    file = session.path / "triples.tsv"
    file.write_text('what is rain\t"drops fall"\tbees dance\n')
    assert judged(session.load(file)) == {"what is rain": {'"drops fall"': 1, "bees dance": 0}}


@pytest.mark.parametrize("header", ["", "query\tpositive\tnegative\n"])
def test_triples_of_ms_marco_are_put_together_by_query(session: Any, header: str) -> None:
    file = session.path / "triples.tsv"
    file.write_text(header + "".join(f"{q}\t{p[0]}\t{text}\n" for q, p, n in QUERIES for text in n))
    assert judged(session.load(file)) == {q: {**dict.fromkeys(p, 1), **dict.fromkeys(n, 0)} for q, p, n in QUERIES}


def test_labels_of_several_levels_are_grades(session: Any) -> None:
    rows = [{"query": "q", "docs": ["a", "b", "c"], "labels": [3, 0, -1]}]
    collection = session.load(session.rows(rows))
    assert judged(collection) == {"q": {"a": 3, "b": 0, "c": 0}}
    assert collection.counts.let_through == {"negative-grades": 1}


def test_a_positive_that_is_not_among_the_documents_is_judged_and_no_candidate(session: Any) -> None:
    collection = session.load(session.rows([{"query": "q", "positive": ["missed", "a"], "documents": ["b", "a"]}]))
    assert judged(collection) == {"q": {"missed": 1, "a": 1, "b": 0}}
    assert given(collection) == [{"a", "b"}]


def test_scores_and_prompts_are_no_judgments_and_are_counted(session: Any) -> None:
    row = {"query": "q", "pos": ["a"], "neg": ["b"], "pos_scores": [0.1], "neg_scores": [0.9], "prompt": "Is it?"}
    collection = session.load(session.rows([row, {**row, "query": "r"}]))
    assert judged(collection) == {"q": {"a": 1, "b": 0}, "r": {"a": 1, "b": 0}}
    assert (collection.counts.let_through, collection.counts.shares) == ({"unused-fields": 2}, {})


def test_ids_are_taken_from_the_field_that_the_form_has(session: Any) -> None:
    rows = [{"query_id": 7, "query": "q", "positive_passages": passages(["a"]), "negative_passages": passages(["b"])}]
    assert session.load(session.rows(rows)).queries.ids() == ["7"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"query": ["x", "y"], "positive": ["a"], "negative": []}, "field 'query' is a list; write one row for each"),
        ({"query": "x", "answer": "a"}, "field 'negative' is missing; a target also needs texts that are not"),
        ({"query": "x", "answer": "a", "documents": ["b"]}, "field 'positive' is missing; rows have 'query' with"),
        ({"query": "x", "positive": ["a", "b"], "label": 1}, "field 'label' has a number for 2 texts in 'positive'"),
        ({"anchor": "x", "positive": "a"}, "field 'negative' is missing; a target also needs texts that are"),
        ({"query": "x", "pos": ["a"]}, "field 'negative' is missing; a target also needs texts that are not relevant"),
        ({"query": "x", "documents": ["a", "b"], "scores": [0.9, 0.1]}, "0.9 is not a grade; a target needs whole"),
        ({"query": "x", "docs": ["a", "b"], "labels": [1]}, "field 'labels' has 1 values for 2 texts in 'docs'"),
        ({"query": "x", "docs": ["a"], "labels": ["yes"]}, "'labels' has text that is not a finite number"),
        ({"query": "x", "pos": ["a"], "positive": ["b"], "negative": []}, "the fields 'positive' and 'pos' could both"),
        ({"query": "x", "passage": "a", "label": 1, "score": 0.5}, "the fields 'label' and 'score' could both be"),
        ({"query": "x", "pos": ["a"], "positives": ["b"], "neg": []}, "the fields 'pos' and 'positives' could both be"),
        ({"query": "x", "positive": ["a"], "negative": ["b"], "documents": ["c"]}, "the row has both 'negative' and"),
        ({"query": "x", "passage": "a", "label": None}, "field 'label' is null; write a number, or leave the row out"),
        ({"query": "x", "passage": "a", "sim": 0}, "nothing reads the field 'sim', and the row has no label; rename"),
        ({"query": "x", "positive": "a", "negative": "b", "rejected": "c"}, "nothing reads the texts of 'rejected'"),
        ({"query": "x", "title": "t", "passage": "a", "label": 1}, "nothing reads the text of 'title'; join it with"),
        ({"query": "x", "positive": "a", "negative": None, "label": 1}, "field 'negative' is null, so the numbers of"),
        ({"query": "x", "positive": ["a"], "negative": [{"body": "b"}]}, "field 'negative' is an object; write text"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused_with_its_line(session: Any, row: dict[str, Any], message: str) -> None:
    assert session.refused(DataError, session.rows([FORMS["mteb"][0], row])).startswith(f"rows.jsonl:2: {message}")


def test_ids_in_the_place_of_texts_are_refused(session: Any) -> None:
    file = session.path / "qidpidtriples.tsv"
    file.write_text("121352\t2912791\t7282917\n")
    assert session.refused(DataError, file).startswith("qidpidtriples.tsv:1: ids or labels instead of texts; write")


def test_a_text_with_both_labels_in_two_rows_of_a_query_contradicts(session: Any) -> None:
    rows = [{"anchor": "q", "positive": "a", "negative": "b"}, {"anchor": "q", "positive": "b", "negative": "c"}]
    assert "'b' is both positive and negative" in session.refused(DataError, session.rows(rows))
    collection = session.load(session.rows(rows), rules=session.rules('allow = ["contradicting-labels"]'))
    assert judged(collection) == {"q": {"a": 1, "b": 1, "c": 0}}


@pytest.mark.parametrize("name", ["reranker__example_data__normal__examples", "embedder__example_data__retrieval__nq"])
def test_real_files_of_flagembedding_are_targets(session: Any, data: Path, name: str) -> None:
    collection = session.load(data / "flagembedding-examples" / f"{name}.jsonl")
    assert collection.counts.queries >= 5
    assert collection.counts.let_through["unused-fields"] == collection.counts.queries


@pytest.mark.parametrize("name", ["id", "_id"])
@pytest.mark.parametrize("form", ["pairs with labels", "triplets", "numbered negatives"])
def test_an_id_of_each_pair_or_triplet_is_not_that_of_a_query(session: Any, form: str, name: str) -> None:
    rows = [{name: number, **row} for number, row in enumerate(FORMS[form])]
    found, plain = session.load(session.rows(rows)), session.load(session.rows(FORMS[form], "plain.jsonl"))
    assert judged(found) == judged(plain) and given(found) == given(plain)
    assert found.fingerprint == plain.fingerprint


@pytest.mark.parametrize("name", ["query_id", "qid", "query-id"])
def test_pairs_of_one_query_id_are_one_query_whatever_the_ids_of_the_rows(session: Any, name: str) -> None:
    rows = [{"id": n, name: f"q{row['query']}", **row} for n, row in enumerate(FORMS["pairs with labels"])]
    rows = [{**row, name: row[name].replace(" ", "")} for row in rows]
    assert session.load(session.rows(rows)).queries.ids() == [f"q{q}".replace(" ", "") for q, _, _ in QUERIES]


def test_the_id_of_a_row_that_lists_all_texts_is_that_of_its_query(session: Any) -> None:
    rows = [{"id": f"q{n}", **row} for n, row in enumerate(FORMS["mteb"])]
    assert session.load(session.rows(rows)).queries.ids() == ["q0", "q1"]
    rows = [{"id": n, "query_id": f"q{n}", **row} for n, row in enumerate(FORMS["mteb"])]
    assert session.load(session.rows(rows, "both.jsonl")).queries.ids() == ["q0", "q1"]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("3000000000", "grade 3e+09 is above 1,000,000; write a small whole number"),
        ("1e300", "grade 1e+300 is above 1,000,000; write a small whole number"),
        ("9" * 400, "'label' has a number of more than 300 digits; write small numbers"),
    ],
)
def test_a_label_that_is_no_possible_grade_is_refused(session: Any, label: str, message: str) -> None:
    file = session.rows([FORMS["pairs with labels"][0], f'{{"query": "x", "text": "y", "label": {label}}}'])
    assert session.refused(DataError, file) == f"rows.jsonl:2: {message}"


@pytest.mark.parametrize("row", ['{"query": "x", "pos": ["a"], "neg": ["b"], "pos": ["c"]}'])
def test_a_repeated_key_of_a_row_is_refused(session: Any, row: str) -> None:
    message = "the key 'pos' occurs twice; write it once"
    assert session.refused(DataError, session.rows([FORMS["FlagEmbedding"][0], row])) == f"rows.jsonl:2: {message}"
    array = session.path / "rows.json"
    array.write_text(f"[{json.dumps(FORMS['FlagEmbedding'][0])},\n{row}]")
    assert session.refused(DataError, array) == f"rows.json:2: {message}"


def test_a_header_that_names_a_query_and_no_texts_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.tsv"
    file.write_text("query\tpasage\tlabel\na b\tc d\t1\n", "utf-8")
    with pytest.raises(DataError, match=r"rows\.tsv:1: the header names a query, and no column with texts"):
        list(row_records(file))

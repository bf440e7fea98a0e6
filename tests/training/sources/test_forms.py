"""No label is made up: a null, an unknown column, a gap or a second scale is refused, with its line and name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from adapters.errors import DataError, UsageError
from training.examples import Example
from training.sources import read_examples
from training.teaching.teach import EXAMPLES

Row = dict[str, Any]
PAIR = {"query": "q", "passage": "a"}
TRIPLET = {"query": "q", "positive": "a", "negative": "b"}


def write(file: Path, *rows: Row) -> Path:
    if file.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(list(rows)), file)
    else:
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return file


def refused(file: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_examples(file)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{file.parent}/", "")


def table(file: Path, *lines: str) -> Path:
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return file


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("name", ["label", "labels", "score", "scores", "relevance", "Label", "is_relevant"])
@pytest.mark.parametrize("null", [None, float("nan")])
def test_a_label_that_is_null_is_refused(ending: str, name: str, null: object, tmp_path: Path) -> None:
    file = write(tmp_path / f"rows.{ending}", {**PAIR, name: 1.0}, {**PAIR, "passage": "b", name: null})
    assert f":2: field '{name.lower()}' is null; write a number, or leave the row out" in refused(file)


@pytest.mark.parametrize(
    "row",
    [{"query": "q", "answer": ["a", "b"], "labels": None}, {"query": "q", "docs": ["a", "b"], "labels": None},
     {"query": "q", "positive": ["a", "b"], "labels": float("nan")},
     {"query": "q", "positive": "a", "negative": None, "label": None}],
)  # fmt: skip
def test_null_labels_of_a_list_are_refused(row: Row, tmp_path: Path) -> None:
    assert "is null; write a number" in refused(write(tmp_path / "rows.jsonl", row))


@pytest.mark.parametrize("label", ["nan", "NaN", ""])
def test_a_label_of_a_table_that_is_no_number_is_refused(label: str, tmp_path: Path) -> None:
    file = table(tmp_path / "rows.tsv", "query\tpassage\tlabel", "q\ta\t1", f"q\tb\t{label}")
    assert refused(file).startswith("rows.tsv:3: ")


@pytest.mark.parametrize(
    "name",
    ["Label", "LABEL", "relevance-score", "relevanceScore", "similarity", "similarity_score", "is_relevant",
     "isRelevant", "is_duplicate", "teacher_score", "relevance_label"],
)  # fmt: skip
def test_the_usual_names_of_labels_are_read_in_any_spelling(name: str, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", {**PAIR, name: 0}, {**PAIR, "passage": "b", name: True})
    assert read_examples(file).rows == (Example("q", ("a", "b"), (0.0, 1.0)),)


@pytest.mark.parametrize("value", [0, 0.5, False, "0", "no", [0.5]])
@pytest.mark.parametrize("name", ["sim", "target", "rating", "grade", "gold", "relevent", "distance", "rank"])
def test_a_number_that_nothing_reads_is_refused_by_its_name(name: str, value: object, tmp_path: Path) -> None:
    message = refused(write(tmp_path / "rows.jsonl", {**PAIR, name: value}))
    assert message.startswith(f"rows.jsonl:1: nothing reads the field '{name}', and the row has no label; rename")


def test_a_class_that_nothing_reads_is_refused_by_its_name(tmp_path: Path) -> None:
    assert "'esci_label'" in refused(write(tmp_path / "rows.jsonl", {**PAIR, "esci_label": "irrelevant"}))
    assert "'sim'" in refused(table(tmp_path / "rows.tsv", "query\tpassage\tsim", "q\ta\t0.1"))


@pytest.mark.parametrize("name", ["negative_score", "margin", "positive_score", "neg_relevance_scores", "negative_ce"])
def test_scores_of_a_triplet_that_nothing_reads_are_refused(name: str, tmp_path: Path) -> None:
    assert f"'{name}'" in refused(write(tmp_path / "rows.jsonl", {**TRIPLET, name: 0.5}))


@pytest.mark.parametrize(("name", "value"), [("ranking", [1, 0]), ("ranks", [1.0, 2.0]), ("bge", [0.5, 0.25])])
def test_a_ranking_that_nothing_reads_is_refused(name: str, value: list[float], tmp_path: Path) -> None:
    """Otherwise a list that a teacher ordered would be trained on as relevant and not relevant."""
    assert f"'{name}'" in refused(write(tmp_path / "rows.jsonl", {**TRIPLET, name: value}))
    assert read_examples(write(tmp_path / "rows.jsonl", {**TRIPLET, "passage_ids": value})).rows[0].scores == (1.0, 0.0)


@pytest.mark.parametrize(
    "name",
    ["id", "idx", "_id", "doc_id", "docid", "passage_length", "num_tokens", "n_words", "year", "__index_level_0__"],
)
def test_ids_and_facts_about_a_text_are_no_labels(name: str, tmp_path: Path) -> None:
    assert read_examples(write(tmp_path / "rows.jsonl", {**PAIR, name: 7})).rows == (Example("q", ("a",), (1.0,)),)


@pytest.mark.parametrize(
    "lines",
    [
        ("text_a\ttext_b\tlabel", "how are you\thow do you do\t1", "how are you\twhere is it\t0"),
        ("question1\tquestion2\tis_duplicate", "how are you\thow do you do\t1"),
        ("q\td_pos\td_neg", "how are you\thow do you do\tnot at all"),
        ("frage\tgut\tschlecht", "how are you\thow do you do\tnot at all"),
        ("how are you\thow do you do\t1", "how are you\twhere is it\t0"),
        ("how are you\thow do you do\tyes", "how are you\twhere is it\tno"),
        ("12\thow are you\thow do you do", "13\thow are you\twhere is it"),
        ("s1\ts2\tgold", "how are you\thow do you do\t0.5", "how are you\twhere is it\t0.25"),
    ],
)
def test_a_table_with_unknown_names_or_with_labels_is_no_table_of_triples(
    lines: tuple[str, ...], tmp_path: Path
) -> None:
    message = refused(table(tmp_path / "rows.tsv", *lines))
    assert message.startswith("rows.tsv:1: ") and "name the columns in a header, as in 'query, positive, neg" in message


def test_triples_of_single_words_and_numbers_among_texts_are_read(tmp_path: Path) -> None:
    file = table(tmp_path / "rows.tsv", "capital\tparis\tberlin", "end of the war\t1945\tin may", "river\tseine\t7")
    assert len(read_examples(file)) == 3


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("label", [[5.0, 4.0, 9.0], [5.0, 9.0], 5.0])
@pytest.mark.parametrize("name", ["label", "score"])
def test_margins_with_a_text_that_is_null_are_refused(ending: str, label: object, name: str, tmp_path: Path) -> None:
    row = {"query": "q", "positive": "a", "negative_1": "b", "negative_2": None, "negative_3": "c", name: label}
    whole = {**row, "negative_2": "d", name: [1.0, 2.0, 3.0] if isinstance(label, list) else [1.0] * 3}
    rows = (row,) if not isinstance(label, list) else (whole, row)
    message = refused(write(tmp_path / f"rows.{ending}", *rows))
    assert f":{len(rows)}: field 'negative_2' is null, so the numbers of '{name}' cannot be matched" in message


@pytest.mark.parametrize("row", [{**TRIPLET, "negative": None, "label": 4.5},
                                 {"query": "q", "document_1": "a", "document_2": None, "scores": [1, 0]}])  # fmt: skip
def test_a_margin_without_its_text_is_no_label_of_the_other_text(row: Row, tmp_path: Path) -> None:
    assert "cannot be matched" in refused(write(tmp_path / "rows.jsonl", row))


def test_a_text_that_is_null_among_numbered_ones_without_numbers_is_left_out(tmp_path: Path) -> None:
    row = {"query": "q", "positive": "a", "negative_1": "b", "negative_2": None, "negative_3": "c"}
    assert read_examples(write(tmp_path / "rows.jsonl", row)).rows == (Example("q", ("a", "b", "c"), (1.0, 0.0, 0.0)),)


FLAG = {"query": "q", "pos": ["a"], "neg": ["b"]}
MARGIN = {"query": "q", "positive": "a", "negative": "b", "score": 3.5}
MIXED: dict[str, tuple[Row, Row]] = {
    "a triplet with null": ({**TRIPLET, "score": 3.2}, {**TRIPLET, "score": None}),
    "FlagEmbedding": ({**FLAG, "pos_scores": [-2.5], "neg_scores": [-9.0]}, FLAG),
    "a pair and a triplet": ({**PAIR, "score": 0.75}, TRIPLET),
    "a pair without a label": ({**PAIR, "label": 0}, PAIR),
    "our own rows": ({"query": "q", "documents": ["a", "b"], "scores": [7.5, 1]}, TRIPLET),
}


@pytest.mark.parametrize("kind", list(MIXED))
@pytest.mark.parametrize("turned", [False, True])
def test_rows_with_scores_and_rows_without_are_not_mixed(kind: str, turned: bool, tmp_path: Path) -> None:
    scored, plain = MIXED[kind]
    message = refused(write(tmp_path / "rows.jsonl", *((plain, scored) if turned else (scored, plain))))
    assert message.startswith(f"rows.jsonl:{1 if turned else 2}: ")
    assert "the row has no label or score, but" in message


@pytest.mark.parametrize(
    "other",
    [{**MARGIN, "score": [9.0, 5.5]}, {"query": "q", "passage": "c", "score": 0.5},
     {"query": "q", "pos": ["a"], "neg": ["b"], "pos_scores": [9.0], "neg_scores": [5.5]},
     {"query": "q", "documents": ["a", "b"], "scores": [9.0, 5.5]}],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_margins_and_scores_are_not_mixed(other: Row, turned: bool, tmp_path: Path) -> None:
    """The positive text of a margin has 0, which on the scale of the scores may be the worst document."""
    file = write(tmp_path / "rows.jsonl", *([other, MARGIN] if turned else [MARGIN, other]))
    margins, scores = (2, 1) if turned else (1, 2)
    assert refused(file) == (
        f"rows.jsonl:2: rows.jsonl:{margins} has margins (one number for each negative text), but "
        f"rows.jsonl:{scores} has a number for every text; write the two kinds into two sources"
    )


def test_labels_of_1_and_0_and_triplets_have_one_scale(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", {**PAIR, "label": 1}, {**PAIR, "passage": "c", "label": 0}, TRIPLET)
    assert {text for row in read_examples(file).rows for text in row.documents} == {"a", "b", "c"}


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_file_without_any_score_has_grades(ending: str, tmp_path: Path) -> None:
    rows: list[Row] = [{**FLAG, "pos_scores": None, "neg_scores": None}, {**FLAG, "query": "r"}]
    assert [row.scores for row in read_examples(write(tmp_path / f"rows.{ending}", *rows)).rows] == [(1.0, 0.0)] * 2


@pytest.mark.parametrize(
    "name",
    ["negative1", "neg_1", "neg1", "negative_0", "hard_negative", "hard_negatives", "hard_neg", "hard_negative_3",
     "negative_passage", "negative_docs", "negative-1", "Negative", "hardNegatives", "neg_text", "hard_negative_ctxs"],
)  # fmt: skip
def test_negatives_are_read_under_all_usual_names(name: str, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", {"query": "q", "positive": "a", name: "b"})
    assert read_examples(file).rows == (Example("q", ("a", "b"), (1.0, 0.0)),)


@pytest.mark.parametrize("name", ["rejected", "bm25_negative", "negatives_bm25", "hard", "positive_2", "chosen"])
@pytest.mark.parametrize("value", ["b", ["b"], [{"text": "b"}]])
def test_texts_of_a_side_that_nothing_reads_are_refused_by_their_name(name: str, value: object, tmp_path: Path) -> None:
    message = refused(write(tmp_path / "rows.jsonl", {**TRIPLET, name: value}))
    assert message.startswith(f"rows.jsonl:1: nothing reads the texts of '{name}'; rename the field to")


OURS = {"query": "q", "documents": ["a", "b"], "scores": [0.5, 0.25]}


@pytest.mark.parametrize(
    ("name", "value"),
    [("labels", [1, 0]), ("Teacher-Scores", [3.5, 1.0]), ("pos_scores", [1.0]), ("positive", ["c"]),
     ("negatives", ["c"]), ("negative_1", "c")],
)  # fmt: skip
@pytest.mark.parametrize("row", [OURS, {"query": "q", "documents": ["a", "b"], "comparisons": [[0, 1]]}])
def test_a_second_set_of_labels_or_texts_is_not_passed_over(row: Row, name: str, value: object, tmp_path: Path) -> None:
    message = refused(write(tmp_path / "rows.jsonl", {**row, name: value}))
    assert message.startswith("rows.jsonl:1: the row is read from 'query' and 'documents' and ")
    assert message.endswith(f"and nothing reads '{name}'; put what it has into those, or remove it")


def test_a_prompt_of_our_own_rows_is_not_passed_over(tmp_path: Path) -> None:
    """Otherwise a language model would be trained without the instruction that the row has."""
    message = refused(write(tmp_path / "rows.jsonl", {**OURS, "prompt": "Is it?"}))
    assert message.endswith("nothing reads 'prompt'; rename it to 'instruction', or remove it")
    assert len(read_examples(write(tmp_path / "rows.jsonl", {**OURS, "prompt": None, "note": "x", "rank": 1}))) == 1


@pytest.mark.parametrize(
    "row",
    [{"question": "q", "answer": "a", "context": "c"}, {"query": "q", "title": "t", "text": "a"},
     {**TRIPLET, "query_instruction": "i"}, {**FLAG, "query_prompt": "p"}, {**PAIR, "label": 1, "body": ["b"]},
     {**FLAG, "retrieved_docs": ["c"]}],
)  # fmt: skip
def test_a_part_of_a_text_that_nothing_reads_is_refused_by_its_name(row: Row, tmp_path: Path) -> None:
    """A student would otherwise learn from answers without their passages, or from passages without their titles."""
    message = refused(write(tmp_path / "rows.jsonl", row))
    assert message.startswith("rows.jsonl:1: nothing reads the text of '") and "join it with the text" in message


def test_an_empty_title_is_no_text(tmp_path: Path) -> None:
    rows = [{**PAIR, "title": title} for title in ("", None, " ")]
    assert set(read_examples(write(tmp_path / "rows.jsonl", *rows)).rows) == {Example("q", ("a",), (1.0,))}


@pytest.mark.parametrize(
    ("row", "name"),
    [({"query_text": "q", "positive_document_ids": ["1"], "negative_document_ids": ["2"], "answer": "a"},
      "positive_document_ids"),
     ({"query": "q", "positive": "a", "negative_ids": ["2", "3"]}, "negative_ids"),
     ({"query": "q", "pos": ["a"], "neg": None, "neg_id": ["2"]}, "neg_id")],
)  # fmt: skip
def test_ids_without_their_texts_are_not_passed_over(row: Row, name: str, tmp_path: Path) -> None:
    """Rows of Tevatron 2 have ids of documents, and an answer that is no document."""
    assert f"rows.jsonl:1: '{name}' has ids, and the row has no texts for them" in refused(
        write(tmp_path / "rows.jsonl", row)
    )


def test_ids_beside_their_texts_are_facts_about_them(tmp_path: Path) -> None:
    row = {**FLAG, "pos_id": ["1"], "neg_id": ["2"], "type": "normal"}
    assert read_examples(write(tmp_path / "rows.jsonl", row)).rows == (Example("q", ("a", "b"), (1.0, 0.0)),)


@pytest.mark.parametrize("name", ["score", "teacherScore", "label"])
def test_scores_inside_the_texts_are_not_passed_over(name: str, tmp_path: Path) -> None:
    """Otherwise the scores of a teacher would become 1 and 0."""
    row = {"query": "q", "positive": "a", "negatives": [{"text": "b", name: 3.25, "docid": "7", "rank": 1}]}
    message = refused(write(tmp_path / "rows.jsonl", row))
    assert message.startswith(f"rows.jsonl:1: nothing reads '{name}' of the texts in 'negatives'; write a teacher's")
    whole = {"query": "q", "pos": ["a"], "neg": row["negatives"], "pos_scores": [9.0], "neg_scores": [3.25]}
    assert read_examples(write(tmp_path / "rows.jsonl", whole)).rows == (Example("q", ("a", "b"), (9.0, 3.25)),)


def test_two_kinds_of_negatives_are_both_read(tmp_path: Path) -> None:
    row = {"question": "q", "answers": ["x"], "positive_ctxs": [{"title": "t", "text": "a"}],
           "negative_ctxs": [{"text": "b"}], "hard_negative_ctxs": [{"text": "c"}]}  # fmt: skip
    assert read_examples(write(tmp_path / "rows.jsonl", row)).rows == (
        Example("q", ("t a", "b", "c"), (1.0, 0.0, 0.0)),
    )
    message = refused(write(tmp_path / "rows.jsonl", {**row, "score": [9.0, 2.0, 1.0]}))
    assert (
        "the texts of 'negative_ctxs' and 'hard_negative_ctxs' cannot be matched with the numbers of 'score'" in message
    )


def test_two_fields_of_one_name_are_refused(tmp_path: Path) -> None:
    message = refused(write(tmp_path / "rows.jsonl", {**TRIPLET, "Negative": "c"}))
    assert message == "rows.jsonl:1: the fields 'negative' and 'Negative' are the same; remove one of them"


def test_a_row_without_texts_is_refused_whatever_its_query_is(tmp_path: Path) -> None:
    message = refused(write(tmp_path / "rows.jsonl", {"query": "2024", "pos": [], "neg": []}))
    assert message == "rows.jsonl:1: there is no document; leave such a query out"


@pytest.mark.parametrize(
    ("files", "said"), [(["examples.jsonl"], "name its file, .*examples.jsonl"), ([], "its queries have no scores")]
)
def test_the_folder_of_a_stage_is_answered_with_what_to_name(tmp_path: Path, files: list[str], said: str) -> None:
    for name in ("job.json", *files):
        (tmp_path / name).write_text("{}", "utf-8")
    assert files in ([], [EXAMPLES])
    with pytest.raises(UsageError, match=said):
        read_examples(str(tmp_path))

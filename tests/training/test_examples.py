"""Reading examples: what a user would lose is a label that was never given, or a row that went missing in silence."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from adapters.errors import DataError, UsageError
from tests.tiny_collection import CORPUS, QRELS, QUERIES, Place
from training.examples import Example, Examples, write_examples
from training.sources import Negatives, read_examples, read_several

ROW = {"query": "who", "documents": ["a", "b"], "scores": [1.5, -2]}


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("name", ["mined.jsonl", "mined.parquet"])
def test_what_is_written_is_read_again(name: str, tmp_path: Path) -> None:
    rows = (
        Example("wer", ("eins", "zwei"), (0.5, -3.0), ("d1", "d2"), "task", "de", "corpus"),
        Example("when", ("noon",), (1.0,)),
    )
    write_examples(tmp_path / name, rows)
    assert read_examples(tmp_path / name) == Examples(rows)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"query": " "}, "the query is not a text"),
        ({"query": None}, "the field 'query' is missing"),
        ({"documents": []}, "no document"),
        ({"documents": ["a", 3]}, "list of texts"),
        ({"documents": ["a", "a"]}, "occurs twice"),
        ({"scores": [1.0]}, "2 documents have 1 scores"),
        ({"scores": [1.0, "high"]}, "'high' is not a number"),
        ({"scores": [1.0, True]}, "True is not a number"),
        ({"scores": [1.0, float("nan")]}, "nan is not finite"),
        ({"scores": [1.0, float("inf")]}, "inf is not finite"),
        ({"scores": [1.0, None]}, "1 of 2 documents have no score; let a teacher"),
        ({"ids": ["x"]}, "other ids"),
        ({"language": 3}, "'language' has to be a text"),
    ],
)
def test_a_row_that_cannot_be_trusted_is_refused_with_its_line(
    change: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"mined\.jsonl:3: [^\n]*{says}"):
        read_examples(jsonl(tmp_path / "mined.jsonl", ROW, "", ROW | change))


def test_rows_of_parquet_are_counted_too(tmp_path: Path) -> None:
    write_examples(tmp_path / "x.parquet", [Example("q", ("a",), (1.0,)), Example("q", ("a",), (None,))])
    with pytest.raises(DataError, match=r"x\.parquet:2: 1 of 1 documents have no score"):
        read_examples(tmp_path / "x.parquet")


def test_what_is_no_json_and_what_is_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"mined\.jsonl:1: not JSON"):
        read_examples(jsonl(tmp_path / "mined.jsonl", "{"))
    with pytest.raises(DataError, match="has no examples"):
        read_examples(jsonl(tmp_path / "mined.jsonl"))
    with pytest.raises(UsageError, match="no training examples at"):
        read_examples(tmp_path / "nowhere.jsonl")
    with pytest.raises(UsageError, match=r"are \.jsonl, \.json, \.parquet"):
        read_examples(jsonl(tmp_path / "mined.txt", ROW))


def test_flagembedding_scores_are_taken_and_without_them_labels_are_grades(tmp_path: Path) -> None:
    scored = {"query": "q", "pos": ["a"], "neg": ["b", "c"], "pos_scores": [3.5], "neg_scores": [-1, 2]}
    plain = {"query": "q", "pos": ["a"], "neg": ["b"], "pos_scores": None}
    found = [read_examples(jsonl(tmp_path / f"{n}.jsonl", row)).rows[0] for n, row in enumerate((scored, plain))]
    assert [dict(zip(row.documents, row.scores, strict=True)) for row in found] == [
        {"a": 3.5, "b": -1.0, "c": 2.0},
        {"a": 1.0, "b": 0.0},
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [({"neg_scores": [1.0]}, "2 texts in 'neg' have 1 scores"), ({"neg_scores": None}, "write both, or neither")],
)
def test_flagembedding_rows_with_half_their_scores_are_refused(
    change: dict[str, Any], says: str, tmp_path: Path
) -> None:
    row = {"query": "q", "pos": ["a"], "neg": ["b", "c"], "pos_scores": [3.5], "neg_scores": [-1, 2]} | change
    with pytest.raises(DataError, match=f"flag.jsonl:1: .*{says}"):
        read_examples(jsonl(tmp_path / "flag.jsonl", row))


def test_a_text_that_repeats_is_taken_once_and_counted(tmp_path: Path) -> None:
    row = {"query": "q", "pos": ["a"], "neg": ["b", "a", "b"]}
    read = read_examples(jsonl(tmp_path / "flag.jsonl", row))
    assert read.rows[0].documents == ("a", "b") and read.rows[0].scores == (1.0, 0.0)
    assert read.counts()["rejected"] == {"repeated documents": 2}


FORMS: dict[str, list[dict[str, Any]]] = {
    "flag": [{"query": "q", "pos": ["a"], "neg": ["b", "c"]}],
    "mteb": [{"query": "q", "positive": ["a"], "negative": ["b", "c"]}],
    "tevatron": [
        {
            "query_id": "7",
            "query": "q",
            "positive_passages": [{"docid": "1", "title": "", "text": "a"}],
            "negative_passages": [{"docid": "2", "title": "", "text": "b"}, {"docid": "3", "text": "c"}],
        }
    ],
    "numbered negatives": [{"anchor": "q", "positive": "a", "negative_1": "b", "negative_2": "c"}],
    "documents": [{"query": "q", "positive": ["a"], "documents": ["a", "b", "c"]}],
    "list with labels": [{"query": "q", "docs": ["a", "b", "c"], "labels": [1, 0, 0]}],
    "pairs with labels": [
        {"query": "q", "passage": text, "label": label} for text, label in (("a", 1), ("b", 0), ("c", 0))
    ],
}


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet"])
def test_rows_of_others_are_the_same_example_in_every_form(form: str, ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"rows.{ending}"
    if ending == "parquet":
        parquet.write_table(pa.Table.from_pylist(FORMS[form]), file)
    elif ending == "json":
        file.write_text(json.dumps(FORMS[form], indent=1), "utf-8")
    else:
        jsonl(file, *FORMS[form])
    assert read_examples(file).rows == (Example("q", ("a", "b", "c"), (1.0, 0.0, 0.0)),)


def test_scores_of_pairs_and_lists_are_taken_as_they_are(tmp_path: Path) -> None:
    rows = [{"query": "q", "document": "a", "score": 3.5}, {"query": "r", "docs": ["a"], "scores": [0.25]},
            {"query": "q", "document": "b", "score": -1.5}]  # fmt: skip
    read = read_examples(jsonl(tmp_path / "rows.jsonl", *rows))
    assert read.rows == (Example("r", ("a",), (0.25,)), Example("q", ("a", "b"), (3.5, -1.5)))


@pytest.mark.parametrize(
    ("row", "scores"),
    [
        ({"positive": "a", "negative": "b", "scores": [3.5, -1]}, (3.5, -1.0)),
        ({"positive": "a", "negative": "b", "label": 4.5}, (0.0, -4.5)),
        ({"answer": "a", "negative_1": "b", "negative_2": "c", "scores": [3, 2, 1]}, (3.0, 2.0, 1.0)),
        ({"positive": "a", "negative_1": "b", "negative_2": "c", "label": [1.5, 2]}, (0.0, -1.5, -2.0)),
        ({"document_1": "a", "document_2": "b", "scores": [0.5, 0.25]}, (0.5, 0.25)),
    ],
)
def test_scores_and_margins_of_distillation_are_taken(row: Any, scores: tuple[float, ...], tmp_path: Path) -> None:
    (read,) = read_examples(jsonl(tmp_path / "rows.jsonl", {"query": "q", **row})).rows
    assert read.documents == ("a", "b", "c")[: len(scores)] and read.scores == scores


def test_a_pair_with_label_0_is_not_relevant_whatever_its_text_is_called(tmp_path: Path) -> None:
    rows = [{"anchor": "q", "positive": text, "label": label} for text, label in (("a", 1), ("b", 0))]
    assert read_examples(jsonl(tmp_path / "rows.jsonl", *rows)).rows == (Example("q", ("a", "b"), (1.0, 0.0)),)


@pytest.mark.parametrize("label", [[1, 2, 3], "news", []])
def test_numbers_that_belong_to_no_text_are_refused(label: object, tmp_path: Path) -> None:
    row = {"query": "q", "positive": "a", "negative": "b", "label": label}
    with pytest.raises(DataError, match=r"rows\.jsonl:1: .*'label'"):
        read_examples(jsonl(tmp_path / "rows.jsonl", row))


def test_a_prompt_is_the_instruction_of_its_query(tmp_path: Path) -> None:
    row = {"query": "q", "pos": ["a"], "neg": ["b"], "prompt": "Is it relevant?"}
    assert read_examples(jsonl(tmp_path / "flag.jsonl", row)).rows[0].instruction == "Is it relevant?"
    assert read_examples(jsonl(tmp_path / "none.jsonl", {**row, "prompt": ""})).rows[0].instruction is None
    assert (
        read_examples(jsonl(tmp_path / "ours.jsonl", ROW | {"instruction": "Find it"})).rows[0].instruction == "Find it"
    )


def test_pairs_of_one_query_with_two_instructions_are_two_examples(tmp_path: Path) -> None:
    pairs = [{"query": "q", "passage": text, "label": label, "instruction": asked}
             for asked, text, label in (("x", "a", 1), ("y", "a", 0), ("x", "b", 0), ("y", "b", 1))]  # fmt: skip
    read = read_examples(jsonl(tmp_path / "pairs.jsonl", *pairs))
    assert [(row.instruction, row.documents, row.scores) for row in read.rows] == [
        ("x", ("a", "b"), (1.0, 0.0)),
        ("y", ("a", "b"), (0.0, 1.0)),
    ]


@pytest.mark.parametrize("line", ["101\t7\t9", "1185869\t0\t2942565", "174249\tD3126539\tD1650436",
                                  "12\tmsmarco_passage_00_4874\tmsmarco_passage_01_12"])  # fmt: skip
def test_triples_of_ids_are_not_read_as_texts(tmp_path: Path, line: str) -> None:
    file = tmp_path / "qidpidtriples.train.full.2.tsv"
    file.write_text(f"{line}\n", "utf-8")
    with pytest.raises(DataError, match=r"\.tsv:1: .*ids(, not| or labels instead of) texts"):
        read_examples(file)
    file.write_text(f"query\tpositive\tnegative\n{line}\n", "utf-8")
    with pytest.raises(DataError, match=r"\.tsv:2: .* are ids, not texts, .*collection\.tsv"):
        read_examples(file)


@pytest.mark.parametrize("row", [
    {"query": "101", "pos": ["7"], "neg": ["9", "12"]}, {"query": "101", "passage": "7", "label": 1},
    {"query": "101", "docs": ["7", "9"], "labels": [1, 0]},
])  # fmt: skip
def test_ids_in_the_rows_of_other_formats_are_refused_too(tmp_path: Path, row: dict[str, object]) -> None:
    with pytest.raises(DataError, match="are ids, not texts"):
        read_examples(jsonl(tmp_path / "ids.jsonl", row))


def test_numbers_are_texts_where_the_question_is_one(tmp_path: Path) -> None:
    row = {"query": "when did the war begin", "pos": ["1914"], "neg": ["1918"]}
    assert read_examples(jsonl(tmp_path / "years.jsonl", row)).rows[0].documents == ("1914", "1918")
    row = {"query": "42", "pos": ["The answer to everything."], "neg": ["7"]}
    assert len(read_examples(jsonl(tmp_path / "mixed.jsonl", row))) == 1


def test_columns_with_a_header_are_read_by_their_names_and_ids_are_refused(tmp_path: Path) -> None:
    (tmp_path / "named.tsv").write_text("query\tlabel\tpassage\nq\t1\ta\nq\t0\tb\n")
    assert read_examples(tmp_path / "named.tsv").rows == (Example("q", ("a", "b"), (1.0, 0.0)),)
    (tmp_path / "ids.tsv").write_text("121352\t2912791\t7282917\n")
    with pytest.raises(DataError, match=r"ids\.tsv:1: ids or labels instead of texts; write JSONL"):
        read_examples(tmp_path / "ids.tsv")


def test_triples_are_two_documents_with_grades(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "triples.tsv.gz", "wt", encoding="utf-8") as out:
        out.write("q1\tgood\tbad\nq2\tright\twrong\n")
    assert read_examples(tmp_path / "triples.tsv.gz").rows[1] == Example("q2", ("right", "wrong"), (1.0, 0.0))
    (tmp_path / "broken.tsv").write_text("q1\tgood\tbad\nq2\tgood\n")
    with pytest.raises(DataError, match=r"broken\.tsv:2: 2 columns"):
        read_examples(tmp_path / "broken.tsv")


def test_a_byte_order_mark_is_no_part_of_an_example(tmp_path: Path) -> None:
    (tmp_path / "triples.tsv").write_text("\ufeffq1\tgood\tbad\n\ufeffq2\tright\twrong\n", "utf-8")
    assert [row.query for row in read_examples(tmp_path / "triples.tsv").rows] == ["q1", "q2"]
    rows = [{"query": name, "documents": ["a", "b"], "scores": [1.0, 0.0]} for name in ("q1", "q2")]
    (tmp_path / "rows.jsonl").write_text("".join(f"\ufeff{json.dumps(row)}\n" for row in rows), "utf-8")
    assert [row.query for row in read_examples(tmp_path / "rows.jsonl").rows] == ["q1", "q2"]


def test_a_beir_folder_gives_judged_documents_and_drawn_negatives(place: Place) -> None:
    folder = place.beir()
    negatives = Negatives("tests.fake_adapters:Overlap", "test", per_query=3, workspace=place.workspace)
    read = read_examples(folder, negatives=negatives)
    assert [row.query for row in read.rows] == [QUERIES[name] for name in ("q1", "q2", "q3", "q4")]
    first = dict(zip(read.rows[0].documents, read.rows[0].scores, strict=True))
    judged = {CORPUS[document]: float(grade) for query, document, grade in QRELS if query == "q1"}
    assert judged.items() <= first.items() and len(first) == len(judged) + 3
    assert all(first[text] == 0 for text in first if text not in judged)
    assert read_examples(folder, negatives=negatives) == read, "the draw is the same every time"


def test_the_digest_is_that_of_what_a_student_sees() -> None:
    rows = [Example("q", ("a", "b"), (1.0, 0.0)), Example("r", ("a",), (1.0,))]
    same = Examples((Example("q", ("a", "b"), (1.0, 0.0), ids=("1", "2"), source="elsewhere"), rows[1]))
    assert Examples(tuple(rows)).digest == same.digest
    assert Examples(tuple(rows[::-1])).digest != same.digest
    assert Examples((Example("q", ("a", "b"), (0.9, 0.0)), rows[1])).digest != same.digest


def test_an_instruction_is_part_of_the_digest() -> None:
    row = Example("q", ("a", "b"), (1.0, 0.0))
    asked = Example("q", ("a", "b"), (1.0, 0.0), instruction="Find it")
    assert len({Examples((one,)).digest for one in (row, asked, Example("q", ("a", "b"), (1.0, 0.0), task="t"))}) == 2


def test_several_files_are_one_and_a_limit_takes_the_start_of_each(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", ROW, ROW | {"query": "x"})
    other = jsonl(tmp_path / "other.jsonl", ROW | {"query": "y"}, ROW)
    assert [row.query for row in read_several([one, other], limit=1).rows] == ["who", "y"]


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    def broken() -> Any:
        yield Example("q", ("a",), (1.0,))
        raise OSError("No space left on device")

    for name in ("x.jsonl", "x.parquet"):
        with pytest.raises(OSError, match="No space"):
            write_examples(tmp_path / name, broken())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["reranker__example_data__prompt_based__examples", "embedder__example_data__retrieval__nq"]
)
def test_the_prompts_of_a_real_file_are_read(name: str, shared_data: Path) -> None:
    read = read_examples(shared_data / "flagembedding-examples" / f"{name}.jsonl")
    assert read.facts.instructed and all(row.instruction for row in read.rows)


@pytest.mark.parametrize("name", ["reranker__example_data__normal__examples"])
def test_real_flagembedding_files_are_read(name: str, shared_data: Path) -> None:
    read = read_examples(shared_data / "flagembedding-examples" / f"{name}.jsonl")
    assert len(read) >= 5 and all(len(set(row.scores)) > 1 for row in read.rows)

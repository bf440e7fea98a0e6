"""A file of judgments is divided into columns as trec_eval and BEIR's loader divide it, whatever separates them."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import IO, Any

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import DataError
from harness.data.sources import judgment_header, second_reading
from harness.data.sources.dirt import Dirt
from harness.data.sources.judgments import read_judgments
from tests.skips import DATA

Grades = dict[tuple[str, str], int]
BLANKS = st.sampled_from([" ", "\t", "  ", "\t\t", " \t", "\t ", " \t \t"])
ENDS = st.sampled_from(["", " ", "  ", "\t", "\r", " \t\r", "\t\r"])
WORDS = st.text(st.sampled_from('abq019é文"#-_'), min_size=1, max_size=4)
GRADES = st.integers(0, 3)


@dataclass(frozen=True)
class Written:
    """A file of judgments in memory."""

    content: str

    def names(self) -> list[str]:
        return ["qrels"]

    def label(self, name: str) -> str:
        return name

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        yield io.BytesIO(self.content.encode())


def read(content: str, *allow: str) -> Grades:
    """What a collection gets."""
    found = read_judgments(Written(content), "qrels", Dirt(allow))
    return dict(zip(zip(found.queries, found.documents, strict=True), found.grades, strict=True))


def read_again(content: str) -> Grades:
    """What pytrec_eval gets at run time."""
    return {(one.query, one.document): one.grade for one in second_reading.of_file(Written(content), "qrels")}


def refused(content: str) -> str:
    with pytest.raises(DataError) as caught:
        read(content)
    return str(caught.value)


def as_trec(rows: Grades, *separators: str, end: str = "\n") -> str:
    one, two, three = separators
    return "".join(f"{query}{one}0{two}{document}{three}{grade}{end}" for (query, document), grade in rows.items())


ROWS: Grades = {("q1", "d1"): 2, ("q1", "d2"): 0, ("q2", "d1"): 1}


@pytest.mark.parametrize("separators", [("\t", " ", "  "), (" ", "\t", "\t"), ("\t\t", "  ", " \t"), ("\t",) * 3])
@pytest.mark.parametrize("end", ["\n", "\r\n", "  \n", "\t\r\n"])
def test_four_columns_are_divided_by_any_white_space(separators: tuple[str, str, str], end: str) -> None:
    content = as_trec(ROWS, *separators, end=end)
    assert read(content) == read_again(content) == ROWS


def test_every_line_may_be_divided_in_another_way() -> None:
    content = "q1\t0 d1  2\nq1 0\td2\t0\n  q2   0 d1\t1  \n"
    assert read(content) == read_again(content) == ROWS


@settings(max_examples=300)
@given(st.data())
def test_any_mixture_of_blanks_and_tabs_is_read_as_pytrec_eval_reads_it(data: st.DataObject) -> None:
    lines = []
    for query, document in data.draw(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6, unique=True)):
        columns = [query, data.draw(st.sampled_from(["0", "Q0", "q0", "U0"])), document, str(data.draw(GRADES))]
        blanks = [*(data.draw(BLANKS) for _ in range(3)), data.draw(ENDS)]
        start = data.draw(st.sampled_from(["", " ", "\t"]))
        lines.append(start + "".join(map("".join, zip(columns, blanks, strict=True))))
    theirs = pytrec_eval.parse_qrel(lines)
    wanted = {(query, document): grade for query, own in theirs.items() for document, grade in own.items()}
    content = "\n".join(lines) + "\n"
    assert read(content) == read_again(content) == wanted


@settings(max_examples=300)
@given(st.lists(st.tuples(st.text("ab 0文\"'", min_size=1, max_size=6), st.text("d1 \"'é", min_size=1, max_size=6))))
def test_three_columns_are_read_as_beirs_loader_reads_them_stripped(names: list[tuple[str, str]]) -> None:
    kept = {(q.strip(), d.strip()): place % 4 for place, (q, d) in enumerate(names) if q.strip() and d.strip()}
    if not kept:
        return
    file = io.StringIO()
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    writer.writerow(["query-id", "corpus-id", "score"])
    writer.writerows((query, document, grade) for (query, document), grade in kept.items())
    wanted = {(q.replace(" ", "_"), d.replace(" ", "_")): grade for (q, d), grade in kept.items()}
    if len(wanted) == len(kept):
        assert read(file.getvalue(), "white-space-ids") == wanted
    assert read_again(file.getvalue()) == kept


def test_beirs_own_loader_gives_the_same(session: Any) -> None:
    loader = pytest.importorskip("beir.datasets.data_loader", reason="beir is not installed")
    qrels = 'query-id\tcorpus-id\tscore\nq1\t"a ""b"" c"\t2\nq1\td 2\t0\nq2\td1\t1\n'
    corpus = [{"_id": name, "text": name} for name in ('a "b" c', "d 2", "d1")]
    folder: Path = session.beir(corpus=corpus, qrels=qrels, rules='allow = ["white-space-ids"]')
    with warnings.catch_warnings():  # it leaves files open
        warnings.simplefilter("ignore")
        theirs = loader.GenericDataLoader(str(folder)).load("test")[2]
        gc.collect()
    collection = session.load(folder)
    ids, qrels_of = collection.corpus.ids(), collection.qrels
    ours = {(ids[d], int(g)) for q, d, g in zip(qrels_of.queries, qrels_of.documents, qrels_of.grades, strict=True)}
    assert ours == {(d.replace(" ", "_"), grade) for own in theirs.values() for d, grade in own.items()}


def test_trailing_white_space_is_no_part_of_an_id() -> None:
    assert read("q1 \t d1\t1 \r\n q2\td2 \t 0\t\n") == {("q1", "d1"): 1, ("q2", "d2"): 0}


def test_an_id_with_a_blank_stays_possible_between_tabs_and_is_refused_by_the_rule_that_would_let_it_through() -> None:
    assert 'allow = ["white-space-ids"]' in refused("query-id\tcorpus-id\tscore\nq1\td 1\t1\n")
    assert read("query-id\tcorpus-id\tscore\nq1\td 1\t1\n", "white-space-ids") == {("q1", "d_1"): 1}


@pytest.mark.parametrize("content", ["q1 0 d 1 1\n", "q1\t0\td 1\t1\n", "q1 0 d1 1\nq2 0 d 1 1\n"])
def test_the_rule_for_white_space_in_ids_is_not_offered_for_four_columns(content: str) -> None:
    message = refused(content)
    assert "white-space-ids" not in message
    assert "5 columns, not" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q1 0 d1 1\nq2 d3 1\n", "qrels:2: 3 columns, not 4; write every line with the three columns"),
        ("q1\td1\t1\nq1\td2\t1\nq2\t0\td3\t1\n", "qrels:3: 4 columns, not 3; write every line with the three"),
        ("query-id\tcorpus-id\tscore\nq1 0 d1 1\n", "qrels:2: 4 columns, not 3; "),
        ("q1\t0 d1\t1\nq2\td 3 x\t1\nq1 0 d2 1\n", "qrels:3: 4 columns, not 3; "),
        ('q1\t"d1\t1\n', "qrels:1: a column that begins with a quotation mark does not end with one"),
    ],
)
def test_a_file_that_mixes_three_and_four_columns_is_refused_with_the_first_such_line(
    content: str, message: str
) -> None:
    assert refused(content).startswith(message)


@pytest.mark.parametrize("header", ["", "query-id\titer\tcorpus-id\tscore\n"])
def test_a_line_that_fits_both_ways_is_trecs_where_its_second_word_counts(header: str) -> None:
    assert read(f"{header}q1\t0 d1\t2\n") == read_again(f"{header}q1\t0 d1\t2\n") == {("q1", "d1"): 2}


@pytest.mark.parametrize("header", ["", "query-id\tcorpus-id\tscore\n"])
def test_a_line_that_fits_both_ways_is_beirs_where_it_does_not(header: str) -> None:
    content = f"{header}q1\tGeneva Durben\t2\n"
    assert read(content, "white-space-ids") == {("q1", "Geneva_Durben"): 2}
    assert read_again(content) == {("q1", "Geneva Durben"): 2}


def test_a_header_decides_for_three_columns_even_if_every_id_looks_like_an_iteration() -> None:
    content = "query-id\tcorpus-id\tscore\nq1\t0 d1\t2\n"
    assert read_again(content) == {("q1", "0 d1"): 2}
    assert read(content, "white-space-ids") == {("q1", "0_d1"): 2}


def with_header(names: Sequence[str], rows: Grades, divider: str = "\t") -> str:
    """A file with the columns in the order of its header."""
    lines = [names]
    for (query, document), grade in rows.items():
        wanted = {"query_id": query, "doc_id": document, "relevance": str(grade)}
        lines.append([wanted.get(name, "0") for name in names])
    return "".join(divider.join(line) + "\n" for line in lines)


NUMBERED: Grades = {("1", "0"): 2, ("1", "2"): 1, ("2", "1"): 1, ("3", "7"): 0}
"""Ids that could be iterations or grades."""


@pytest.mark.parametrize("names", list(permutations(["query_id", "doc_id", "relevance", "iteration"])))
@pytest.mark.parametrize("divider", ["\t", " "])
def test_four_columns_are_read_as_their_header_names_them(names: Sequence[str], divider: str) -> None:
    content = with_header(names, NUMBERED, divider)
    assert read(content) == read_again(content) == NUMBERED


@pytest.mark.parametrize("names", list(permutations(["query_id", "doc_id", "relevance"])))
def test_three_columns_are_read_as_their_header_names_them(names: Sequence[str]) -> None:
    content = with_header(names, NUMBERED)
    assert read(content) == read_again(content) == NUMBERED


def test_the_order_of_ir_datasets_gives_what_beirs_loader_reads_in_the_first_three_columns() -> None:
    content = with_header(["query_id", "doc_id", "relevance", "iteration"], NUMBERED)
    rows = list(csv.reader(io.StringIO(content), delimiter="\t"))[1:]
    assert read(content) == {(row[0], row[1]): int(row[2]) for row in rows}


@pytest.mark.parametrize("query", ["query-id", "qid", "query_id", "topic", "Topic", "QueryID", "query id", "#query"])
@pytest.mark.parametrize("document", ["corpus-id", "docid", "doc_id", "document_id", "pid", "docno", "DOCUMENT#"])
@pytest.mark.parametrize("grade", ["score", "relevance", "rel", "label", "judgment", "relevance_label", "RELEVANCY"])
def test_the_usual_names_of_columns_are_known_to_both_readings(query: str, document: str, grade: str) -> None:
    content = f"{grade}\t{document}\titer\t{query}\n1\t5\t0\t7\n"
    assert read(content) == read_again(content) == {("7", "5"): 1}


def test_both_readings_know_the_same_names() -> None:
    for place, role in enumerate(("query", "document", "grade")):
        names = ["-".join(words) for words, own in judgment_header._ROLES.items() if own == role]
        others = ["-".join(words) for words, own in judgment_header._ROLES.items() if own != role]
        assert all(map(second_reading._NAMED[place], names)) and not any(map(second_reading._NAMED[place], others))


@pytest.mark.parametrize("iteration", ["iteration", "iter", "0", "Q0", "annotator"])
def test_a_fourth_column_needs_no_name_that_is_known_and_holds_anything(iteration: str) -> None:
    content = f"qid\tdocid\trel\t{iteration}\n1\t5\t2\tQ0\n1\t6\t1\t\n"
    assert read(content) == read_again(content) == {("1", "5"): 2, ("1", "6"): 1}


def test_ids_with_blanks_and_quotes_are_read_between_the_tabs_of_a_header_with_four_names() -> None:
    content = 'query_id\tdoc_id\trelevance\titeration\nq1\t"a ""b"" c"\t2\t0\nq2\td 2\t0\t0\n'
    assert read(content, "white-space-ids") == {("q1", 'a_"b"_c'): 2, ("q2", "d_2"): 0}
    assert read_again(content) == {("q1", 'a "b" c'): 2, ("q2", "d 2"): 0}


def test_a_line_with_other_columns_than_its_header_is_refused() -> None:
    message = refused("query_id\tdoc_id\trelevance\titeration\nq1\td1\t1\t0\nq1\td2\t1\n")
    assert message == "qrels:3: 3 columns, not 4; write as many as the header has"


@pytest.mark.parametrize(
    "header", ["doc_id\tquery_id\tgold", "qid docid other gold", "doc x query gold", "query_id doc_id score relevance"]
)
def test_a_header_that_names_columns_in_part_and_in_another_order_is_refused(header: str) -> None:
    row = "\t".join(["1"] * len(header.split()))
    message = refused(f"{header}\n{row}\n")
    assert message.startswith("qrels:1: the header does not say which column is which; write the names query-id")


@pytest.mark.parametrize("content", ["1 5 2 0\n2 6 1 0\n", "1\t0\t1\t0\n1\t3\t2\t0\n", "v w x y\n1 5 2 0\n"])
def test_without_a_header_columns_that_could_both_be_documents_are_refused(content: str) -> None:
    message = refused(content)
    assert " may be TREC's iteration or a document; say which in a header: the names query-id" in message
    assert "\n" not in message
    header = "query_id\titeration\tdoc_id\trelevance\n"
    rows = [line.split() for line in content.splitlines() if line[0].isdigit()]
    assert read(header + "".join("\t".join(row) + "\n" for row in rows)) == {(r[0], r[2]): int(r[3]) for r in rows}


def test_without_a_header_a_blank_that_may_divide_two_columns_or_be_within_an_id_is_refused() -> None:
    assert "'12' may be TREC's iteration or a document" in refused("q1\t12 Monkeys\t2\n")
    content = "query-id\tcorpus-id\tscore\nq1\t12 Monkeys\t2\n"
    assert read_again(content) == {("q1", "12 Monkeys"): 2}


@pytest.mark.parametrize(
    "lines",
    [
        ("1 0 2 1", "2 0 3 1"),  # most tracks, with short numbers as documents
        ("1\tQ0\t7\t1", "2\tQ0\t0\t0"),  # MIRACL, Deep Learning 2019
        ("1 U0 2 4", "1 Q0 3 1"),  # ANTIQUE
        ("1 4.5 005b2j4b 2", "1 1 00fmeepz 1", "1 0.5 12345678 0"),  # TREC-COVID
        ("1 1 clueweb09-en0000-00-00142 1", "1 4 clueweb09-en0000-00-00143 0"),  # Web, with subtopics
        ("51 PRO I00a8ba35 1", "51 CON I00a8ba36 0"),  # Touche
        ("1 1 31715818 1", "1 2 8 0"),  # numbers that are too long for grades
    ],
)
def test_files_of_trec_without_a_header_are_read_as_pytrec_eval_reads_them(lines: Sequence[str]) -> None:
    content = "".join(f"{line}\n" for line in lines)
    theirs = {(q, d): g for q, own in pytrec_eval.parse_qrel(list(lines)).items() for d, g in own.items()}
    assert read(content) == read_again(content) == theirs


@pytest.mark.parametrize("files", [as_trec(ROWS, " ", " ", " "), "q1\td1\t2\nq1\td2\t0\nq2\td1\t1\n"])
def test_files_that_were_put_together_may_have_a_byte_order_mark_in_any_line(files: str) -> None:
    content = "\ufeff" + files.replace("\nq2", "\n\ufeffq2") + "\ufeff\n"
    assert read(content) == read_again(content) == ROWS


@pytest.mark.parametrize("content", ["query-id\tcorpus-id\tscore\nq1\t\t1\n", "q1\td1\t1\n\u3000\td1\t1\n"])
def test_an_empty_id_is_refused_whatever_the_rules_let_through(content: str) -> None:
    for allow in ((), ("white-space-ids",)):
        with pytest.raises(DataError, match="qrels:2: an empty id"):
            read(content, *allow)


@pytest.mark.parametrize("name", ["scifact", "fiqa", "nfcorpus", "trec-covid", "webis-touche2020"])
def test_real_judgments_are_read_as_pytrec_eval_reads_them_however_they_are_divided(
    shared_data: Path, name: str
) -> None:
    file = shared_data / "judgments" / "beir" / f"qrels.{name}.test.txt.gz"
    if not file.is_file():
        pytest.skip(f"{DATA}: no judgments at {file}")
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()[:5000]
    theirs = {(q, d): g for q, own in pytrec_eval.parse_qrel(lines).items() for d, g in own.items()}
    mixed = "".join(
        "\t ".join(line.split()[:2]) + (" \t" if place % 2 else "  ") + "\t".join(line.split()[2:]) + "\r\n"
        for place, line in enumerate(lines)
    )
    kept = {pair: max(grade, 0) for pair, grade in theirs.items()}
    assert read("\n".join(lines), "negative-grades") == read(mixed, "negative-grades") == kept
    assert read_again(mixed) == theirs


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u0085", "\x1f"])
@pytest.mark.parametrize("form", ["{q}\t{d}\t1\n", "{q} 0 {d} 1\n"])
def test_other_spaces_of_unicode_belong_to_an_id_as_for_pytrec_eval(space: str, form: str) -> None:
    """Without them the judgment would be one of another query or document."""
    header = "query-id\tcorpus-id\tscore\n" if "\t" in form else ""
    first = header + form.format(q="q1", d="d1")
    for query, document in ((f"q1{space}", "d1"), ("q1", f"d1{space}")):
        content = first + form.format(q=query, d=document)
        assert "has white space" in refused(content)
        assert read_again(content) == {("q1", "d1"): 1, (query, document): 1}

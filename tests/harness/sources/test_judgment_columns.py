"""A file of judgments is divided into columns as trec_eval and BEIR's loader divide it, whatever separates them."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import DataError
from harness.sources import second_reading
from harness.sources.dirt import Dirt
from harness.sources.judgments import read_judgments

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
        columns = [query, data.draw(st.sampled_from(["0", "Q0", "q0", "1"])), document, str(data.draw(GRADES))]
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


def test_beirs_own_loader_gives_the_same(bench: Any) -> None:
    loader = pytest.importorskip("beir.datasets.data_loader", reason="beir is not installed")
    qrels = 'query-id\tcorpus-id\tscore\nq1\t"a ""b"" c"\t2\nq1\td 2\t0\nq2\td1\t1\n'
    corpus = [{"_id": name, "text": name} for name in ('a "b" c', "d 2", "d1")]
    folder: Path = bench.beir(corpus=corpus, qrels=qrels, rules='allow = ["white-space-ids"]')
    with warnings.catch_warnings():  # it leaves files open
        warnings.simplefilter("ignore")
        theirs = loader.GenericDataLoader(str(folder)).load("test")[2]
        gc.collect()
    collection = bench.load(folder)
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


@pytest.mark.parametrize("name", ["scifact", "fiqa", "nfcorpus", "trec-covid", "webis-touche2020"])
def test_real_judgments_are_read_as_pytrec_eval_reads_them_however_they_are_divided(
    shared_data: Path, name: str
) -> None:
    file = shared_data / "judgments" / "beir" / f"qrels.{name}.test.txt.gz"
    if not file.is_file():
        pytest.skip(f"no judgments at {file}")
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()[:5000]
    theirs = {(q, d): g for q, own in pytrec_eval.parse_qrel(lines).items() for d, g in own.items()}
    mixed = "".join(
        "\t ".join(line.split()[:2]) + (" \t" if place % 2 else "  ") + "\t".join(line.split()[2:]) + "\r\n"
        for place, line in enumerate(lines)
    )
    kept = {pair: max(grade, 0) for pair, grade in theirs.items()}
    assert read("\n".join(lines), "negative-grades") == read(mixed, "negative-grades") == kept
    assert read_again(mixed) == theirs

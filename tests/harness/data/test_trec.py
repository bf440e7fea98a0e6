"""Run files go out and come back without the loss of an order or a bit, and a broken one is refused by its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import DataError
from harness.data.collection import Collection
from harness.data.runs import Run, build
from harness.data.trec import read_run, write_run
from harness.workspace import Workspace
from tests.tiny_collection import Place

GOOD = ["q1 Q0 d1 1 0.9 tag", "q1 Q0 d2 2 0.5 tag", "q2 Q0 d3 1 0.1 tag"]


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("trec")
    (folder / "mine").mkdir()
    return Place(folder / "mine", Workspace.open(folder / "workspace")).load()


def ranked(run: Run, collection: Collection) -> dict[str, list[tuple[str, float]]]:
    """(document, score) of every query that has candidates, best first."""
    order = run.order()
    names, scores = collection.corpus.ids(run.documents[order]), run.scores[order].tolist()
    rows = list(zip(names, scores, strict=True))
    bounds = zip(collection.queries.ids(), run.offsets[:-1], run.offsets[1:], strict=True)
    return {query: rows[start:stop] for query, start, stop in bounds if start < stop}


def refusal(file: Path, collection: Collection) -> str:
    """The one line that refuses a run file."""
    with pytest.raises(DataError) as caught:
        read_run(file, collection)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{file.parent}/")


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(st.dictionaries(st.integers(0, 7), finite), min_size=4, max_size=4).filter(any))
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read_back_with_the_same_order_and_bits(
    collection: Collection, tmp_path_factory: pytest.TempPathFactory, lists: list[dict[int, float]]
) -> None:
    file = tmp_path_factory.getbasetemp() / "round-trip.trec"
    offsets = np.cumsum([0, *map(len, lists)])
    documents = np.array([document for row in lists for document in row], int)
    scores = np.array([score for row in lists for score in row.values()], np.float32)
    run = build(offsets, documents, scores, collection.corpus.ids)
    write_run(file, run, collection, "tag")
    again = read_run(file, collection)
    assert ranked(again, collection) == ranked(run, collection)
    assert np.array_equal(again.scores[again.order()].view("u4") << 1, run.scores[run.order()].view("u4") << 1)


def test_a_written_file_has_ranks_from_one_and_all_digits(place: Place, collection: Collection) -> None:
    scores = np.array([0.1, np.nextafter(np.float32(0.1), np.float32(1)), 1e-30], np.float32)
    run = build(np.array([0, 0, 3, 3, 3]), np.array([0, 1, 2]), scores, collection.corpus.ids)
    write_run(place.path / "out.trec", run, collection, "my tag")
    assert (place.path / "out.trec").read_text("utf-8").splitlines() == [
        "q2 Q0 d2 1 0.10000001 my-tag",
        "q2 Q0 d1 2 0.1 my-tag",
        "q2 Q0 d3 3 1e-30 my-tag",
    ]


def test_scores_decide_and_the_rank_column_does_not(place: Place, collection: Collection) -> None:
    file = place.run_file(["q1 Q0 d1 1 0.5 t", "q1 Q0 d2 99 0.9 t", "q1 Q0 d3 -7 0.7 t"])
    assert [name for name, _ in ranked(read_run(file, collection), collection)["q1"]] == ["d2", "d3", "d1"]


def test_the_order_of_lines_does_not_matter(place: Place, collection: Collection) -> None:
    forward, back = place.run_file(GOOD, "a.trec"), place.run_file(reversed(GOOD), "b.trec")
    assert read_run(forward, collection).digest == read_run(back, collection).digest


def test_comments_empty_lines_and_queries_of_other_splits_are_left_out(place: Place, collection: Collection) -> None:
    file = place.run_file(["# made by hand", "", GOOD[0], "   ", "other Q0 nowhere 1 0.5 t", *GOOD[1:]])
    assert list(ranked(read_run(file, collection), collection)) == ["q1", "q2"]


def test_a_query_whose_id_begins_like_a_comment_is_not_lost(place: Place) -> None:
    collection = place.load(place.beir("hashed", queries={"#1": "ferry"}, qrels=[("#1", "d1", 1)]))
    file = place.run_file(["# a comment of six words here", "#1 Q0 d1 1 0.5 t"])
    assert ranked(read_run(file, collection), collection) == {"#1": [("d1", 0.5)]}


def test_tabs_windows_line_ends_and_a_byte_order_mark_are_read(place: Place, collection: Collection) -> None:
    file = place.path / "windows.trec"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(line.replace(" ", "\t") for line in GOOD).encode())
    assert read_run(file, collection).digest == read_run(place.run_file(GOOD), collection).digest


def test_a_byte_order_mark_in_the_middle_loses_no_query(place: Place, collection: Collection) -> None:
    """Files that were put together have several."""
    file = place.path / "joined.trec"
    file.write_text("".join(f"\ufeff{line}\n" for line in (*GOOD, "")), "utf-8")
    assert set(ranked(read_run(file, collection), collection)) == {"q1", "q2"}


def test_a_gzipped_file_is_read(place: Place, collection: Collection) -> None:
    plain = place.run_file(GOOD)
    packed = place.path / "run.trec.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_run(packed, collection).digest == read_run(plain, collection).digest


BROKEN = {
    "q1 d1 1 0.5": "run.trec:4: expected 6 columns 'query Q0 document rank score tag', found 4",
    "q1 d1 1 0.5 tag": "run.trec:4: expected 6 columns 'query Q0 document rank score tag', found 5",
    "q1 Q0 d1 0.5 tag": "run.trec:4: expected 6 columns",
    "q1 Q0 the tower 1 0.5 tag": "run.trec:4: expected 6 columns 'query Q0 document rank score tag', found 7",
    "q1 Q0 d1 1 high my tag": "run.trec:4: expected 6 columns",
    "q3 Q0 d1 1 inf": "run.trec:4: the score is inf",
    "q3 Q0 d1 1 1e999 t": "run.trec:4: the score is 1e999",
    "q3 Q0 d1 1 high t": "run.trec:4: the score 'high' is not a number",
    "q3 Q0 d1 1 nan t": "run.trec:4: the score is nan",
    "q3 Q0 d1 1 -inf t": "run.trec:4: the score is -inf",
    "q1 Q0 d2 9 0.1 t": "run.trec:4: document 'd2' is listed twice for query 'q1'",
    "q3 Q0 d99 1 0.5 t": "run.trec: 1 line names a document that coll lacks, first 'd99'; correct it, or declare allow",
}


@pytest.mark.parametrize(("line", "said"), BROKEN.items())
def test_a_broken_line_is_refused_by_its_number(place: Place, collection: Collection, line: str, said: str) -> None:
    assert refusal(place.run_file([*GOOD, line]), collection).startswith(said)


@pytest.mark.parametrize("end", ["", " my own tag", "\tBM25 (k1=0.9, b=0.4)", " 7", " "])
def test_the_tag_may_be_missing_or_have_several_words(place: Place, collection: Collection, end: str) -> None:
    lines = [line.removesuffix(" tag") + end for line in GOOD]
    assert read_run(place.run_file(lines), collection).digest == read_run(place.run_file(GOOD), collection).digest


JOINED = {
    "q1 Q0 d3 3 0.4 tagq2 Q0 d2 1 0.9 tag": "two lines of a run with no newline between them",
    "q1 Q0 d3 3 0.4 my own tagq2 Q0 d2 1 0.9 my own tag": "two lines of a run with no newline between them",
    "q1 Q0 d3 3 0.42 0 d2 1 0.9": "two lines of a run with no newline between them",
    "q1 Q0 d3 3 0.4 tag more": "7 columns, but 6 in the first line",
}


@pytest.mark.parametrize(("line", "said"), JOINED.items())
def test_a_line_that_swallowed_another_is_refused_by_its_number(
    place: Place, collection: Collection, line: str, said: str
) -> None:
    with pytest.raises(DataError, match=rf"run\.trec:4: {said}"):
        read_run(place.run_file([*GOOD, line]), collection)


@pytest.mark.parametrize("line", [line for line in JOINED if "Q0 d2" in line])
def test_two_joined_lines_are_refused_where_no_other_line_differs(
    place: Place, collection: Collection, line: str
) -> None:
    with pytest.raises(DataError, match=r"run\.trec:1: two lines of a run"):
        read_run(place.run_file([line]), collection)


def test_a_first_line_with_another_tag_than_the_rest_is_noticed(place: Place, collection: Collection) -> None:
    with pytest.raises(DataError, match=r"run\.trec:2: 6 columns, but 8 in the first line"):
        read_run(place.run_file(["q1 Q0 d3 3 0.4 my own tag", *GOOD]), collection)


def test_line_ends_of_carriage_returns_alone_are_refused(place: Place, collection: Collection) -> None:
    file = place.path / "run.trec"
    file.write_bytes("\r".join([*GOOD, ""]).encode())
    with pytest.raises(DataError, match=r"run\.trec:1: a carriage return \(CR\) inside the line"):
        read_run(file, collection)


@pytest.mark.parametrize("content", ["", "\n\n", "# a comment\n"])
def test_a_file_without_lines_is_called_empty(place: Place, collection: Collection, content: str) -> None:
    file = place.path / "run.trec"
    file.write_text(content)
    with pytest.raises(DataError, match=r"run\.trec: the file is empty, or has only comments"):
        read_run(file, collection)


@pytest.mark.parametrize("score", ["1e-3", "1E+2", "-.5", "5.", "0x"])
def test_scores_are_read_as_python_reads_them(place: Place, collection: Collection, score: str) -> None:
    file = place.run_file([*GOOD, f"q3 Q0 d1 1 {score} t"])
    if score == "0x":
        assert refusal(file, collection).startswith("run.trec:4: the score '0x' is not a number")
    else:
        assert ranked(read_run(file, collection), collection)["q3"] == [("d1", pytest.approx(float(score)))]


def test_documents_outside_the_corpus_are_left_out_and_counted_where_the_rule_is_declared(place: Place) -> None:
    collection = place.load(place.beir("partial", rules='allow = ["unknown-documents"]'))
    run = read_run(place.run_file(["q1 Q0 gone1 1 0.95 t", *GOOD, "q3 Q0 gone2 1 0.5 t"]), collection)
    assert ranked(run, collection) == ranked(read_run(place.run_file(GOOD), collection), collection)
    assert run.outside == (2, 5)


def test_a_run_with_no_document_of_the_corpus_is_refused_whatever_is_declared(place: Place) -> None:
    collection = place.load(place.beir("partial", rules='allow = ["unknown-documents"]'))
    said = refusal(place.run_file(["q1 Q0 gone 1 0.5 t"]), collection)
    assert said.endswith("and no line names a document that it has; is it the run of another collection?")


@pytest.mark.parametrize("score", ["1_000", "٣", "１.5", "0x10", "1e", "--1"])
def test_a_score_that_trec_eval_reads_as_another_number_is_refused(
    score: str, place: Place, collection: Collection
) -> None:
    assert "is not a number" in refusal(place.run_file([*GOOD, f"q3 Q0 d1 1 {score} t"]), collection)


def test_a_score_too_large_for_float32_is_refused(place: Place, collection: Collection) -> None:
    assert "run.trec:4: the score 1e+200 is not finite as float32" in refusal(
        place.run_file([*GOOD, "q3 Q0 d1 1 1e200 t"]), collection
    )


def test_bytes_that_are_not_utf8_are_refused_by_their_line(place: Place, collection: Collection) -> None:
    file = place.path / "run.trec"
    file.write_bytes("\n".join(GOOD).encode() + b"\nq3 Q0 d\xff 1 0.5 t\n")
    assert refusal(file, collection).startswith("run.trec:4: ")


def test_the_run_of_another_split_is_refused(place: Place, collection: Collection) -> None:
    said = refusal(place.run_file(["x Q0 d1 1 0.5 t"]), collection)
    assert said == "run.trec: none of its queries is in coll; is it the run of another split?"


@pytest.mark.parametrize("spoil", [lambda data: data[: len(data) // 2], lambda data: data[:12] + b"\xff" * 40])
def test_a_gzip_file_that_breaks_off_is_refused(place: Place, collection: Collection, spoil: object) -> None:
    file = place.path / "run.trec.gz"
    whole = gzip.compress("".join(f"q1 Q0 other{n} {n} {n} t\n" for n in range(999)).encode())
    file.write_bytes(spoil(whole))  # type: ignore[operator]
    assert "cannot be read" in refusal(file, collection)


def test_a_file_that_is_not_there_is_named(place: Place, collection: Collection) -> None:
    assert refusal(place.path / "missing.trec", collection).startswith("no run file at ")

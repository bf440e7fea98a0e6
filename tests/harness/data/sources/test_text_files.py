"""Documents and queries come in many forms; each is read as its usual reader reads it, and nothing gets lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError
from harness.data.sources.beir_folder import Folder
from harness.data.sources.dirt import Dirt
from harness.data.sources.text_files import read_documents, read_queries

Texts = dict[str, str]


def documents(tmp_path: Path, content: str, name: str = "corpus.txt") -> Texts:
    (tmp_path / name).write_text(content, "utf-8")
    return {identifier: text for _, identifier, text in read_documents(Folder(tmp_path), [name], Dirt())}


def queries(tmp_path: Path, content: str, field: str | None = None) -> Texts:
    (tmp_path / "topics.txt").write_text(content, "utf-8")
    return {identifier: text for _, identifier, text in read_queries(Folder(tmp_path), "topics.txt", Dirt(), field)}


def refused(read: Any, tmp_path: Path, content: str) -> str:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize("identifier", ["_id", "id", "docid", "doc_id", "docno", "pid", "document_id"])
@pytest.mark.parametrize("text", ["text", "contents", "body", "passage", "segment"])
def test_the_usual_names_of_fields_are_known(tmp_path: Path, identifier: str, text: str) -> None:
    assert documents(tmp_path, json.dumps({identifier: "d1", text: "a text", "title": "A"})) == {"d1": "A a text"}


@pytest.mark.parametrize(
    ("name", "text"), [("query_id", "query"), ("qid", "question"), ("id", "title"), ("_id", "text")]
)
def test_queries_have_other_names(tmp_path: Path, name: str, text: str) -> None:
    assert queries(tmp_path, json.dumps({name: 7, text: "why"})) == {"7": "why"}


def test_the_own_names_stand_above_others(tmp_path: Path) -> None:
    row = {"_id": "d1", "id": "x", "text": "a text", "contents": "another"}
    assert documents(tmp_path, json.dumps(row)) == {"d1": "a text"}


def test_passages_of_ms_marco_have_the_id_of_the_passage(tmp_path: Path) -> None:
    row = {"pid": "msmarco_passage_00_0", "passage": "a text", "spans": "(0,5)", "docid": "msmarco_doc_00_0"}
    assert documents(tmp_path, json.dumps(row)) == {"msmarco_passage_00_0": "a text"}


def test_names_of_which_several_could_be_it_are_refused(tmp_path: Path) -> None:
    message = refused(documents, tmp_path, '{"id": "a", "docid": "b", "text": "x"}')
    assert message == "corpus.txt:1: the fields 'id' and 'docid' could both be '_id'; rename one of them to '_id'"


def test_a_file_whose_texts_have_an_unknown_name_is_refused(tmp_path: Path) -> None:
    message = refused(documents, tmp_path, '{"id": "a", "words": "x"}\n{"id": "b", "words": "y"}')
    assert message == "corpus.txt:1: no line has a text; name its field 'text' (fields: id, words)"
    assert "no line has a text" in refused(queries, tmp_path, '{"id": "a", "words": "x"}')


@pytest.mark.parametrize(
    "line", ['{"_id": "d2", "text": null}', '{"_id": "d2", "text": NaN}', '{"_id": "d2", "title": null}']
)
def test_a_text_that_is_null_or_missing_is_empty_and_counted(session: Any, line: str) -> None:
    corpus = ['{"_id": "d1", "text": "a text"}', line, '{"_id": "d3", "title": "only a title"}']
    collection = session.load(session.beir(corpus=corpus))
    assert list(collection.corpus) == ["a text", "", "only a title"]
    assert collection.counts.let_through == {"missing-texts": 2}
    assert collection.counts.shares == {"missing-texts": {"documents": [2, 3]}}
    assert collection.counts.empty_documents == 1


def test_a_judged_query_without_a_text_counts_and_an_unjudged_one_does_not(session: Any) -> None:
    queries = [{"_id": "q1", "text": None}, {"_id": "q2", "text": "bread"}, {"_id": "q3", "text": None}]
    collection = session.load(session.beir(queries=queries))
    assert list(collection.queries) == ["", "bread"]
    assert (collection.counts.empty_queries, collection.counts.let_through) == (1, {})


@pytest.mark.parametrize("indent", [None, 2])
def test_one_json_array_is_read_like_lines(session: Any, indent: int | None) -> None:
    rows = [{"_id": f"d{n}", "text": f"text {n}"} for n in (1, 2, 3)]
    lines, array = session.beir("lines", corpus=rows), session.beir("array", corpus=rows)
    (array / "corpus.jsonl").unlink()
    (array / "corpus.json").write_text("\ufeff" + json.dumps(rows, indent=indent), "utf-8")
    assert session.load(lines).fingerprint == session.load(array).fingerprint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[\n{"_id": "a", "text": "x"}\n{', "corpus.txt:3: not JSON (expected ','); write one array of objects"),
        ('[{"_id": "a", "text": "x"},\n 3]', "corpus.txt:2: a number in the array, not an object"),
        ('[{"_id": "a", "text": "x"}]\nx', "corpus.txt:2: not JSON (something follows the array)"),
        ('[{"_id": "a", "text": "x"},\n]', "corpus.txt:2: not JSON (a comma before ']')"),
        ('[{"_id": "a", "text": "x"},\n\n{"_id": }]', "corpus.txt:3: not JSON (column "),
        ('[{"_id": "a", "text": "x"}, {"_id": "", "text": "x"}]', "corpus.txt:1 (item 2): an empty id"),
    ],
)
def test_a_broken_array_is_named_by_its_line(tmp_path: Path, content: str, message: str) -> None:
    assert refused(documents, tmp_path, content).startswith(message)


def test_two_items_of_one_line_cannot_have_one_id(session: Any) -> None:
    folder = session.beir(corpus=['[{"_id": "d1", "text": "a"}, {"_id": "d1", "text": "b"}]'])
    assert "id 'd1' is already in " in session.refused(DataError, folder)


def test_columns_are_id_and_text_or_what_a_header_says(tmp_path: Path) -> None:
    assert documents(tmp_path, '7\tthe "boat" leaves\r\n8\t"a quote"\n') == {"7": 'the "boat" leaves', "8": '"a quote"'}
    assert documents(tmp_path, 'id\ttext\ttitle\n1\t"says ""no"""\tAnswer\n') == {"1": 'Answer says "no"'}
    marco = "D1\thttps://example.org/a\tFerry\tThe boat leaves.\n"
    assert documents(tmp_path, marco) == {"D1": "Ferry The boat leaves."}
    assert queries(tmp_path, "qid\tquery\n1\twhy\n") == {"1": "why"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1\ta\tb\n", "corpus.txt:1: 3 columns without a header; write id and text with one tab between them"),
        ("1\ta\n2\tb\tc\n", "corpus.txt:2: 3 columns, not 2; write id and text"),
        ("\ta\n", "corpus.txt:1: an empty id"),
        (
            "words without a tab\n",
            "corpus.txt:1: not a known form of a corpus; write objects of JSON, id and text",
        ),
        ("<top>\n<num> 1\n</top>\n", "corpus.txt:1: topics, not documents"),
        ("<DOC>\n<TEXT>x</TEXT>\n</DOC>\n", "corpus.txt:1: a <DOC> without <DOCNO>; give every document one"),
        ("<DOC>\n<DOCNO>1</DOCNO>\n<TEXT>x\n", "corpus.txt:1: a <DOC> without </DOC>; is the file complete?"),
    ],
)
def test_documents_in_no_form_that_is_clear_are_refused(tmp_path: Path, content: str, message: str) -> None:
    assert refused(documents, tmp_path, content).startswith(message)


DISK = """<DOC>
<DOCNO> FT911-1 </DOCNO>
<PROFILE>_AN-A1</PROFILE>
<DATE>910514
</DATE>
<HEADLINE>
FT  14 MAY 91 / Ferries &amp; mills
</HEADLINE>
<TEXT>
<P>
The boat leaves at nine.
</P>
<F P=102> The mill turns. </F>
</TEXT>
<PUB>The Financial Times
</PUB>
</DOC>
<DOC>
<DOCNO>FT911-2</DOCNO>
<TEXT>
Bread is sold.
</TEXT>
</DOC>
"""


def test_tagged_documents_have_the_text_of_their_elements_without_markup(tmp_path: Path) -> None:
    found = documents(tmp_path, DISK)
    assert {name: " ".join(text.split()) for name, text in found.items()} == {
        "FT911-1": "910514 FT 14 MAY 91 / Ferries & mills The boat leaves at nine. The mill turns.",
        "FT911-2": "Bread is sold.",
    }


def test_tagged_documents_are_those_of_ir_datasets(tmp_path: Path) -> None:
    trec = pytest.importorskip("ir_datasets.formats.trec")
    plain = re.sub(r"</?[PF][ >][^\n]*", "", DISK).replace("&amp;", "and").replace("<DATE>910514\n</DATE>\n", "")
    found = documents(tmp_path, plain)
    with (tmp_path / "corpus.txt").open("rb") as file:
        theirs = {one.doc_id: one.text.split() for one in trec.TrecDocs(None)._parser_text(file)}
    assert {name: text.split() for name, text in found.items()} == theirs


def test_a_document_may_be_in_one_line(tmp_path: Path) -> None:
    one = "<DOC><DOCNO>{0}</DOCNO><TITLE>A</TITLE><TEXT>text {0}</TEXT></DOC>"
    assert documents(tmp_path, one.format(1) + one.format(2) + "\n" + one.format(3)) == {
        str(n): f"A text {n}" for n in (1, 2, 3)
    }


TOPICS = """
<top>
<head> Tipster Topic Description
<num> Number: 301
<title> International Organized
Crime

<desc> Description:
Identify organizations &amp; crimes.

<narr> Narrative:
A relevant document names one.

</top>
<top>
<num> Number: 302 </num>
<title> Topic: Polio </title>
<desc> Description: Is it
under control?
<narr> Narrative: x
</top>
"""


@pytest.mark.parametrize(("field", "theirs"), [(None, "title"), ("title", "title"), ("desc", "description")])
def test_topics_are_read_as_ir_datasets_reads_them(tmp_path: Path, field: str | None, theirs: str) -> None:
    trec = pytest.importorskip("ir_datasets.formats.trec")
    ours = queries(tmp_path, TOPICS, field)
    source = type("Source", (), {"stream": lambda _: (tmp_path / "topics.txt").open("rb")})()
    found = trec.TrecQueries(source, remove_tags=("</title>", "</num>")).queries_iter()
    wanted = {one.query_id.strip(): " ".join(getattr(one, theirs).split()) for one in found}
    assert ours == {name: text.replace("&amp;", "&") for name, text in wanted.items()}


COVID = '<topics><topic number="1"><query>corona origin</query><question>where?</question></topic></topics>'
TOUCHE = "<?xml version='1.0'?>\n<topics>\n<topic><number>1</number><title>a &amp; b</title></topic></topics>"


@pytest.mark.parametrize(
    ("content", "field", "wanted"),
    [
        (COVID, None, "corona origin"),
        (COVID, "question", "where?"),
        (TOUCHE, None, "a & b"),
    ],
)  # fmt: skip
def test_topics_in_xml_are_read(tmp_path: Path, content: str, field: str | None, wanted: str) -> None:
    assert queries(tmp_path, content, field) == {"1": wanted}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<top>\n<num> 1\n<desc> x\n</top>\n", "topics.txt:1: topic '1' has no title; name another field in "
         "collection.toml: [files] query_field = ... (fields: desc)"),
        ("<top>\n<title> x\n</top>\n", "topics.txt:1: a topic without a number; give every topic one"),
        ("<top>\n<num> 1\n<title> x\n", "topics.txt:1: a <top> without </top>; is the file complete?"),
        ("<topics><topic>a & b</topic></topics>", "topics.txt:1: not XML ("),
        ("<topics></topics>", "topics.txt:1: no <topic> in it"),
        ("301 organized crime\n", "topics.txt:1: not a known form of queries; write objects of JSON, "),
    ],
)  # fmt: skip
def test_queries_in_no_form_that_is_clear_are_refused(tmp_path: Path, content: str, message: str) -> None:
    assert refused(queries, tmp_path, content).startswith(message)

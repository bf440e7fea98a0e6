"""A folder of TREC files is a collection as it lies there; which file is which is never guessed."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from harness.data.collection import Collection

DOCUMENTS = {"d1": "Ferry The boat leaves at nine.", "d2": "The mill turns at low tide.", "d3": "Bread is sold."}
TSV = "".join(f"{name}\t{text}\n" for name, text in DOCUMENTS.items())
JSONL = "".join(f'{{"id": "{name}", "contents": "{text}"}}\n' for name, text in DOCUMENTS.items())
TAGGED = "".join(f"<DOC>\n<DOCNO> {n} </DOCNO>\n<TEXT>\n{text}\n</TEXT>\n</DOC>\n" for n, text in DOCUMENTS.items())
TOPICS = "q1\twhen does the boat leave\nq2\tbread\n"
TAGGED_TOPICS = """<top>
<num> Number: q1
<title> when does the boat leave

<desc> Description:
Which is the first boat?
</top>

<top>
<num> Number: q2
<title>bread</title>
<desc> Description: Where is bread sold?
</top>
"""
QRELS = "q1 0 d1 2\nq1 0 d2 -2\nq2 0 d3 1\n"


ROWS = [(query, document, grade) for query, _, document, grade in map(str.split, QRELS.splitlines())]


def folder(session: Any, **files: str | bytes) -> Path:
    """A folder with files; `__` in a name is a slash."""
    place: Path = session.path / "trec"
    for name, content in files.items():
        file = place / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def content(collection: Collection) -> tuple[list[str], list[str], list[str], list[int]]:
    texts = [*collection.corpus]
    return collection.corpus.ids(), texts, [*collection.queries], collection.qrels.grades.tolist()


WANTED = (["d1", "d2", "d3"], [*DOCUMENTS.values()], ["when does the boat leave", "bread"], [2, 0, 1])
SETS: dict[str, dict[str, str | bytes]] = {
    "MS MARCO": {"collection.tsv": TSV, "queries.dev.small.tsv": TOPICS, "qrels.dev.small.tsv": QRELS},
    "Deep Learning": {"collection.tsv": TSV, "msmarco-test2019-queries.tsv": TOPICS, "2019qrels-pass.txt": QRELS},
    "Anserini": {"docs__docs00.json": JSONL, "topics.dl19-passage.txt": TOPICS, "qrels.dl19-passage.txt": QRELS},
    "TREC": {"corpus.txt": TAGGED, "topics.301-350.txt": TAGGED_TOPICS, "qrels.robust04.txt": QRELS},
    "gzipped": {
        "corpus.jsonl.gz": gzip.compress(JSONL.encode()),
        "topics.tsv.gz": gzip.compress(TOPICS.encode()),
        "qrels.txt.gz": gzip.compress(QRELS.encode()),
    },
    "other names": {"ft911.gz": gzip.compress(TAGGED.encode()), "301.sgm": TAGGED_TOPICS, "robust.txt": QRELS},
    "BEIR with TREC's judgments": {"corpus.jsonl": JSONL, "queries.jsonl": '{"id": "q1", "query": "when does the boat '
                                   'leave"}\n{"id": "q2", "query": "bread"}\n', "qrels__test.txt": QRELS},
    "mteb": {"corpus.jsonl": JSONL, "queries.tsv": TOPICS, "qrels__test.jsonl": "".join(
        f'{{"query-id": "{q}", "corpus-id": "{d}", "score": {g}}}\n' for q, d, g in ROWS)},
}  # fmt: skip


@pytest.mark.parametrize("name", list(SETS))
def test_the_usual_files_are_found(session: Any, name: str) -> None:
    collection = session.load(folder(session, **SETS[name]))
    assert content(collection) == WANTED
    assert collection.counts.let_through == {"negative-grades": 1}


def test_several_files_of_documents_are_one_corpus_in_the_order_of_their_names(session: Any) -> None:
    first, second, third = JSONL.splitlines(keepends=True)
    place = folder(session, **{"docs02.json": third, "docs01.json": second, "docs00.json": first, "topics.tsv": TOPICS,
                             "qrels.txt": QRELS})  # fmt: skip
    assert content(session.load(place)) == WANTED
    (place / "docs02.json").write_text(first + third)
    message = session.refused(DataError, place)
    assert message.replace(str(session.path) + "/", "").startswith(
        "trec/docs02.json:1: id 'd1' is already in trec/docs00.json:1; "
    )


def test_a_zip_file_of_them_is_read_too(session: Any) -> None:
    place = folder(session, **SETS["MS MARCO"])
    with zipfile.ZipFile(session.path / "marco.zip", "w") as archive:
        for file in place.iterdir():
            archive.write(file, f"marco/{file.name}")
    assert content(session.load(session.path / "marco.zip")) == WANTED


def test_the_split_is_what_the_name_of_the_judgments_says(session: Any) -> None:
    place = folder(session, **SETS["MS MARCO"], **{"qrels.train.tsv": "q2 0 d2 1\n", "queries.train.tsv": "q2\tmill\n"})
    message = session.refused(UsageError, place)
    assert message == "trec: no split 'test'; name one with --split: dev.small, train"
    assert list(session.load(place, split="train").queries) == ["mill"]
    assert session.load(place, split="dev.small").counts.queries == 2


def test_several_files_that_could_be_it_are_refused_with_the_list(session: Any) -> None:
    place = folder(session, **SETS["MS MARCO"], **{"documents.tsv": TSV})
    message = session.refused(UsageError, place)
    assert message == (
        "trec/corpus: not clear, could be collection.tsv, documents.tsv; name one in collection.toml: [files] "
        "corpus = ..."
    )
    for name in ("documents.tsv", "qrels.dev.small.tsv"):
        (place / name).unlink()
    folder(session, **{"qrels.txt": QRELS, "queries.eval.tsv": TOPICS})
    message = session.refused(UsageError, place)
    assert message == (
        "trec/queries: not clear, could be queries.dev.small.tsv, queries.eval.tsv; name one in collection.toml: "
        "[files] queries = ..."
    )


def test_files_of_any_name_can_be_declared(session: Any) -> None:
    place = folder(session, **{"a.txt": TSV, "b.txt": TAGGED_TOPICS, "c.txt": QRELS, "collection.toml":
                             '[files]\ncorpus = "a.txt"\nqueries = "b.txt"\njudgments = "c.txt"\n'})  # fmt: skip
    assert content(session.load(place)) == WANTED
    (place / "a.txt").rename(session.path / "a.txt")
    (place / "collection.toml").write_text('[files]\ncorpus = ["../a.txt"]\nqueries = "b.txt"\njudgments = "c.txt"\n')
    assert content(session.load(place)) == WANTED


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ('corpse = "a"', "files.corpse: unknown key. Did you mean corpus?"),
        ("queries = 3", "files.queries: 3 is not a text"),
        ("corpus = []", "files.corpus: an empty list names no file"),
    ],
)
def test_a_wrong_declaration_is_named(session: Any, declared: str, message: str) -> None:
    place = folder(session, **SETS["MS MARCO"], **{"collection.toml": f"[files]\n{declared}\n"})
    assert message in session.refused(UsageError, place)


def test_a_declared_file_that_is_not_there_is_named(session: Any) -> None:
    place = folder(session, **SETS["MS MARCO"], **{"collection.toml": '[files]\ncorpus = "docs.tsv"\n'})
    message = session.refused(DataError, place)
    assert message == "trec/docs.tsv: not found; collection.toml declares it: [files] corpus"


def test_the_field_of_topics_that_is_asked_can_be_declared(session: Any) -> None:
    place = folder(session, **SETS["TREC"], **{"collection.toml": '[files]\nquery_field = "desc"\n'})
    assert list(session.load(place).queries) == ["Which is the first boat?", "Where is bread sold?"]


def test_a_missing_corpus_is_answered_with_what_is_there(session: Any) -> None:
    place = folder(session, **{"topics.tsv": TOPICS, "qrels.txt": QRELS})
    message = session.refused(DataError, place)
    assert message.startswith("trec/corpus.jsonl: not found; a collection has corpus.jsonl, ")
    assert message.endswith("[files] corpus = ... (files: qrels.txt, topics.tsv)")


def test_runs_and_notes_in_the_folder_are_not_part_of_the_collection(session: Any) -> None:
    others = {"run.bm25.txt": "q1 Q0 d1 1 0.5 t\n", "README.md": "# Topics\n", "results-docs.txt": "map all 0.2\n"}
    assert content(session.load(folder(session, **SETS["MS MARCO"], **others))) == WANTED


def test_judgments_and_queries_may_lie_among_the_documents(session: Any) -> None:
    files = {"part1.tsv": TSV, "topics.tsv": TOPICS, "qrels.txt": QRELS}
    place = folder(session, **{f"collection__{name}": text for name, text in files.items()})
    assert content(session.load(place)) == WANTED


@pytest.mark.parametrize("name", ["table.csv", "coll__corpus.csv"])
def test_csv_is_refused_with_what_to_do(session: Any, name: str) -> None:
    place = folder(session, **{name: "id,text\n1,a\n"})
    message = session.refused(UsageError, place / name.split("__")[0])
    assert (
        " is not a collection; .csv is not read, save it with tabs as .tsv; name a folder with corpus.jsonl" in message
    )

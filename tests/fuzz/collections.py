"""Collections, judgments, rows, runs and examples, compared with json, csv and trec_eval's own readers and values."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytrec_eval

from harness.data.collection import Collection
from harness.data.runs import Run
from harness.data.sources import load
from harness.data.trec import read_run
from harness.measuring.judged import Judged
from harness.measuring.measures import parse
from harness.running.imported.formats import run_file
from harness.workspace import Workspace
from tests.fuzz.kinds import Disagreement, Kind, constant, plain_lines
from training.examples import Examples
from training.sources import read_examples

Grades = Mapping[str, Mapping[str, int]]
CORPUS = {
    "d1": "The ferry leaves at nine.",
    "d2": "Bread is sold until noon.",
    "7": "Brot gibt es bis zwölf Uhr.",
    "d4": "潮は正午に引く。",
    "d5": "",
    "d6": "The mill turns at low tide.",
}
QUERIES = {"q1": "when does the ferry leave", "2": "bis wann gibt es Brot", "q3": "潮はいつ引く"}
QRELS = (("q1", "d1", 2), ("q1", "d2", 0), ("2", "7", 1), ("q3", "d4", 1), ("q3", "d6", 3))
RUN = (
    ("q1", "d1", 2.5), ("q1", "d2", 1.25), ("q1", "d6", 1.25), ("2", "d1", 0.5), ("2", "7", -1.0), ("q3", "d6", 3.0),
    ("q3", "d4", 3.0), ("q3", "7", 1e-3),
)  # fmt: skip
MEASURES = {"nDCG@10": "ndcg_cut_10", "AP": "map", "RR": "recip_rank", "P@5": "P_5"}
_TOML = 'language = "en"\n'


def jsonl(rows: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def corpus_text() -> str:
    return jsonl([{"_id": key, "title": "Notice" if key == "d2" else "", "text": text} for key, text in CORPUS.items()])


def queries_text() -> str:
    return jsonl([{"_id": key, "text": text} for key, text in QUERIES.items()])


def tsv() -> str:
    return "query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t{g}\n" for q, d, g in QRELS)


def folder_of(folder: Path) -> None:
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_text(corpus_text(), "utf-8")
    (folder / "queries.jsonl").write_text(queries_text(), "utf-8")
    (folder / "qrels" / "test.tsv").write_text(tsv(), "utf-8")
    (folder / "collection.toml").write_text(_TOML, "utf-8")


def around(*contents: str | bytes) -> Callable[[Path], Sequence[bytes]]:
    """Examples of one file of a folder in BEIR's layout, whose other files are written."""

    def examples(folder: Path) -> Sequence[bytes]:
        folder_of(folder.parent if folder.name == "qrels" else folder)
        return constant(*contents)(folder)

    return examples


def only(collections: list[Collection]) -> Collection:
    (found,) = collections
    return found


def loaded(target: Path, space: Path) -> Collection:
    """A target, read into a workspace of its own."""
    shutil.rmtree(space, ignore_errors=True)
    found = only(load(str(target), Workspace.open(space)))
    Judged(fixed_run(found), found.qrels, len(found.queries)).values([parse(one) for one in MEASURES])
    return found


def of_folder(file: Path) -> Collection:
    folder = file.parent.parent if file.parent.name == "qrels" else file.parent
    return loaded(folder, folder.parent / "workspace")


def of_file(file: Path) -> Collection:
    return loaded(file, file.parent.parent / "workspace")


def fixed_run(collection: Collection) -> Run:
    """Every query lists the same documents, from the last to the first."""
    from harness.data.runs import build

    documents = np.arange(min(len(collection.corpus), 20))
    queries = len(collection.queries)
    offsets = np.arange(queries + 1) * len(documents)
    return build(offsets, np.tile(documents, queries), np.tile(documents / 7, queries), collection.corpus.ids)


def grades_of(collection: Collection) -> dict[str, dict[str, int]]:
    ids, qrels = collection.queries.ids(), collection.qrels
    documents = [*collection.corpus.ids(qrels.documents), *qrels.missing.ids]
    found: dict[str, dict[str, int]] = {}
    for query, document, grade in zip(qrels.all_queries.tolist(), documents, qrels.all_grades.tolist(), strict=True):
        found.setdefault(ids[query], {})[document] = grade
    return found


def same(ours: object, theirs: object, what: str) -> None:
    if ours != theirs:
        raise Disagreement(f"{what}: {str(ours)[:300]} here, {str(theirs)[:300]} by the independent reader")


def same_values(collection: Collection, run: Run, grades: Grades) -> None:
    """Our values of every query are those of trec_eval's own code."""
    ids, names = collection.queries.ids(), collection.corpus.ids(run.documents)
    scored: dict[str, dict[str, float]] = {}
    for query, name, score in zip(run.queries.tolist(), names, run.scores.tolist(), strict=True):
        scored.setdefault(ids[query], {})[name] = score
    values = Judged(run, collection.qrels, len(ids)).values([parse(one) for one in MEASURES])
    theirs = pytrec_eval.RelevanceEvaluator(
        {query: dict(one) for query, one in grades.items()}, set(MEASURES.values())
    ).evaluate(scored)
    for row, name in enumerate(MEASURES.values()):
        for place, query in enumerate(ids):
            reference = theirs.get(query, {}).get(name, 0.0)
            if not abs(float(values[row, place]) - reference) <= 1e-9:
                raise Disagreement(f"{name} of {query!r} is {values[row, place]!r} here, {reference!r} in trec_eval")


def texts_by_json(content: bytes, wanted: Sequence[str]) -> dict[str, str] | None:
    """Ids and texts of lines of JSON, by Python's own reader; None if a line has anything unusual."""
    found: dict[str, str] = {}
    try:
        for line in plain_lines(content):
            row = json.loads(line)
            identifier, title, text = row["_id"], row.get("title", ""), row["text"]
            if set(row) - {"_id", "title", "text"} or {type(identifier), type(title), type(text)} != {str}:
                return None
            if identifier in found:
                return None
            found[identifier] = f"{title} {text}".strip() if "title" in wanted else text
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return found


def compare_corpus(file: Path, read: Collection) -> bool:
    theirs = texts_by_json(file.read_bytes(), ["title"])
    if theirs is None:
        return False
    same(dict(zip(read.corpus.ids(), read.corpus, strict=True)), theirs, "documents")
    same_values(read, fixed_run(read), grades_of(read))
    return True


def compare_queries(file: Path, read: Collection) -> bool:
    theirs = texts_by_json(file.read_bytes(), [])
    if theirs is None:
        return False
    judged = {query for query, _, _ in QRELS}
    same(dict(zip(read.queries.ids(), read.queries, strict=True)), {q: t for q, t in theirs.items() if q in judged}, "")
    return True


def _grades(rows: Sequence[tuple[str, str, str]]) -> dict[str, dict[str, int]] | None:
    found: dict[str, dict[str, int]] = {}
    for query, document, grade in rows:
        if document in found.setdefault(query, {}) or not query or not document:
            return None
        found[query][document] = max(int(grade), 0)
    return found


def by_csv(content: bytes) -> dict[str, dict[str, int]] | None:
    """Judgments in BEIR's form, as BEIR's own loader reads them."""
    try:
        rows = list(csv.reader(io.StringIO("\n".join(plain_lines(content))), delimiter="\t", strict=True))
        if not rows or rows[0] != ["query-id", "corpus-id", "score"] or any(len(row) != 3 for row in rows):
            return None
        if any(row[0].startswith("#") for row in rows):  # a comment, as in trec_eval
            return None
        if any(one != one.strip() for row in rows for one in row):
            return None
        return _grades([(row[0], row[1], row[2]) for row in rows[1:]])
    except (ValueError, csv.Error):
        return None


def by_trec_eval(content: bytes) -> dict[str, dict[str, int]] | None:
    """Judgments in TREC's form, as pytrec_eval reads them."""
    try:
        rows = [line.split() for line in plain_lines(content)]
        if any(len(row) != 4 or row[0].startswith("#") for row in rows):
            return None
        found = pytrec_eval.parse_qrel(io.StringIO("\n".join(" ".join(row) for row in rows)))
    except (ValueError, AssertionError):
        return None
    return {query: {name: max(grade, 0) for name, grade in one.items()} for query, one in found.items()}


def by_json(content: bytes) -> dict[str, dict[str, int]] | None:
    try:
        found = json.loads(content)
        kinds = {type(grade) for one in found.values() for grade in one.values()}
        if any(name != name.strip() for one in found.values() for name in one):  # ids are read without white space
            return None
        whole = {q: {d: max(g, 0) for d, g in one.items()} for q, one in found.items() if one}
        return whole if kinds == {int} else None
    except (ValueError, AttributeError, RecursionError):
        return None


def compare_judgments(
    reader: Callable[[bytes], dict[str, dict[str, int]] | None],
) -> Callable[[Path, Collection], bool]:
    def compare(file: Path, read: Collection) -> bool:
        theirs = reader(file.read_bytes())
        if theirs is None:
            return False
        same(grades_of(read), theirs, "judgments")
        same_values(read, fixed_run(read), theirs)
        return True

    return compare


def compare_rows(file: Path, read: Collection) -> bool:
    """Texts and grades of rows with lists, each query with an id of its own."""
    grades: dict[str, dict[str, int]] = {}
    try:
        for line in plain_lines(file.read_bytes()):
            row = json.loads(line)
            if set(row) != {"id", "query", "positive", "negative"} or type(row["id"]) is not str:
                return False
            listed = [*((text, 0) for text in row["negative"]), *((text, 1) for text in row["positive"])]
            both = {text.strip() for text in row["negative"]} & {text.strip() for text in row["positive"]}
            if not isinstance(row["positive"], list) or not isinstance(row["negative"], list):
                return False
            if row["id"] in grades or both or type(row["query"]) is not str:
                return False
            if listed:
                grades[row["id"]] = {text.strip(): grade for text, grade in listed}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    texts = dict(zip(read.corpus.ids(), read.corpus, strict=True))
    ours = {query: {texts[name]: grade for name, grade in one.items()} for query, one in grades_of(read).items()}
    same(ours, grades, "rows")
    return True


@cache
def standing(space: Path) -> Collection:
    """The collection that runs are read for."""
    folder_of(space / "collection")
    return only(load(str(space / "collection"), Workspace.open(space / "workspace")))


def of_run(file: Path) -> tuple[Collection, Run]:
    collection = standing(file.parent.parent / "of-runs")
    run = read_run(file, collection)
    Judged(run, collection.qrels, len(collection.queries)).values([parse(one) for one in MEASURES])
    return collection, run


def of_imported(file: Path) -> tuple[Collection, Run]:
    collection = standing(file.parent.parent / "of-runs")
    found = run_file(file)
    run = found.read(collection)
    assert isinstance(found.origin.identity, Mapping) and (found.stated_name is None or found.stated_name)
    Judged(run, collection.qrels, len(collection.queries)).values([parse(one) for one in MEASURES])
    return collection, run


def scores_of(collection: Collection, run: Run) -> dict[str, dict[str, float]]:
    ids, names = collection.queries.ids(), collection.corpus.ids(run.documents)
    found: dict[str, dict[str, float]] = {}
    for query, name, score in zip(run.queries.tolist(), names, run.scores.tolist(), strict=True):
        found.setdefault(ids[query], {})[name] = score
    return found


def _known(found: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    single = {q: {d: float(np.float32(s)) for d, s in one.items()} for q, one in found.items()}
    return {query: one for query, one in single.items() if query in QUERIES and one}


def compare_trec(file: Path, read: tuple[Collection, Run]) -> bool:
    """As pytrec_eval reads a run, for files in which it reads every line."""
    collection, run = read
    try:
        rows = [line.split() for line in plain_lines(file.read_bytes())]
        if any(len(row) != 6 or row[0].startswith("#") for row in rows):
            return False
        theirs = pytrec_eval.parse_run(io.StringIO("\n".join(" ".join(row) for row in rows)))
    except (ValueError, AssertionError):
        return False
    same(scores_of(collection, run), _known(theirs), "scores")
    same_values(collection, run, grades_of(collection))
    return True


def compare_json_run(file: Path, read: tuple[Collection, Run]) -> bool:
    try:
        theirs = json.loads(file.read_bytes())
        flat = {type(score) for one in theirs.values() for score in one.values()}
    except (ValueError, AttributeError, RecursionError):
        return False
    if flat - {int, float}:
        return False
    same(scores_of(*read), _known(theirs), "scores")
    same_values(*read, grades_of(read[0]))
    return True


def compare_examples(file: Path, read: Examples) -> bool:
    theirs = []
    try:
        for line in plain_lines(file.read_bytes()):
            row = json.loads(line)
            if not {"query", "documents", "scores"} <= set(row):
                return False
            theirs.append((row["query"], tuple(row["documents"]), tuple(map(float, row["scores"]))))
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return False
    same([(one.query, one.documents, one.scores) for one in read.rows], theirs, "examples")
    assert all(math.isfinite(score) for one in read.rows for score in one.scores if score is not None)
    return True


def zipped(_: Path) -> Sequence[bytes]:
    packed = []
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr("mine/corpus.jsonl", corpus_text())
            archive.writestr("mine/queries.jsonl", queries_text())
            archive.writestr("mine/qrels/test.tsv", tsv())
            archive.writestr("mine/collection.toml", _TOML)
        packed.append(out.getvalue())
    return packed


def parquet_of(rows: Sequence[Mapping[str, Any]]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    out = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([dict(row) for row in rows]), out)
    return out.getvalue()


ROWS = [
    {"id": "r1", "query": "when is low tide", "positive": ["At noon."], "negative": ["Bread.", "The mill."]},
    {"id": "r2", "query": "wer backt", "positive": ["Der Bäcker."], "negative": ["Die Fähre.", "Ein Hund."]},
    {"id": "r3", "query": "潮はいつ", "positive": ["正午。"], "negative": ["パン。"]},
]
FORMS = [
    {"query": "a tide", "pos": ["at noon"], "neg": ["bread", "a mill"], "pos_scores": [1.5], "neg_scores": [0.5, -1]},
    {
        "query_id": "t1",
        "query": "who bakes",
        "positive_passages": [{"title": "B", "text": "the baker"}],
        "negative_passages": [{"text": "a dog"}],
    },
    {"anchor": "who sails", "positive": "the captain", "negative_1": "a cat", "negative_2": "a dog"},
    {"query": "pairs", "passage": "a text", "label": 1},
    {"query": "pairs", "passage": "another", "label": 0},
    {"query": "lists", "docs": ["x", "y"], "labels": [1, 0]},
]
EXAMPLES = [
    {"query": "low tide", "documents": ["at noon", "bread"], "scores": [2.5, -1], "ids": ["a", "b"], "task": "t"},
    {"query": "wer backt", "documents": ["der Bäcker", "ein Hund"], "scores": [1e-3, 0.0], "language": "de"},
]
TREC_RUN = "".join(f"{q} Q0 {d} {n} {s} tag\n" for n, (q, d, s) in enumerate(RUN, 1))
NESTED = {query: {d: s for q, d, s in RUN if q == query} for query in QUERIES}
DOCS = "".join(
    f"<DOC>\n<DOCNO> {key} </DOCNO>\n<TITLE>t</TITLE>\n<TEXT>\n{text} &amp; x\n</TEXT>\n</DOC>\n"
    for key, text in CORPUS.items()
)
TOPICS = "".join(
    f"<top>\n<num> Number: {key}\n<title> {text}\n<desc> Description:\n{text}\n</top>\n"
    for key, text in QUERIES.items()
)
XML = (
    "<topics>" + "".join(f'<topic number="{k}"><title>{t}</title></topic>\n' for k, t in QUERIES.items()) + "</topics>"
)


def trec_folder(*contents: str) -> Callable[[Path], Sequence[bytes]]:
    """Examples of one file of a folder of TREC files."""

    def examples(folder: Path) -> Sequence[bytes]:
        (folder / "collection.tsv").write_text("".join(f"{k}\t{t}\n" for k, t in CORPUS.items() if t), "utf-8")
        (folder / "topics.txt").write_text(TOPICS, "utf-8")
        (folder / "qrels.txt").write_text("".join(f"{q} 0 {d} {g}\n" for q, d, g in QRELS), "utf-8")
        (folder / "collection.toml").write_text(_TOML + 'allow = ["unknown-documents"]\n', "utf-8")
        return constant(*contents)(folder)

    return examples


def means(folder: Path) -> Sequence[bytes]:
    (folder / "org__model" / "rev").mkdir(parents=True, exist_ok=True)
    scores = {
        "hf_subset": "default",
        "languages": ["eng-Latn"],
        "map_at_1000": 0.25,
        "ndcg_at_10": 0.375,
        "main_score": 0.375,
    }
    new = {
        "dataset_revision": "0228b52cf27578f30900b9e5271d331663a030d7",
        "task_name": "SciFact",
        "mteb_version": "2.1.0",
        "scores": {"test": [scores]},
        "evaluation_time": 3.0,
    }
    old = {
        "test": {"evaluation_time": 9.5, "ndcg_at_10": 0.375},
        "mteb_version": "0.0.2",
        "mteb_dataset_name": "SciFact",
    }
    return constant(json.dumps(new), json.dumps(old))(folder)


def of_means(file: Path) -> object:
    from harness.running.imported.means import means_in

    return means_in(file, "a/model", ["nDCG@10"], allow_drift=True)


TREC_QRELS = "".join(f"{q} 0 {d} {g}\n" for q, d, g in QRELS)
JSON_QRELS = json.dumps({q: {d: g for query, d, g in QRELS if query == q} for q in QUERIES}, indent=1)
LINES_QRELS = jsonl([{"query-id": q, "corpus-id": d, "score": g} for q, d, g in QRELS])
PREDICTIONS = json.dumps({"mteb_model_meta": {"model_name": "a/b", "revision": "r"}, "default": {"test": NESTED}})
FLAG = json.dumps(
    {"eval_name": "e", "model_name": "m", "reranker_name": "r", "split": "test", "search_results": NESTED}
)
TRIPLES = "".join(f"{row['query']}\t{row['positive'][0]}\t{row['negative'][0]}\n" for row in ROWS)
KINDS = [
    Kind("corpus", "mine/corpus.jsonl", around(corpus_text()), "jsonl", of_folder, compare_corpus, share=2),
    Kind(
        "corpus-array",
        "mine/corpus.jsonl",
        around(json.dumps(list(map(json.loads, corpus_text().splitlines())))),
        "json",
        of_folder,
    ),
    Kind("queries", "mine/queries.jsonl", around(queries_text()), "jsonl", of_folder, compare_queries),
    Kind("qrels", "mine/qrels/test.tsv", around(tsv()), "columns", of_folder, compare_judgments(by_csv), share=2),
    Kind(
        "qrels-trec",
        "mine/qrels.txt",
        trec_folder(TREC_QRELS),
        "columns",
        of_folder,
        compare_judgments(by_trec_eval),
        share=2,
    ),
    Kind("qrels-json", "mine/qrels/test.tsv", around(JSON_QRELS), "json", of_folder, compare_judgments(by_json)),
    Kind("qrels-lines", "mine/qrels/test.tsv", around(LINES_QRELS), "jsonl", of_folder),
    Kind(
        "tab-corpus",
        "mine/collection.tsv",
        trec_folder("".join(f"{k}\t{t}\n" for k, t in CORPUS.items() if t)),
        "columns",
        of_folder,
    ),
    Kind("trec-documents", "mine/collection.tsv", trec_folder(DOCS), "text", of_folder),
    Kind("topics", "mine/topics.txt", trec_folder(TOPICS, XML), "text", of_folder),
    Kind(
        "gzip",
        "mine/corpus.jsonl.gz",
        lambda folder: (folder_of(folder), (folder / "corpus.jsonl").unlink(), [gzip.compress(corpus_text().encode())])[
            2
        ],
        "binary",
        of_folder,
    ),
    Kind("zip", "mine.zip", zipped, "zip", lambda file: loaded(file, file.parent / "workspace"), share=2),
    Kind("rows", "mine/rows.jsonl", constant(jsonl(ROWS)), "jsonl", of_file, compare_rows, share=2),
    Kind(
        "rows-forms", "mine/rows.jsonl", constant(*(jsonl([row]) for row in FORMS), jsonl(FORMS[3:5])), "jsonl", of_file
    ),
    Kind("rows-array", "mine/rows.json", constant(json.dumps(ROWS)), "json", of_file),
    Kind(
        "rows-tsv",
        "mine/rows.tsv",
        constant(TRIPLES, "query\tpassage\tlabel\na b\tc d\t1\na b\te f\t0\n"),
        "columns",
        of_file,
    ),
    Kind("rows-parquet", "mine/rows.parquet", lambda _: [parquet_of(ROWS)], "binary", of_file),
    Kind("run", "mine/run.trec", constant(TREC_RUN), "columns", of_run, compare_trec, share=2),
    Kind("run-json", "mine/run.json", constant(json.dumps(NESTED)), "json", of_imported, compare_json_run),
    Kind(
        "run-tevatron", "mine/run.tsv", constant("".join(f"{q}\t{d}\t{s}\n" for q, d, s in RUN)), "columns", of_imported
    ),
    Kind("run-msmarco", "mine/run.tsv", constant("q1\td1\t1\nq1\td2\t2\n2\t7\t1\nq3\td4\t1\n"), "columns", of_imported),
    Kind("run-flagembedding", "mine/run.json", constant(FLAG), "json", of_imported),
    Kind("run-mteb", "mine/run.json", constant(PREDICTIONS), "json", of_imported),
    Kind(
        "run-parquet",
        "mine/run.parquet",
        lambda _: [parquet_of([{"q_id": q, "doc_id": d, "score": s} for q, d, s in RUN])],
        "binary",
        of_imported,
    ),
    Kind("mteb-results", "mine/org__model/rev/SciFact.json", means, "json", of_means),
    Kind(
        "examples",
        "mine/examples.jsonl",
        constant(jsonl(EXAMPLES), jsonl(EXAMPLES[:1])),
        "jsonl",
        read_examples,
        compare_examples,
    ),
    Kind(
        "examples-forms",
        "mine/examples.jsonl",
        constant(*(jsonl([row]) for row in FORMS[:3]), jsonl(FORMS[3:])),
        "jsonl",
        read_examples,
    ),
    Kind("examples-parquet", "mine/examples.parquet", lambda _: [parquet_of(EXAMPLES)], "binary", read_examples),
]

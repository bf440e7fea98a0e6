"""Run files of others are read as what they are: a user would lose an order, or get the order of something else."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from adapters.errors import DataError, HarnessError, UsageError
from harness.data.collection import Collection
from harness.data.suites.targets import find
from harness.result.origin import marked
from harness.running.imported.formats import format_of, run_file
from harness.running.imported.json_file import json_object
from harness.running.imported.tevatron import tevatron_lines
from harness.workspace import Workspace
from tests.tiny_collection import Place

SCORES = {"q1": {"d1": 0.25, "d4": 2.5}, "q2": {"d3": -1.0}}
FLAG = {
    "eval_name": "mine", "model_name": "bge-m3", "reranker_name": "bge-reranker-v2-m3", "split": "test",
    "dataset_name": None, "search_results": SCORES,
}  # fmt: skip
PREDICTIONS = {
    "mteb_model_meta": {"model_name": "org/model", "revision": "abc"}, "default": {"test": SCORES},
}  # fmt: skip
FILES = {
    "trec": "q1 Q0 d1 2 0.25 tag\nq1 Q0 d4 1 2.5 tag\nq2 Q0 d3 1 -1 tag\n",
    "tevatron": "q1\td4\t2.5\nq1\td1\t0.25\nq2\td3\t-1.0\n",
    "flagembedding": json.dumps(FLAG, indent=4),
    "mteb-predictions": json.dumps(PREDICTIONS),
    "json-run": json.dumps(SCORES),
}


@pytest.mark.parametrize("names", [("q_id", "doc_id", "score"), ("qid", "docno", "score")])
def test_a_data_frame_of_ranx_or_pyterrier_is_a_run(
    tmp_path: Path, collection: Collection, names: tuple[str, ...]
) -> None:
    rows = [(query, document, score) for query, own in SCORES.items() for document, score in own.items()]
    table = pa.table({**dict(zip(names, zip(*rows, strict=True), strict=True)), "docid": [1, 2, 3], "rank": [0, 1, 0]})
    parquet.write_table(table, tmp_path / "run.parquet")
    assert scores_of(tmp_path / "run.parquet", collection) == SCORES
    parquet.write_table(table.drop_columns(["score"]), tmp_path / "run.parquet")
    with pytest.raises(DataError, match=r"run\.parquet: no column 'score' \(there: "):
        run_file(tmp_path / "run.parquet").read(collection)


def test_a_run_that_is_packed_with_lz4_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"save the run as \.trec, \.json or \.parquet"):
        format_of(tmp_path / "run.lz4")


@pytest.mark.parametrize("line", ["q1 Q0 d1 2 0.25", "q1 Q0 d1 2 0.25 my own tag", "q1\tQ0\td1\t2\t0.25\tBM25 (tuned)"])
def test_a_run_without_a_tag_or_with_one_of_several_words_is_trecs(tmp_path: Path, line: str) -> None:
    assert format_of(written(tmp_path, f"{line}\n")) == "trec"


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp("formats")
    (folder / "mine").mkdir()
    return Place(folder / "mine", Workspace.open(folder / "workspace")).load()


def written(folder: Path, text: str, name: str = "run.txt") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def scores_of(file: Path, collection: Collection, format: str | None = None) -> dict[str, dict[str, float]]:
    run, found = run_file(file, format).read(collection), {}
    for place, query in enumerate(collection.queries.ids()):
        rows = slice(int(run.offsets[place]), int(run.offsets[place + 1]))
        names = collection.corpus.ids(run.documents[rows])
        if names:
            found[query] = dict(zip(names, run.scores[rows].tolist(), strict=True))
    return found


@pytest.mark.parametrize("format", FILES)
def test_every_format_is_known_by_its_look_and_keeps_its_scores(
    format: str, collection: Collection, tmp_path: Path
) -> None:
    file = written(tmp_path, FILES[format])
    assert format_of(file) == format
    assert scores_of(file, collection) == SCORES
    packed = tmp_path / "run.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert scores_of(packed, collection) == SCORES


def test_ranks_are_never_taken_for_scores(collection: Collection, tmp_path: Path) -> None:
    """In a run of MS MARCO's form the largest number is the worst document."""
    file = written(tmp_path, "q1\td4\t1\nq1\td1\t2\nq2\td3\t1\n")
    assert format_of(file) == "msmarco"
    found = scores_of(file, collection)
    assert found["q1"]["d4"] > found["q1"]["d1"]
    unclear = written(tmp_path, "q1\td4\t3\nq1\td1\t7\n", "unclear.tsv")
    with pytest.raises(UsageError, match=r"could be scores or ranks; name --format tevatron .* or --format msmarco"):
        run_file(unclear)
    assert scores_of(unclear, collection, "tevatron")["q1"] == {"d4": 3.0, "d1": 7.0}
    assert scores_of(unclear, collection, "msmarco")["q1"] == {"d4": -3.0, "d1": -7.0}


def test_an_id_with_a_space_stays_one_id(tmp_path: Path) -> None:
    file = written(tmp_path, "q 1\td 4\t2.5\n")
    assert [tuple(one)[:3] for one in tevatron_lines(file)] == [("q 1", "d 4", 2.5)]


@pytest.mark.parametrize(
    ("text", "format", "said"),
    [
        ("q1\td1\t0.5\nq1\td4\n", "tevatron", r"run.txt:2: expected 3 columns 'query document score', found 2"),
        ("q1\td1\t0.5\nq1\td4\tbest\n", "tevatron", r"run.txt:2: the score 'best' is not a number"),
        ("q1\td1\t0.5\nq1\td4\tnan\n", "tevatron", r"run.txt:2: the score is nan"),
        ("q1\td1\t0.5\nq1\td1\t0.1\n", "tevatron", r"run.txt:2: document 'd1' is listed twice for query 'q1'"),
        ("q1\td1\t1\nq1\td4\t1\n", "msmarco", r"run.txt:2: rank 1 occurs twice for query 'q1'"),
        (
            "q1\td1\t1\nq1\td4\t0\n",
            "msmarco",
            r"run.txt:2: the rank '0' is not a whole number above 0 and below 16,777,216",
        ),
        ("q1\td1\t1\nq1\td4\t2.5\n", "msmarco", r"run.txt:2: the rank '2.5' is not"),
        ("q1 Q0 d1 1 0.5 t\nq1 Q0 d1\n", "trec", r"run.txt:2: expected 6 columns"),
        ('{"q1": {"d1": 1,\n "d4": }}', "json-run", r"run.txt: not JSON in line 2: "),
        ('{"q1": {"d1": NaN}}', "json-run", r"run.txt: query 'q1', document 'd1': the score is nan"),
        ('{"q1": {"d1": "0.5"}}', "json-run", r"query 'q1', document 'd1': the score is '0.5'"),
        ('{"q1": {"d1": true}}', "json-run", r"query 'q1', document 'd1': the score is True"),
        ('{"q1": ["d1"]}', "json-run", r"query 'q1': expected"),
        ('{"q1": {"d1": 1, "d1": 2}}', "json-run", r"the key 'd1' occurs twice"),
        ('{"q1": {"d1": 1}, "q1": {"d4": 2}}', "json-run", r"the key 'q1' occurs twice"),
        ('{"q1": {"d77": 1}}', "json-run", r"1 line names a document that coll lacks, first 'd77'"),
        ('{"q9": {"d1": 1}}', "json-run", r"none of its queries is in coll"),
        ('{"search_results": 3}', None, r"expected \{query: \{document: score\}\}"),
        ("q1 d1 0.5 0.6\n", None, r"no known run has 4 columns; name the --format"),
        ("", None, r"the file is empty"),
        ("q1\td1\t0.5\n", "pyserini", r"unknown format 'pyserini'"),
        ('{"task_name": "T", "scores": {}}', None, r"means of mteb are not a run"),
    ],
)
def test_what_is_broken_is_refused_by_its_place(
    text: str, format: str | None, said: str, collection: Collection, tmp_path: Path
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(HarnessError, match=said) as caught:
        run_file(file, format).read(collection)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file at"):
        format_of(tmp_path / "none.trec")
    with pytest.raises(DataError, match="no file at"):
        json_object(tmp_path / "none.json")


def test_files_that_name_their_model_need_no_name(tmp_path: Path) -> None:
    assert run_file(written(tmp_path, FILES["flagembedding"])).stated_name == "bge-reranker-v2-m3"
    assert run_file(written(tmp_path, FILES["mteb-predictions"])).stated_name == "org/model"
    alone = {**FLAG, "reranker_name": "NoReranker"}
    assert run_file(written(tmp_path, json.dumps(alone))).stated_name == "bge-m3"
    assert run_file(written(tmp_path, FILES["trec"])).stated_name is None


def test_predictions_are_taken_of_the_collection_s_own_subset_and_split(collection: Collection, tmp_path: Path) -> None:
    swahili = next(one for one in find("miracl") if one.language == "sw")
    ours = replace(collection, name=swahili.target)
    where = swahili.mteb
    several = {"mteb_model_meta": {}, where.subset: {where.split: SCORES}, "zz": {where.split: {"q1": {"d1": 9.0}}}}
    file = written(tmp_path, json.dumps(several))
    assert scores_of(file, ours) == SCORES
    with pytest.raises(UsageError, match=f"no predictions of coll; its subsets and splits: {where.subset}/"):
        run_file(file).read(collection)
    del several[where.subset]
    with pytest.raises(UsageError, match=f"no predictions of {swahili.target}"):
        run_file(written(tmp_path, json.dumps(several))).read(ours)


@pytest.mark.parametrize("name", ["", "run:x.trec", "model?depth=3", "a\nb", " - "])
def test_a_name_that_could_be_a_spec_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        marked(name)


def test_a_name_is_marked_once() -> None:
    assert marked("BAAI/bge-m3") == marked(marked("BAAI/bge-m3")) == "BAAI/bge-m3 (imported)"

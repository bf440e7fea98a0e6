"""Real questions as the queries of a pool. What a user would lose: an evaluation that was trained on by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.errors import DataError, UsageError
from harness.cli.train_mine import pool_table
from tests.fixtures import Command
from tests.tiny_collection import FIRST, QUERIES, Place
from tests.training.loop import HASH
from training.corpus import corpus_of
from training.job import read_manifest
from training.mining.mine import SourcedQueries, read_queries
from training.mining.pool import ABSENT
from training.mining.questions import AskedQuestions, asked_by, collect
from training.validating.leak import clean


def asked(place: Place, questions: AskedQuestions) -> SourcedQueries:
    return asked_by(questions, corpus_of(str(place.path / "coll"), place.workspace), place.workspace)


def test_the_questions_of_a_split_are_asked_without_their_judgments(place: Place) -> None:
    folder = place.beir()
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td3\t1\nq3\td5\t1\n", "utf-8")
    found = asked(place, AskedQuestions(str(folder), "train"))
    assert found.ids == ("q2", "q3") and found.texts == (QUERIES["q2"], QUERIES["q3"])
    assert found.sources.tolist() == [ABSENT, ABSENT]
    assert found.asked_in is not None and found.asked_in["split"] == "train"


def test_a_collection_has_no_default_split(place: Place) -> None:
    folder = place.beir()
    with pytest.raises(UsageError, match="name the split whose queries may be trained on"):
        asked(place, AskedQuestions(str(folder)))


@pytest.mark.parametrize("named", ["nowhere", "empty"])
def test_what_is_neither_a_file_of_queries_nor_a_collection_is_not_called_one(place: Place, named: str) -> None:
    place.beir()
    (place.path / "empty").mkdir()
    with pytest.raises(UsageError, match=f"{named}' is no file of queries .* collection"):
        asked(place, AskedQuestions(str(place.path / named)))


def test_a_query_without_a_text_is_refused(place: Place, tmp_path: Path) -> None:
    place.beir()
    file = tmp_path / "queries.jsonl"
    file.write_text('{"_id": "a", "text": "when is low tide"}\n{"_id": "b", "text": " "}\n', "utf-8")
    with pytest.raises(DataError, match="the query 'b' has no text"):
        asked(place, AskedQuestions(str(file)))


def test_a_sample_contains_the_smaller_ones(place: Place) -> None:
    folder = str(place.beir())
    samples = [set(asked(place, AskedQuestions(folder, "test", number)).ids) for number in (1, 2, 3)]
    assert [len(one) for one in samples] == [1, 2, 3] and samples[0] < samples[1] < samples[2]


def test_a_file_of_queries_is_read_as_before(place: Place, tmp_path: Path) -> None:
    place.beir()
    file = tmp_path / "queries.jsonl"
    file.write_text('{"_id": "s", "text": "when is low tide", "document": "d5"}\n', "utf-8")
    for target in (file, tmp_path):
        assert asked(place, AskedQuestions(str(target))).ids == ("s",)
    with pytest.raises(UsageError, match="drawn from the queries of a collection"):
        asked(place, AskedQuestions(str(file), None, 5))


def test_the_command_mines_a_pool_for_the_questions_of_a_collection(place: Place, command: Command) -> None:
    folder, out = place.beir(), place.path / "pool"
    options = ("--corpus", folder, "--queries", folder, "--retriever", FIRST, "--retriever", HASH, "--out", out)
    said = command("train", "mine", *options, "--queries-split", "test", "--workspace", place.workspace.path)
    assert said.code == 0 and "none has a source" in said.out and "0.0 %" not in said.out
    assert "source in 50" in said.out and "source in 10" in said.out
    manifest = read_manifest(out, "mine")
    assert manifest["asked"] == 4 and manifest["asked_in"]["collection"] == "coll"
    corpus = corpus_of(str(folder), place.workspace)
    assert read_queries(out, corpus).texts == tuple(QUERIES.values())


@pytest.mark.parametrize(("depth", "columns"), [(5, ["first", "in 5"]), (10, ["first", "in 10"])])
def test_no_rank_is_shown_twice_or_beyond_the_depth(depth: int, columns: list[str]) -> None:
    found = {"retriever": "bm25", "pairs": 1, "only_here": 1, "source_first": 0, "source_in_10": 0, "source_found": 0}
    pool = {"depth": depth, "pairs": 1, "asked": 1, "corpus_name": "c", "sources": 1, "sources_added": 0}
    shown = pool_table({**pool, "contributions": [found]}).columns
    assert [one.removeprefix("source ") for one in shown[3:]] == columns


def test_a_folder_of_queries_with_a_split_is_not_taken_for_a_collection(place: Place) -> None:
    place.beir()
    written = place.path / "queries"
    written.mkdir()
    (written / "queries.jsonl").write_text('{"_id": "a", "text": "when is low tide"}\n', "utf-8")
    (written / "manifest.json").write_text("{}", "utf-8")
    for target, what in ((written, "folder"), (written / "queries.jsonl", "file")):
        with pytest.raises(UsageError, match=f"is a {what} of queries and has no splits; leave out the split"):
            asked(place, AskedQuestions(str(target), "train"))


def test_questions_that_an_adaptation_asked_can_be_validated_by_their_folder(place: Place) -> None:
    """A user who looks at a task of an adaptation would be sent to a command that does not exist."""
    folder = place.beir()
    corpus = corpus_of(str(folder), place.workspace)
    collect(AskedQuestions(str(folder), "test"), corpus, place.path / "asked", place.workspace)
    assert clean(place.path / "asked", [], place.path / "clean")["queries"] == len(QUERIES)

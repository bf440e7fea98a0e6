"""Documents become queries. What a user would lose: answers that were paid for, and a set that can be made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, HarnessError, ModelError, UsageError
from adapters.protocols import Generator
from harness.data.collection import Collection
from tests.fixtures import Command
from tests.tiny_collection import CORPUS, Place
from tests.training.fake_generators import Counting, Echo, Garbage
from training.corpus import corpus_of
from training.synthesis.profiles import load_profile
from training.synthesis.synthesize import SynthesisSettings, chosen, synthesize

PROFILE = load_profile("generic/en")


def made(
    place: Place, generator: Generator, name: str = "q", settings: SynthesisSettings | None = None
) -> dict[str, Any]:
    with place.session() as session:
        return synthesize(
            corpus(place), generator, PROFILE, settings or SynthesisSettings(), place.path / name, session
        )


def corpus(place: Place) -> Collection:
    if not (place.path / "coll").exists():
        place.beir()
    return corpus_of(str(place.path / "coll"), place.workspace)


def queries(place: Place, name: str = "q") -> list[dict[str, str]]:
    return [json.loads(line) for line in (place.path / name / "queries.jsonl").read_text("utf-8").splitlines()]


def test_every_query_names_the_document_that_it_was_written_from(place: Place) -> None:
    manifest = made(place, Echo())
    assert manifest["queries"] == len(queries(place)) > 0
    assert {row["document"] for row in queries(place)} <= set(CORPUS)
    assert len({row["_id"] for row in queries(place)}) == len(queries(place))


def test_judgments_and_real_queries_next_to_the_corpus_are_never_opened(place: Place) -> None:
    folder = place.beir()
    (folder / "qrels" / "test.tsv").write_text("no judgments at all", "utf-8")
    (folder / "queries.jsonl").write_text("nor queries", "utf-8")
    read = corpus_of(str(folder), place.workspace)
    assert (len(read.corpus), len(read.queries), len(read.qrels)) == (len(CORPUS), 0, 0)


def test_of_another_collection_queries_and_judgments_are_dropped(place: Place) -> None:
    read = corpus_of(str(place.reranking_rows()), place.workspace)
    assert len(read.corpus) > 0
    assert (len(read.queries), len(read.qrels), read.given) == (0, 0, None)


def test_a_failure_in_the_middle_loses_no_answer_and_asks_none_twice(place: Place) -> None:
    log = place.log()
    with pytest.raises(RuntimeError, match="went away"):
        made(place, Echo(log=str(log), lives=3))
    assert not (place.path / "q" / "manifest.json").exists()
    with (place.path / "q" / "answers.jsonl").open("a") as file:
        file.write('{"document": "d')  # a kill in the middle of a line
    resumed = made(place, Echo(log=str(log)))
    asked = log.read_text("utf-8").splitlines()
    assert len(asked) == len(set(asked)) == len(set(CORPUS.values()))
    assert resumed == made(place, Echo(), "whole")
    whole = (place.path / "whole" / "answers.jsonl").read_bytes()
    assert (place.path / "q" / "answers.jsonl").read_bytes() == whole
    assert queries(place) == queries(place, "whole")


def test_a_finished_job_asks_nothing(place: Place) -> None:
    first = made(place, Echo())
    assert made(place, Echo(lives=0)) == first


def test_a_folder_of_another_job_is_refused(place: Place) -> None:
    made(place, Echo())
    with pytest.raises(UsageError, match="holds another job"):
        made(place, Echo(), settings=SynthesisSettings(seed=1))


def test_a_folder_with_other_files_is_refused(place: Place) -> None:
    (place.path / "q").mkdir()
    (place.path / "q" / "thesis.txt").touch()
    with pytest.raises(UsageError, match="not empty"):
        made(place, Echo())


def test_a_generator_that_talks_is_given_up_and_nothing_looks_finished(place: Place) -> None:
    with pytest.raises(ModelError, match=r"0% of its queries .*'grammar'.*Sure! Here are") as refusal:
        made(place, Garbage())
    assert "\n" not in str(refusal.value)
    assert not (place.path / "q" / "queries.jsonl").exists()


def test_too_few_answers_are_an_error(place: Place) -> None:
    with pytest.raises(ModelError, match="gave 6 answers to 7 prompts"):
        made(place, Counting())


def test_a_larger_sample_holds_the_smaller_one_and_equal_texts_are_asked_about_once(place: Place) -> None:
    read = corpus(place)
    few, many = (
        chosen(read, SynthesisSettings(documents=3)).tolist(),
        chosen(read, SynthesisSettings(documents=6)).tolist(),
    )
    assert many[:3] == few
    texts = read.corpus.take(chosen(read, SynthesisSettings()))
    assert len(set(texts)) == len(texts) == len(set(CORPUS.values()))
    assert chosen(read, SynthesisSettings(seed=1)).tolist() != chosen(read, SynthesisSettings()).tolist()


def test_an_empty_corpus_is_refused(place: Place) -> None:
    folder = place.path / "none"
    folder.mkdir()
    (folder / "corpus.jsonl").touch()
    with pytest.raises(DataError, match=r"corpus\.jsonl:1: empty"):
        corpus_of(str(folder), place.workspace)
    (folder / "corpus.jsonl").write_text('{"_id": "a", "text": "x"}\n')
    with place.session() as session, pytest.raises(HarnessError, match="no query can be written"):
        read = corpus_of(str(folder), place.workspace)
        synthesize(read, Echo(), PROFILE, SynthesisSettings(), place.path / "q", session)


def test_the_command_writes_and_tells(place: Place, command: Command) -> None:
    options = ("--corpus", place.beir(), "--profile", "generic/en", "--workspace", place.workspace.path)
    said = command("train", "synthesize", *options, "--out", place.path / "q")
    assert (said.code, said.err) == (0, "")
    assert "accepted" in said.out
    again = command("train", "synthesize", *options, "--out", place.path / "q", "--json")
    assert json.loads(again.out)["conformance"]["share"] >= 0.5


def test_the_command_needs_a_language(place: Place, command: Command) -> None:
    options = ("--corpus", place.beir(), "--workspace", place.workspace.path, "--out", place.path / "q")
    said = command("train", "synthesize", *options)
    assert said.code == 2
    assert "name a profile" in said.err


def test_the_same_seed_gives_the_same_bytes(place: Place) -> None:
    made(place, Echo(), "a")
    made(place, Echo(), "b")
    assert same(place.path / "a", place.path / "b")


def same(left: Path, right: Path) -> bool:
    return all((left / file.name).read_bytes() == file.read_bytes() for file in right.iterdir())


def test_shares_are_printed_as_in_every_other_table() -> None:
    from harness.cli.train_synthesize import conformance_table

    counts = {"accepted": 109, "rejected": {"grammar": 5}, "missing": 6, "documents": 40, "examples": {}}
    named = {"corpus_name": "laws", "generator_name": "questions", "profile_settings": {"name": "generic/de"}}
    table = conformance_table({"conformance": counts} | named)
    assert [row[2].text for row in table.rows] == ["95.6 %", "4.4 %", "-"]

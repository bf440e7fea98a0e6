"""Evaluation queries that occur in the training data: what a user would lose is a number that measures memory."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from adapters.errors import DataError, UsageError
from harness.checks.near_duplicates import Index, normalised, trigrams
from harness.checks.overlap import Overlap, clean_values, overlaps
from harness.checks.training_file import training_queries
from harness.data.collection import sample_queries
from harness.result.store import Results
from tests.fixtures import Command
from tests.tiny_collection import FIRST, QRELS, QUERIES, Place


def jaccard(one: str, other: str) -> float:
    grams = [{f"\x02{text}\x03"[i : i + 3] for i in range(len(text))} for text in (one, other)]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def scan(place: Place, *training: str, threshold: float = 0.8) -> Overlap:
    (found,) = overlaps([place.load()], [list(enumerate(training, 1))], threshold)
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Who bakes?", "who  bakes"),
        ("ＷＨＯ bakes", "who bakes!"),
        ("谁写的？", "谁写的"),
        ("ใครเขียน ?", "ใครเขียน"),
        ("STRASSE", "straße"),
        ("ｶﾞﾗｽ", "ガラス"),
    ],
)
def test_case_width_and_punctuation_make_no_other_query(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


def test_marks_are_letters_and_punctuation_alone_stays() -> None:
    assert normalised("ที่") != normalised("ท")
    assert normalised("?!") == "?!"
    assert trigrams(["", "字", "ab"]).sizes.tolist() == [0, 1, 2]


def test_every_near_duplicate_is_found_and_its_similarity_is_exact() -> None:
    generator = random.Random(0)
    words = ["harbour", "ferry", "tide", "mill", "bread", "winter", "noon", "灯台", "เรือ", "パン屋", "港"]
    known = list(dict.fromkeys(normalised(" ".join(generator.choices(words, k=6))) for _ in range(60)))
    asked = [text[:cut] + text[cut + 1 :] for text in known for cut in (0, 3, 7)]
    asked = list(map(normalised, asked))
    expected = {
        (i, j)
        for (i, one), (j, other) in itertools.product(enumerate(known), enumerate(asked))
        if jaccard(one, other) >= 0.7
    }
    found = {}
    for part in Index(known).search(asked, 0.7):
        found |= dict(zip(zip(part.known.tolist(), part.asked.tolist(), strict=True), part.similarity, strict=True))
    assert len(expected) > 100
    assert found.keys() <= expected
    assert len(expected - found.keys()) <= len(expected) // 100
    for (i, j), similarity in found.items():
        assert similarity == pytest.approx(jaccard(known[i], asked[j]))


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [f"the same question number {number}" for number in range(30)]
    whole = {pair for part in Index(known).search(known, 0.8) for pair in zip(part.known, part.asked, strict=True)}
    monkeypatch.setattr("harness.checks.near_duplicates._AT_ONCE", 3)
    pieces = {pair for part in Index(known).search(known, 0.8) for pair in zip(part.known, part.asked, strict=True)}
    assert pieces == whole
    assert len(whole) >= 30


def test_exact_and_near_matches_are_distinguished_and_name_the_line(place: Place) -> None:
    found = scan(
        place, "what is love", "When is low tide?", "until when is breads sold", "until when is bread sold now"
    )
    assert [(match.query, match.line, match.exact) for match in found.matches] == [("q3", 2, True), ("q2", 3, False)]
    assert found.matches[1].similarity == pytest.approx(jaccard(QUERIES["q2"], "until when is breads sold"))
    assert (found.exact, found.queries) == (1, 4)
    (alarm,) = found.alarms
    assert str(alarm) == "2 of 4 queries occur in the training data, 1 of them word for word"


def test_clean_training_data_raises_no_alarm(place: Place) -> None:
    found = scan(place, "what is love", "when is high noon", "who has a dog", "", "?")
    assert (found.matches, found.alarms) == ((), ())


def test_queries_of_one_text_are_all_found_and_empty_ones_never(place: Place) -> None:
    asked = {"a": "when is low tide", "b": "When is low tide?", "c": ""}
    place.beir(queries=asked, qrels=[(name, "d5", 1) for name in asked])
    assert sorted(match.query for match in scan(place, "when is low tide", "").matches) == ["a", "b"]


def test_the_values_of_the_clean_queries_are_shown_next_to_the_whole(place: Place) -> None:
    collection = place.load()
    (evaluation,) = place.evaluations(collection, measures=["nDCG@10", "RR@10"])
    found = overlaps([collection], [[(1, QUERIES["q1"]), (2, QUERIES["q3"])]])
    with Results(place.workspace.results) as results:
        values = sorted(clean_values(results, found), key=lambda value: value.measure, reverse=True)
        assert list(clean_values(results, overlaps([collection], [[(1, "what is love")]]))) == []
    place.evaluations(sample_queries(collection, 2), measures=["P@1"])
    with Results(place.workspace.results) as results:
        (sampled,) = (value for value in clean_values(results, found) if value.measure == "P@1")
    assert sampled.queries <= 2, "of a sample too"
    assert [(value.measure, value.queries) for value in values] == [("nDCG@10", 2), ("RR@10", 2)]
    assert values[0].whole == pytest.approx(evaluation.values[0].mean())
    assert values[0].clean == pytest.approx(evaluation.values[0][[1, 3]].mean())


def write(file: Path, text: str) -> Path:
    file.write_text(text, "utf-8")
    return file


def read(file: Path, field: str | None = None) -> list[tuple[int, str]]:
    return [row for batch in training_queries(file, field) for row in batch]


def test_every_kind_of_training_file_is_read(tmp_path: Path) -> None:
    beir = "".join(json.dumps({"_id": str(i), "text": text}) + "\n" for i, text in enumerate(["one", "zwei 二"]))
    expected = [(1, "one"), (2, "zwei 二")]
    assert read(write(tmp_path / "a.txt", "one\nzwei 二\n")) == expected
    assert read(write(tmp_path / "b.jsonl", '"one"\n"zwei 二"\n')) == expected
    assert read(write(tmp_path / "queries.jsonl", beir)) == expected
    assert read(write(tmp_path / "c.jsonl", beir.replace("text", "frage")), "frage") == expected
    (tmp_path / "d.jsonl.gz").write_bytes(gzip.compress(beir.encode()))
    assert read(tmp_path / "d.jsonl.gz") == expected
    parquet.write_table(pa.table({"query": ["one", "zwei 二"], "positive": ["x", "y"]}), tmp_path / "e.parquet")
    assert read(tmp_path / "e.parquet") == expected


@pytest.mark.parametrize(("name", "quote"), [("a.txt", ""), ("a.jsonl", '"')])
def test_a_byte_order_mark_is_no_part_of_a_training_query(tmp_path: Path, name: str, quote: str) -> None:
    text = f"\ufeff{quote}one{quote}\n\ufeff{quote}two{quote}\n\ufeff\n"
    assert read(write(tmp_path / name, text)) == [(1, "one"), (2, "two")]


@pytest.mark.parametrize(
    ("name", "text", "error", "said"),
    [
        ("a.jsonl", '"one"\n{oops\n', DataError, r"a\.jsonl:2: not JSON"),
        ("a.jsonl", '{"pos": "x"}\n', UsageError, r"a\.jsonl:1: no field 'query'; name one of pos with --field"),
        ("a.jsonl", '{"query": 7}\n', DataError, "the query is not a text"),
        ("a.jsonl", "\n\n", DataError, r"a\.jsonl: the file has no queries"),
        ("a.parquet", "no", DataError, "not a readable Parquet file"),
    ],
)
def test_a_bad_training_file_is_named_in_one_line(
    tmp_path: Path, name: str, text: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        read(write(tmp_path / name, text))
    with pytest.raises(UsageError, match="no training file at"):
        read(tmp_path / "nothing.txt")


def test_the_verb_prints_counts_examples_values_and_the_alarm(place: Place, command: Command) -> None:
    folder, training = place.beir(), write(place.path / "train.txt", "When is low tide?\nwhat is love\n")
    common = ("--workspace", place.workspace.path)
    assert command("run", folder, *common, "--first-stage", FIRST, "--depth", 5).code == 0
    said = command("overlap", training, folder, *common)
    assert said.code == 0, said.err
    for part in ("25.0 %", "when is low tide", "without overlap", "[train-test-overlap]"):
        assert part in said.out
    document = json.loads(command("overlap", training, folder, *common, "--json").out)
    assert [match["query"] for match in document["overlaps"][0]["matches"]] == ["q3"]
    assert document["values"][0]["queries"] == 3
    assert command("overlap", place.path / "none.txt", folder, *common).code == 2
    assert command("overlap", training, *common).code == 2


def test_nothing_left_is_no_number(place: Place) -> None:
    collection = place.load()
    place.evaluations(collection)
    found = overlaps([collection], [list(enumerate(QUERIES.values()))])
    with Results(place.workspace.results) as results:
        (value,) = clean_values(results, found)
    assert np.isnan(value.clean) and value.queries == 0
    assert len(QRELS) > 0

"""V13. What a user would lose: a benchmark whose queries were in the training data, unnoticed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from adapters.protocols import Floats, Identity, Role
from harness.data.sources import load
from tests.tiny_collection import CORPUS, FIRST, QUERIES, Place
from tests.training.fake_generators import Echo
from tests.training.loop import HASH
from training.corpus import corpus_of
from training.mining.mine import mine, read_queries
from training.synthesis.profiles import load_profile
from training.synthesis.synthesize import SynthesisSettings, synthesize
from training.validating.leak import KnownQueries, clean, digest_of, known_queries

HONEST = "which ship sails every morning from the old pier"


def written(place: Place, *texts: str, name: str = "mine.jsonl") -> Path:
    """A file of synthetic queries, each of the first document."""
    file = place.path / name
    rows = [{"_id": f"s{row}", "text": text, "document": "d1", "language": "en"} for row, text in enumerate(texts)]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file


def cleaned(place: Place, *texts: str, known: Sequence[KnownQueries] | None = None, out: str = "clean") -> Any:
    """The manifest, after the tiny collection was read by somebody."""
    if known is None:
        place.load()
        known = known_queries(place.workspace)
    return clean(written(place, *texts), known, place.path / out)


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_a_planted_test_query_is_removed_counted_and_named(place: Place) -> None:
    manifest = cleaned(place, QUERIES["q3"], HONEST)
    assert (manifest["asked"], manifest["queries"], manifest["removed"], manifest["removed_exactly"]) == (2, 1, 1, 1)
    assert manifest["collections"] == [{"collection": "coll (test)", "queries": 4, "removed": 1, "exact": 1}]
    assert [row["text"] for row in rows(place.path / "clean" / "queries.jsonl")] == [HONEST]
    (removed,) = rows(place.path / "clean" / "removed.jsonl")
    assert removed == {
        "_id": "s0", "query": QUERIES["q3"], "evaluation_query": QUERIES["q3"], "collection": "coll (test)",
        "similarity": 1.0, "exact": True, "how": "exact",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("planted", "exact"),
    [
        ("When does the FERRY leave the harbour?!", True),
        ("  when does the ferry\u00a0leave the harbour ", True),
        ("when does the ferry leave the harbor", False),
        ("when does the ferry leave the harbours", False),
    ],
)
def test_case_punctuation_and_one_letter_hide_nothing(place: Place, planted: str, exact: bool) -> None:
    assert cleaned(place, planted, HONEST)["removed"] == 1
    (removed,) = rows(place.path / "clean" / "removed.jsonl")
    assert (removed["exact"], removed["evaluation_query"]) == (exact, QUERIES["q1"])
    assert 0.8 <= removed["similarity"] <= 1


def test_an_honest_query_stays_as_it_was_written(place: Place) -> None:
    on_the_same_subject = "when does the ferry rest"
    manifest = cleaned(place, HONEST, on_the_same_subject)
    assert manifest["removed"] == 0
    assert rows(place.path / "clean" / "queries.jsonl") == rows(place.path / "mine.jsonl")


def test_a_query_of_two_benchmarks_counts_in_both(place: Place) -> None:
    known = [
        KnownQueries("one", "test", ("when is low tide", "who bakes")),
        KnownQueries("two", "dev", ("When is low tide?",)),
    ]
    manifest = cleaned(place, "when is low tide", HONEST, known=known)
    assert [(one["removed"], one["exact"]) for one in manifest["collections"]] == [(1, 1), (1, 1)]
    assert manifest["removed"] == 1


def test_the_same_call_is_the_same_job_in_any_order_and_other_known_queries_are_another(place: Place) -> None:
    one, two = KnownQueries("one", "test", ("who bakes",)), KnownQueries("two", "test", ("when is low tide",))
    first = cleaned(place, HONEST, known=[one, two])
    assert cleaned(place, HONEST, known=[two, one]) == first
    for others in ([one], [one, KnownQueries("two", "test", ("when is high tide",))]):
        with pytest.raises(UsageError, match="holds another job"):
            cleaned(place, HONEST, known=others)


def test_the_order_of_many_queries_makes_no_other_job() -> None:
    texts = tuple(f"query {number}" for number in range(500))
    one, other = (digest_of([KnownQueries("c", "test", some)]) for some in (texts, texts[::-1]))
    assert one == other
    assert one != digest_of([KnownQueries("c", "test", texts[1:])])
    assert one != digest_of([KnownQueries("another", "test", texts)])


def test_every_collection_of_the_workspace_is_known_whatever_its_split(place: Place) -> None:
    folder = place.beir()
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td3\t1\n", "utf-8")
    assert known_queries(place.workspace) == []
    load(str(folder), place.workspace)
    load(str(folder), place.workspace, split="train")
    corpus_of(str(folder), place.workspace)  # has no queries, so it adds nothing
    known = known_queries(place.workspace)
    assert [(one.collection, one.split, len(one.texts)) for one in known] == [("coll", "test", 4), ("coll", "train", 1)]


def test_a_given_collection_is_known_once(place: Place) -> None:
    collection = place.load()
    assert [one.label for one in known_queries(place.workspace, [collection])] == ["coll (test)"]


def test_named_training_queries_are_no_evaluation_until_something_was_measured_on_them(place: Place) -> None:
    collection = place.load()
    assert known_queries(place.workspace, training=[collection]) == []
    place.evaluations(collection)
    assert [one.label for one in known_queries(place.workspace, training=[collection])] == ["coll (test)"]


def test_results_whose_queries_are_not_here_are_named_not_forgotten(place: Place) -> None:
    collection = place.load()
    place.evaluations(collection)
    (place.workspace.collections / collection.fingerprint).rename(place.path / "away")
    manifest = cleaned(place, HONEST, known=known_queries(place.workspace))
    assert (manifest["unseen"], manifest["collections"]) == (["coll (test)"], [])


class Topic:
    """An embedder that knows two subjects."""

    name = "topic"
    identity: ClassVar[Identity] = {"adapter": "topic"}

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        return np.array([[3, 0] if "tide" in text else [0, 2] for text in texts], np.float32)


def test_vectors_find_what_letters_do_not(place: Place) -> None:
    file, known = written(place, "at which hour is the tide out", HONEST), [KnownQueries("c", "test", ("low tide?",))]
    assert clean(file, known, place.path / "letters")["removed"] == 0
    assert clean(file, known, place.path / "vectors", embedder=Topic())["removed"] == 1
    (removed,) = rows(place.path / "vectors" / "removed.jsonl")
    assert (removed["how"], removed["exact"], removed["similarity"]) == ("cosine", False, 1.0)


def test_shared_documents_are_declared(place: Place) -> None:
    place.load()
    half = dict(list(CORPUS.items())[:4])
    target = corpus_of(str(place.beir("target", half)), place.workspace)
    known = known_queries(place.workspace)
    manifest = clean(written(place, HONEST), known, place.path / "clean", corpus=target)
    # d7 has the text of d3, which is in the half.
    assert manifest["shared_documents"] == [{"collection": "coll (test)", "documents": 8, "share": 5 / 8}]


def test_a_cleaned_folder_is_mined_as_a_synthesized_one(place: Place) -> None:
    place.beir()
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    with place.session() as session:
        made = synthesize(corpus, Echo(), load_profile("generic/en"), SynthesisSettings(), place.path / "q", session)
        planted = rows(place.path / "q" / "queries.jsonl")[0]["text"]
        manifest = clean(place.path / "q", [KnownQueries("c", "test", (planted,))], place.path / "clean")
        asked = read_queries(place.path / "clean", corpus)
        pool = mine(corpus, "coll", asked, (FIRST, HASH), 3, place.path / "pool", session)
    assert pool["asked"] == made["queries"] - manifest["removed"] == manifest["queries"]
    assert planted not in asked.texts
    for fact in ("language", "profile_settings", "generator_name", "conformance", "corpus"):
        assert manifest[fact] == made[fact]


def test_a_cleaned_folder_is_cleaned_again_for_a_benchmark_that_came_later(place: Place) -> None:
    cleaned(place, "who bakes", HONEST, known=[])
    again = clean(place.path / "clean", [KnownQueries("late", "test", ("who bakes",))], place.path / "again")
    assert again["removed"] == 1


def test_nothing_left_and_nothing_there_are_errors(place: Place) -> None:
    named = (
        r"all 1 queries are evaluation queries of \S+ \(test\); take other queries, or, .*harness forget --collection"
    )
    with pytest.raises(DataError, match=named):
        cleaned(place, QUERIES["q1"])
    assert not (place.path / "clean" / "manifest.json").exists()
    with pytest.raises(UsageError, match="no queries at"):
        clean(place.path / "nowhere", [], place.path / "out")


def test_an_unfinished_folder_is_not_taken(place: Place) -> None:
    folder = place.path / "q"
    folder.mkdir()
    (folder / "job.json").write_text("{}", "utf-8")
    with pytest.raises(UsageError, match="finish it first"):
        clean(folder, [], place.path / "clean")

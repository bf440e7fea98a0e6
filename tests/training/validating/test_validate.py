"""The whole stage. What a user would lose: figures without a floor, or a set that cannot be gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from tests.fixtures import Command
from tests.tiny_collection import CORPUS, FIRST, QRELS, Place
from tests.training.fake_generators import Echo
from tests.training.loop import HASH
from training.corpus import corpus_of
from training.mining.mine import mine, read_queries
from training.synthesis.profiles import load_profile
from training.synthesis.synthesize import SynthesisSettings, synthesize
from training.validating.real import one_collection, positives, real_set, wrong_set
from training.validating.settings import ValidationSettings
from training.validating.validate import read_validation, validate

REAL = {
    f"r{number}": f"{start} {rest}"
    for number, (start, rest) in enumerate(
        (start, rest)
        for start in ("when", "where", "why", "how", "who says that", "is it true that", "tell me if")
        for rest in (
            "does the ferry rest", "is bread sold", "the mill turns", "low tide comes", "winter begins",
            "the harbour opens at noon",
        )
    )
}  # fmt: skip
"""Enough for a floor."""


LARGE = CORPUS | {f"e{n}": f"house {n} has {2 * n} windows to the sea and {n % 7} to the hill" for n in range(16)}


def synthesized(place: Place, name: str = "q") -> Path:
    """Queries that the fake generator writes for a corpus that is a little larger than tiny."""
    if not (place.path / "coll").exists():
        place.beir("coll", LARGE)
    with place.session() as session:
        corpus = corpus_of(str(place.path / "coll"), place.workspace)
        synthesize(corpus, Echo(), load_profile("generic/en"), SynthesisSettings(), place.path / name, session)
    return place.path / name


def real(place: Place, name: str = "real", split: str = "train") -> str:
    """A collection of real queries on the same corpus, each with a judged document."""
    judged = [(query, f"d{1 + row % 8}", 1) for row, query in enumerate(REAL)]
    folder = place.beir(name, CORPUS, REAL, judged)
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / f"{split}.tsv")
    return str(folder)


def validated(place: Place, out: str = "val", kept: bool = True, **settings: Any) -> dict[str, Any]:
    """The manifest of a validation that searches with a fake first stage."""
    queries = place.path / "q" if (place.path / "q").exists() else synthesized(place)
    with place.session() as session:
        corpus = corpus_of(str(place.path / "coll"), place.workspace)
        chosen = ValidationSettings(retrievers=(FIRST,), depth=4, **settings)
        return validate(queries, corpus, chosen, place.path / out, session, kept=kept)


def rows_of(place: Place, id: str, out: str = "val") -> list[dict[str, Any]]:
    return [row for row in read_validation(place.path / out)["rows"] if row["id"] == id]


def test_without_real_queries_it_runs_and_says_what_is_missing_and_why(place: Place) -> None:
    manifest = validated(place)
    found = read_validation(place.path / "val")
    assert {row["id"] for row in found["rows"]} == {f"V{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15)}
    for id, options in {"V1": ["--real"], "V5": ["--real", "--embedder"], "V11": ["--real", "--teacher"]}.items():
        for row in rows_of(place, id):
            assert row["value"] is None
            assert all(option in row["note"] for option in options)
    assert rows_of(place, "V1")[0]["levels"]["synthetic"] > 0
    assert rows_of(place, "V14")[0]["levels"]["synthetic"] == manifest["conformance"]["share"]
    assert manifest["decision"]["state"] == "warned"
    assert "V5" in manifest["decision"]["reasons"][-1]


def test_with_real_queries_every_figure_has_its_floor(place: Place) -> None:
    validated(place, real=real(place))
    length, containment = rows_of(place, "V1")[0], rows_of(place, "V2")[0]
    for row in (length, containment):
        assert None not in (row["value"], row["floor"], row["floor_high"])
        assert row["value"] > 0
    assert set(length["levels"]) == {"synthetic", "real"}
    assert read_validation(place.path / "val")["sets"]["real"] == len(REAL)


def test_the_queries_of_another_domain_give_the_scale(place: Place) -> None:
    other = place.beir("other", {"x": "stars"}, {f"o{n}": f"planet {n} of the sun" for n in range(50)}, [
        (f"o{n}", "x", 1) for n in range(50)
    ])  # fmt: skip
    validated(place, real=real(place), wrong=str(other))
    assert rows_of(place, "V1")[0]["scale"] is not None
    assert read_validation(place.path / "val")["remarks"] == []
    assert read_validation(place.path / "val")["sets"]["wrong"] == 50


def test_too_few_queries_for_a_scale_or_a_floor_are_reported(place: Place) -> None:
    target, few = real(place), str(place.beir("few"))
    validated(place, real=target, wrong=few)
    (remark,) = read_validation(place.path / "val")["remarks"]
    assert remark.startswith("no scale: 4 queries of another domain, but ")
    assert rows_of(place, "V1")[0]["scale"] is None
    validated(place, "less", real=target, real_queries=10)
    (remark,) = read_validation(place.path / "less")["remarks"]
    assert remark.startswith("no comparison")


def test_synthetic_queries_of_another_domain_need_their_corpus(place: Place) -> None:
    folder = str(synthesized(place))
    with pytest.raises(UsageError, match="--wrong-corpus"):
        wrong_set(folder, None, "en", place.workspace)
    found = wrong_set(folder, str(place.path / "coll"), "en", place.workspace)
    assert found.documents is not None
    assert set(found.documents) <= set(LARGE.values())


def test_real_queries_that_are_trained_with_are_not_taken_for_evaluation_queries(place: Place) -> None:
    target = real(place)
    manifest = validated(place, real=target)
    assert [one["collection"] for one in manifest["collections"]] == []
    # Without an option they are queries of the workspace like any other.
    strict = validated(place, "strict")
    assert [one["collection"] for one in strict["collections"]] == ["real (train)"]


def test_a_collection_that_will_be_evaluated_on_is_looked_at_before_it_ever_was(place: Place) -> None:
    queries = synthesized(place)
    planted = json.loads((queries / "queries.jsonl").read_text("utf-8").splitlines()[0])["text"]
    session = place.beir("bench", CORPUS, {"b1": planted.upper()}, [("b1", "d1", 1)])
    manifest = validated(place, evaluations=(str(session),))
    assert (manifest["removed"], manifest["asked"] - manifest["queries"]) == (1, 1)
    assert planted not in (place.path / "val" / "queries.jsonl").read_text("utf-8")
    (row, shared) = rows_of(place, "V13")
    assert (row["value"], row["parts"]["removed_exactly"]) == (0, 1)
    assert shared["levels"] == {"bench (test)": 1.0}  # the corpus has all of its documents
    assert manifest["decision"]["state"] == "warned"


def test_evaluation_queries_that_are_not_removed_block_the_set(place: Place) -> None:
    queries = synthesized(place)
    planted = json.loads((queries / "queries.jsonl").read_text("utf-8").splitlines()[0])["text"]
    place.load(place.beir("bench", CORPUS, {"b1": planted}, [("b1", "d1", 1)]))
    manifest = validated(place, kept=False)
    assert manifest["decision"]["state"] == "blocked"
    assert "--out" in manifest["decision"]["reasons"][0]


def test_a_generator_that_does_not_keep_to_its_profile_is_a_warning(place: Place) -> None:
    """What was rejected is not in the set."""
    queries = synthesized(place)
    manifest = json.loads((queries / "manifest.json").read_text("utf-8"))
    manifest["conformance"]["rejected"] = {"grammar": manifest["conformance"]["accepted"]}
    (queries / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert validated(place)["decision"]["state"] == "warned"
    assert (
        "V14: 50.0% of what the generator wrote was rejected"
        in read_validation(place.path / "val")["decision"]["reasons"]
    )


def test_any_queries_are_checked_against_a_profile(place: Place) -> None:
    """Queries of another tool have no counts of a generator."""
    synthesized(place)
    texts = [f"house {n} has {2 * n} windows to the sea" for n in range(10)] + ["no"] * 10
    rows = [{"_id": f"x{n}", "text": f"{text} {n}" if n < 10 else text + "!" * n} for n, text in enumerate(texts)]
    (place.path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with place.session() as session:
        corpus = corpus_of(str(place.path / "coll"), place.workspace)
        chosen = ValidationSettings(retrievers=(FIRST,), depth=4, profile="generic/en")
        found = validate(place.path / "own.jsonl", corpus, chosen, place.path / "val", session)
    (row,) = rows_of(place, "V14")
    assert (row["statistic"], row["levels"]["synthetic"]) == ("in the set", 0.5)
    assert found["decision"]["state"] == "blocked"
    assert "V14: 50.0% of the queries keep to the profile; 95% is needed" in found["decision"]["reasons"]


def test_a_teacher_that_is_not_ahead_of_the_student_is_blocked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.validating.teacher.measure.__kwdefaults__", {
        "student": None, "weights": (), "depth": 4, "max_length": None, "enough": 20
    })  # fmt: skip
    same = "tests.fake_adapters:Plain"
    found = validated(place, real=real(place), teachers=(same,), student=same)
    assert found["decision"]["state"] == "blocked"
    assert found["decision"]["reasons"][0].startswith("V11")


def test_the_folder_is_mined_as_that_of_synthesize(place: Place) -> None:
    manifest = validated(place)
    with place.session() as session:
        corpus = corpus_of(str(place.path / "coll"), place.workspace)
        asked = read_queries(place.path / "val", corpus)
        pool = mine(corpus, "coll", asked, (FIRST, HASH), 3, place.path / "pool", session)
    assert pool["asked"] == manifest["queries"]
    assert pool["sources"] == manifest["queries"]


def test_the_same_call_is_finished_and_another_is_refused(place: Place) -> None:
    target = real(place)
    first = validated(place, real=target)
    file = place.path / "val" / "validation.json"
    before = file.read_bytes()
    assert validated(place, real=target) == first
    assert file.read_bytes() == before
    with pytest.raises(UsageError, match="holds another job"):
        validated(place, real=target, seed=1)


def test_a_validation_is_the_same_in_another_folder(place: Place) -> None:
    target = real(place)
    found = [validated(place, out, real=target) and read_validation(place.path / out) for out in ("one", "two")]
    assert found[0] == found[1]


def test_a_real_query_has_its_best_judged_document(place: Place) -> None:
    collection = place.load()
    assert [collection.corpus.ids()[row] for row in positives(collection)] == ["d1", "d3", "d5", "d8"]
    unjudged = place.load(place.beir("some", qrels=[*QRELS[:3], ("q2", "d3", 0)]))
    assert positives(unjudged).tolist() == [0, -1]
    found = real_set("real", unjudged)
    assert found.documents == (CORPUS["d1"], "")
    assert len(found.members) == 2


def test_several_languages_are_not_mixed(place: Place) -> None:
    assert one_collection("demo", None, "sw", place.workspace, "--real").language == "sw"
    with pytest.raises(UsageError, match="--real 'demo' names 10 collections; name one"):
        one_collection("demo", None, None, place.workspace, "--real")


def test_settings_without_effect_are_refused() -> None:
    for settings in ({"student": "bm25"}, {"wrong_corpus": "x"}, {"real_queries": 5}):
        with pytest.raises(UsageError, match=r"name (it|them|one) with --"):
            ValidationSettings(**settings)


def test_an_embedder_that_makes_no_vectors_is_refused(place: Place) -> None:
    with pytest.raises(UsageError, match="is not an embedder"):
        validated(place, embedder=FIRST)


def test_the_queries_of_another_corpus_are_refused(place: Place) -> None:
    synthesized(place)
    with place.session() as session, pytest.raises(DataError, match="name the corpus of these queries"):
        corpus = corpus_of(str(place.beir("other", {"x": "y y y"}, {"q": "y"}, [("q", "x", 1)])), place.workspace)
        validate(place.path / "q", corpus, ValidationSettings(), place.path / "val", session)


def test_the_command_tells_the_table_the_decision_and_its_exit_code(place: Place, command: Command) -> None:
    queries, corpus, workspace = synthesized(place), place.path / "coll", place.workspace.path
    call = (
        "train",
        "validate",
        "--corpus",
        corpus,
        "--queries",
        queries,
        "--retriever",
        FIRST,
        "--workspace",
        workspace,
    )
    said = command(*call)
    assert said.code == 0
    assert "V1 length" in said.out
    assert "needs --real" in said.out
    assert "Only the utility ablation (V12)" in said.out
    planted = json.loads((queries / "queries.jsonl").read_text("utf-8").splitlines()[0])["text"]
    place.load(place.beir("bench", CORPUS, {"b1": planted}, [("b1", "d1", 1)]))
    assert command(*call).code == 1
    kept = command(*call, "--out", place.path / "val", "--json")
    assert kept.code == 0
    assert json.loads(kept.out)["decision"]["state"] == "warned"
    assert {file.name for file in (place.path / "val").iterdir()} >= {
        "queries.jsonl", "removed.jsonl", "validation.json", "validation.md", "plots", "manifest.json",
    }  # fmt: skip
    assert (place.path / "val" / "plots" / "ranks.png").stat().st_size > 0

"""What is said of BM25 under a table: a reader would lose why a number is two points lower than elsewhere."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import Stemmer

from adapters import analysis
from adapters.errors import MissingExtra
from adapters.identity import digest
from adapters.languages import name_of
from harness.data import detection
from harness.data.sources import load
from harness.result.evaluation import Evaluation
from harness.result.stemming import Stemming, notes, of_stored, shown_language, spelled_as
from harness.result.store import Results
from harness.scoring.retrieve import first_stage
from reports.tables.listing import details, listing
from reports.tables.run import audit_table, comparison_tables, controls_table
from reports.tables.run_values import as_dict
from tests.earlier_store import without_sums
from tests.fixtures import Command
from tests.sample_texts import undeclared
from tests.tiny_collection import Place, results_in

NOT_RECOGNISED = (
    "BM25: no stemming, the language was not recognised (declare language = ... in collection.toml or --language)"
)


def evaluated(place: Place, folder: Path | str, first: str = "bm25", *rerankers: str) -> list[Evaluation]:
    return place.evaluations(*load(str(folder), place.workspace), rerankers=rerankers, first=first)


def said_of(found: Iterable[Evaluation]) -> list[str]:
    return notes(of_stored(one.stored for one in results_in(found)))


@pytest.mark.parametrize(
    ("declared", "first", "said"),
    [
        ("", "bm25", "BM25: English stemming (detected)"),
        ('language = "en"', "bm25", "BM25: English stemming"),
        ('language = "deu"', "bm25", "BM25: German stemming"),
        ('language = "ja"', "bm25", "BM25: Japanese, character bigrams, no stemming"),
        ('language = "ko"', "bm25", "BM25: Korean, character bigrams, no stemming"),
        ('language = "sw"', "bm25", "BM25: Swahili, no stemming, there is no stemmer for it"),
        ("", "bm25?language=none", "BM25: no stemming (language=none)"),
        ('language = "en"', "bm25?language=none", "BM25: no stemming (language=none)"),
        ('language = "en"', "bm25?language=de", "BM25: German stemming (language=de)"),
        ('language = "en"', "bm25?stem=false", "BM25: English, no stemming (stem=false)"),
        ('language = "en"', "tests.fake_adapters:Overlap", ""),
    ],
)
def test_a_collection_is_one_line(place: Place, declared: str, first: str, said: str) -> None:
    folder = undeclared(place.path, "en")
    (folder / "collection.toml").write_text(declared)
    assert said_of(evaluated(place, folder, first)) == ([said] if said else [])


def test_a_language_that_was_not_recognised_is_said_with_what_to_do(place: Place) -> None:
    assert said_of(evaluated(place, place.beir())) == [NOT_RECOGNISED]


def test_a_detected_language_without_a_stemmer_is_said_too(place: Place) -> None:
    assert said_of(evaluated(place, undeclared(place.path, "th"))) == [
        "BM25: Thai, character bigrams, no stemming (detected)"
    ]


def test_a_set_of_many_languages_is_one_line(place: Place) -> None:
    assert said_of(evaluated(place, "demo")) == [
        "BM25 stems with the language of each collection: Arabic, German, English, Spanish, Hindi, Russian; no stemmer "
        "for Swahili; character bigrams, no stemming for Japanese, Thai, Chinese"
    ]


def test_collections_that_differ_are_distinguished_by_name(place: Place) -> None:
    english, plain = undeclared(place.path, "en"), place.beir()
    found = [one for folder in (english, plain) for one in evaluated(place, folder)]
    assert said_of(found) == [
        "BM25: English stemming (detected) in sample-en",
        "BM25: in coll no stemming, the language was not recognised (declare language = ... in collection.toml or "
        "--language)",
    ]


def test_first_stage_and_reranker_are_one_line_where_they_are_alike_and_else_named(place: Place) -> None:
    folder = undeclared(place.path, "en")
    assert said_of(evaluated(place, folder, "bm25", "bm25", "bm25?k1=0.9")) == ["BM25: English stemming (detected)"]
    assert said_of(evaluated(place, folder, "bm25", "bm25?language=none")) == [
        "bm25: English stemming (detected)",
        "bm25?language=none: no stemming (language=none)",
    ]
    assert said_of(evaluated(place, folder, "tests.fake_adapters:Overlap", "bm25")) == [
        "BM25: English stemming (detected)"
    ]


def test_the_line_is_under_every_table_of_a_run(place: Place) -> None:
    found = evaluated(place, "demo/en", "bm25", "bm25") + evaluated(place, "demo/de", "bm25", "bm25")
    line = "BM25 stems with the language of each collection: English, German"
    tables = [*comparison_tables(results_in(found)), audit_table(results_in(found)), controls_table(results_in(found))]
    assert len(tables) == 4
    assert all(line in table.notes for table in tables)


def test_json_says_the_language_of_every_bm25_and_where_it_is_from(place: Place) -> None:
    document: Any = as_dict(
        results_in(evaluated(place, undeclared(place.path, "de"), "bm25", "bm25?language=none")), ["skipped x"]
    )
    assert document["notes"][0] == "bm25: German stemming (detected)"
    assert document["notes"][-1] == "skipped x"
    assert document["collections"][0]["language"] is None
    assert document["collections"][0]["detected_language"] == "de"
    first = {"language": "de", "stemmer": "german", "origin": "detected"}
    assert document["evaluations"][0]["bm25"] == {"retriever": first}
    assert document["evaluations"][1]["bm25"]["reranker"] == {"language": None, "stemmer": None, "origin": "option"}


def test_a_run_without_bm25_says_nothing_of_it(place: Place) -> None:
    document: Any = as_dict(results_in(place.evaluations()))
    assert "notes" not in document and "bm25" not in document["evaluations"][0]


def test_the_store_says_the_same(place: Place) -> None:
    (done,) = evaluated(place, undeclared(place.path, "de"))
    with Results(place.workspace.results) as results:
        (stored,) = results.all()
    assert of_stored([stored]) == of_stored([results_in([done])[0].stored])
    shown: Any = details(stored.id, place.workspace.path)
    assert shown["bm25"] == ["BM25: German stemming (detected)"]
    assert shown["collection"]["detected_language"] == "de"
    for what in ("results", "collections", "systems"):
        assert "BM25: German stemming (detected)" in listing(what, place.workspace.path).notes
    (row,) = listing("collections", place.workspace.path).rows
    assert "de (detected)" in [cell.text for cell in row]


def test_what_was_stored_before_languages_were_detected_is_said_to_be_so(place: Place) -> None:
    folder = undeclared(place.path, "de")
    old = evaluated(place, folder, "bm25?language=none")
    with Results(place.workspace.results) as results:
        without_sums(results._database)
        results._database.execute("update evaluation set first_stage = 'bm25'")
        (again,) = results.all()
        results._database.execute("delete from detected")
        (never,) = results.all()
    assert again.id == never.id == old[0].id
    for stored in (again, never):
        assert notes(of_stored([stored])) == ["BM25: no stemming, as it was before languages were detected"]


class OlderStemmer:
    """PyStemmer 2.2."""

    @staticmethod
    def algorithms() -> list[str]:
        return sorted(set(Stemmer.algorithms()) - analysis.NEW_STEMMERS)

    @staticmethod
    def version() -> str:
        return "2.0.1"

    Stemmer = Stemmer.Stemmer


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(analysis, "_snowball", OlderStemmer)
    for cached in (analysis._stemmer_for, analysis._stem_with):
        cached.cache_clear()
    yield
    for cached in (analysis._stemmer_for, analysis._stem_with):
        cached.cache_clear()


@pytest.mark.parametrize("code", ["pl", "cs", "fa", "et", "eo", "st"])
@pytest.mark.usefixtures("older")
def test_a_stemmer_that_the_installed_package_is_too_old_for_is_said_to_be_so(place: Place, code: str) -> None:
    folder = undeclared(place.path, "en")
    (folder / "collection.toml").write_text(f'language = "{code}"')
    (line,) = said_of(evaluated(place, folder))
    behind = "no stemming, the installed PyStemmer has no stemmer for it; install PyStemmer 3.1 or newer"
    assert line == f"BM25: {name_of(code)}, {behind}"
    (other,) = said_of(evaluated(place, folder, f"bm25?language={code}"))
    assert other == f"BM25: {name_of(code)}, {behind} (language={code})"


def test_languages_that_are_not_stemmed_by_request_are_not_said_to_have_no_stemmer() -> None:
    found = [Stemming("bm25?stem=false", name, name, None, "declared") for name in ("de", "pl")]
    assert notes(found) == [
        "BM25 stems with the language of each collection: no stemming (stem=false) for German, Polish"
    ]


def test_among_other_languages_it_is_said_too() -> None:
    found = [Stemming("bm25", name, name, stemmer, "declared") for name, stemmer in (("de", "german"), ("pl", None))]
    assert notes(found) == [
        "BM25 stems with the language of each collection: German; no stemmer in the installed PyStemmer, before 3.1, "
        "for Polish"
    ]


def test_what_an_older_package_did_not_stem_is_not_said_to_be_older_than_detection(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = undeclared(place.path, "en")
    (folder / "collection.toml").write_text('language = "pl"')
    with monkeypatch.context() as patched:
        patched.setattr(analysis, "_stemmer_for", lambda _: None)
        evaluated(place, folder)
    with Results(place.workspace.results) as results:
        (stored,) = results.all()
    assert notes(of_stored([stored])) == [
        "BM25: Polish, no stemming, as it was before languages were detected or with a PyStemmer before 3.1"
    ]


def test_the_package_that_is_required_has_every_stemmer() -> None:
    assert set(analysis._CODES) <= set(Stemmer.algorithms())
    with (Path(__file__).parents[3] / "pyproject.toml").open("rb") as file:
        assert "PyStemmer>=3.1" in tomllib.load(file)["project"]["optional-dependencies"]["bm25"]


def test_a_language_is_shown_with_where_it_is_from() -> None:
    assert shown_language("de", None) == "de"
    assert shown_language(None, "de") == "de (detected)"
    assert shown_language(None, None) == ""


def test_a_plugin_that_is_gone_does_not_keep_a_page_from_being_made() -> None:
    assert Stemming("gone:model", "a", "en", None, "earlier").text.startswith("no stemming")
    assert (
        Stemming("gone:model", "a", "sw", None, "declared").text == "Swahili, no stemming, there is no stemmer for it"
    )


def test_nothing_found_is_no_line() -> None:
    assert notes([]) == []
    assert notes([Stemming("bm25", "a", "en", "english", "declared")]) == ["BM25: English stemming"]


def test_the_spec_that_makes_a_stored_identity_is_found_by_the_identity(place: Place) -> None:
    (collection,) = load(str(undeclared(place.path, "de")), place.workspace)

    def identity(spec: str) -> Any:
        return first_stage(spec, place.workspace).identity(collection)

    assert spelled_as("bm25", identity("bm25?language=none"), identity) == "bm25?language=none"
    assert spelled_as("bm25?k1=0.9", identity("bm25?k1=0.9&language=en"), identity) == "bm25?k1=0.9&language=en"
    assert spelled_as("bm25", identity("bm25?k1=0.9"), identity) is None
    assert spelled_as("tests.fake_adapters:Overlap", identity("bm25"), identity) is None
    assert spelled_as("bm25", {"adapter": "another"}, identity) is None


def test_without_the_package_bm25_is_refused_and_says_what_to_do(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "_identifier", lambda: (_ for _ in ()).throw(MissingExtra("no package")))
    folder = undeclared(place.path, "de")
    with pytest.raises(MissingExtra) as caught:
        evaluated(place, folder)
    message = str(caught.value)
    assert message.startswith("sample-de declares no language, 'bm25' needs one, and detecting it needs")
    assert "pip install 'rerank-harness[bm25]'" in message
    assert message.endswith("--language or language = ... in collection.toml, or name 'bm25?language=none'")
    with pytest.raises(MissingExtra):
        evaluated(place, folder, "tests.fake_adapters:Overlap", "bm25")
    assert said_of(evaluated(place, folder, "bm25?language=none", "bm25?language=none")) == [
        "BM25: no stemming (language=none)"
    ]
    assert said_of(evaluated(place, folder, "bm25?language=de")) == ["BM25: German stemming (language=de)"]
    assert said_of(evaluated(place, folder, "tests.fake_adapters:Overlap")) == []
    (folder / "collection.toml").write_text('language = "de"')
    assert said_of(evaluated(place, folder)) == ["BM25: German stemming"]


def test_the_old_id_comes_back_with_no_language(place: Place) -> None:
    """Recorded before languages were detected: BM25 over the packaged German sample, declared nothing."""
    folder = undeclared(place.path, "de")
    (found,) = evaluated(place, folder, "bm25?language=none")
    assert digest(found.made_of.content["retriever"]) == "fad82affd3137b74220c02c7bb096282"  # type: ignore[arg-type]


@pytest.mark.parametrize("more", [["--json"], []])
def test_the_command_line_says_it(place: Place, command: Command, more: list[str]) -> None:
    folder = undeclared(place.path, "de")
    out = place.path / "out"
    flags = ["--first-stage", "bm25", "--depth", 5, "--workspace", place.workspace.path, "--out", out, *more]
    said = command("run", folder, *flags)
    assert said.code == 0
    assert "BM25: German stemming (detected)" in said.out
    assert "BM25: German stemming (detected)" in (out / "report.md").read_text("utf-8")
    assert "BM25: German stemming (detected)" in json.loads((out / "results.json").read_text("utf-8"))["notes"]


def test_the_command_line_names_what_it_skips_and_takes_a_language_for_what_declares_none(
    place: Place, command: Command
) -> None:
    folder, config = undeclared(place.path, "de"), place.path / "run.toml"
    config.write_text('language = "de"\nfirst-stage = "bm25"\ndepth = 5\n')
    where = ["--workspace", place.workspace.path]
    said = command("run", folder, "demo/en", "--config", config, *where)
    assert "skipped demo/en: its language is en" in said.err
    assert "BM25: German stemming" in said.out and "(detected)" not in said.out
    document = json.loads(command("run", folder, "demo/en", "--config", config, *where, "--json").out)
    assert document["notes"] == ["BM25: German stemming", "skipped demo/en: its language is en"]
    assert [one["language"] for one in document["collections"]] == ["de"]
    planned = command("run", folder, "demo/en", "--language", "de", "--plan", "--json", *where)
    assert [row["language"] for row in json.loads(planned.out)] == ["de", ""]
    assert "skipped demo/en" in planned.err
    unsaid = json.loads(command("run", folder, "--plan", "--json", *where).out)
    assert [row["language"] for row in unsaid] == ["de (detected)", ""]
    refused = command("run", folder, "--language", "de", "--language", "en", *where)
    assert refused.code == 2 and "it declares no language, and --language names 2" in refused.err


def test_python_says_what_it_skips(place: Place) -> None:
    import harness

    folder = undeclared(place.path, "de")
    outcome = harness.run(
        str(folder), "demo/en", first_stage="bm25", depth=5, languages=["de"], workspace=place.workspace.path
    )
    assert outcome.skipped == ("skipped demo/en: its language is en",)
    assert "- skipped demo/en: its language is en" in outcome.table()
    outcome.write(place.path / "out")
    assert "skipped demo/en" in (place.path / "out" / "report.md").read_text("utf-8")

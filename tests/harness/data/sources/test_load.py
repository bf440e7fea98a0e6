"""What a target is taken for, sets and their languages, and what is answered to a target that is nothing."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from harness.data.sources import load


def names(session: Any, target: object, **options: object) -> list[tuple[str, str | None]]:
    return [(c.name, c.language) for c in load(str(target), session.workspace, **options)]  # type: ignore[arg-type]


@pytest.fixture
def collections(session: Any) -> Any:
    for part in ("de", "sw", "long-name"):
        session.beir(f"set/{part}")
    (session.path / "set" / "pictures").mkdir()
    return session


def test_a_folder_of_collections_is_one_for_each_with_its_language(collections: Any) -> None:
    found = names(collections, collections.path / "set")
    assert found == [("set/de", "de"), ("set/long-name", None), ("set/sw", "sw")]


def test_languages_choose_from_a_set(collections: Any) -> None:
    assert names(collections, collections.path / "set", languages=["sw"]) == [("set/sw", "sw")]


def test_an_unknown_language_is_answered_with_those_that_exist(collections: Any) -> None:
    message = collections.refused(UsageError, collections.path / "set", languages=["sv"])
    assert message.endswith("set: no language 'sv'. Did you mean sw? Available: de, sw.")


def test_an_unknown_language_of_a_single_collection_is_refused(session: Any) -> None:
    folder = session.beir(rules='language = "de"')
    assert session.load(folder, languages=["de"]).language == "de"
    assert session.refused(UsageError, folder, languages=["en"]).endswith(
        "no language 'en'. Did you mean de? Available: de."
    )


def test_rules_of_a_set_hold_for_all_and_its_tables_for_one(collections: Any) -> None:
    (collections.path / "set" / "collection.toml").write_text(
        'name = "mine"\ninstruction = "for all"\n[sw]\ninstruction = "for sw"\n[long-name]\nlanguage = "fr"\n'
    )
    found = load(str(collections.path / "set"), collections.workspace)
    assert [(c.name, c.language, c.rules.instruction) for c in found] == [
        ("mine/de", "de", "for all"),
        ("mine/long-name", "fr", "for all"),
        ("mine/sw", "sw", "for sw"),
    ]


def test_the_file_of_a_part_overrides_the_set_and_the_option_overrides_both(collections: Any) -> None:
    (collections.path / "set" / "collection.toml").write_text('instruction = "set"\nmain_measure = "RR@10"')
    (collections.path / "set" / "de" / "collection.toml").write_text('instruction = "part"')
    rules = collections.rules('main_measure = "R@100"\n[sw]\ninstruction = "option"')
    found = load(str(collections.path / "set"), collections.workspace, rules=rules)
    assert [c.rules.instruction for c in found] == ["part", "set", "option"]
    assert {c.rules.main_measure for c in found} == {"R@100"}


def test_a_table_for_a_collection_that_the_set_lacks_is_refused(collections: Any) -> None:
    (collections.path / "set" / "collection.toml").write_text("[dd]\n")
    message = collections.refused(UsageError, collections.path / "set")
    assert message.startswith("set/collection.toml: the set has no collection 'dd'. Did you mean de?")


def test_a_broken_part_of_a_set_is_refused_not_left_out(collections: Any) -> None:
    (collections.path / "set" / "de" / "corpus.jsonl").unlink()
    message = collections.refused(DataError, collections.path / "set")
    assert message.startswith("set/de/corpus.jsonl: not found")


def test_the_packaged_sample_has_a_name(session: Any) -> None:
    found = names(session, "demo")
    assert ("demo/en", "en") in found
    assert names(session, "demo", languages=["en"]) == names(session, "demo/en") == [("demo/en", "en")]


def test_the_packaged_sample_never_passes_for_a_benchmark(session: Any) -> None:
    found = load("demo", session.workspace)
    assert len(found) >= 8
    assert all("not a benchmark" in (collection.rules.note or "") for collection in found)


def test_the_packaged_sample_asks_the_same_in_every_language(session: Any) -> None:
    found = load("demo", session.workspace)
    assert {(len(c.corpus), len(c.queries), c.counts.judgments) for c in found} == {(40, 20, 82)}
    english = next(collection for collection in found if collection.language == "en")
    for collection in found:
        assert collection.corpus.ids() == english.corpus.ids()
        assert collection.qrels.grades.tolist() == english.qrels.grades.tolist()
        assert collection is english or not set(collection.corpus) & set(english.corpus)


def test_an_unknown_target_is_answered_with_its_neighbours(session: Any) -> None:
    session.beir("scifact")
    session.beir("nfcorpus")
    message = session.refused(UsageError, session.path / "scifcat")
    assert "scifcat'. Did you mean scifact? Available: beir, demo, miracl, " in message
    assert message.endswith("nanobeir, nfcorpus, scifact.")
    assert "no collection 'nothing/at/all'. Available: beir, demo, miracl" in session.refused(
        UsageError, "nothing/at/all"
    )
    assert "Did you mean demo/en" in session.refused(UsageError, "demo/eng")


def test_what_is_no_collection_is_answered_with_what_would_be(session: Any) -> None:
    (session.path / "empty").mkdir()
    (session.path / "notes.txt").write_text("x")
    for target in ("empty", "notes.txt"):
        message = session.refused(UsageError, session.path / target)
        assert "is not a collection; name a folder with corpus.jsonl" in message

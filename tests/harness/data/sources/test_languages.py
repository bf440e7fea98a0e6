"""Which language a collection is in, and what `--language` takes: what a user would lose is a language that is silently
another than the one that was said, or a collection that silently is not there."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.data.sources import load
from harness.data.sources.recognise import chosen_sources
from tests.sample_texts import undeclared

DE = 'language = "de"'


def loaded(session: Any, *targets: Path | str, **options: Any) -> list[Collection]:
    return load([str(target) for target in targets], session.workspace, **options)


def languages(session: Any, *targets: Path | str, **options: Any) -> list[tuple[str, str | None]]:
    return [(one.name, one.language) for one in loaded(session, *targets, **options)]


def skipped(session: Any, *targets: Path | str, **options: Any) -> list[str]:
    lines: list[str] = []
    loaded(session, *targets, tell=lines.append, **options)
    return [line.replace(f"{session.path}/", "") for line in lines]


def refused(session: Any, *targets: Path | str, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        loaded(session, *targets, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{session.path}/", "")


def test_what_a_file_declares_overrides_the_option_and_the_texts(session: Any) -> None:
    folder = undeclared(session.path, "en")
    (folder / "collection.toml").write_text(DE)
    assert languages(session, folder) == [("sample-en", "de")]
    assert languages(session, folder, languages=["de"]) == [("sample-en", "de")]


def test_rules_stand_above_the_file(session: Any) -> None:
    folder = undeclared(session.path, "en")
    (folder / "collection.toml").write_text(DE)
    rules = session.rules('language = "fr"')
    assert languages(session, folder, rules=rules) == [("sample-en", "fr")]
    assert languages(session, folder, rules=rules, languages=["fr"]) == [("sample-en", "fr")]


def test_the_folder_of_a_set_is_named_after_its_language_and_the_same_folder_alone_is_looked_at(session: Any) -> None:
    part = undeclared(session.path / "set", "en", "de")
    (inside,) = loaded(session, session.path / "set")
    (alone,) = loaded(session, part)
    assert (inside.language, inside.spoken) == ("de", "de")
    assert (alone.language, alone.spoken) == (None, "en")


def test_a_folder_name_that_is_no_language_declares_none(session: Any) -> None:
    for name in ("nq", "de", "deu", "arz", "news"):
        session.beir(f"set/{name}")
    assert languages(session, session.path / "set") == [
        ("set/arz", "arz"), ("set/de", "de"), ("set/deu", "deu"), ("set/news", None), ("set/nq", None),
    ]  # fmt: skip


def test_the_option_overrides_the_texts(session: Any) -> None:
    (found,) = loaded(session, undeclared(session.path, "en"), languages=["de"])
    assert (found.language, found.spoken) == ("de", "de")


def test_a_zip_and_a_file_of_rows_are_in_the_language_that_was_said(session: Any) -> None:
    folder = undeclared(session.path, "en")
    with zipfile.ZipFile(session.path / "zipped.zip", "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    rows = session.path / "rows.jsonl"
    rows.write_text(json.dumps({"query": "a", "positive": ["b"], "negative": ["c"]}) + "\n")
    for target in (session.path / "zipped.zip", rows):
        assert [one.language for one in loaded(session, target)] == [None]
        assert [one.language for one in loaded(session, target, languages=["de"])] == ["de"]


def test_a_set_that_declares_no_language_is_in_the_one_that_was_said(session: Any) -> None:
    session.beir("set/news")
    session.beir("set/blogs")
    assert languages(session, session.path / "set", languages=["de"]) == [("set/blogs", "de"), ("set/news", "de")]


def test_a_set_that_declares_languages_gives_those_that_are_wanted_and_names_the_rest(session: Any) -> None:
    for name in ("de", "en", "sw", "news"):
        session.beir(f"set/{name}")
    assert languages(session, session.path / "set", languages=["de", "sw"]) == [("set/de", "de"), ("set/sw", "sw")]
    assert skipped(session, session.path / "set", languages=["de", "sw"]) == [
        "skipped set/en: its language is en",
        "skipped set/news: it declares no language",
    ]
    assert skipped(session, session.path / "set") == []


def test_many_that_are_skipped_are_one_line(session: Any) -> None:
    lines = skipped(session, "demo", languages=["de"])
    (line,) = lines
    assert line == ("skipped 9 of the 10 collections of demo, whose languages are ar, en, es, hi, ja, ru, sw, th, zh")


def test_a_target_in_another_language_is_skipped_where_something_is_left(session: Any) -> None:
    german, english = session.beir("german", rules=DE), session.beir("english", rules='language = "en"')
    plain = session.beir("plain")
    assert languages(session, german, english, languages=["de"]) == [("german", "de")]
    assert skipped(session, german, english, languages=["de"]) == ["skipped english: its language is en"]
    assert languages(session, german, plain, languages=["de"]) == [("german", "de"), ("plain", "de")]
    assert languages(session, german, english, languages=["en", "de"]) == [("german", "de"), ("english", "en")]


def test_a_suite_is_never_in_another_language_than_its_table_says(session: Any) -> None:
    plain = str(session.beir("plain"))
    found = chosen_sources([plain, "miracl", "beir/scifact"], None, ["de"], None)
    assert [(one.name, one.declared.language) for one in found.sources] == [("plain", "de"), ("miracl/de", "de")]
    many, one = found.skipped
    assert many.startswith("skipped 17 of the 18 collections of miracl, whose languages are ar, bn, en, ")
    assert one == "skipped beir/scifact: its language is en"
    assert refused(session, "beir/scifact", languages=["de"]).startswith("beir/scifact: no language 'de'.")


def test_nothing_left_is_refused_in_one_line_that_says_what_there_is(session: Any) -> None:
    german, english = session.beir("german", rules=DE), session.beir("english", rules='language = "en"')
    assert refused(session, german, languages=["en"]) == "german: no language 'en'. Did you mean de? Available: de."
    message = refused(session, german, english, languages=["sw"])
    assert message == "german, english: no language 'sw'. Available: de, en."
    assert refused(session, "demo/de", languages=["en"]) == "demo/de: no language 'en'. Did you mean de? Available: de."


def test_every_wanted_language_has_to_be_there(session: Any) -> None:
    german = session.beir("german", rules=DE)
    assert refused(session, german, languages=["de", "sw"]) == "german: no language 'sw'. Available: de."


def test_several_languages_declare_none(session: Any) -> None:
    plain, german = session.beir("plain"), session.beir("german", rules=DE)
    message = "plain: it declares no language, and --language names 2 (de, en); name only its language, or write"
    assert refused(session, plain, languages=["de", "en"]).startswith(message)
    assert refused(session, german, plain, languages=["de", "en"]).startswith(message)
    assert languages(session, plain, languages=["de", "de"]) == [("plain", "de")]


@pytest.mark.parametrize("code", ["german", "xq", "", "d"])
def test_what_is_no_code_declares_nothing(session: Any, code: str) -> None:
    assert "ISO 639 code" in refused(session, session.beir(), languages=[code])


def test_a_code_with_a_script_or_a_region_declares_its_language(session: Any) -> None:
    assert languages(session, session.beir(), languages=["pt-BR"]) == [("coll", "pt-BR")]

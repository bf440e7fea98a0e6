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


def loaded(bench: Any, *targets: Path | str, **options: Any) -> list[Collection]:
    return load([str(target) for target in targets], bench.workspace, **options)


def languages(bench: Any, *targets: Path | str, **options: Any) -> list[tuple[str, str | None]]:
    return [(one.name, one.language) for one in loaded(bench, *targets, **options)]


def skipped(bench: Any, *targets: Path | str, **options: Any) -> list[str]:
    lines: list[str] = []
    loaded(bench, *targets, tell=lines.append, **options)
    return [line.replace(f"{bench.path}/", "") for line in lines]


def refused(bench: Any, *targets: Path | str, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        loaded(bench, *targets, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{bench.path}/", "")


def test_what_a_file_declares_stands_above_the_option_and_the_texts(bench: Any) -> None:
    folder = undeclared(bench.path, "en")
    (folder / "collection.toml").write_text(DE)
    assert languages(bench, folder) == [("sample-en", "de")]
    assert languages(bench, folder, languages=["de"]) == [("sample-en", "de")]


def test_rules_stand_above_the_file(bench: Any) -> None:
    folder = undeclared(bench.path, "en")
    (folder / "collection.toml").write_text(DE)
    rules = bench.rules('language = "fr"')
    assert languages(bench, folder, rules=rules) == [("sample-en", "fr")]
    assert languages(bench, folder, rules=rules, languages=["fr"]) == [("sample-en", "fr")]


def test_the_folder_of_a_set_is_named_after_its_language_and_the_same_folder_alone_is_looked_at(bench: Any) -> None:
    part = undeclared(bench.path / "set", "en", "de")
    (inside,) = loaded(bench, bench.path / "set")
    (alone,) = loaded(bench, part)
    assert (inside.language, inside.spoken) == ("de", "de")
    assert (alone.language, alone.spoken) == (None, "en")


def test_a_folder_name_that_is_no_language_declares_none(bench: Any) -> None:
    for name in ("nq", "de", "deu", "arz", "news"):
        bench.beir(f"set/{name}")
    assert languages(bench, bench.path / "set") == [
        ("set/arz", "arz"), ("set/de", "de"), ("set/deu", "deu"), ("set/news", None), ("set/nq", None),
    ]  # fmt: skip


def test_the_option_stands_above_the_texts(bench: Any) -> None:
    (found,) = loaded(bench, undeclared(bench.path, "en"), languages=["de"])
    assert (found.language, found.spoken) == ("de", "de")


def test_a_zip_and_a_file_of_rows_are_in_the_language_that_was_said(bench: Any) -> None:
    folder = undeclared(bench.path, "en")
    with zipfile.ZipFile(bench.path / "zipped.zip", "w") as archive:
        for file in folder.rglob("*"):
            archive.write(file, file.relative_to(folder))
    rows = bench.path / "rows.jsonl"
    rows.write_text(json.dumps({"query": "a", "positive": ["b"], "negative": ["c"]}) + "\n")
    for target in (bench.path / "zipped.zip", rows):
        assert [one.language for one in loaded(bench, target)] == [None]
        assert [one.language for one in loaded(bench, target, languages=["de"])] == ["de"]


def test_a_set_that_declares_no_language_is_in_the_one_that_was_said(bench: Any) -> None:
    bench.beir("set/news")
    bench.beir("set/blogs")
    assert languages(bench, bench.path / "set", languages=["de"]) == [("set/blogs", "de"), ("set/news", "de")]


def test_a_set_that_declares_languages_gives_those_that_are_wanted_and_names_the_rest(bench: Any) -> None:
    for name in ("de", "en", "sw", "news"):
        bench.beir(f"set/{name}")
    assert languages(bench, bench.path / "set", languages=["de", "sw"]) == [("set/de", "de"), ("set/sw", "sw")]
    assert skipped(bench, bench.path / "set", languages=["de", "sw"]) == [
        "skipped set/en: its language is en",
        "skipped set/news: it declares no language",
    ]
    assert skipped(bench, bench.path / "set") == []


def test_many_that_are_skipped_are_one_line(bench: Any) -> None:
    lines = skipped(bench, "demo", languages=["de"])
    (line,) = lines
    assert line == ("skipped 9 of the 10 collections of demo, whose languages are ar, en, es, hi, ja, ru, sw, th, zh")


def test_a_target_in_another_language_is_skipped_where_something_is_left(bench: Any) -> None:
    german, english = bench.beir("german", rules=DE), bench.beir("english", rules='language = "en"')
    plain = bench.beir("plain")
    assert languages(bench, german, english, languages=["de"]) == [("german", "de")]
    assert skipped(bench, german, english, languages=["de"]) == ["skipped english: its language is en"]
    assert languages(bench, german, plain, languages=["de"]) == [("german", "de"), ("plain", "de")]
    assert languages(bench, german, english, languages=["en", "de"]) == [("german", "de"), ("english", "en")]


def test_a_suite_is_never_in_another_language_than_its_table_says(bench: Any) -> None:
    plain = str(bench.beir("plain"))
    found = chosen_sources([plain, "miracl", "beir/scifact"], None, ["de"], None)
    assert [(one.name, one.declared.language) for one in found.sources] == [("plain", "de"), ("miracl/de", "de")]
    many, one = found.skipped
    assert many.startswith("skipped 17 of the 18 collections of miracl, whose languages are ar, bn, en, ")
    assert one == "skipped beir/scifact: its language is en"
    assert refused(bench, "beir/scifact", languages=["de"]).startswith("beir/scifact: no language 'de'.")


def test_nothing_left_is_refused_in_one_line_that_says_what_there_is(bench: Any) -> None:
    german, english = bench.beir("german", rules=DE), bench.beir("english", rules='language = "en"')
    assert refused(bench, german, languages=["en"]) == "german: no language 'en'. Did you mean de? Available: de."
    message = refused(bench, german, english, languages=["sw"])
    assert message == "german, english: no language 'sw'. Available: de, en."
    assert refused(bench, "demo/de", languages=["en"]) == "demo/de: no language 'en'. Did you mean de? Available: de."


def test_every_wanted_language_has_to_be_there(bench: Any) -> None:
    german = bench.beir("german", rules=DE)
    assert refused(bench, german, languages=["de", "sw"]) == "german: no language 'sw'. Available: de."


def test_several_languages_declare_none(bench: Any) -> None:
    plain, german = bench.beir("plain"), bench.beir("german", rules=DE)
    message = "plain: it declares no language, and --language names 2 (de, en); name the one that it is in, or write"
    assert refused(bench, plain, languages=["de", "en"]).startswith(message)
    assert refused(bench, german, plain, languages=["de", "en"]).startswith(message)
    assert languages(bench, plain, languages=["de", "de"]) == [("plain", "de")]


@pytest.mark.parametrize("code", ["german", "xq", "", "d"])
def test_what_is_no_code_declares_nothing(bench: Any, code: str) -> None:
    assert "ISO 639 code" in refused(bench, bench.beir(), languages=[code])


def test_a_code_with_a_script_or_a_region_declares_its_language(bench: Any) -> None:
    assert languages(bench, bench.beir(), languages=["pt-BR"]) == [("coll", "pt-BR")]

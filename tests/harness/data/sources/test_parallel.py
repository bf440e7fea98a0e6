"""Where it is said that collections ask the same questions: the option, collection.toml, a suite, the data."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from harness.data.collection import Collection
from harness.data.parallel import notes
from harness.data.sources import load
from harness.data.suites.table import read_suite
from harness.data.suites.targets import suites

YES, NO = "parallel = true", "parallel = false"
OTHER = "query-id\tcorpus-id\tscore\nq1\td2\t1\nq2\td1\t1\n"
"""Judgments of the same queries on other documents."""


def a_set(session: Any, of_set: str = "", *, de: str = "", qrels: str | None = None) -> Path:
    session.beir("set/de", rules=de, corpus=_in("de"))
    session.beir("set/en", corpus=_in("en"), **({"qrels": qrels} if qrels else {}))
    if of_set:
        (session.path / "set" / "collection.toml").write_text(of_set)
    return Path(session.path / "set")


def noted(collections: Iterable[Collection]) -> list[str]:
    found = list(collections)
    return notes(found, {one.fingerprint: one.queries.ids() for one in found})


def _in(language: str) -> list[dict[str, str]]:
    return [{"_id": f"d{number}", "title": "", "text": f"{language} {number}"} for number in (1, 2, 3)]


def known(session: Any, *targets: Path | str, **options: Any) -> list[tuple[str | None, str | None]]:
    found = load([str(target) for target in targets], session.workspace, **options)
    return [(one.parallel, one.parallel_by) for one in found]


def test_a_folder_of_collections_is_detected_and_has_its_name(session: Any) -> None:
    assert known(session, a_set(session)) == [("set", "detected")] * 2


def test_the_file_of_a_set_declares_it_for_all(session: Any) -> None:
    assert known(session, a_set(session, YES, qrels=OTHER)) == [("set", "declared")] * 2
    (session.path / "set" / "collection.toml").write_text(NO)
    assert known(session, session.path / "set") == [(None, "declared")] * 2


def test_a_member_says_otherwise_in_its_own_file_or_its_table(session: Any) -> None:
    assert known(session, a_set(session, YES, de=NO)) == [(None, "declared"), ("set", "declared")]
    (session.path / "set" / "collection.toml").write_text(f"{YES}\n[en]\n{NO}")
    assert known(session, session.path / "set") == [(None, "declared")] * 2


def test_the_name_of_a_set_is_the_declared_one(session: Any) -> None:
    assert known(session, a_set(session, f'name = "towns"\n{YES}')) == [("towns", "declared")] * 2


def test_rules_stand_above_the_files_and_the_option_above_all(session: Any) -> None:
    folder = a_set(session, YES)
    assert known(session, folder, rules=session.rules(NO)) == [(None, "declared")] * 2
    assert known(session, folder, parallel=False) == [(None, "option")] * 2
    (folder / "collection.toml").write_text(NO)
    assert known(session, folder, parallel=True) == [("set", "option")] * 2


def test_what_is_declared_later_needs_no_second_reading_of_the_texts(session: Any, aged: Any) -> None:
    folder = a_set(session, qrels=OTHER)
    aged(folder)
    known(session, folder)
    seen = sorted((session.workspace.collections / "seen").iterdir())
    (folder / "collection.toml").write_text(YES)
    assert known(session, folder) == [("set", "declared")] * 2
    assert sorted((session.workspace.collections / "seen").iterdir()) == seen


def test_members_that_are_named_by_themselves_are_in_the_same_set(session: Any) -> None:
    folder = a_set(session)
    assert known(session, folder / "de", folder / "en") == [("set", "detected")] * 2
    assert known(session, folder / "de") == [(None, None)]
    (folder / "collection.toml").write_text(f'name = "towns"\n{YES}\n[en]\n{NO}')
    assert known(session, folder / "de", folder / "en") == [("towns", "declared"), (None, "declared")]
    assert known(session, folder / "de") == [("towns", "declared")]


def test_collections_that_only_lie_side_by_side_are_not_detected(session: Any) -> None:
    one, other = session.beir("nfcorpus", corpus=_in("a")), session.beir("scifact", corpus=_in("b"))
    assert known(session, one, other) == [(None, None)] * 2
    assert known(session, one, other, parallel=True) == [("sources", "option")] * 2


def test_a_language_alone_says_nothing_that_was_not_declared(session: Any) -> None:
    folder = a_set(session)
    assert known(session, folder, languages=["de"]) == [(None, None)]
    assert known(session, folder, languages=["de", "en"]) == [("set", "detected")] * 2


def test_members_with_other_splits_are_compared_by_what_they_ask(session: Any) -> None:
    folder = a_set(session)
    qrels = folder / "en" / "qrels"
    (qrels / "test.tsv").rename(qrels / "dev.tsv")
    assert known(session, folder) == [("set", "detected")] * 2
    (qrels / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq2\td3\t1\n")
    (folder / "de" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    assert known(session, folder) == [(None, None)] * 2


def test_anything_but_true_and_false_is_refused(session: Any) -> None:
    message = session.refused(UsageError, a_set(session, 'parallel = "yes"'))
    assert message == "set/collection.toml: parallel: 'yes' is not true or false"
    assert session.refused(UsageError, session.path / "set" / "de") == message


def test_the_packaged_sample_is_declared(session: Any) -> None:
    assert known(session, "demo") == [("demo", "declared")] * 10
    assert known(session, "demo/sw") == [("demo", "declared")]


HEAD = 'name = "towns"\ntitle = "t"\nnote = "n"\naverage = "macro"\n'
ROW = """
[[collection]]
name = "{0}"
language = "{0}"
main_measure = "nDCG@10"
drop_identical_ids = false
mteb = {{ task = "T", path = "a/b", revision = "{1}", split = "test" }}
counts = {{ queries = 1, documents = 1, relevant = 1 }}
average_characters = {{ document = 1, query = 1 }}
"""
ROWS = [ROW.format(name, "0" * 40) for name in ("de", "en")]


def declared(text: str) -> list[tuple[bool | None, str]]:
    return [(one.parallel, one.within) for one in read_suite(text, "towns.toml").collections]


def test_a_suite_declares_it_for_all_for_a_group_or_for_one_collection() -> None:
    assert declared(HEAD + "".join(ROWS)) == [(None, "towns")] * 2
    assert declared(f"{HEAD}{YES}\n{''.join(ROWS)}") == [(True, "towns")] * 2
    assert declared(f"{HEAD}{YES}\n{ROWS[0]}{NO}\n{ROWS[1]}") == [(False, "towns"), (True, "towns")]
    grouped = f'{HEAD}[groups.g]\n{YES}\n{ROWS[0]}group = "g"\n{ROWS[1]}'
    assert declared(grouped) == [(True, "towns/g"), (None, "towns")]


def test_a_suite_refuses_anything_but_true_and_false() -> None:
    with pytest.raises(DataError, match="parallel: 1 is not true or false"):
        read_suite(f"{HEAD}parallel = 1\n{ROWS[0]}", "towns.toml")


def test_miracl_is_declared_not_to_be_parallel_for_its_languages_share_numbers() -> None:
    for name in ("miracl", "miracl-hard-negatives", "miracl-reranking"):
        assert {one.parallel for one in suites()[name].collections} == {False}


def test_real_sets_are_known_as_what_they_are(session: Any, data: Path) -> None:
    assert set(known(session, data / "xquad")) == {("xquad", "detected")}
    mlqa = str(data / "mlqa-dev-r")
    (line,) = noted(load(mlqa, session.workspace))
    assert "mlqa-dev-r/ar shares 243 query ids with en" in line
    (line,) = noted(load(mlqa, session.workspace, parallel=True))
    assert line == "mlqa-dev-r: 576 questions in 7 languages (as --parallel says)"

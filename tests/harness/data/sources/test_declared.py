"""Rules say what they mean or are refused; whatever is not declared stays forbidden."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.errors import UsageError
from harness.data.collection import Rules


def test_every_key_arrives(session: Any) -> None:
    rules = """
        name = "arguana"
        language = "en"
        group = "argumentation"
        main_measure = "nDCG@10"
        instruction = "Given a claim, find the counter-argument"
        drop_identical_ids = true
        allow = ["unknown-documents", "negative-grades"]
        note = "half of it is a translation"
    """
    collection = session.load(session.beir(rules=rules))
    assert (collection.name, collection.language, collection.group) == ("arguana", "en", "argumentation")
    assert collection.rules == Rules(
        instruction="Given a claim, find the counter-argument",
        main_measure="nDCG@10",
        drop_identical_ids=True,
        allow=("negative-grades", "unknown-documents"),
        note="half of it is a translation",
    )


def test_a_rule_that_was_declared_in_vain_is_shown_as_zero(session: Any) -> None:
    collection = session.load(session.beir(rules='allow = ["unknown-documents"]'))
    assert collection.counts.let_through == {"unknown-documents": 0}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("instructions = 'x'", "instructions: unknown key. Did you mean instruction"),
        ("allow = ['unknown-document']", "allow[0]: unknown name 'unknown-document'. Did you mean unknown-documents"),
        ("allow = 'unknown-documents'", "allow: 'unknown-documents' is not a list of texts"),
        ("drop_identical_ids = 1", "drop_identical_ids: 1 is not true or false"),
        ("name = 3", "name: 3 is not a text"),
        ("name = ''", "name: '' is not allowed; a text that is not empty is needed"),
        ("group = 1", "group: 1 is not a text"),
        ("name = x\n", "not TOML in line 1 (name = x): Invalid value"),
        ("[de]\nname = 'x'", "de: unknown key."),
    ],
)
def test_a_wrong_rule_is_refused(session: Any, rules: str, message: str) -> None:
    assert session.refused(UsageError, session.beir("a", rules=rules)).startswith(f"a/collection.toml: {message}")
    assert session.refused(UsageError, session.beir("b"), rules=session.rules(rules)).startswith(
        f"rules.toml: {message}"
    )


def test_a_group_is_remembered_and_changes_no_number_of_the_collection(session: Any) -> None:
    folder = session.beir()
    alone, grouped = session.load(folder), session.load(folder, rules=session.rules("group = 'forums'"))
    again = session.load(folder, rules=session.rules("group = 'forums'"))
    assert (alone.group, grouped.group, again.group) == (None, "forums", "forums")
    assert alone.fingerprint == grouped.fingerprint


def test_missing_rules_are_not_taken_for_none(session: Any) -> None:
    message = session.refused(UsageError, session.beir(), rules=session.path / "absent.toml")
    assert message == "absent.toml: there is no such file"


def test_the_option_overrides_the_file_key_by_key(session: Any) -> None:
    folder = session.beir(rules='instruction = "file"\nlanguage = "en"')
    collection = session.load(folder, rules=session.rules('instruction = "option"'))
    assert (collection.rules.instruction, collection.language) == ("option", "en")

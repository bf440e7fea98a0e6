"""Profiles are data. What a user would lose: a target style without a line of code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters.errors import UsageError
from training.synthesis.profiles import GRAMMARS, load_profile, profile_for, profile_names

ROOT = Path(__file__).parents[3]
MIRACL = ["ar", "bn", "de", "en", "es", "fa", "fi", "fr", "hi", "id", "ja", "ko", "ru", "sw", "te", "th", "yo", "zh"]


def test_every_language_of_miracl_has_a_profile() -> None:
    assert {profile_for(language).language for language in MIRACL} == set(MIRACL)


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_demands_what_it_checks(name: str) -> None:
    profile = load_profile(name)
    prompt = profile.prompt("DOCUMENT TEXT")
    for shown in (profile.language_name, str(profile.shortest), str(profile.longest), "DOCUMENT TEXT"):
        assert shown in prompt.text
    assert prompt.grammar in GRAMMARS
    assert all("{}" in question for question in profile.questions)


def test_the_four_target_styles_differ_where_they_have_to() -> None:
    pupil, entity, web, answer = (load_profile(n) for n in ("pupil-fr", "entity-ru", "web-zh", "answer-ja"))
    assert (pupil.count, pupil.shortest, pupil.longest, pupil.overlap) == (5, 10, 100, "avoid")
    assert (entity.count, entity.entity_alias, entity.grammar) == (1, "other", "line")
    assert (web.unit, answer.unit, answer.overlap) == ("characters", "characters", "allow")


def test_a_long_document_is_cut_in_the_prompt() -> None:
    assert len(load_profile("generic/en").prompt("x" * 100_000).document) == 4000


def test_an_own_profile_starts_from_its_language(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('language = "sw"\ncount = 7\n', "utf-8")
    profile = load_profile(str(file))
    assert (profile.name, profile.count, profile.language_name) == ("mine", 7, "Swahili")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('language = "en"\ncuont = 3', "cuont: unknown key.*Did you mean count"),
        ('language = "en"\ncount = "3"', "count: '3' is not a whole number"),
        ('language = "en"\ngrammar = "xml"', "grammar: 'xml' is not allowed"),
        ('language = "en"\nshortest = 9\nlongest = 3', "shortest: 9 is above longest = 3"),
        ('language = "en"\ngrammar = "line"', "the grammar 'line' has one query"),
        ("count = 3", "language"),
        ("count = ", "not TOML in line 1"),
        ('language = ["en"]', "language: a list is not a text"),
        ('name = "x"\nlanguage = "en"', "name: unknown key"),
        ('language = "en"\nmax_overlap = 0', "max_overlap: 0 is not allowed; a number above 0 and up to 1 is needed"),
        ('language = "en"\nscripts = []', "scripts: 0 entries"),
    ],
)
def test_a_wrong_profile_is_refused_in_one_line(tmp_path: Path, text: str, answer: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(UsageError, match=answer):
        load_profile(str(file))


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Did you mean web-zh"):
        load_profile("web-cz")
    with pytest.raises(UsageError, match="declares no language; name a profile"):
        profile_for(None)


def test_every_collection_of_beir_has_a_profile_in_the_documentation() -> None:
    page = (ROOT / "docs" / "training-data.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+-en)` \| .+? \|(.*)\|$", page, re.MULTILINE)
    named = {name for _, listed in rows for name in listed.replace(" ", "").split(",") if name}
    suite = (ROOT / "harness" / "data" / "suites" / "beir.toml").read_text("utf-8")
    collections = {name.partition("-")[0] if name.startswith("cqadupstack") else name
                   for name in re.findall(r'^name = "(.+)"', suite, re.MULTILINE)[1:]}  # fmt: skip
    assert collections == named
    assert {name for name, _ in rows} == {name for name in profile_names() if name.endswith("-en")}


@pytest.mark.parametrize("name", [name for name in profile_names() if load_profile(name).form != "any"])
def test_a_profile_says_in_its_prompt_which_form_it_checks(name: str) -> None:
    profile = load_profile(name)
    demanded = {"question": "Each query is a question.", "statement": "No query is a question."}[profile.form]
    assert demanded in profile.prompt("TEXT").text
    assert profile.form == "question" or not profile.questions, "extractive queries must not ask then"


def test_a_profile_without_the_later_demands_keeps_its_identity() -> None:
    """Runs of an earlier version continue."""
    assert load_profile("generic/en").identity == "477ae30ad061cc79657b0893dfbc7751"
    assert load_profile("web-zh").identity == "50ad13625573735ed54cc0a91b58aef3"

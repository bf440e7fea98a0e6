"""The perturbations: what they promise to change, and that they change nothing else."""

from __future__ import annotations

import unicodedata

import pytest

from adapters.errors import UsageError
from harness.measuring.robustness import changes
from harness.measuring.robustness.perturbations import ATTACKS, CONTROL, INVARIANCES, PERTURBATIONS, members, named

QUERIES = (
    "What is the capital of France?", "wer hat das Rad erfunden", "hello hello", "xylem", "как называется столица",
    "a b c", "", "东京的人口是多少", "aaaa bbbb",
)  # fmt: skip


def edits(before: str, after: str) -> int:
    """The Damerau-Levenshtein distance without overlapping edits."""
    rows = [[i + j if not i or not j else 0 for j in range(len(after) + 1)] for i in range(len(before) + 1)]
    for i in range(1, len(before) + 1):
        for j in range(1, len(after) + 1):
            changed = before[i - 1] != after[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + changed)
            if i > 1 and j > 1 and before[i - 1] == after[j - 2] and before[i - 2] == after[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_gets_two_typos_where_two_words_are_long_enough(query: str) -> None:
    long = [word for word in query.replace("?", "").split() if len(word) >= 4]
    assert edits(query, changes.typos(query)) == min(2, len(long))
    assert changes.typos(query) == changes.typos(query)


def test_another_script_looks_the_same_and_full_width_normalises_back() -> None:
    text = "Capital of France 1998"
    assert unicodedata.normalize("NFKC", changes.full_width(text)) == text != changes.full_width(text)
    changed = changes.homoglyphs(text)
    assert len(changed) == len(text) and changed != text
    names = [unicodedata.name(new) for old, new in zip(text, changed, strict=True) if old != new]
    assert all(name.startswith(("CYRILLIC", "GREEK")) for name in names)


@pytest.mark.parametrize("text", ["short", "", "x" * 3000])
def test_a_padding_has_its_length_whatever_it_is_made_from(text: str) -> None:
    assert 990 <= len(changes.filled(text)) <= changes.PADDING


def test_an_attack_holds_what_its_name_says() -> None:
    made = {one.name: one.document("the query", "a text") for one in ATTACKS}
    assert made["unrelated"] == "a text"
    assert made["stuffing-start"] == "the query a text"
    assert made["stuffing-end"] == "a text the query"
    assert made["stuffing-repeated"].count("the query") == 5
    assert made["query-alone"] == "the query" and made["empty"] == ""
    assert all("the query" not in made[name] for name in ("padding", "unrelated"))


def test_braces_in_texts_are_texts() -> None:
    attack = PERTURBATIONS["stuffing-start"]
    assert attack in ATTACKS
    assert attack.document("{document} {0}", "{query}") == "{document} {0} {query}"  # type: ignore[union-attr]


def test_names_are_those_of_perturbations_families_and_all() -> None:
    assert {one.name for one in named(["all"])} == set(PERTURBATIONS)
    assert [one.name for one in named(["invariances"])] == [one.name for one in INVARIANCES]
    assert [one.name for one in named(["typos", "stuffing"])] == [
        CONTROL, "stuffing-start", "stuffing-end", "stuffing-repeated", "typos",
    ]  # fmt: skip
    assert [one.name for one in named(["typos"])] == ["typos"], "the control belongs to attacks"
    assert members("stuffing") == ("stuffing-start", "stuffing-end", "stuffing-repeated")
    assert members("query-alone") == ("query-alone",)


@pytest.mark.parametrize("name", ["stufing", "typo", ""])
def test_an_unknown_name_is_answered_with_a_known_one(name: str) -> None:
    with pytest.raises(UsageError, match="no perturbation is named"):
        named([name])


def test_no_family_has_the_name_of_an_attack_of_another_family() -> None:
    for one in PERTURBATIONS.values():
        assert PERTURBATIONS.get(one.family, one).family == one.family

"""The notes under a table count questions: nobody should take languages or samples for more of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from harness.measuring.statistics.design import Questions
from harness.result.gathered import Grid
from harness.result.keys import CollectionKey, SystemKey
from reports import rule

SYSTEM = SystemKey("bm25 (first stage)", "bm25", 10, None)
IDS = tuple(f"q{number}" for number in range(20))


def key(name: str, language: str | None, queries: int = 20, sampled_from: int | None = None) -> CollectionKey:
    return CollectionKey(name, "test", f"{name}{queries}", language, None, queries, sampled_from, "nDCG@10")


def sets(members: Mapping[CollectionKey, Questions]) -> list[str]:
    cells: dict[tuple[SystemKey, CollectionKey], Any] = {
        (SYSTEM, one): SimpleNamespace(questions=own) for one, own in members.items()
    }
    return rule.sets(Grid("nDCG@10", (SYSTEM,), tuple(members), cells))


def test_a_parallel_set_is_counted_by_questions_and_languages() -> None:
    members = {key(f"demo/{code}", code): Questions("demo", IDS) for code in ("de", "en", "th")}
    assert sets(members) == ["demo: 20 questions in 3 languages"]


@pytest.mark.parametrize("name", ["demo/de", "demo/de\u2020"])
def test_a_sample_or_other_data_of_a_member_is_no_further_member(name: str) -> None:
    members = {key(f"demo/{code}", code): Questions("demo", IDS) for code in ("de", "en")}
    part = {key(name, "de", 5, 20): Questions("demo", IDS[:5])}
    assert sets({**members, **part}) == ["demo: 20 questions in 2 languages"]
    assert sets({key("demo/de", "de"): Questions("demo", IDS), **part}) == []


def test_members_without_a_language_are_collections() -> None:
    members = {key("a/one", None): Questions("a", IDS), key("a/two", "de"): Questions("a", IDS)}
    assert sets(members) == ["a: 20 questions in 2 collections"]


def test_collections_of_their_own_are_no_set() -> None:
    assert sets({key(name, "de"): Questions(name, IDS) for name in ("one", "two")}) == []

"""Collections that ask the same questions in several languages are known as one set, and those that only number their
queries alike are not: a user would lose honest intervals either way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from harness.data.collection import Collection, sample_queries
from harness.data.parallel import DECLARE, Member, Membership, notes, parallel_sets, with_parallel
from tests.tiny_collection import Place

NOTHING = Membership()
DETECTED = Membership("set", "detected")


def asked(
    place: Place, language: str, ids: Iterable[str], *, own: str = "", language_known: bool = True, grade: int = 1
) -> Collection:
    """A collection with one judged document for each query; `own` makes ids of documents that no other one has."""
    names = list(ids)
    queries = {name: f"{language} asks {name}" for name in names}
    corpus = {f"{own}d-{name}": f"{language} answers {name}" for name in names}
    qrels = [(name, f"{own}d-{name}", grade) for name in names]
    folder = place.beir(f"set/{language}", corpus, queries, qrels)
    return replace(place.load(folder), name=f"set/{language}", language=language if language_known else None,
                   parallel=None, parallel_by=None)  # fmt: skip


def numbered(count: int, start: int = 1) -> list[str]:
    return [str(number) for number in range(start, start + count)]


def noted(collections: Iterable[Collection]) -> list[str]:
    found = list(collections)
    return notes(found, {one.fingerprint: one.queries.ids() for one in found})


def members(*collections: Collection, declared: bool | None = None) -> list[Member]:
    return [Member(one, "set", declared) for one in collections]


def test_collections_with_the_same_ids_and_judged_documents_are_one_set(place: Place) -> None:
    found = parallel_sets(members(*(asked(place, code, numbered(20)) for code in ("de", "en", "th"))))
    assert found == [DETECTED] * 3


def test_nine_tenths_of_the_smaller_one_are_enough_and_less_is_not(place: Place) -> None:
    whole = asked(place, "en", numbered(100))
    enough = asked(place, "de", numbered(20, 83))
    less = asked(place, "th", numbered(20, 84))
    assert parallel_sets(members(whole, enough)) == [DETECTED] * 2
    assert parallel_sets(members(whole, less)) == [Membership(same_ids=("th", 17)), Membership(same_ids=("en", 17))]


def test_queries_that_are_numbered_in_every_language_are_not_one_set(place: Place) -> None:
    de, en = (asked(place, code, numbered(20), own=code) for code in ("de", "en"))
    assert parallel_sets(members(de, en)) == [Membership(same_ids=("en", 20)), Membership(same_ids=("de", 20))]


def test_the_same_documents_of_other_queries_are_not_one_set(place: Place) -> None:
    de = asked(place, "de", numbered(20))
    shifted = {f"d-{name}": f"en answers {name}" for name in numbered(20)}
    queries = {name: f"en asks {name}" for name in numbered(20)}
    qrels = [(name, f"d-{int(name) % 20 + 1}", 1) for name in numbered(20)]
    en = place.load(place.beir("set/en", shifted, queries, qrels))
    assert [one.parallel for one in parallel_sets(members(de, en))] == [None, None]


def test_the_grade_of_a_judged_document_does_not_matter(place: Place) -> None:
    de, en = asked(place, "de", numbered(20)), asked(place, "en", numbered(20), grade=2)
    assert parallel_sets(members(de, en)) == [DETECTED] * 2


def test_partly_the_same_ids_are_noted_and_few_of_them_are_not(place: Place) -> None:
    en = asked(place, "en", numbered(20))
    de = asked(place, "de", numbered(20, 18))
    th = asked(place, "th", numbered(20, 19))
    assert parallel_sets(members(en, de)) == [Membership(same_ids=("de", 3)), Membership(same_ids=("en", 3))]
    assert parallel_sets(members(en, th)) == [NOTHING] * 2


def test_one_member_is_no_set_and_nothing_is_known_of_it(place: Place) -> None:
    assert parallel_sets(members(asked(place, "de", numbered(5)))) == [NOTHING]
    assert parallel_sets([]) == []


def test_a_collection_of_something_else_in_the_folder_stays_out_of_the_set(place: Place) -> None:
    de, en = (asked(place, code, numbered(20)) for code in ("de", "en"))
    other = asked(place, "nq", [f"nq{number}" for number in range(20)])
    assert parallel_sets(members(de, other, en)) == [DETECTED, NOTHING, DETECTED]


def test_two_parallel_sets_in_one_folder_are_none_because_they_would_have_one_name(place: Place) -> None:
    pairs = [asked(place, f"{code}{n}", numbered(20), own=n) for n in "ab" for code in ("de", "en")]
    found = parallel_sets(members(*pairs))
    assert [one.parallel for one in found] == [None] * 4
    assert all(one.same_ids for one in found)


def test_all_members_have_to_agree_pairwise(place: Place) -> None:
    first, middle, last = (asked(place, code, numbered(20, start)) for code, start in (("de", 1), ("en", 3), ("th", 5)))
    assert [one.parallel for one in parallel_sets(members(first, middle, last))] == [None] * 3


def test_the_same_collection_twice_is_no_set(place: Place) -> None:
    de = asked(place, "de", numbered(20))
    assert parallel_sets(members(de, de)) == [NOTHING] * 2


def test_what_lies_in_different_sets_is_never_compared(place: Place) -> None:
    de, en = (asked(place, code, numbered(20)) for code in ("de", "en"))
    assert parallel_sets([Member(de, "one"), Member(en, "other")]) == [NOTHING] * 2
    assert parallel_sets([Member(de), Member(en)]) == [NOTHING] * 2


def test_collections_that_were_named_by_themselves_are_not_detected_but_noted_if_their_ids_are_the_same(
    place: Place,
) -> None:
    de, en, th = (asked(place, code, numbered(20, start)) for code, start in (("de", 1), ("en", 1), ("th", 16)))
    assert parallel_sets([Member(one, "data", in_set=False) for one in (de, en, th)]) == [
        Membership(same_ids=("set/en", 20)), Membership(same_ids=("set/de", 20)), NOTHING,
    ]  # fmt: skip


def test_a_declared_set_is_one_even_if_only_some_have_a_question(place: Place) -> None:
    few = [asked(place, code, numbered(5, start), own=code) for code, start in (("de", 1), ("en", 4))]
    assert parallel_sets(members(*few, declared=True)) == [Membership("set", "declared")] * 2


def test_declared_false_overrides_what_would_be_detected(place: Place) -> None:
    de, en = (asked(place, code, numbered(20)) for code in ("de", "en"))
    assert parallel_sets(members(de, en, declared=False)) == [Membership(None, "declared")] * 2


def test_a_member_that_declares_false_leaves_the_others_a_set(place: Place) -> None:
    de, en, th = (asked(place, code, numbered(20)) for code in ("de", "en", "th"))
    found = parallel_sets([*members(de, en), *members(th, declared=False)])
    assert found == [DETECTED, DETECTED, Membership(None, "declared")]


def test_a_member_that_declares_nothing_is_compared_with_those_that_declare_it(place: Place) -> None:
    de, en = (asked(place, code, numbered(20)) for code in ("de", "en"))
    other = asked(place, "nq", [f"nq{number}" for number in range(20)])
    found = parallel_sets([*members(de, declared=True), *members(en, other)])
    assert found == [Membership("set", "declared"), DETECTED, NOTHING]


@pytest.mark.parametrize(("option", "name"), [(True, "set"), (False, None)])
def test_the_option_overrides_what_is_declared(place: Place, option: bool, name: str | None) -> None:
    de, en = (asked(place, code, numbered(20)) for code in ("de", "en"))
    declared = members(de, en, declared=not option)
    assert parallel_sets(declared, option) == [Membership(name, "option")] * 2


def test_a_set_by_itself_has_the_name_of_the_collection(place: Place) -> None:
    assert parallel_sets([Member(asked(place, "de", numbered(5)), declared=True)]) == [Membership("set/de", "declared")]


def test_no_set_changes_a_fingerprint_and_a_sample_keeps_its_set(place: Place) -> None:
    de, en = (asked(place, code, numbered(20)) for code in ("de", "en"))
    found = with_parallel(members(de, en))
    assert [one.fingerprint for one in found] == [de.fingerprint, en.fingerprint]
    sampled = sample_queries(found[0], 3)
    assert (sampled.parallel, sampled.parallel_by) == ("set", "detected")
    assert sampled.fingerprint == sample_queries(de, 3).fingerprint


def test_a_note_says_how_many_questions_there_are_and_how_that_is_known(place: Place) -> None:
    few = [asked(place, code, numbered(5, start)) for code, start in (("de", 1), ("en", 4))]
    assert noted(with_parallel(members(*few, declared=True))) == ["set: 8 questions in 2 languages (declared)"]
    assert noted(with_parallel(members(*few), True)) == ["set: 8 questions in 2 languages (as --parallel says)"]
    assert noted(with_parallel(members(*few), False)) == []


def test_without_languages_a_note_counts_collections(place: Place) -> None:
    unknown = [asked(place, code, numbered(20), language_known=False) for code in ("d", "e")]
    assert noted(with_parallel(members(*unknown)))[0].startswith("set: 20 questions in 2 collections (detected: ")


def test_shared_ids_without_a_declaration_are_noted_in_one_line(place: Place) -> None:
    few = [asked(place, code, numbered(20), own=code) for code in ("de", "en", "fr", "ru", "th")]
    assert noted(with_parallel(members(*few[:2]))) == [
        f"set/de shares 20 query ids with en; set/en shares 20 query ids with de: {DECLARE}"
    ]
    (line,) = noted(with_parallel(members(*few)))
    assert line.endswith(f"; 2 more collections share ids too: {DECLARE}")

"""A name means the same systems, collections and evaluations in every verb, and an error says what it could be."""

from __future__ import annotations

import pytest

from adapters.errors import UsageError
from harness.result.places import CollectionNames, collections_named, is_called, named_by_fingerprint
from harness.result.select import (
    Wanted,
    evaluation_named,
    members_named,
    narrowed,
    system_named,
    systems_named,
)
from tests.stored_evaluations import stored

FIRST = stored("f000", None)
ODD = ["./run[1]/ckpt-5", "./run1/ckpt-5", "BAAI/m?max_length=256", "BAAI/mXmax_length=256", "a,b"]
STORE = [FIRST, *(stored(f"{place}d0d", label) for place, label in enumerate(ODD, 1))]


def labels(name: str, store: object = None) -> list[str]:
    return [one.reranker or one.first_stage for one in systems_named([name], store or STORE)]  # type: ignore[arg-type]


@pytest.mark.parametrize("label", ODD)
def test_a_label_names_itself_whatever_characters_it_has(label: str) -> None:
    assert labels(label) == [label]
    assert system_named(label, STORE).label == label


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*ckpt-5", ["./run[1]/ckpt-5", "./run1/ckpt-5"]),
        ("./run[1]/*", ["./run[1]/ckpt-5"]),
        ("./run[12]/*", ["./run1/ckpt-5"]),
        ("BAAI/m?max*", ["BAAI/m?max_length=256"]),
        ("BAAI/m?max_length=25?", ["BAAI/m?max_length=256", "BAAI/mXmax_length=256"]),
        ("bm2?", ["bm25"]),
        ("*", ["bm25", *ODD]),
    ],
)
def test_in_a_glob_a_question_mark_and_a_bracket_stand_for_themselves_first(glob: str, found: list[str]) -> None:
    assert labels(glob) == found


def test_a_name_that_a_reranker_and_a_first_stage_share_is_the_rerankers() -> None:
    both = [FIRST, stored("c003", "bm25")]
    assert [one.id for one in systems_named(["bm25"], both)] == ["c003"]
    assert [one.id for one in systems_named(["bm25 (first stage)"], both)] == ["f000"]
    with pytest.raises(UsageError, match="'bm25' was measured only elsewhere: coll over bm25 at depth 10"):
        systems_named(["bm25"], both[:1], both)


def test_an_id_needs_four_digits_so_that_short_names_are_never_read_as_ids() -> None:
    assert labels("1d0d") == [ODD[0]]
    with pytest.raises(UsageError, match=r"system '1d0'\. No id begins with it; write 4 digits or more"):
        labels("1d0")


def test_a_label_that_looks_like_an_id_is_a_label() -> None:
    store = [stored("cafe01", "one"), stored("b002", "cafe")]
    assert labels("cafe", store) == ["cafe"]
    assert evaluation_named("cafe", store).id == "b002"


def test_where_one_system_is_needed_the_possibilities_are_listed_with_what_differs() -> None:
    store = [stored("a001", "./c-1"), stored("a002", "./c-2", depth=20), stored("a003", "./c-3", first_stage="e5")]
    with pytest.raises(UsageError) as error:
        system_named("./c-*", store)
    assert str(error.value) == (
        "'./c-*' could be './c-1' (coll over bm25 at depth 10); './c-2' (coll over bm25 at depth 20); './c-3' (coll "
        "over e5 at depth 10); name one of them"
    )


def test_where_one_evaluation_is_needed_a_system_is_enough_if_it_has_one() -> None:
    store = [stored("a001", "one"), stored("a002", "two"), stored("a003", "two", "other", depth=20)]
    assert evaluation_named("one", store).id == "a001"
    assert evaluation_named("a003", store).id == "a003"
    with pytest.raises(UsageError) as error:
        evaluation_named("two", store)
    assert str(error.value) == (
        "'two' could be a003 ('two', other over bm25 at depth 20); a002 ('two', coll over bm25 at depth 10); give the "
        "id of one of them"
    )


def test_a_collection_in_the_place_of_a_system_is_said() -> None:
    with pytest.raises(UsageError, match=r"no results of a system 'coll'\. It names collections: use --collection\."):
        labels("coll")


def test_the_members_of_a_group_are_names_and_a_comma_may_be_part_of_one() -> None:
    members = members_named("a,b, ./run1/*,1d0d", STORE)
    assert [one.label for one in members] == ["a,b", "./run1/ckpt-5", "./run[1]/ckpt-5"]


PLACES = [
    CollectionNames("beir/scifact", "aaaaaa11"),
    CollectionNames("beir/scifact", "aaaaaa22"),
    CollectionNames("beir/nfcorpus†", "bbbbbb11"),
    CollectionNames("beir/cqadupstack-unix", "cccccc11", "cqadupstack"),
    CollectionNames("miracl/sw", "dddddd11"),
    CollectionNames("miracl", "eeeeee11"),
    CollectionNames("mine/a/b", "ffffff11"),
]


def fingerprints(*names: str) -> list[str]:
    found = collections_named(names, PLACES)
    return [one.fingerprint for one in PLACES if one in found]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("beir/scifact", ["aaaaaa11", "aaaaaa22"]),
        ("beir", ["aaaaaa11", "aaaaaa22", "bbbbbb11", "cccccc11"]),
        ("beir/*", ["aaaaaa11", "aaaaaa22", "bbbbbb11", "cccccc11"]),
        ("beir/nfcorpus", ["bbbbbb11"]),
        ("beir/nfcorpus†", ["bbbbbb11"]),
        ("cqadupstack", ["cccccc11"]),
        ("beir/cqadupstack", ["cccccc11"]),
        ("miracl", ["eeeeee11"]),
        ("miracl/*", ["dddddd11"]),
        ("mine/a", ["ffffff11"]),
        ("dddddd", ["dddddd11"]),
        ("aaaaaa2", ["aaaaaa22"]),
    ],
)
def test_a_collection_is_named_by_name_suite_set_group_glob_or_fingerprint(name: str, found: list[str]) -> None:
    assert fingerprints(name) == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("beir/scifacts", r"no results of a collection 'beir/scifacts'\. Did you mean beir/scifact"),
        ("ddddd", r"no results of a collection 'ddddd'"),
        ("aaaaaa", r"'aaaaaa' could be aaaaaa11 \(beir/scifact\); aaaaaa22 \(beir/scifact\); give more digits"),
        ("bei", r"no results of a collection 'bei'"),
    ],
)
def test_a_name_of_no_collection_or_of_several_is_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fingerprints(name)


def test_only_digits_name_one_edition_of_a_collection() -> None:
    assert named_by_fingerprint(["beir/scifact", "miracl", "aaaaaa2"], PLACES) == {"aaaaaa22"}


def test_a_declared_name_covers_collections_as_a_selection_does() -> None:
    place = CollectionNames("beir/cqadupstack-unix", "", "cqadupstack")
    assert all(is_called(place, one) for one in ("beir", "beir/*", "cqadupstack", "beir/cqadupstack-unix"))
    assert not is_called(place, "beir/cqa")


def test_a_first_stage_is_named_by_its_spec_its_label_or_a_glob() -> None:
    store = [stored("a001", "one"), stored("a002", "one", first_stage="BAAI/m3")]
    for name in ("BAAI/m3", "BAAI/m3 (first stage)", "BAAI/*"):
        assert [one.id for one in narrowed(store, Wanted(first_stage=name))] == ["a002"]

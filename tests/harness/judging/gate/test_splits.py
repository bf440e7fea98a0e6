"""Splits: a query that was tuned on must never be gated on, and everybody's split has to be the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from harness.data.collection import Collection
from harness.judging.gate import splits
from harness.judging.gate.policy import TIERS, Splits
from harness.judging.gate.splits import assign, part, relatives
from harness.measuring.statistics.design import Questions
from tests.tiny_collection import Place

ALL = Splits()


def collection(place: Place, queries: int, per_document: int = 1, name: str = "made") -> Collection:
    """Query i is answered by document i // per_document."""
    texts = {f"q{i}": f"what is thing number {i}" for i in range(queries)}
    corpus = {f"d{i}": f"thing {i} is a thing" for i in range(queries)}
    qrels = [(f"q{i}", f"d{i // per_document}", 1) for i in range(queries)]
    return place.load(place.beir(name, corpus, texts, qrels))


@pytest.mark.parametrize(("queries", "wanted"), [(10, [2, 6, 2]), (11, [2, 7, 2]), (100, [20, 60, 20])])
def test_the_shares_are_exact(place: Place, queries: int, wanted: list[int]) -> None:
    found = assign(collection(place, queries), ALL)
    assert np.bincount(found.tiers, minlength=3).tolist() == wanted


def test_every_query_is_in_one_tier_and_the_tiers_are_apart(place: Place) -> None:
    made = collection(place, 30)
    ids = [set(part(made, tier, ALL)[0].queries.ids()) for tier in TIERS]
    assert sum(map(len, ids)) == len(set.union(*ids)) == 30


def test_the_order_of_the_file_does_not_matter(place: Place) -> None:
    texts = {f"q{i}": f"query {i}" for i in range(20)}
    qrels = [(name, f"d{i % 8 + 1}", 1) for i, name in enumerate(texts)]
    one = place.load(place.beir("one", queries=texts, qrels=qrels))
    other = place.load(place.beir("other", queries=dict(reversed(texts.items())), qrels=qrels[::-1]))
    assert set(part(one, "gate", ALL)[0].queries.ids()) == set(part(other, "gate", ALL)[0].queries.ids())


def test_queries_that_share_a_relevant_document_stay_together(place: Place) -> None:
    found = assign(collection(place, 100, per_document=5), ALL)
    assert found.clustered
    assert all(len(set(found.tiers[i : i + 5])) == 1 for i in range(0, 100, 5))


def test_a_judgment_of_zero_makes_no_relatives(place: Place) -> None:
    qrels = [("q1", "d1", 1), ("q2", "d1", 0), ("q2", "d2", 1)]
    made = place.load(place.beir(queries={"q1": "one", "q2": "two"}, qrels=qrels))
    assert relatives(made).tolist() == [0, 1]


def test_chains_equal_texts_and_equal_documents_make_relatives(place: Place) -> None:
    queries = {"q1": "a", "q2": "b", "q3": "c", "q4": "c", "q5": "e", "q6": "f"}
    # d3 and d7 have one text
    qrels = [("q1", "d1", 1), ("q2", "d1", 1), ("q2", "d2", 1), ("q3", "d2", 1), ("q4", "d4", 1), ("q5", "d3", 1),
             ("q6", "d7", 2)]  # fmt: skip
    found = relatives(place.load(place.beir(queries=queries, qrels=qrels))).tolist()
    assert found == [0, 0, 0, 0, 4, 4]


def test_where_everything_is_related_queries_are_dealt_out_alone_and_it_says_so(place: Place) -> None:
    found = assign(collection(place, 20, per_document=20), ALL)
    assert not found.clustered
    assert np.bincount(found.tiers).tolist() == [4, 12, 4]


def in_languages(
    place: Place, monkeypatch: pytest.MonkeyPatch, **relevant: list[tuple[str, str, int]]
) -> list[Collection]:
    """A parallel set: questions with their answers in each language; a language may lack some."""
    monkeypatch.setattr(splits, "questions_of", lambda one: Questions("set", tuple(one.queries.ids())))
    return [
        place.load(place.beir(name, {d: f"{d} in {name}" for _, d, _ in judged},
                              {q: f"{q} in {name}" for q, _, _ in judged}, judged))
        for name, judged in relevant.items()
    ]  # fmt: skip


def tiers(collections: list[Collection]) -> list[dict[str, int]]:
    found = (assign(one, ALL, collections).tiers.tolist() for one in collections)
    return [dict(zip(one.queries.ids(), own, strict=True)) for one, own in zip(collections, found, strict=True)]


def alike(*found: dict[str, int]) -> bool:
    """Whether questions that several have are in the same tier in all of them."""
    return all(one[id] == other[id] for one in found for other in found for id in one.keys() & other.keys())


def test_a_question_is_in_one_tier_in_all_languages(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Languages that lack questions, and texts that only one language shares, change nothing."""
    whole = [(f"q{i}", f"d{i // 2}", 1) for i in range(200)]
    made = in_languages(
        place,
        monkeypatch,
        de=whole,
        en=whole[3:150],
        sw=[(q, "d0" if q in {"q7", "q9"} else d, 1) for q, d, _ in whole],
    )
    found = tiers(made)
    assert alike(*found)
    assert all(found[0][f"q{i}"] == found[0][f"q{i + 1}"] for i in range(0, 200, 2)), "relatives stay together"
    assert found[1]["q7"] == found[1]["q9"], "relatives in one language are relatives"
    assert np.bincount(list(found[0].values()), minlength=3).tolist() == [40, 120, 40]


def test_a_language_by_itself_is_dealt_out_as_with_the_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise dev on one language would show the gate's questions of all."""
    whole = [(f"q{i}", f"d{i // 2}", 1) for i in range(100)]
    de, en = in_languages(place, monkeypatch, de=whole, en=whole[::-1])
    assert tiers([de]) + tiers([en]) == tiers([de, en])
    together = assign(de, ALL, [de, en]).digest
    monkeypatch.undo()
    assert assign(de, ALL).digest == assign(de, ALL, [de, en]).digest == together, "whether the set is known or not"


def test_collections_that_are_no_parallel_set_are_dealt_out_apart(place: Place) -> None:
    """The same ids in two collections are two questions."""
    one, other = collection(place, 40, name="one"), collection(place, 31, per_document=3, name="other")
    assert assign(one, ALL, [one, other]).digest == assign(one, ALL).digest


def test_another_salt_is_another_split_with_another_digest(place: Place) -> None:
    made = collection(place, 40)
    one, same, other = assign(made, ALL), assign(made, ALL), assign(made, replace(ALL, salt="x"))
    assert one.digest == same.digest != other.digest
    assert one.tiers.tolist() != other.tiers.tolist()


def test_the_part_is_in_the_identity_and_keeps_the_corpus(place: Place) -> None:
    made = collection(place, 20)
    gate, dev = part(made, "gate", ALL)[0], part(made, "dev", ALL)[0]
    assert len({made.fingerprint, gate.fingerprint, dev.fingerprint}) == 3
    assert gate.part_of == made.fingerprint
    assert len(gate.corpus) == len(made.corpus)


def test_a_gate_may_take_everything(place: Place) -> None:
    made = collection(place, 9)
    whole, _ = part(made, "gate", Splits(dev=0, gate=1, final=0))
    assert whole.fingerprint == made.fingerprint


def test_a_tier_without_queries_is_one_line(place: Place) -> None:
    with pytest.raises(UsageError, match="gives the tier 'final' no queries"):
        part(collection(place, 9), "final", Splits(dev=0.5, gate=0.5, final=0))
    with pytest.raises(DataError, match="small: none of its 1 queries is in the tier 'final'"):
        part(collection(place, 1, name="small"), "final", ALL)

"""An anchor on candidates of a BM25 that stems otherwise now: a gate that went on would compare two first stages, or
forget what was accepted. What decides is what made the candidates, not how anything is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.errors import UsageError
from harness.data.collection import Collection
from harness.judging.gate.gate import Gated, gate
from harness.judging.gate.looks import LookLog
from harness.judging.gate.policy import BEST_ACCEPTED, Policy
from harness.result.store import Results
from tests.earlier_store import without_sums
from tests.harness.judging.gate.fakes import FAKE
from tests.tiny_collection import Place

READER = f"{FAKE}:Reader"
SLIGHTLY = f"{READER}?wrong=0.02"
POLICY = Policy(anchor=READER, depth=5, margin=0.15)
ACCEPTED = replace(POLICY, anchor=BEST_ACCEPTED)
OLD = "bm25?language=none"


def english(place: Place, name: str = "ferries", rules: str = "") -> Collection:
    """Stemmed and unstemmed BM25 find other candidates here."""
    corpus = {
        f"d{i}": f"The old {'ferries were leaving' if i % 2 else 'ferry was departing from'} their harbour, number {i}"
        for i in range(100)
    }
    queries = {f"q{i}": f"which ferry leaves the harbours of number {i}" for i in range(100)}
    return place.load(place.beir(name, corpus, queries, [(f"q{i}", f"d{i}", 1) for i in range(100)], rules))


@pytest.fixture
def held(place: Place) -> Iterator[Any]:
    made = english(place)
    assert made.detected_language == "en"

    def run(candidate: str, policy: Policy, first: str, *collections: Collection, **more: Any) -> Gated:
        with place.session() as session:
            return gate(collections or [made], policy, candidate, first, session, **more)

    yield run


def accepted_long_ago(held: Any, place: Place) -> None:
    """As an older program left it: the first stage was called bm25 and did not stem."""
    assert held(SLIGHTLY, POLICY, OLD, accept=True).look.accepted
    with Results(place.workspace.results) as results:
        without_sums(results._database)
        results._database.execute("update evaluation set first_stage = 'bm25'")


def refused(held: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(UsageError) as caught:
        held(*arguments, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("sequential", [False, True])
def test_what_was_accepted_on_unstemmed_candidates_is_refused_with_the_way_back(
    held: Any, place: Place, sequential: bool
) -> None:
    accepted_long_ago(held, place)
    message = refused(held, f"{FAKE}:Nothing", ACCEPTED, "bm25", sequential=sequential)  # scoring it would be an error
    assert message == (
        f"ferries: '{SLIGHTLY}' was measured on candidates of 'bm25?language=none', and 'bm25' finds others, because "
        "it stems with the collection's language now; use --first-stage 'bm25?language=none', or name the anchor "
        "with --anchor to measure it again"
    )


def test_the_command_that_is_named_goes_on_where_it_was(held: Any, place: Place) -> None:
    accepted_long_ago(held, place)
    found = held(READER, ACCEPTED, OLD)
    assert found.state == "pass"
    assert found.anchor in (READER, SLIGHTLY)
    assert found.notes == (
        "bm25?language=none: no stemming (language=none)",
        "bm25: no stemming, as it was before languages were detected",
    )


def test_an_anchor_that_is_measured_again_may_be_accepted_again(held: Any, place: Place) -> None:
    accepted_long_ago(held, place)
    assert held(READER, replace(POLICY, anchor=SLIGHTLY), "bm25", accept=True).look.accepted
    assert held(SLIGHTLY, ACCEPTED, "bm25").state is not None


def test_options_of_the_first_stage_stay_in_the_way_back(held: Any) -> None:
    held(SLIGHTLY, POLICY, "bm25?k1=0.9&language=none", accept=True)
    assert "use --first-stage 'bm25?k1=0.9&language=none'" in refused(held, READER, ACCEPTED, "bm25?k1=0.9")


def test_another_language_is_found_by_its_stemmer(held: Any) -> None:
    held(SLIGHTLY, POLICY, "bm25?language=de", accept=True)
    assert "use --first-stage 'bm25?language=de'" in refused(held, READER, ACCEPTED, "bm25")


def test_another_name_of_the_same_content_is_no_reason(held: Any) -> None:
    held(SLIGHTLY, POLICY, "bm25", accept=True)
    assert held(READER, ACCEPTED, "bm25?language=en").state == "pass", "another name, the same candidates"


def test_a_declared_collection_keeps_its_anchor(held: Any, place: Place) -> None:
    declared = english(place, "declared", 'language = "en"')
    held(SLIGHTLY, POLICY, "bm25", declared, accept=True)
    assert held(READER, ACCEPTED, "bm25", declared).state == "pass"


def test_another_first_stage_is_answered_as_before(held: Any) -> None:
    held(SLIGHTLY, POLICY, "tests.fake_adapters:Overlap", accept=True)
    assert refused(held, READER, ACCEPTED, "bm25").startswith("no accepted system was measured by nDCG@10")


def test_a_named_anchor_that_is_only_in_the_store_is_refused_too(held: Any, place: Place) -> None:
    held(SLIGHTLY, POLICY, OLD)
    with Results(place.workspace.results) as results:
        without_sums(results._database)
        results._database.execute(
            "update evaluation set first_stage = 'bm25', reranker = './gone' where reranker = ?", (READER,)
        )
    message = refused(held, f"{FAKE}:Nothing", replace(POLICY, anchor="./gone"), "bm25")
    assert message.startswith("ferries: './gone' was measured on candidates of 'bm25?language=none'")
    assert held(SLIGHTLY, replace(POLICY, anchor="./gone"), OLD).state is not None


def test_a_named_anchor_that_can_be_opened_is_measured_on_the_candidates_of_now(held: Any, place: Place) -> None:
    accepted_long_ago(held, place)
    found = held(SLIGHTLY, POLICY, "bm25")
    assert found.state == "pass"
    assert found.notes == ("BM25: English stemming (detected)",)
    assert len(LookLog(place.workspace.results).all()) == 2


def test_candidates_of_a_third_first_stage_hide_nothing(held: Any, place: Place) -> None:
    held(SLIGHTLY, POLICY, OLD, accept=True)
    held(SLIGHTLY, POLICY, "tests.fake_adapters:Overlap", accept=True)
    assert "use --first-stage 'bm25?language=none'" in refused(held, READER, ACCEPTED, "bm25")
    with Results(place.workspace.results) as results:
        without_sums(results._database)
        results._database.execute("update evaluation set reranker = './gone' where reranker = ?", (READER,))
    message = refused(held, f"{FAKE}:Nothing", replace(POLICY, anchor="./gone"), "bm25")
    assert "use --first-stage 'bm25?language=none'" in message

"""A run tells what it costs before it is paid, from tables alone, and a budget is never overdrawn."""

from __future__ import annotations

from itertools import pairwise

import pytest

from adapters.errors import UsageError
from harness.data.collection import Collection, sample_queries
from harness.data.sources import load
from harness.data.suites.targets import find
from harness.scoring.costs.plan import RunPlan, plan, within_budget
from harness.scoring.costs.scripts import script_of
from tests.tiny_collection import Place

RERANKING = "mteb-multilingual-v2-reranking"


def uneven(place: Place) -> Collection:
    """Reranking rows with lists of 1 to 12 candidates."""
    rows = [
        f'{{"query": "query {i}", "positive": ["p{i}"], "negative": {[f"n{i} {j}" for j in range(i)]}}}'.replace(
            "'", '"'
        )
        for i in range(1, 12)
    ]
    file = place.path / "uneven.jsonl"
    file.write_text("\n".join(rows) + "\n", "utf-8")
    return place.load(file)


def test_a_search_is_queries_times_depth_and_never_more_than_the_corpus() -> None:
    (scifact,) = find("beir/scifact")
    found = plan([scifact], 100).total
    assert (found.queries, found.documents, found.pairs) == (300, 5183, 30_000)
    assert plan([scifact], 10_000).total.pairs == 300 * 5183
    assert found.vector_bytes == (300 + 5183) * 1024 * 4


def test_given_candidates_are_scored_whole_whatever_the_depth() -> None:
    entries = find(RERANKING)
    assert plan(entries, 1).total.pairs == plan(entries, 100).total.pairs == 6_001_768
    found = plan(entries, 100, first_stage="given").total
    assert (found.pairs, found.vector_bytes, found.text_tokens) == (6_001_768, 0, 0)


def test_a_first_stage_that_searches_makes_lists_of_its_own() -> None:
    (alloprof,) = find(f"{RERANKING}/alloprof")
    assert plan([alloprof], 7, first_stage="some/embedder").total.pairs == 2316 * 7
    assert plan([alloprof], 7, first_stage="some/embedder").total.vector_bytes > 0
    assert plan([alloprof], 7, first_stage="bm25").total.vector_bytes == 0


def test_the_part_that_costs_more_than_all_others_is_called_by_its_name() -> None:
    warning = plan(find(RERANKING), 100).warning
    assert warning is not None
    assert warning.startswith(
        "weblinx (WebLINXCandidatesReranking) alone has 5.6 million of the 6.0 million pairs (93 %)"
    )
    assert plan(find("beir"), 100).warning is None
    assert plan(find("beir/scifact"), 100).warning is None
    assert plan([], 100).warning is None


def test_tokens_follow_the_script_and_not_only_the_characters() -> None:
    swahili, chinese = find("miracl/sw")[0], find("miracl/zh")[0]
    for entry in (swahili, chinese):
        characters = entry.average_characters.query + entry.average_characters.document
        tokens = characters / script_of(entry.language).characters_per_token
        assert plan([entry], 1).total.pair_tokens == pytest.approx(tokens * entry.counts.queries, abs=1)
    assert script_of("zh").characters_per_token < script_of("sw").characters_per_token / 2
    assert script_of(None) == script_of("en")


def test_hours_are_work_over_speed_for_each_model() -> None:
    made = plan(find("miracl/sw"), 100, ["a", "b", "run:a.trec"], {"a": 1000.0}, first_stage="e", search_rate=500.0)
    assert made.hours("a") == pytest.approx(made.total.pair_tokens / 1000 / 3600)
    assert made.search_hours() == pytest.approx(made.total.text_tokens / 500 / 3600)
    assert (made.hours("b"), made.hours("run:a.trec")) == (None, 0.0)
    assert plan(find("miracl/sw"), 100).search_hours() is None
    assert plan(find("miracl/sw"), 100, first_stage="run:b.trec").search_hours() == 0.0


def test_what_is_loaded_costs_what_it_holds(place: Place) -> None:
    for collection in load("demo", place.workspace):
        found = plan([collection], 5).total
        assert (found.queries, found.documents) == (len(collection.queries), len(collection.corpus))
        assert found.pairs == len(collection.queries) * 5
        columns = collection.corpus.table["text"], collection.queries.table["text"]
        texts = sum(len(text.encode()) for column in columns for text in column.to_pylist())
        assert found.text_bytes == pytest.approx(texts, rel=0.3)


def test_the_plan_of_a_sample_is_what_the_sample_holds(place: Place) -> None:
    whole = uneven(place)
    for count in range(1, 13):
        sampled = sample_queries(whole, count)
        assert (
            plan([whole], 5, samples=[count]).total.pairs
            == plan([sampled], 5).total.pairs
            == len(sampled.given.documents)
        )  # type: ignore[union-attr]


def test_a_budget_takes_as_many_queries_as_it_can_pay_and_the_same_number_of_each() -> None:
    entries = find(RERANKING)
    for budget in (2000, 100_000, 5_000_000):
        samples = within_budget(entries, 100, budget)
        most = max(samples)
        assert all(count == min(most, entry.counts.queries) for count, entry in zip(samples, entries, strict=True))
        assert plan(entries, 100, samples=samples).total.pairs <= budget
        assert plan(entries, 100, samples=[most + 1] * len(entries)).total.pairs > budget
        assert samples == within_budget(entries, 100, budget)
    assert all(a <= b for a, b in pairwise(max(within_budget(entries, 9, n)) for n in range(2000, 90_000, 9000)))


def test_a_budget_above_the_cost_takes_everything() -> None:
    entries = find(RERANKING)
    assert within_budget(entries, 100, 6_001_768) == tuple(entry.counts.queries for entry in entries)


def test_a_budget_counts_the_lists_that_a_sample_really_has(place: Place) -> None:
    whole, other = uneven(place), place.load()
    for budget in range(15, 90, 7):
        samples = within_budget([whole, other], 3, budget)
        sampled = [sample_queries(one, count) for one, count in zip((whole, other), samples, strict=True)]
        assert plan(sampled, 3).total.pairs <= budget


def test_a_budget_for_less_than_one_query_of_each_is_refused_with_what_it_takes() -> None:
    entries = find("beir")
    with pytest.raises(
        UsageError, match="--budget-pairs 100: one query of each of the 26 collections is already 2,600"
    ):
        within_budget(entries, 100, 100)
    assert within_budget(entries, 100, 2600) == (1,) * 26


def test_nothing_of_a_suite_is_loaded() -> None:
    assert isinstance(plan([one for name in ("beir", "miracl", RERANKING) for one in find(name)], 100), RunPlan)

"""Scores that give themselves away: what a user would lose is a number that says something else than he thinks."""

from __future__ import annotations

import numpy as np
import pytest

from tests.planted_candidates import QUERIES, WIDTH, Table, alarms_of, planted, sane
from tests.tiny_collection import Place


def bfloat16(table: Table) -> Table:
    return (np.ascontiguousarray(table).view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def sigmoid(table: Table) -> Table:
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(-table))).astype(np.float16).astype(np.float32)


def test_a_sane_reranker_raises_nothing(place: Place) -> None:
    ground = planted(place)
    assert ground.alarms == ()
    for seed in range(5):
        assert alarms_of(ground, sane(seed)) == {}


def test_a_sigmoid_in_half_precision_is_caught_with_what_its_ties_move(place: Place) -> None:
    ground = planted(place)
    assert alarms_of(ground, 9 + sane()) == {}
    found = alarms_of(ground, sigmoid(9 + sane()))
    assert set(found) == {"saturated-scores", "tied-order"}
    assert "rank by the logits, not by a sigmoid" in found["saturated-scores"].message
    assert found["tied-order"].hard
    assert found["tied-order"].measure == "nDCG@10"


def test_a_shared_best_score_outside_of_zero_and_one_is_no_sigmoid(place: Place) -> None:
    grades = np.clip(np.round(2 + sane()), 0, 3).astype(np.float32)
    found = alarms_of(planted(place), grades)
    assert "sigmoid" not in found["saturated-scores"].message
    assert "low-precision" not in found, "grades are short in every format"


@pytest.mark.parametrize("format", ["bfloat16", "float16"])
def test_half_precision_that_made_ties_is_named(place: Place, format: str) -> None:
    ground = planted(place)
    table = (2 * sane() if format == "bfloat16" else 30 + 4 * sane()).astype(np.float32)
    half = bfloat16(table) if format == "bfloat16" else table.astype(np.float16).astype(np.float32)
    assert f"scores are numbers of {format}, and" in alarms_of(ground, half)["low-precision"].message
    assert alarms_of(ground, table) == {}


def test_half_precision_without_ties_cost_nothing_and_is_no_alarm(place: Place) -> None:
    ranked = np.argsort(sane(), axis=1) * np.linspace(1, 2, QUERIES)[:, None]
    assert alarms_of(planted(place), bfloat16(ranked.astype(np.float32) * np.float32(1.37))).keys() <= {"tied-order"}


def test_the_first_stages_order_given_back_is_no_reranking(place: Place) -> None:
    ground = planted(place)
    order = np.tile(-np.arange(WIDTH, dtype=np.float32), (QUERIES, 1))
    tiny = order * np.float32(1e-3) + np.float32(0.37)
    assert set(alarms_of(ground, tiny)) == {"unchanged-order"}
    mostly = tiny.copy()
    mostly[:2] = sane()[:2]
    assert "38 of 40 queries" in alarms_of(ground, mostly)["unchanged-order"].message
    mostly[:3] = sane()[:3]
    assert alarms_of(ground, mostly) == {}


def test_a_model_that_computes_the_first_stages_scores_has_to_return_its_order(place: Place) -> None:
    ground = planted(place)
    scores = np.tile(1 / np.arange(1, WIDTH + 1, dtype=np.float32), (QUERIES, 1))
    assert alarms_of(ground, scores, "adapter") == {}
    assert "is the score head loaded?" in alarms_of(ground, 2 * scores, "adapter")["unchanged-order"].message
    assert "with its scores: is it the same run?" in alarms_of(ground, scores)["unchanged-order"].message


def test_a_swapped_sign_is_caught_and_an_ignorant_reranker_is_not_accused(place: Place) -> None:
    ground = planted(place)
    good = sane()
    good[np.arange(QUERIES), np.arange(QUERIES) % 5] += 2
    assert alarms_of(ground, good) == {}
    found = alarms_of(ground, -good)["worse-than-chance"]
    assert found.hard
    assert "the reversed order gets" in found.message
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=(QUERIES, WIDTH)).astype(np.float32)
        assert "worse-than-chance" not in alarms_of(ground, noise)


def test_a_few_queries_raise_no_alarm_about_a_swapped_sign(place: Place) -> None:
    assert "worse-than-chance" not in alarms_of(planted(place, queries=12), -sane(queries=12))


def test_one_constant_query_of_many_is_a_remark_and_several_are_hard(place: Place) -> None:
    ground = planted(place, queries=120)
    table = sane(queries=120)
    table[0] = 0.5
    assert set(alarms_of(ground, table)) - {"tied-order"} == {"few-constant-scores"}
    assert not alarms_of(ground, table)["few-constant-scores"].hard
    table[:5] = 0.5
    assert alarms_of(ground, table)["constant-scores"].hard


def test_candidates_of_one_text_may_have_one_score(place: Place) -> None:
    ground = planted(place, text=lambda query, _rank: f"one text for {query}", judged=lambda *_: False)
    assert alarms_of(ground, np.full((QUERIES, WIDTH), 0.5, np.float32)).keys() <= {"unchanged-order"}


def test_an_order_made_of_rounding_is_no_order(place: Place) -> None:
    table = (1 + sane() * 1e-7).astype(np.float32)
    assert "rounding-noise" in alarms_of(planted(place), table)


def test_a_reranker_that_moves_up_unjudged_documents_gets_an_alarm_with_its_value_without_them(place: Place) -> None:
    ground = planted(place, judged=lambda _query, rank: rank < 6)
    upside = sane()
    upside[:, 6:] += 9
    upside[np.arange(QUERIES), np.arange(QUERIES) % 5] += 5
    found = alarms_of(ground, upside)["unjudged"].message
    assert "40 % of the top 10 are judged, of the first stage's 60 %" in found
    value, condensed = (float(found.split(word)[1].split()[0].strip(",")) for word in ("instead of ", "nDCG@10 is "))
    assert condensed > value + 20

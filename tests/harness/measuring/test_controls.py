"""Controls get the values that are known before they run."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adapters.errors import UsageError
from harness.data.qrels import Qrels
from harness.data.runs import Run
from harness.measuring.controls import CONTROLS, control_scores, expected_random
from harness.measuring.judged import Judged
from harness.measuring.measures import parse

MEASURES = [
    parse(text)
    for text in [
        "nDCG",
        "nDCG@3",
        "nDCG@10",
        "AP",
        "AP@2",
        "RR",
        "RR@3",
        "RR@10",
        "P@1",
        "P@5",
        "R@2",
        "R@100",
        "Success@1",
        "Success@3",
    ]
]


def judge(grades: list[list[int]], missed: int = 0, scores: list[float] | None = None) -> Judged:
    """Candidates 0, 1, 2, ... of each query have these grades (-1: unjudged); `missed` relevant ones are not found."""
    rows = [(q, d, g) for q, part in enumerate(grades) for d, g in enumerate([*part, *[1] * missed]) if g >= 0]
    documents = np.concatenate([np.arange(len(part)) for part in grades]).astype(np.int32)
    run = Run(
        np.cumsum([0, *map(len, grades)]),
        documents,
        np.asarray(-documents if scores is None else scores, dtype=np.float32),
        documents,
    )
    return Judged(run, Qrels(*np.array(rows, dtype=np.int32).reshape(-1, 3).T), len(grades))


@pytest.fixture
def mixed() -> Judged:
    """Ties, unjudged candidates, judged zeros, an empty list, missed relevant documents."""
    grades = [[0, 1, -1, 3, 0, -1, 2], [], [-1, -1, 0], [1], [2, -1, -1, -1, -1, 0, 1, 0, -1, -1, -1, 1]]
    generator = np.random.default_rng(1)
    return judge(grades, missed=2, scores=generator.integers(0, 3, sum(map(len, grades))).tolist())


def test_identity_is_the_first_stage_to_the_last_bit(mixed: Judged) -> None:
    identity = control_scores("identity", mixed)
    assert mixed.values(MEASURES, identity).tobytes() == mixed.values(MEASURES).tobytes()
    worst, best = mixed.bounds(MEASURES, identity)
    assert worst.tobytes() == best.tobytes()


def test_reverse_is_the_first_stage_upside_down() -> None:
    judged = judge([[1, -1, -1, -1]], scores=[5.0, 5.0, 1.0, 0.0])
    assert control_scores("identity", judged).argsort().tolist() == [3, 2, 0, 1]
    assert control_scores("reverse", judged).argsort().tolist() == [1, 0, 2, 3]
    assert judged.values([parse("RR")], control_scores("reverse", judged)) == pytest.approx(np.array([[1 / 3]]))


def test_the_constant_gets_what_the_tie_rule_is_worth_and_its_bounds_enclose_it(mixed: Judged) -> None:
    constant = control_scores("constant", mixed)
    by_id = mixed.values(MEASURES, mixed.run.tiebreaks)
    worst, best = mixed.bounds(MEASURES, constant)
    np.testing.assert_array_equal(mixed.values(MEASURES, constant), by_id)
    assert (worst <= by_id).all()
    assert (by_id <= best).all()
    assert (worst < best).any()


def test_oracle_and_anti_oracle_are_the_extremes_of_the_constant(mixed: Judged) -> None:
    worst, best = mixed.bounds(MEASURES, control_scores("constant", mixed))
    np.testing.assert_allclose(mixed.values(MEASURES, control_scores("oracle", mixed)), best, atol=1e-12)
    np.testing.assert_allclose(mixed.values(MEASURES, control_scores("anti-oracle", mixed)), worst, atol=1e-12)


def test_the_mean_of_200_random_controls_is_chance(mixed: Judged) -> None:
    means = np.array(
        [mixed.values(MEASURES, control_scores("random", mixed, seed)).mean(axis=1) for seed in range(200)]
    )
    error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
    chance = expected_random(mixed, MEASURES).mean(axis=1)
    assert (np.abs(means.mean(axis=0) - chance) <= 3 * error + 1e-12).all()


@pytest.mark.parametrize("grades", [[1], [0, -1], [2, 0, 1, -1], [1, 1, 0, 3, 2], [0, 1, -1, -1, 0, 2]])
def test_chance_is_the_mean_over_all_orders(grades: list[int]) -> None:
    judged = judge([grades], missed=1)
    values = [judged.values(MEASURES, np.array(order)) for order in itertools.permutations(range(len(grades)))]
    np.testing.assert_allclose(expected_random(judged, MEASURES), np.mean(values, axis=0), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("candidates", "reciprocal", "average_precision", "ndcg"),
    [(9, 0.3143, 0.3143, 0.4727), (26, 0.1127, None, 0.1748), (100, 0.0293, None, 0.0454)],
)
def test_chance_of_one_relevant_among_n(
    candidates: int, reciprocal: float, average_precision: float | None, ndcg: float
) -> None:
    judged = judge([[1, *[-1] * (candidates - 1)]])
    found = expected_random(judged, [parse("RR@10"), parse("nDCG@10"), parse("AP")])[:, 0]
    assert found[0] == pytest.approx(reciprocal, abs=5e-5)
    assert found[1] == pytest.approx(ndcg, abs=5e-5)
    assert found[2] == pytest.approx((1 / np.arange(1, candidates + 1)).sum() / candidates)
    if average_precision is not None:
        assert found[2] == pytest.approx(average_precision, abs=5e-5)


def test_an_empty_list_has_no_chance() -> None:
    assert not expected_random(judge([[], []], missed=1), MEASURES).any()


def test_random_scores_depend_on_query_document_and_seed_but_not_on_the_candidate_order() -> None:
    judged = judge([[0] * 50, [0] * 50])
    scores = control_scores("random", judged, seed=4)
    turned = Run(judged.run.offsets, judged.run.documents[::-1].copy(), judged.run.scores, judged.run.tiebreaks)
    again = control_scores("random", Judged(turned, judged.qrels, 2), seed=4)
    np.testing.assert_array_equal(again[:50], scores[:50][::-1])
    np.testing.assert_array_equal(control_scores("random", judged, seed=4), scores)
    assert not np.array_equal(scores[:50], scores[50:])
    assert not np.array_equal(control_scores("random", judged, seed=5), scores)
    assert len(np.unique(scores)) == 100


def test_every_control_gives_one_finite_float32_per_candidate(mixed: Judged) -> None:
    for name in CONTROLS:
        scores = control_scores(name, mixed, seed=-1)
        assert scores.dtype == np.float32
        assert scores.shape == mixed.run.documents.shape
        assert np.isfinite(scores).all()


def test_an_unknown_control_is_answered_with_the_known_ones(mixed: Judged) -> None:
    with pytest.raises(UsageError, match="Did you mean oracle"):
        control_scores("orcale", mixed)

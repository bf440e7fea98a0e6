"""How far synthetic queries lie from real ones. What a user would lose: a difference that is there, or the knowledge
that none is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.training.validating.clouds import ENOUGH, cloud, queries, sets
from training.validating import distance
from training.validating.distance import Kernel, frechet, kernel_of, measure, permutation_p, principal
from training.validating.documents import documents
from training.validating.measured import ValidationRow
from training.validating.numbered import numbered, rows_of
from training.validating.sets import Sets


def rows(found: list[ValidationRow]) -> tuple[ValidationRow, ValidationRow]:
    mmd, apart = found
    return mmd, apart


def test_mmd_is_the_unbiased_one_by_hand() -> None:
    values = np.array([[1, 0.5, 0.2, 0.1], [0.5, 1, 0.3, 0.4], [0.2, 0.3, 1, 0.6], [0.1, 0.4, 0.6, 1]], np.float32)
    found = Kernel(values, 1.0, np.arange(4)).mmd(np.array([0, 1]), np.array([2, 3]))
    # two ordered pairs within each set, four across: 1/2 * 1.0 + 1/2 * 1.2 - 2/4 * (0.2 + 0.1 + 0.3 + 0.4)
    assert found == pytest.approx(0.5 + 0.6 - 0.5)


def test_pairs_of_one_document_are_left_out_by_hand() -> None:
    values = np.array([[1, 0.9, 0.2, 0.1], [0.9, 1, 0.3, 0.4], [0.2, 0.3, 1, 0.6], [0.1, 0.4, 0.6, 1]], np.float32)
    kernel = Kernel(values, 1.0, np.array([0, 0, 1, 2]))
    # within {0, 1, 2}: the pairs 0-2 and 1-2; within {2, 3}: 2-3; across: 0-3, 1-3, 2-3, and 0-2, 1-2; 2-2 is left out
    found = kernel.mmd(np.array([0, 1, 2]), np.array([2, 3]))
    assert found == pytest.approx((0.2 + 0.3) / 2 + 0.6 - 2 * (0.1 + 0.4 + 0.6 + 0.2 + 0.3) / 5)


def test_several_queries_of_a_document_are_no_distance() -> None:
    """Three wordings of each question against one wording of each, of the same distribution of documents."""
    found = []
    for seed in range(30):
        draw = np.random.default_rng(seed)
        many = np.repeat(draw.normal(size=(20, 3)), 3, axis=0) + 0.05 * draw.normal(size=(60, 3))
        both = np.concatenate([many, draw.normal(size=(60, 3))]).astype(np.float32)
        of = np.concatenate([np.repeat(np.arange(20), 3), np.arange(20, 80)])
        found.append(kernel_of(both, np.arange(120), of).mmd(np.arange(60), np.arange(60, 120)))
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(len(found))


def test_the_bandwidth_is_the_median_distance_of_what_is_compared() -> None:
    points = np.array([[0.0], [1.0], [3.0], [100.0]], np.float32)
    kernel = kernel_of(points, np.arange(3))
    assert kernel.bandwidth == pytest.approx(2.0)  # of 1, 2 and 3
    assert kernel.values[0, 1] == pytest.approx(math.exp(-1 / 8))


def test_the_distance_of_one_distribution_to_itself_is_zero_on_average_and_may_be_below() -> None:
    found = [
        kernel_of(np.concatenate([cloud(seed, 60), cloud(seed + 1000, 60)]), np.arange(120)).mmd(
            np.arange(60), np.arange(60, 120)
        )
        for seed in range(60)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(len(found))
    assert min(found) < 0 < max(found)


def test_p_is_about_uniform_where_nothing_differs() -> None:
    found = np.array([p_of(seed, 0.0) for seed in range(80)])
    assert 0.35 < found.mean() < 0.65
    assert (found <= 0.1).mean() < 0.25
    assert (found <= 0.5).mean() == pytest.approx(0.5, abs=0.2)


def test_p_is_the_smallest_possible_where_the_sets_do_not_meet() -> None:
    assert p_of(0, 8.0) == pytest.approx(1 / 100)


def test_queries_of_one_document_move_together_in_a_permutation() -> None:
    """Two sets of a few documents with many near copies each differ by chance alone. A permutation of single queries
    would call almost all such pairs different."""
    found = [_clustered_p(seed) for seed in range(40)]
    assert np.mean([p <= 0.05 for p, _ in found]) < 0.25
    assert np.mean([p <= 0.05 for _, p in found]) > 0.9


def test_the_frechet_distance_of_two_normal_clouds_is_the_known_one() -> None:
    draw = np.random.default_rng(0)
    first = draw.normal(size=(200_000, 2)) * [1.0, 2.0]
    second = draw.normal(size=(200_000, 2)) * [3.0, 1.0] + [1.0, 0.0]
    # |mu|^2 + (1 - 3)^2 + (2 - 1)^2 where the axes are the same
    assert frechet(first, second) == pytest.approx(1 + 4 + 1, rel=0.02)


def test_the_frechet_distance_of_clouds_that_do_not_share_axes_has_the_root_of_the_product() -> None:
    draw = np.random.default_rng(1)
    first, second = (
        draw.normal(size=(50, 3)) @ draw.normal(size=(3, 3)),
        draw.normal(size=(40, 3)) @ draw.normal(size=(3, 3)),
    )
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(one @ other).astype(complex)).real.sum()
    shift = first.mean(axis=0) - second.mean(axis=0)
    assert frechet(first, second) == pytest.approx(shift @ shift + np.trace(one) + np.trace(other) - 2 * root)
    assert frechet(first, first) == pytest.approx(0, abs=1e-9)


def test_no_more_than_64_directions_are_kept_and_their_share_is_reported() -> None:
    vectors = cloud(3, 150, 80)
    kept, share = principal(vectors, np.arange(150), 64)
    assert kept.shape == (150, 64)
    assert 0.9 < share < 1
    assert kept.var(axis=0)[0] >= kept.var(axis=0)[-1]


def test_a_planted_difference_is_above_the_floor_and_within_its_interval() -> None:
    for row in measure(sets(cloud(1, shift=0.8), cloud(2), cloud(3, shift=5.0)), enough=ENOUGH):
        assert row.value is not None
        assert row.scale is not None
        assert row.floor is not None
        assert row.interval is not None
        assert row.above_floor
        assert row.floor < row.value < row.scale
        assert row.interval[0] < row.value < row.interval[1]
    assert measure(sets(cloud(1, shift=0.8), cloud(2)), enough=ENOUGH)[0].parts["p"] <= 0.01


def test_two_samples_of_one_distribution_do_not_stand_out() -> None:
    mmd, apart = rows(measure(sets(cloud(4, 240), cloud(5, 240)), enough=ENOUGH))
    assert mmd.parts["p"] > 0.05
    assert mmd.interval is not None
    assert mmd.interval[0] < 0 < mmd.interval[1]
    assert (mmd.above_floor, apart.above_floor) == (False, False)


def test_half_samples_tell_how_much_a_new_sample_would_differ() -> None:
    """The half-sample interval against the spread of the same measure over fresh samples of the same sizes."""
    found = measure(sets(cloud(6, 200, shift=1.0), cloud(7, 200)), enough=ENOUGH)[0]
    assert found.interval is not None
    fresh = []
    for seed in range(60):
        both = np.concatenate([cloud(100 + seed, 200, shift=1.0), cloud(500 + seed, 200)])
        fresh.append(kernel_of(both, np.arange(400)).mmd(np.arange(200), np.arange(200, 400)))
    width = np.quantile(fresh, 0.975) - np.quantile(fresh, 0.025)
    assert (found.interval[1] - found.interval[0]) == pytest.approx(width, rel=0.5)


def test_the_same_seed_measures_the_same() -> None:
    one, other = (measure(sets(cloud(1, shift=0.5), cloud(2)), enough=ENOUGH) for _ in range(2))
    assert [row.as_dict() for row in one] == [row.as_dict() for row in other]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Sets(queries("synthetic", cloud(1))), "no real queries"),
        (sets(cloud(1), cloud(2, 90)), "there are 90 real queries, but 100 are needed"),
        (sets(cloud(1, 12), cloud(2)), "there are 12 synthetic queries, but 20 are needed"),
    ],
)
def test_what_cannot_be_measured_says_why(given: Sets, reason: str) -> None:
    for row in measure(given, enough=ENOUGH):
        assert row.value is None
        assert reason in row.note


def test_without_vectors_it_says_that_no_embedder_was_named() -> None:
    bare = Sets(queries("synthetic", cloud(1)).take(np.arange(0)), None)
    assert measure(bare)[0].value is None
    known = sets(cloud(1), cloud(2))
    without = Sets(known.synthetic, type(known.synthetic)("real", ("x",) * 120))
    assert "no embedder" in measure(without, enough=ENOUGH)[0].note


def test_a_large_set_is_sampled_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distance, "limited", lambda given: limited_to(given, 110))
    mmd, _ = rows(measure(sets(cloud(1, 300), cloud(2, 240)), enough=ENOUGH))
    assert "110 queries drawn of: synthetic, real" in mmd.note


def limited_to(given: Sets, most: int) -> tuple[Sets, str]:
    from training.validating.numbered import limited

    return limited(given, most)


def p_of(seed: int, shift: float) -> float:
    known = numbered(sets(cloud(seed, 40, shift=shift), cloud(seed + 500, 40)))
    assert known.real is not None
    kernel = kernel_of(np.concatenate([known.synthetic.vectors, known.real.vectors]), np.arange(80))
    return permutation_p(kernel, known.synthetic, known.real, seed, 99)


def _clustered_p(seed: int) -> tuple[float, float]:
    """p with documents, and with queries that pretend to stand alone."""
    draw = np.random.default_rng(seed)
    found = []
    points = np.repeat(draw.normal(size=(16, 4)), 6, axis=0) + 0.01 * draw.normal(size=(96, 4))
    for groups in (tuple(np.repeat(np.arange(8), 6).tolist()), ()):
        halves = points[:48].astype(np.float32), points[48:].astype(np.float32)
        known = numbered(Sets(queries("synthetic", halves[0], groups), queries("real", halves[1], groups)))
        assert known.real is not None
        both = np.concatenate([rows_of(known.synthetic), rows_of(known.real)])
        kernel = kernel_of(points.astype(np.float32), both, documents(known))
        found.append(permutation_p(kernel, known.synthetic, known.real, seed, 99))
    return found[0], found[1]

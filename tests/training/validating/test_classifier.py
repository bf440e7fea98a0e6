"""Can a classifier tell synthetic from real? What a user would lose: the warning that a student will learn the
difference instead of relevance."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.validating.clouds import ENOUGH, cloud, sets
from training.validating.classifier import FOLDS, SURFACE, HeldOut, QueryFeatures, folds, measure, surface_features
from training.validating.documents import documents
from training.validating.logistic import auc, fit, scores
from training.validating.sets import QuerySet, Sets


def test_auc_by_hand() -> None:
    # pairs: 3 > 1, 3 > 2, 2 > 1, 2 = 2
    assert auc(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == pytest.approx(3.5 / 4)
    assert np.isnan(auc(np.array([]), np.array([1.0])))


def test_the_fit_is_where_the_slope_is_zero() -> None:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(200, 3))
    labels = draw.random(200) < 1 / (1 + np.exp(-(features @ [1.0, -2.0, 0.0] + 0.5)))
    weights = fit(features, labels, 2.0)
    chance = 1 / (1 + np.exp(-scores(features, weights)))
    assert features.T @ (labels - chance) - 2.0 * weights[:-1] == pytest.approx(0, abs=1e-3)
    assert (labels - chance).sum() == pytest.approx(0, abs=1e-3)
    assert weights[:2] == pytest.approx([1.0, -2.0], abs=0.5)


def test_a_ridge_keeps_separable_classes_finite() -> None:
    weights = fit(np.array([[-1.0], [-2.0], [1.0], [2.0]]), np.array([False, False, True, True]), 0.1)
    assert np.isfinite(weights).all()
    assert 0 < weights[0] < 20


def test_identical_distributions_give_one_half() -> None:
    found = []
    for seed in range(20):
        vectors = np.concatenate([cloud(seed, 60), cloud(seed + 100, 60)]).astype(np.float64)
        table = QueryFeatures(np.hstack([vectors, np.zeros((120, len(SURFACE)))]), np.arange(120), seed)
        found.append(table.auc(np.arange(60), np.arange(60, 120)))
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def asked(name: str, opening: str, share: float, seed: int, size: int = 120) -> QuerySet:
    """Short queries, of which a share has an opening and a question mark."""
    draw = np.random.default_rng(seed)
    marked = draw.random(size) < share
    return QuerySet(
        name, tuple(f"{opening if one else 'so'} {draw.integers(999)}{'?' if one else ''}" for one in marked)
    )


def test_separable_sets_give_one_and_an_interval_around_it() -> None:
    (found,) = measure(Sets(asked("synthetic", "is it", 1.0, 1), asked("real", "so", 0.0, 2)), enough=ENOUGH)
    assert found.value == pytest.approx(1.0, abs=0.005)
    assert found.above_floor
    assert found.interval is not None
    assert found.interval[0] > 0.98


def test_a_small_difference_is_seen_and_the_floor_is_one_half() -> None:
    sets = Sets(asked("synthetic", "is it", 0.75, 1, 200), asked("real", "is it", 0.25, 2, 200))
    (found,) = measure(sets, enough=ENOUGH)
    assert found.value == pytest.approx(0.75, abs=0.08)
    assert found.floor == pytest.approx(0.5, abs=0.08)
    assert found.interval is not None
    assert found.value is not None
    assert found.interval[0] < found.value < found.interval[1]


def test_questions_on_other_topics_are_not_separated() -> None:
    """Real questions about other articles have other words and the same style."""
    forms = ("Who built the {} of {}?", "When was {} in {} sold?", "What is {} to {}?", "Where is the {} near {}?")

    def about(name: str, stock: str, seed: int) -> QuerySet:
        draw = np.random.default_rng(seed)
        texts, topics = [], []
        for number in range(240):
            topic = number // 12
            words = [f"{stock}{topic}{'abcdef'[int(at)]}" for at in draw.integers(6, size=2)]
            texts.append(forms[int(draw.integers(4))].format(*words))
            topics.append(topic + (100 if stock == "ko" else 0))
        return QuerySet(name, tuple(texts), None, tuple(range(240)), "en", topics=tuple(topics))

    (found,) = measure(Sets(about("synthetic", "ko", 1), about("real", "mi", 2)), enough=ENOUGH)
    assert found.value is not None and found.value < 0.62
    assert {"who", "the", "of"} <= set(found.parts["words"])
    assert not any(word[:2] in ("ko", "mi") for word in found.parts["words"])
    assert "folds of whole topics" in found.note


def test_queries_of_one_document_are_never_on_both_sides_of_a_fold() -> None:
    own = np.repeat(np.arange(30), 4)
    for seed in range(10):
        fold = folds(own, FOLDS, seed)
        assert all(len(set(fold[own == one].tolist())) == 1 for one in range(30))
        assert sorted(np.unique(fold)) == list(range(FOLDS))


def test_a_document_that_both_sets_ask_about_is_one_document() -> None:
    synthetic = QuerySet("synthetic", ("a", "b", "c"), ("the mill", "the mill", "the sea"), (0, 0, 1))
    real = QuerySet("real", ("d", "e", "f"), ("the mill", "bread", ""), (0, 1, 2))
    found = documents(Sets(synthetic, real))
    assert found[0] == found[1] == found[3]
    assert len({int(found[0]), int(found[2]), int(found[4]), int(found[5])}) == 4


def test_without_documents_the_groups_of_two_sets_are_not_mixed_up() -> None:
    found = documents(Sets(QuerySet("synthetic", ("a", "b"), None, (0, 0)), QuerySet("real", ("c", "d"), None, (0, 1))))
    assert found.tolist() == [0, 0, 1, 2]


def test_a_memory_of_documents_tells_nothing() -> None:
    """Every document has near copies in its set. A classifier that saw one copy would know the other; whole documents
    in a fold leave nothing to remember."""
    draw = np.random.default_rng(5)
    own = np.repeat(draw.normal(size=(40, 60)), 4, axis=0) + 0.01 * draw.normal(size=(160, 60))
    features = np.hstack([own, np.zeros((160, len(SURFACE)))])
    first, second = np.arange(80), np.arange(80, 160)
    together = QueryFeatures(features, np.repeat(np.arange(40), 4), 0).auc(first, second)
    apart = QueryFeatures(features, np.arange(160), 0).auc(first, second)
    assert apart > 0.95
    assert together < 0.75


def test_folds_with_different_levels_do_not_meet() -> None:
    """Scores of two models are on two scales: within each fold the order is perfect, over both it is not."""
    held = HeldOut(
        np.array([2.0, 1.0, 12.0, 11.0]), np.array([True, False, True, False]), np.array([0, 0, 1, 1]), np.arange(4)
    )
    assert held.auc() == 1.0


def test_surface_features_are_used_and_reported() -> None:
    synthetic = QuerySet("synthetic", tuple(f"What is number {n}?" for n in range(120)))
    real = QuerySet("real", tuple(f"number {n} and some more of it" for n in range(120)))
    (found,) = measure(Sets(synthetic, real), enough=ENOUGH)
    assert found.value == pytest.approx(1.0)
    assert found.parts["surface"] == pytest.approx(1.0)
    assert found.parts["alone"]["question mark last"] == 1.0
    assert found.parts["alone"]["capital first"] == 1.0


def test_vectors_are_not_used() -> None:
    """They show what a query is about, and topics differ between any two sets of real queries."""
    (found,) = measure(sets(cloud(1, shift=10.0), cloud(2)), enough=ENOUGH)
    assert found.value == pytest.approx(0.5)


def test_surface_features_by_hand() -> None:
    row = dict(zip(SURFACE, surface_features(["Is it 10 or 10?"])[0], strict=True))
    assert row["words"] == pytest.approx(np.log1p(5))
    assert row["characters"] == pytest.approx(np.log1p(15))
    assert row["capitals"] == pytest.approx(1 / 15)
    assert row["digits"] == pytest.approx(4 / 15)
    assert row["punctuation"] == pytest.approx(1 / 15)
    assert (row["capital first"], row["question mark last"], row["full stop last"]) == (1, 1, 0)
    assert row["different words"] == 1.0
    assert surface_features([""]).shape == (1, len(SURFACE))


def test_held_out_scores_are_kept_for_a_plot() -> None:
    (found,) = measure(sets(cloud(1, shift=1.0), cloud(2)), enough=ENOUGH)
    assert len(found.parts["scores"]["synthetic"]) == len(found.parts["scores"]["real"]) == 120


def test_too_few_real_queries_are_said() -> None:
    (found,) = measure(sets(cloud(1), cloud(2)))
    assert (found.value, found.note) == (None, "not measured: there are 120 real queries, but 200 are needed")

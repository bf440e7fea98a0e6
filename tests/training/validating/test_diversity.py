"""V8: a user would lose to see five paraphrases of one query."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from tests.training.validating.planted_queries import QUICK, Draw, asked, compared, natural, words
from training.validating.diversity import Alike, Directions, measure
from training.validating.measured import ValidationRow
from training.validating.self_bleu import Grams, distinct, self_bleu
from training.validating.sets import QuerySet, Sets


def grams(*queries: str) -> Grams:
    return Grams.of([query.split() for query in queries])


def rows(sets: Sets) -> dict[str, ValidationRow]:
    return {row.name: row for row in measure(sets, effort=QUICK)}


def paraphrased(documents: int = 40) -> QuerySet:
    """Five ways of one query for every document."""
    found = asked("synthetic", 1, documents)
    forms = ("{}", "{}?", "{} ?!", "the {}", "{}s")
    texts = tuple(form.format(f"{text} {text}") for text in found.texts for form in forms)
    return QuerySet("synthetic", texts, groups=tuple(row // 5 for row in range(5 * documents)), language="en")


def repeated(_: str, draw: Draw) -> str:
    return f"what is known about the {words(1, draw)[0]}"


def test_distinct_n_by_hand() -> None:
    found = grams("a b a", "a b c")
    assert distinct(found.orders[0]) == 3 / 6
    assert distinct(found.orders[1]) == 3 / 4  # ab ba, ab bc
    assert math.isnan(distinct(grams("a").orders[1]))


def test_self_bleu_by_hand() -> None:
    found = self_bleu(grams("a b c d", "a b c e", "x y"))
    # For the first: 3 of 4 words, 2 of 3 pairs, 1 of 2 triples, none of 1 (counted as 0.1); nearest length is 4.
    near = (3 / 4 * 2 / 3 * 1 / 2 * 0.1) ** (1 / 4)
    # For the third: no match of two words and of one pair; the nearest of the others has 4, so it is too short.
    far = math.sqrt(0.1 / 2 * 0.1) * math.exp(1 - 4 / 2)
    assert found == pytest.approx((near + near + far) / 3)


def test_a_word_matches_as_often_as_one_other_query_has_it() -> None:
    # Of a a a, only one a: the others have it once each. Of a: one. Nothing of two words matches.
    first = (1 / 3 * 0.1 / 2 * 0.1 / 1) ** (1 / 3)
    short = 1 * math.exp(0)
    assert self_bleu(grams("a a a", "a", "a")) == pytest.approx((first + short + short) / 3)
    assert self_bleu(grams("a b c", "a b c")) == 1


def test_self_bleu_is_that_of_a_slow_reading_of_the_definition() -> None:
    texts = asked("real", 3, 30).texts
    assert self_bleu(grams(*texts)) == pytest.approx(np.mean([slow(texts, at) for at in range(len(texts))]))


def slow(texts: tuple[str, ...], at: int) -> float:
    query, others = texts[at].split(), [one.split() for row, one in enumerate(texts) if row != at]
    logs = []
    for n in range(1, min(4, len(query)) + 1):
        own = [tuple(query[start : start + n]) for start in range(len(query) - n + 1)]
        most = {
            gram: max([one[start : start + n] for start in range(len(one))].count(list(gram)) for one in others)
            for gram in set(own)
        }
        logs.append(math.log((sum(min(own.count(gram), most[gram]) for gram in most) or 0.1) / len(own)))
    reference = min((abs(len(one) - len(query)), len(one)) for one in others)[1]
    return math.exp(float(np.mean(logs)) + min(0, 1 - reference / len(query)))


def test_a_query_without_words_has_no_part_in_self_bleu() -> None:
    assert self_bleu(grams("a b", "a b", "")) == 1
    assert math.isnan(self_bleu(grams("a b", "")))


def test_n_grams_of_rows_are_those_of_their_queries() -> None:
    texts = asked("real", 3, 30).texts
    chosen = np.array([4, 20, 11, 7])
    taken = grams(*texts).take(chosen)
    alone = grams(*(texts[row] for row in chosen))
    assert self_bleu(taken) == self_bleu(alone)
    assert distinct(taken.orders[1]) == distinct(alone.orders[1])


def test_near_duplicates_are_those_with_more_than_four_fifths_of_their_trigrams() -> None:
    texts = (
        "what is the height of the old tower",
        "What is the height of the old tower?",
        "what is the height of the old towers",
        "where do rivers go",
    )
    one = QuerySet("some", texts, groups=(0, 0, 1, 1))
    assert Alike.of(one).rate() == 0.75
    assert Alike.of(one).rate_within() == 0.5
    assert Alike.of(one).take(np.array([0, 3])).rate() == 0
    assert Alike.of(one).take(np.array([0, 2, 3])).rate() == pytest.approx(2 / 3)
    assert Alike.of(one).take(np.array([0, 2, 3])).rate_within() == 0


def test_a_set_with_one_query_for_each_document_has_no_rate_within_documents() -> None:
    assert math.isnan(Alike.of(QuerySet("some", ("a", "a"))).rate_within())
    assert math.isnan(Alike.of(QuerySet("some", ())).rate())


def test_five_paraphrases_of_one_query_are_above_the_floor() -> None:
    found = rows(Sets(paraphrased(), asked("real", 2)))
    for name in ("near-duplicates", "distinct-1", "distinct-2", "self-BLEU"):
        assert found[name].above_floor, name
    within = found["near-duplicates within a document"]
    assert within.value is None  # every real document has one query
    assert within.levels["synthetic"] is not None and within.levels["synthetic"] > 0.9
    assert within.levels["real"] is None


def test_paraphrases_are_above_the_floor_of_documents_with_several_queries() -> None:
    several = asked("real", 2, 40, each=5)
    found = rows(Sets(paraphrased(), several))["near-duplicates within a document"]
    assert found.above_floor and found.levels["real"] == 0


def test_natural_queries_are_not_above_the_floor() -> None:
    assert not any(row.above_floor for row in rows(compared(natural)).values())


def test_one_template_is_above_the_floor() -> None:
    found = rows(compared(repeated))
    assert found["self-BLEU"].above_floor and found["distinct-2"].above_floor
    assert found["self-BLEU"].levels["synthetic"] > 0.8  # type: ignore[operator]


def test_a_query_that_is_drawn_twice_is_no_near_duplicate_of_itself() -> None:
    row = rows(compared(natural))["near-duplicates"]
    assert row.interval is not None and row.interval[1] < 0.1


def test_levels_are_of_equal_numbers() -> None:
    """distinct-1 falls with every query; four times as many of one kind would look less diverse."""
    levels = rows(Sets(asked("synthetic", 1, 480), asked("real", 2)))["distinct-1"].levels
    assert levels["synthetic"] == pytest.approx(levels["real"], rel=0.15)


def test_mean_cosine_by_hand() -> None:
    vectors = np.array([[1, 0], [0, 1], [1, 0]], np.float32)
    found = Directions(vectors, np.array([0, 0, 1]))
    assert found.cosine() == pytest.approx(1 / 3)
    assert found.cosine_within() == 0
    assert math.isnan(Directions(vectors, np.arange(3)).cosine_within())
    assert math.isnan(found.take(np.array([1])).cosine())


def unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    lengths: npt.NDArray[np.float64] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / lengths).astype(np.float32)


def test_vectors_that_huddle_are_above_the_floor() -> None:
    draw = np.random.default_rng(0)
    real = replace(asked("real", 2), vectors=unit(draw.normal(size=(120, 16))))
    huddled = replace(asked("synthetic", 1), vectors=unit(draw.normal(size=(120, 16)) + 1))
    found = rows(Sets(huddled, real))
    assert found["mean cosine of two queries"].above_floor
    assert found["mean cosine within a document"].value is None


def test_without_vectors_there_are_no_rows_of_them() -> None:
    draw = np.random.default_rng(0)
    with_vectors = replace(asked("synthetic", 1), vectors=unit(draw.normal(size=(120, 4))))
    assert "mean cosine of two queries" not in rows(Sets(with_vectors, asked("real", 2)))
    alone = rows(Sets(with_vectors, None, asked("wrong", 3)))
    assert alone["mean cosine of two queries"].levels["synthetic"] == pytest.approx(0, abs=0.1)


def test_no_queries_are_no_error() -> None:
    empty = asked("synthetic", 1).take(np.arange(0))
    assert all(row.levels == {"synthetic": None} for row in rows(Sets(empty)).values())

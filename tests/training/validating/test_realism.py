"""V4: a user would lose to see that queries are worded as no one words them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.training.validating.planted_queries import QUICK, Draw, asked, compared, natural, words
from training.validating.language_model import LanguageModel, unseen, zipf_slope
from training.validating.realism import measure
from training.validating.sequences import Sequences, sequences
from training.validating.sets import QuerySet, Sets


def strange(_: str, draw: Draw) -> str:
    return " ".join(f"{word}x" for word in words(6, draw))


def template(_: str, draw: Draw) -> str:
    return f"please tell me all about the {words(1, draw)[0]}"


def two(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[Sequences, Sequences]:
    found = sequences({"a": QuerySet("a", first), "b": QuerySet("b", second)})
    return found["a"], found["b"]


def test_unigram_chances_by_hand() -> None:
    # Training: a b . a . with the ends: 5 words of 3 kinds.
    training, other = two(("a b", "a"), ("a c",))
    chances = LanguageModel(training).unigram(other)
    share = 3 / 4  # of the three chances of a new kind, for each of four kinds: a, b, end, unknown
    assert chances == pytest.approx([(2 + share) / 8, share / 8, (2 + share) / 8])
    bits = -np.log2(chances).mean()
    assert LanguageModel(training).cross_entropy(other, unigram=True) == pytest.approx(bits)


def test_bigram_chances_by_hand() -> None:
    training, other = two(("a b", "a"), ("a c",))
    a, c, end = LanguageModel(training).unigram(other)
    after_start = (2 + 1 * a) / (2 + 1)  # a query began twice, with one kind of word
    after_a = (0 + 2 * c) / (2 + 2)  # after a came b and the end, never c
    expected = -(math.log2(after_start) + math.log2(after_a) + math.log2(end)) / 3  # after c: never seen
    assert LanguageModel(training).cross_entropy(other) == pytest.approx(expected)


def test_the_chances_of_all_words_sum_to_one() -> None:
    training, other = two(("a b b", "a c", "d a"), ("a", "b", "c", "d", "unknown", ""))
    model = LanguageModel(training)
    everything, last = model.unigram(other), model.unigram(two(("a b b", "a c", "d a"), ("",))[1])
    assert everything[::2][:5].sum() + last[0] == pytest.approx(1)
    after_a = 0.0
    for word in ("b", "c", "d", "a", "unknown"):
        training, pair = two(("a b b", "a c", "d a"), (f"a {word}",))
        model = LanguageModel(training)
        after_a += model._bigram(pair, model.unigram(pair))[1]
    training, pair = two(("a b b", "a c", "d a"), ("a",))
    after_a += LanguageModel(training)._bigram(pair, LanguageModel(training).unigram(pair))[1]
    assert after_a == pytest.approx(1)


def test_unseen_words_are_a_share_of_all_words_and_ends_are_none() -> None:
    training, other = two(("a b", "a"), ("a c", "A c"))
    assert unseen(other, training) == 0.5
    assert math.isnan(unseen(two(("a",), ("?",))[1], training))


def test_the_slope_is_that_of_the_law() -> None:
    texts = tuple(" ".join([word] * (600 // rank)) for rank, word in enumerate("abcdefghij", 1))
    assert zipf_slope(two(texts, ())[0]) == pytest.approx(-1, abs=0.01)
    assert zipf_slope(two(("a b c d",), ())[0]) == pytest.approx(0, abs=1e-12)
    assert math.isnan(zipf_slope(two(("a a a",), ())[0]))


def test_natural_queries_are_not_above_the_floor() -> None:
    assert [row.above_floor for row in measure(compared(natural), effort=QUICK)] == [False] * 4


def test_invented_words_are_above_the_floor() -> None:
    bigram, unigram, oov, _ = measure(compared(strange), effort=QUICK)
    assert bigram.above_floor and unigram.above_floor and oov.above_floor
    assert oov.value == oov.levels["synthetic"] == 1
    assert bigram.levels["synthetic"] > bigram.levels["real"]  # type: ignore[operator]
    assert oov.floor == pytest.approx(oov.levels["real"])


def test_a_template_is_above_the_floor_although_it_is_easy_to_foretell() -> None:
    """Its own other half foretells it: the level without real queries is what shows a template."""
    alone = measure(Sets(asked("synthetic", 1, query=template)))[0].levels["synthetic"]
    usual = measure(Sets(asked("synthetic", 1)))[0].levels["synthetic"]
    assert alone is not None and usual is not None and alone < usual - 2
    rows = measure(compared(template), effort=QUICK)
    assert rows[0].above_floor and rows[2].above_floor and rows[3].above_floor


def test_queries_that_are_easier_than_real_ones_differ_too() -> None:
    draw = np.random.default_rng(0)
    easy = [f"who was {word}" for word in words(120, draw)]
    mixed = [f"who was {word}" if draw.random() < 0.3 else natural(" ".join(words(60, draw)), draw) for word in easy]
    bigram = measure(Sets(QuerySet("synthetic", tuple(easy)), QuerySet("real", tuple(mixed))), effort=QUICK)[0]
    assert bigram.levels["synthetic"] < bigram.levels["real"]  # type: ignore[operator]
    assert bigram.above_floor


def test_queries_of_one_document_are_on_one_side_of_the_model() -> None:
    found = sequences({"real": asked("real", 2, 20, each=3)})["real"]
    training, held = found.halves
    assert len(training) == len(held) == 30
    assert not set(training.groups.tolist()) & set(held.groups.tolist())


def test_a_query_is_taken_with_its_own_words_and_pairs() -> None:
    found = sequences({"real": QuerySet("real", ("a b", "c", "", "b a"))})["real"]
    taken = found.take(np.array([3, 2, 0]))
    assert taken.offsets.tolist() == [0, 3, 4, 7]
    for mine, whole in ((taken.words, found.words), (taken.pairs, found.pairs)):
        assert mine.tolist() == [*whole[6:9].tolist(), whole[5], *whole[0:3].tolist()]


def test_characters_are_the_words_of_a_script_without_spaces() -> None:
    row = measure(Sets(QuerySet("synthetic", ("北京人口", "东京人口"))))[2]
    assert row.levels == {"synthetic": pytest.approx(0.25)}  # of 北京人口, only 北 is new to 东京人口


def test_empty_sets_have_no_figures_and_no_warnings() -> None:
    empty = asked("synthetic", 1).take(np.arange(0))
    assert all(row.levels == {"synthetic": None} for row in measure(Sets(empty)))
    blank = replace(asked("synthetic", 1), texts=("?",) * 120)
    assert measure(Sets(blank, asked("real", 2)), effort=QUICK)[2].value is None

"""V2: a user would lose to see that queries are copied from their documents."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.training.validating.planted_queries import QUICK, Draw, asked, compared, natural
from training.validating.overlap import STATISTICS, Document, Idf, measure, overlaps
from training.validating.sets import QuerySet, Sets


def flat(_: str) -> float:
    return 1.0


def copied(text: str, draw: Draw) -> str:
    start = int(draw.integers(54))
    return " ".join(text.split()[start : start + 6])


def test_every_overlap_by_hand() -> None:
    document = Document("The old mill stands by the river bank.", "en")
    weights = {"mill": 3.0, "river": 2.0, "dam": 5.0}
    found = overlaps("mill by the river dam", document, lambda token: weights.get(token, 0.5))
    containment, jaccard, weighted, run = found
    assert containment == 4 / 5  # mill, by, the, river
    assert jaccard == 4 / 8  # and old, stands, bank in the document alone, dam in the query alone
    assert weighted == pytest.approx((3 + 0.5 + 0.5 + 2) / (3 + 0.5 + 0.5 + 2 + 5))
    assert run == 3 / 5  # by the river


def test_a_word_that_is_shared_only_after_case_folding_counts() -> None:
    assert overlaps("STRASSE", Document("eine Straße"), flat)[0] == 1
    assert overlaps("ｒｉｖｅｒ", Document("The River"), flat) == (1, 0.5, 1, 1)


def test_a_word_counts_once_however_often_it_is_said() -> None:
    containment, jaccard, *_ = overlaps("mill mill dam", Document("mill mill mill"), flat)
    assert (containment, jaccard) == (0.5, 0.5)


def test_a_run_is_of_whole_words() -> None:
    assert overlaps("art", Document("a party"), flat)[3] == 0
    assert overlaps("a b x a b c", Document("a b c d"), flat)[3] == 3 / 6


def test_scripts_without_spaces_overlap_by_pairs_of_characters() -> None:
    containment, jaccard, _, run = overlaps("东京人口", Document("东京是首都"), flat)
    assert containment == 1 / 3  # 东京 of 东京, 京人, 人口
    assert jaccard == 1 / 6
    assert run == 2 / 4


def test_a_rare_word_weighs_more_and_every_word_weighs_something() -> None:
    idf = Idf.of([{"the", "mill"}, {"the"}, {"the"}])
    assert idf("the") == pytest.approx(math.log(1 + 0.5 / 3.5))
    assert idf("mill") == pytest.approx(math.log(1 + 2.5 / 1.5))
    assert 0 < idf("the") < idf("mill") < idf("never seen")


def test_copied_queries_are_above_the_floor_and_natural_ones_are_not() -> None:
    same, copies = measure(compared(natural), effort=QUICK), measure(compared(copied), effort=QUICK)
    assert not any(row.above_floor for row in same)
    assert all(row.above_floor for row in copies)
    assert copies[0].levels["synthetic"] == copies[3].levels["synthetic"] == 1
    assert [STATISTICS[number] in row.name for number, row in enumerate(copies)] == [True] * 4


def test_queries_without_a_document_are_left_out_and_counted() -> None:
    real = asked("real", 2)
    assert real.documents is not None
    half = replace(real, documents=tuple("" if row % 2 else text for row, text in enumerate(real.documents)))
    row = measure(Sets(asked("synthetic", 1), half))[0]
    assert "60 real" in row.note
    assert sum(row.parts["histogram"]["counts"]["real"]) == 60
    assert row.levels["real"] == pytest.approx(
        measure(Sets(asked("synthetic", 1), real.take(np.arange(0, 120, 2))))[0].levels["real"]
    )


def test_a_set_without_documents_has_no_overlap_instead_of_a_wrong_one() -> None:
    bare = replace(asked("real", 2), documents=None)
    row = measure(Sets(asked("synthetic", 1), bare))[0]
    assert row.value is None and "real" not in row.levels and "120 real" in row.note
    assert measure(Sets(replace(bare, name="synthetic")))[0].levels == {"synthetic": None}


def test_another_domain_does_not_change_the_weights_of_this_one() -> None:
    sets = compared(copied)
    wrong = QuerySet("wrong", ("sea wind",) * 60, ("sea wind wave",) * 60, tuple(range(60)))
    with_wrong = measure(Sets(sets.synthetic, sets.real, wrong, sets.seed))[2]
    assert with_wrong.levels["real"] == measure(sets)[2].levels["real"]
    assert with_wrong.scale is not None


def test_weights_can_come_from_the_whole_corpus() -> None:
    sets = Sets(QuerySet("synthetic", ("mill dam",), ("mill",)))
    corpus = ["mill"] * 1 + [f"mill {number}" for number in range(50)]
    plain, weighted = measure(sets)[2].levels["synthetic"], measure(sets, corpus)[2].levels["synthetic"]
    assert plain is not None and weighted is not None and weighted < plain

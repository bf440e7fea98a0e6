"""Measures are written as people write them, and a wrong one is answered with the right one."""

from __future__ import annotations

import numpy as np
import pytest

from adapters.errors import UsageError
from harness.measuring.measures import DEFINITIONS, Hits, Measure, evaluate, parse


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("nDCG@10", "nDCG@10"),
        ("ndcg@10", "nDCG@10"),
        ("NDCG", "nDCG"),
        ("ap@1000", "AP@1000"),
        ("AP", "AP"),
        ("rr", "RR"),
        ("RR@10", "RR@10"),
        ("p@5", "P@5"),
        ("r@100", "R@100"),
        ("SUCCESS@1", "Success@1"),
        (" MAP@1000 ", "AP@1000"),
        ("MRR@10", "RR@10"),
        ("recall@7", "R@7"),
        ("precision@1", "P@1"),
    ],
)
def test_a_measure_is_read_as_people_write_it(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


def test_the_canonical_name_reads_back_as_the_same_measure() -> None:
    for name in DEFINITIONS:
        assert parse(str(Measure(name, 20))) == Measure(name, 20)


def test_a_misspelt_measure_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError, match=r"unknown measure 'ndgc@10'\. Did you mean nDCG\? Available: AP, nDCG"):
        parse("ndgc@10")


@pytest.mark.parametrize("text", ["P", "R", "Success", "recall"])
def test_a_measure_without_an_uncut_form_asks_for_a_cutoff(text: str) -> None:
    with pytest.raises(UsageError, match=r"needs a cutoff, as in (P|R|Success)@10"):
        parse(text)


@pytest.mark.parametrize("text", ["nDCG@0", "AP@", "RR@ten", "P@-1", "R@1.5", "R@01", "P@10@20"])
def test_a_cutoff_is_a_positive_number(text: str) -> None:
    with pytest.raises(UsageError, match="the cutoff must be a positive number"):
        parse(text)


@pytest.mark.parametrize("text", ["", "@10", "nDCG10", "P(rel=2)@5", "ndcg_cut_10"])
def test_another_notation_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(UsageError, match="unknown measure"):
        parse(text)


def test_values_worked_out_by_hand() -> None:
    # Query 0: grades 2 at rank 2 and 1 at rank 4 of the relevant grades 3, 2, 1. Query 1: relevant, nothing found.
    hits = Hits(np.array([0, 0]), np.array([2, 4]), np.array([2, 1]), 2)
    ideal = Hits(np.array([0, 0, 0, 1]), np.array([1, 2, 3, 1]), np.array([3, 2, 1, 1]), 2)
    log3, log5 = np.log2(3), np.log2(5)
    by_hand = {
        "nDCG": (2 / log3 + 1 / log5) / (3 + 2 / log3 + 1 / 2),
        "nDCG@2": (2 / log3) / (3 + 2 / log3),
        "AP": (1 / 2 + 2 / 4) / 3,
        "AP@3": (1 / 2) / 3,
        "RR": 1 / 2,
        "RR@1": 0.0,
        "P@3": 1 / 3,
        "P@10": 2 / 10,
        "R@3": 1 / 3,
        "R@4": 2 / 3,
        "Success@1": 0.0,
        "Success@2": 1.0,
    }
    for text, value in by_hand.items():
        assert evaluate(parse(text), hits, ideal) == pytest.approx([value, 0.0], abs=1e-15), text

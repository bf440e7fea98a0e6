"""ALCE's values are ALCE's: a user would lose comparability with every published figure.

`benchmarks/alce.py` compares with ALCE's own program on 10,000 answers. The oracle here is written from a description
of that program and shares no code with ours.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.citing.alce import PECULIARITIES, AlceScore, alce
from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts, answered
from harness.citing.sentences import nltk_sentences
from harness.citing.support import SupportRules
from tests.cited_answers import Facts, Hashed, Table, generated, messy

RESULT = Path(__file__).parents[3] / "benchmarks/results/alce.json"
FIVE = tuple(CitedReference(f"fact{n}") for n in range(1, 6))


def oracle(answer: Answer, says: Callable[[str, str], float]) -> tuple[float, float] | None:
    """ALCE's recall and precision of an answer in percent / 100; None if it is skipped."""
    text = answer.text.strip().split("\n")[0].replace("<|im_end|>", "")
    sentences = list(nltk_sentences()(text))
    if not sentences:
        return None
    documents = [f"Title: {one.title}\n{one.text}" for one in answer.references]
    supported = precise = total = 0
    for sentence in sentences:
        claim = re.sub(r" \[\d+", "", sentence)
        claim = re.sub(r"\[\d+", "", claim).replace(" |", "").replace("]", "").strip()
        numbers = [int(digits) - 1 for digits in re.findall(r"\[(\d+)", sentence)]
        if not numbers or max(numbers) >= len(documents):
            continue
        numbers = numbers[:3]
        total += len(numbers)
        if not says("\n".join(documents[number] for number in numbers), claim):
            continue
        supported += 1
        if len(numbers) == 1:
            precise += 1
            continue
        for number in numbers:
            rest = list(numbers)
            rest.remove(number)
            unneeded = says("\n".join(documents[other] for other in rest), claim)
            precise += 1 if says(documents[number], claim) or not unneeded else 0
    return supported / len(sentences), precise / total if total else 0.0


def of(answers: list[Answer], table: Table) -> list[AlceScore]:
    return answered([alce(one, nltk_sentences(), SupportRules.of(table)) for one in answers], Verdicts(table))


def with_documents(chance: random.Random, number: int) -> Answer:
    while not (made := messy(chance, number)).references:
        pass
    return made


@pytest.mark.parametrize("seed", range(3))
def test_values_equal_those_of_an_independent_oracle(seed: int) -> None:
    table, answers = Hashed(zeros=0, seed=seed), generated(700, with_documents, seed)
    for answer, found in zip(answers, of(answers, table), strict=True):
        expected = oracle(answer, table.value)
        assert found.skipped == (expected is None)
        if expected is not None:
            assert (found.recall, found.precision) == expected


def test_alces_own_program_agreed_on_every_generated_answer() -> None:
    stored = json.loads(RESULT.read_text("utf-8"))
    assert stored["answers"] >= 10_000 and stored["different_answers"] == 0 and stored["different_means"] == []
    met = stored["peculiarities_met"]
    assert met.keys() == PECULIARITIES.keys()
    assert all(count > 100 for name, count in met.items() if name != "no document")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("So fact1 [1].\nSo fact2 [2].", "first line"),
        ("", "skipped"),
        ("So fact5 [0].", "zero"),
        ("So fact1 [1, 2].", "first number"),
        ("So fact1 [1-3].", "first number"),
        ("So [2019] it is [1].", "other brackets"),
        ("So [sic] it is [1].", "other brackets"),
        ("So fact1 【1】.", "unseen"),
        ("So fact1 [9].", "out of range"),
        ("So fact1 [1][2][3][9].", "out of range"),
        ("So fact1 [2][3][4][1].", "cap"),
        ("So fact1 [1][1].", "repeated"),
        ("So fact1. [1] So it is.", "next sentence"),
    ],
)
def test_each_peculiarity_is_named(text: str, name: str) -> None:
    assert name in of([Answer("q", "Why?", text, FIVE)], Facts())[0].peculiarities


def test_a_plain_answer_meets_none() -> None:
    assert of([Answer("q", "Why?", "So fact1 [1]. So fact2 [1][2].", FIVE)], Facts())[0].peculiarities == ()


def test_zero_without_documents_is_no_crash() -> None:
    found = of([Answer("q", "Why?", "So fact1 [0].", ())], Facts())[0]
    assert (found.recall, found.peculiarities) == (0, ("no document",))


def test_an_answer_has_no_value_where_the_judge_gave_none() -> None:
    found = of([Answer("q", "Why?", "So [1].", FIVE)], Table({("Title: \nfact1", "So."): math.nan}))[0]
    assert math.isnan(found.recall) and (found.missing, found.skipped) == (1, False)

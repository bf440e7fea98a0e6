"""The way from ALCE's value to ours has no gap: a user would not know why the two differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.citing.alce import alce
from harness.citing.answers import Answer, CitedReference
from harness.citing.asking import Verdicts, answered
from harness.citing.parsing import parsed
from harness.citing.scores import PRECISION, RECALL, evaluate
from harness.citing.sentences import nltk_sentences
from harness.citing.support import SupportRules
from harness.citing.waterfall import SWITCHES, waterfall
from tests.cited_answers import Facts, Hashed, generated


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("with_needs", [False, True])
def test_it_begins_at_alce_ends_at_ours_and_its_steps_sum_to_the_difference(graded: bool, with_needs: bool) -> None:
    answers, table = generated(400, seed=7), Hashed((0.0, 0.5, 1.0), zeros=1)
    verdicts, rules = Verdicts(table), SupportRules.of(table, graded=graded)
    statements = [parsed(one) for one in answers]
    needs = [[len(own.text) % 3 > 0 for own in one.statements] for one in statements] if with_needs else None
    steps = waterfall(answers, verdicts, rules, nltk_sentences(), needs)
    first = answered([alce(one, nltk_sentences(), rules) for one in answers], verdicts)
    last = evaluate(statements, verdicts, rules, needs)
    assert [one.switch for one in steps] == ["ALCE", *SWITCHES]
    assert steps[0].recall == np.nanmean([one.recall for one in first])
    assert steps[0].precision == np.nanmean([one.precision for one in first])
    assert steps[-1].recall == pytest.approx(last.mean(RECALL), abs=1e-12)
    assert steps[-1].precision == pytest.approx(last.mean(PRECISION), abs=1e-12)
    assert sum(one.recall_change for one in steps) == pytest.approx(steps[-1].recall - steps[0].recall, abs=1e-12)
    assert sum(one.precision_change for one in steps) == pytest.approx(
        steps[-1].precision - steps[0].precision, abs=1e-12
    )


@pytest.mark.parametrize(
    ("text", "switch"),
    [
        ("So fact2 [1].\nSo fact2 [2].", "text"),
        ("So fact2 [1, 2].", "marks"),
        ("So fact1. [1] So fact2. [2]", "sentences"),
        ("So fact4 [1][2][3][4].", "cap"),
        ("So fact1 [1][9].", "invalid"),
        ("So fact1 [1][2][3][4][5].", "support"),
        ("", "undefined"),
    ],
)
def test_each_switch_changes_what_it_names(text: str, switch: str) -> None:
    table, documents = Facts(longest=8), tuple(CitedReference(f"fact{n}", "Title") for n in range(1, 6))
    answers = [Answer("q", "Why?", text, documents), Answer("r", "Why?", "So fact1 [1].", documents)]
    steps = waterfall(answers, Verdicts(table), SupportRules.of(table), nltk_sentences())
    step = next(one for one in steps if one.switch == switch)
    assert step.recall_change or step.precision_change


def test_without_answers_there_is_no_value() -> None:
    assert math.isnan(waterfall([], Verdicts(Facts()), SupportRules(), nltk_sentences())[0].recall)

"""The causes of a loss sum to the loss: a user would repair what costs nothing."""

from __future__ import annotations

import math

import pytest

from harness.citing.asking import Verdicts
from harness.citing.causes import precision_causes, recall_causes
from harness.citing.parsing import parsed
from harness.citing.scores import evaluate
from harness.citing.support import SupportRules
from tests.cited_answers import Hashed, generated
from tests.harness.citing.test_metric import score


def test_each_cause_is_named() -> None:
    found = score("So fact1 [1]. So fact2. So fact3 [5]. So fact1 fact2 [1]. So fact4 [9].")
    assert recall_causes(found) == pytest.approx(
        {"uncited": 0.2, "unsupported": 0.2, "partial only": 0.2, "invalid": 0.2, "empty": 0}
    )
    assert precision_causes(found) == pytest.approx({"irrelevant": 0.25, "partial only": 0.25, "invalid": 0.25})


def test_an_empty_answer_loses_everything_to_being_empty() -> None:
    assert recall_causes(score(""))["empty"] == 1 and precision_causes(score("")) is None


@pytest.mark.parametrize("graded", [False, True])
def test_causes_sum_to_the_loss_of_every_answer_and_of_the_means(graded: bool) -> None:
    answers = [parsed(one) for one in generated(1500, seed=5)]
    table = Hashed((0.0, 0.5, 1.0))
    scores = evaluate(answers, Verdicts(table), SupportRules.of(table, graded=graded))
    for one in scores.answers:
        assert abs(sum(recall_causes(one).values()) - (1 - one.recall)) < 1e-12
        causes = precision_causes(one)
        assert math.isnan(one.precision) if causes is None else abs(sum(causes.values()) - (1 - one.precision)) < 1e-12
    assert abs(sum(scores.recall_causes.values()) - (1 - scores.mean("citation-recall"))) < 1e-12
    assert abs(sum(scores.precision_causes.values()) - (1 - scores.mean("citation-precision"))) < 1e-12

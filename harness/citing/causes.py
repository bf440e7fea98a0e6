"""Where an answer loses recall and precision: causes that exclude each other and sum to the loss."""

from __future__ import annotations

from collections.abc import Mapping

from harness.citing.metric import AnswerScore, StatementScore
from harness.citing.support import PARTIAL

UNCITED, UNSUPPORTED, PARTIAL_ONLY = "uncited", "unsupported", "partial only"
IRRELEVANT, INVALID, EMPTY = "irrelevant", "invalid", "empty"
RECALL_CAUSES = (UNCITED, UNSUPPORTED, PARTIAL_ONLY, INVALID, EMPTY)
"""In the order in which they are printed. `uncited`: no citation. `unsupported`: citations that give no support.
`partial only`: they give partial support at most. `invalid`: only citations of documents that are not there. `empty`:
nothing in the answer needs support."""
PRECISION_CAUSES = (IRRELEVANT, PARTIAL_ONLY, INVALID)
"""In the order in which they are printed. `irrelevant`: in no minimal supporting subset. `partial only`: in a minimal
subset that supports partially. `invalid`: the document is not there."""


def recall_causes(score: AnswerScore) -> dict[str, float]:
    """Return what each cause takes from the recall of an answer; together 1 - recall.

    NaN if the judge gave no value for part of the answer.
    """
    lost = dict.fromkeys(RECALL_CAUSES, 0.0)
    if score.missing:
        return dict.fromkeys(lost, float("nan"))
    if score.empty:
        return lost | {EMPTY: 1.0}
    for statement in score.needing:
        lost[_recall_cause(statement)] += (1.0 - statement.credit) / len(score.needing)
    return lost


def _recall_cause(statement: StatementScore) -> str:
    if not statement.cited.text:
        return EMPTY
    if not statement.cited.ids:
        return INVALID if statement.cited.invalid else UNCITED
    return PARTIAL_ONLY if statement.weighed.level == PARTIAL else UNSUPPORTED


def precision_causes(score: AnswerScore) -> dict[str, float] | None:
    """Return what each cause takes from the precision of an answer; together 1 - precision. None if the answer has no
    citation, so that its precision is undefined.

    NaN if the judge gave no value for part of the answer.
    """
    if not score.citations:
        return None
    if score.missing:
        return dict.fromkeys(PRECISION_CAUSES, float("nan"))
    partly = sum(len(statement.partly) for statement in score.needing)
    lost = {
        IRRELEVANT: score.citations - score.invalid - score.relevant - partly,
        PARTIAL_ONLY: partly,
        INVALID: score.invalid,
    }
    return {cause: number / score.citations for cause, number in lost.items()}


def mean_causes(scores: list[dict[str, float]]) -> Mapping[str, float]:
    """Return the means of causes over answers, which sum to the mean loss; empty without answers."""
    return {cause: sum(one[cause] for one in scores) / len(scores) for cause in (scores[0] if scores else ())}

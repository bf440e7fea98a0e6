"""The catalogue of hazards: the meaning of each, how it is caught, and whether a number with it may pass a gate.

A function that looks for an alarm declares its hazard itself (`harness.scoring.alarms`); all others are listed here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Caught = Literal["alarm", "refused", "impossible", "check", "reported"]
"""alarm: printed and stored with the number; refused: an error and no number; impossible: it cannot happen here, and a
test shows that; check: a command checks for it; reported: always printed, for the reader to judge."""


@dataclass(frozen=True)
class Hazard:
    """One way in which a number can be wrong."""

    name: str
    meaning: str
    caught: Caught = "alarm"
    hard: bool = False
    """Whether a number with it must not pass a gate."""
    remark: bool = False
    """Whether it is printed as a remark, which is no reason to distrust a number. Names with `few-` are remarks too."""


HAZARDS: dict[str, Hazard] = {}
"""The hazards by name. It is complete where `harness.scoring.alarms` has been imported."""


def register(*hazards: Hazard) -> None:
    """Add hazards to the catalogue.

    Raises:
        ValueError: a hazard with one of the names exists, or it is not made of lower-case words joined by '-'.
    """
    for one in hazards:
        if not re.fullmatch(r"[a-z]+(-[a-z]+)*", one.name):
            raise ValueError(f"an alarm cannot be called '{one.name}'; use lower-case words joined by '-'")
        if one.name in HAZARDS:
            raise ValueError(f"an alarm '{one.name}' exists already; choose another name")
    HAZARDS.update({one.name: one for one in hazards})


register(
    Hazard("truncated-away", "the model never saw the document", hard=True),
    Hazard("few-truncated-away", "the same for at most one candidate in a hundred"),
    Hazard("identical-inputs", "different documents became the same input", hard=True),
    Hazard("few-identical-inputs", "the same for at most one candidate in a hundred"),
    Hazard("changed-membership", "the reranker added or dropped candidates", hard=True),
    Hazard("wrong-orientation", "planted answers rank below unrelated texts", hard=True),
    Hazard("orientation", "the scores hardly separate planted answers from unrelated texts in this language"),
    Hazard("trained-on-queries", "the checkpoint was trained on queries of this collection", hard=True),
    Hazard("not-probed", "the orientation probe was skipped"),
    Hazard("no-separator", "nothing in the inputs separates query and document", hard=True),
    Hazard("other-scores", "the scores are not those of sentence-transformers for the same model", hard=True),
    Hazard("other-prompts", "sentence-transformers by itself would put other prompts before the texts", remark=True),
    Hazard("not-compared", "the comparison with sentence-transformers was due but could not run", remark=True),
    Hazard("former-identity", "made by an earlier version, under another id; the scores are the same"),
    Hazard("former-scoring", "made by an earlier version, which scored this model in another way", hard=True),
    Hazard("assumed", "the model's files do not specify something, and the harness assumed it"),
    Hazard("malformed-output", "a listwise model named documents twice, or left some out"),
    Hazard("known-wrong", "an imported value that was published and is known to be wrong", hard=True),
    Hazard("unpaired-questions", "p-MRR leaves out questions of which one query is missing"),
    Hazard("input-order-ties", "ties are broken by the order of the input, relevant first", "impossible"),
    Hazard("listed-first-positives", "ids or rows show which text was listed as relevant", "impossible"),
    Hazard("double-precision-ties", "two evaluators disagree whether scores are equal", "impossible"),
    Hazard("reranked-membership", "positives are added to the candidates before reranking", "impossible"),
    Hazard("dropped-queries", "queries without results leave the mean", "impossible"),
    Hazard("dropped-relevant", "relevant documents that the first stage missed leave the ideal", "impossible"),
    Hazard("mixed-checkpoints", "scores of one checkpoint are taken for another of the same name", "impossible"),
    Hazard("foreign-code", "the code of one model's folder changes how another model is scored", "impossible"),
    Hazard("non-finite", "NaN or infinity among the scores", "refused"),
    Hazard("dropped-pairs", "pairs that came back without a score", "refused"),
    Hazard("added-pairs", "scores for pairs that were not requested, or that came twice", "refused"),
    Hazard("unscored-candidates", "a run file that lacks candidates or whole queries", "refused"),
    Hazard("duplicate-ids", "two documents or queries with one id", "refused"),
    Hazard("head-not-loaded", "weights of the score head are not in the checkpoint", "refused"),
    Hazard("ambiguous-label", "several logits, and none was named as relevance", "refused"),
    Hazard("no-room-for-documents", "a query that fills the whole window", "refused"),
    Hazard("other-measure", "a value that trec_eval's code does not confirm", "refused"),
    Hazard("poisoned-cache", "stored scores that were changed", "refused"),
    Hazard("mixed-evaluators", "numbers of different evaluators or candidates side by side", "refused"),
    Hazard("batch-dependent", "a score depends on its neighbours, their order or their padding", "check", hard=True),
    Hazard("order-dependent", "a listwise model gives other orders for the same list in another order", "check"),
    Hazard("half-precision", "half precision swaps pairs of candidates", "check"),
    Hazard("truncation", "a larger window swaps pairs of candidates", "check"),
    Hazard("train-test-overlap", "evaluation queries that were in the training data", "check"),
    Hazard("chance-level", "a value that a random order would also reach", "reported"),
    Hazard("strong-first-stage", "a gain that the first stage hides, or a value that it alone explains", "reported"),
    Hazard("empty-judgments", "queries without a relevant document", "reported"),
    Hazard("depth", "more candidates, worse results", "reported"),
    Hazard("length-shortcut", "an order that follows the length of the documents", "reported"),
)

"""The catalogue of hazards: the meaning of each, how it is caught, and whether a number with it may pass a gate."""

from __future__ import annotations

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


_ALL = (
    Hazard("tied-order", "the order of equal scores decides more than a tenth of a point", hard=True),
    Hazard("constant-scores", "all candidates of a query got the same score, so there is no ranking", hard=True),
    Hazard("few-constant-scores", "the same for at most one query in a hundred"),
    Hazard(
        "rounding-noise", "scores so close together that their order is rounding: a head without training", hard=True
    ),
    Hazard("saturated-scores", "the best score is shared by several candidates: a sigmoid that rounds to 1"),
    Hazard("low-precision", "all scores are numbers of half precision, which made ties"),
    Hazard("unchanged-order", "the reranker returns the order of the first stage: its head is not used", hard=True),
    Hazard("worse-than-chance", "the order is worse than a random one, and the reversed order is better", hard=True),
    Hazard("truncated-away", "the model never saw the document", hard=True),
    Hazard("few-truncated-away", "the same for at most one candidate in a hundred"),
    Hazard("identical-inputs", "different documents became the same input", hard=True),
    Hazard("few-identical-inputs", "the same for at most one candidate in a hundred"),
    Hazard("changed-membership", "the reranker added or dropped candidates", hard=True),
    Hazard("unjudged", "the reranker moves up documents without a judgment: its value is a lower bound"),
    Hazard("wrong-orientation", "planted answers rank below unrelated texts", hard=True),
    Hazard("orientation", "the scores hardly separate planted answers from unrelated texts in this language"),
    Hazard("not-probed", "the orientation probe was skipped"),
    Hazard("no-separator", "nothing in the inputs separates query and document", hard=True),
    Hazard("other-scores", "the scores are not those of sentence-transformers for the same model", hard=True),
    Hazard("other-prompts", "sentence-transformers by itself would put other prompts before the texts", remark=True),
    Hazard("not-compared", "the comparison with sentence-transformers was due but could not run", remark=True),
    Hazard("former-identity", "made by an earlier version, under another id; the scores are the same"),
    Hazard("former-scoring", "made by an earlier version, which scored this model in another way", hard=True),
    Hazard("assumed", "the model's files do not specify something, and the harness assumed it"),
    Hazard("malformed-output", "a listwise model named documents twice, or left some out"),
    Hazard("labelled-ids", "the order of the document ids reveals the label, and it decides every tie"),
    Hazard("few-labelled-ids", "the same, but no two candidates with different texts are tied, so no value changes"),
    Hazard("injected-positives", "relevant documents are at the very end of the candidate lists", hard=True),
    Hazard("self-retrieval", "the query itself is one of its candidates, and not relevant"),
    Hazard("let-through", "more than one line in a hundred of a file was let through, by a rule or without one"),
    Hazard("few-let-through", "lines were let through, at most one in a hundred"),
    Hazard("empty-queries", "judged queries without a text, which no system can answer and which count"),
    Hazard("known-wrong", "an imported value that was published and is known to be wrong", hard=True),
    Hazard("contradicting-labels", "one text is judged relevant and not relevant for one query"),
    Hazard("missing-queries", "queries without any candidate, which count as 0"),
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
HAZARDS = {hazard.name: hazard for hazard in _ALL}

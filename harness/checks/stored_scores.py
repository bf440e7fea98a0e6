"""Compares scores in the ledger with new scores. Wrong scores in the ledger would be used by every later run."""

from __future__ import annotations

import shlex

import numpy as np
import numpy.typing as npt

from adapters.identity import text_digests
from adapters.protocols import Floats
from adapters.spec import identity_of
from harness.checks.invariance import Examination, InvarianceFinding
from harness.checks.probe import planted_in
from harness.checks.shift import SAME, shift
from harness.checks.trials import Request, natural, request_of
from harness.measuring.alarms.alarm import Alarm
from harness.scoring.ground import CandidatePool
from harness.scoring.session import Session

TRIAL = "the ledger"


def stored(examined: Examination, session: Session, own: float) -> InvarianceFinding:
    """Score the candidates and planted questions that are in the ledger again, and compare.

    Args:
        own: the largest change of a score when the reranker scores again. Up to twice as much is accepted.
    """
    parts = [
        _candidates(examined, ground, scores, session)
        for ground, scores in zip(examined.grounds, examined.first, strict=True)
    ]
    probes = [_planted(examined, ground, session) for ground in examined.grounds]
    pairs = sum(known for _, known in parts) + sum(map(len, probes))
    if not pairs:
        return InvarianceFinding(TRIAL, "not possible", note="it has none of these pairs")
    moved = shift(examined.grounds, examined.first, [scores for scores, _ in parts], probes, pairs)
    limit = max(SAME, 2 * own)
    if moved.largest <= limit:
        return InvarianceFinding(TRIAL, "OK", moved)
    message = (
        f"stored scores differ by up to {moved.largest:.2g} from the reranker's scores now: they were made on other "
        f"hardware, or {session.workspace.ledger} was changed; remove them with `harness forget "
        f"{shlex.quote(examined.spec)} --yes`, and run again"
    )
    return InvarianceFinding(TRIAL, "broken", moved, alarm=Alarm("poisoned-cache", message))


def _candidates(examined: Examination, ground: CandidatePool, scores: Floats, session: Session) -> tuple[Floats, int]:
    """Return the scores of the candidates, stored ones where possible, else new ones; and the number of stored ones."""
    found, known = _stored(examined, ground, request_of(ground), session)
    return np.where(known, found, scores).astype(np.float32), int(known.sum())


def _planted(examined: Examination, ground: CandidatePool, session: Session) -> npt.NDArray[np.float64]:
    """Return the differences between new and stored scores of the planted pairs."""
    planted = planted_in(ground.collection)
    request = Request(planted.queries, planted.answers, planted.pairs)
    found, known = _stored(examined, ground, request, session)
    if not known.any():
        return np.empty(0)
    return (natural(examined.bound(ground), request)[known] - found[known]).astype(np.float64)


def _stored(
    examined: Examination, ground: CandidatePool, request: Request, session: Session
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    scorer = session.ledger.scorer(dict(identity_of(examined.bound(ground))))
    digests = [text_digests(texts) for texts in (request.queries, request.documents)]
    known, entries = session.ledger.known(scorer, digests[0], digests[1], request.pairs)
    return entries.score, known

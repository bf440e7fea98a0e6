"""Whether something separates query and document in a reranker's inputs.

A model that reads the two joined together gives scores that look normal. To find it, a character is moved from the end
of the query to the beginning of the document: if the input stays the same, nothing separates the two.
"""

from __future__ import annotations

import numpy as np

from adapters.identity import text_digests
from adapters.protocols import IndexPairs, Reranker, StreamingReranker
from adapters.spec import identity_of
from harness.measuring.alarms.alarm import Alarm
from harness.scoring.engine import AdapterSource, PairChunk
from harness.scoring.rerank import scored_chunks
from harness.scoring.session import Session

PROBES = (("1 2", "3"), ("who is a", "b c"), ("what is x!", "?y"), ("how many is 7", "8 or 9"))
"""Queries and documents. The end of the query and the beginning of the document are single tokens in every usual
vocabulary."""


def separation(
    name: str, reranker: Reranker, session: Session, *, to_score: bool, source: AdapterSource | None = None
) -> tuple[Alarm, ...]:
    """Return a hard alarm if moving a character does not change the input. Scores are kept in the ledger.

    Args:
        source: what other processes open the reranker from. Default: only this process can call it.
        to_score: whether the reranker may score; else only scores in the ledger are used.
    """
    if not isinstance(reranker, StreamingReranker):
        return ()
    queries = [query for query, _ in PROBES] + [query[:-1] for query, _ in PROBES]
    documents = [document for _, document in PROBES] + [query[-1] + document for query, document in PROBES]
    pairs: IndexPairs = np.repeat(np.arange(len(queries), dtype=np.int64)[:, None], 2, axis=1)
    ledger, digests = session.ledger, (text_digests(queries), text_digests(documents))
    scorer = ledger.scorer(dict(identity_of(reranker)))
    known, entries = ledger.known(scorer, *digests, pairs)
    if not known.all():
        if not to_score:
            return ()
        title = f"{name}: separation probe, {int((~known).sum())} pairs"
        chunk = PairChunk.whole(queries, documents, pairs[~known])
        for scored, rows in scored_chunks([chunk], reranker, title, session, source):
            ledger.record(scorer, *digests, pairs[~known][rows], scored)
        known, entries = ledger.known(scorer, *digests, pairs)
    plain, moved = np.split(entries.input, 2)
    same = np.flatnonzero((plain == moved) & (plain != 0))
    if not len(same):
        return ()
    query, document = PROBES[int(same[0])]
    return (
        Alarm(
            "no-separator",
            f"nothing separates query and document: {query!r} with {document!r} and {query[:-1]!r} with "
            f"{query[-1] + document!r} are the same input; name the template of its training with ?template=",
        ),
    )

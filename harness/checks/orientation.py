"""The orientation probe: before a long run, a reranker has to rank a few exact answers above unrelated texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from adapters.errors import ModelError
from adapters.identity import array_digest, digest, text_digests
from adapters.protocols import Floats, Reranker
from adapters.spec import identity_of
from harness.checks.probe import Planted, ProbeRanking, planted_from, planted_in, ranked, wrong_sign
from harness.data.collection import Collection
from harness.measuring.alarms.alarm import Alarm
from harness.scoring.engine import AdapterSource, PairChunk
from harness.scoring.ground import CandidatePool
from harness.scoring.rerank import is_known, scored_chunks
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker, System

SKIPPED = Alarm(
    "not-probed", "the orientation probe was skipped: it was not checked that answers score above other texts"
)
_HARDLY = 0.75


class Orientation:
    """The orientation probe of one run.

    The languages of all collections on which a reranker has the same identity are probed together, so that a wrong sign
    in the last one is found before the first one is scored. Scores are kept in the ledger: a probe is scored only once,
    and nothing is scored if all candidates are in the ledger.

    Args:
        collections: all collections of the run.
        skip: score no probe, and do not stop the run. A failed probe in the ledger still raises an alarm. Default:
            False.
    """

    def __init__(self, collections: Sequence[Collection], session: Session, *, skip: bool = False) -> None:
        self._collections, self._session, self._skip = collections, session, skip
        self._identities: dict[str, list[str]] = {}

    def look(self, ground: CandidatePool, system: System) -> tuple[Alarm, ...]:
        """Return the alarms of the probe for a system on a collection, before its candidates are scored.

        Raises:
            ModelError: answers rank significantly below unrelated texts, and there are candidates to score.
        """
        if not isinstance(system.reranker, ModelReranker):
            return ()
        reranker, source = system.reranker.on(ground.collection), system.reranker.source(ground.collection)
        own = _planted(ground.collection, reranker)
        to_score = not is_known(ground.collection, ground.candidates, reranker, self._session.ledger)
        asked = [own, *(self._others(system.reranker, own, reranker) if to_score and not self._skip else ())]
        ask = partial(self._ranked, system.name, reranker, source, to_score=to_score and not self._skip)
        found = [one for one in map(ask, asked) if one is not None]
        if not found:
            return (SKIPPED,) if self._skip else ()
        wrong = wrong_sign(found)
        if wrong is None:
            return alarms(found[0])
        if to_score and not self._skip:
            raise ModelError(f"{_wrong_message(system.name, wrong)}; use --skip-probe to run it anyway")
        return (Alarm("wrong-orientation", _wrong_message(system.name, wrong)),)

    def _others(self, stage: ModelReranker, own: Planted, reranker: Reranker) -> list[Planted]:
        """Return the planted questions of the run's other collections on which the reranker has the same identity."""
        if stage.name not in self._identities:
            self._identities[stage.name] = [digest(identity_of(stage.on(one))) for one in self._collections]
        same, mine = self._identities[stage.name], digest(identity_of(reranker))
        probes = (planted_in(one) for one, identity in zip(self._collections, same, strict=True) if identity == mine)
        return [one for one in dict.fromkeys(probes) if one != own]

    def _ranked(
        self, name: str, reranker: Reranker, source: AdapterSource, asked: Planted, *, to_score: bool
    ) -> ProbeRanking | None:
        """Return the ranking, from the ledger, or by the reranker if `to_score`; None if neither is possible."""
        ledger, pairs = self._session.ledger, asked.pairs
        scorer = ledger.scorer(dict(identity_of(reranker)))
        digests = text_digests(asked.queries), text_digests(asked.answers)
        known, entries = ledger.known(scorer, *digests, pairs)
        if not known.all():
            if not to_score:
                return None
            title = f"{name}: orientation probe, {len(pairs)} pairs in {asked.language}"
            self._session.reporter.note(title)
            chunk = PairChunk.whole(asked.queries, asked.answers, pairs[~known])
            for scored, rows in scored_chunks([chunk], reranker, title, self._session, source):
                ledger.record(scorer, *digests, pairs[~known][rows], scored)
            known, entries = ledger.known(scorer, *digests, pairs)
            if not known.all():
                raise ModelError(f"{title}: {int((~known).sum())} pairs came back without a score")
        scores: Floats = entries.score
        return ranked(asked, scores)


def _planted(collection: Collection, reranker: Reranker) -> Planted:
    """Return the planted questions. For a reranker that uses statistics of the corpus (BM25), take the collection's own
    queries."""
    statistics = array_digest(collection.corpus.digests) in json.dumps(identity_of(reranker))
    return planted_from(collection) if statistics else planted_in(collection)


def alarms(found: ProbeRanking) -> tuple[Alarm, ...]:
    """Return an alarm if at least a twentieth of the comparisons are wrong."""
    if found.reads:
        return ()
    if found.constant:
        message = f"every planted pair in {found.language} got one score: is its score head loaded?"
    else:
        hardly = ": it hardly reads this language" if found.right < _HARDLY * found.of else ""
        message = (
            f"ranks {found.right:g} of {found.of} planted answers above unrelated texts in {found.language}{hardly}"
        )
    return (Alarm("orientation", message),)


def _wrong_message(name: str, found: ProbeRanking) -> str:
    return (
        f"'{name}' ranks {found.right:g} of {found.of} planted answers above unrelated texts in {found.language}: the "
        "wrong way round; check the label (?label=), the sign of its scores and that its score head is the trained one"
    )

"""The orientation probe: before hours are spent, a reranker has to rank a few exact answers above unrelated texts."""

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
from harness.scoring.ground import CandidatePool
from harness.scoring.rerank import is_known, scored_texts
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker, System

SKIPPED = Alarm(
    "not-probed", "the orientation probe was skipped: nobody looked whether answers score above other texts"
)
_HARDLY = 0.75


class Orientation:
    """The probe of one run.

    The languages of all collections on which a reranker is the same are probed together, so that a wrong sign in the
    last one is known before the first one is scored. Scores go through the ledger: a probe is paid once, ever, and
    nothing is scored where the candidates are all known.

    Args:
        collections: all those of the run.
        skip: score no probe and stop nothing; what the ledger knows of one becomes an alarm.
    """

    def __init__(self, collections: Sequence[Collection], session: Session, *, skip: bool = False) -> None:
        self._collections, self._session, self._skip = collections, session, skip
        self._identities: dict[str, list[str]] = {}

    def look(self, ground: CandidatePool, system: System) -> tuple[Alarm, ...]:
        """What the probe says about a system on a collection, before its candidates are scored.

        Raises:
            ModelError: answers stand significantly below unrelated texts, and there are candidates to score.
        """
        if not isinstance(system.reranker, ModelReranker):
            return ()
        reranker = system.reranker.on(ground.collection)
        own = _planted(ground.collection, reranker)
        to_score = not is_known(ground.collection, ground.candidates, reranker, self._session.ledger)
        asked = [own, *(self._others(system.reranker, own, reranker) if to_score and not self._skip else ())]
        ask = partial(self._ranked, system.name, reranker, to_score=to_score and not self._skip)
        found = [one for one in map(ask, asked) if one is not None]
        if not found:
            return (SKIPPED,) if self._skip else ()
        wrong = wrong_sign(found)
        if wrong is None:
            return alarms(found[0])
        if to_score and not self._skip:
            raise ModelError(f"{_told_wrong(system.name, wrong)}; --skip-probe runs it all the same")
        return (Alarm("wrong-orientation", _told_wrong(system.name, wrong)),)

    def _others(self, stage: ModelReranker, own: Planted, reranker: Reranker) -> list[Planted]:
        """The planted questions of the run's other collections on which the reranker is the same."""
        if stage.name not in self._identities:
            self._identities[stage.name] = [digest(identity_of(stage.on(one))) for one in self._collections]
        same, mine = self._identities[stage.name], digest(identity_of(reranker))
        probes = (planted_in(one) for one, identity in zip(self._collections, same, strict=True) if identity == mine)
        return [one for one in dict.fromkeys(probes) if one != own]

    def _ranked(self, name: str, reranker: Reranker, asked: Planted, *, to_score: bool) -> ProbeRanking | None:
        """From the ledger, or by the reranker if `to_score`; None where neither is possible."""
        ledger, pairs = self._session.ledger, asked.pairs
        scorer = ledger.scorer(dict(identity_of(reranker)))
        digests = text_digests(asked.queries), text_digests(asked.answers)
        known, entries = ledger.known(scorer, *digests, pairs)
        if not known.all():
            if not to_score:
                return None
            title = f"{name}: orientation probe, {len(pairs)} pairs in {asked.language}"
            self._session.reporter.note(title)
            for scored, rows in scored_texts(asked.queries, asked.answers, pairs[~known], reranker, title):
                ledger.record(scorer, *digests, pairs[~known][rows], scored)
            known, entries = ledger.known(scorer, *digests, pairs)
            if not known.all():
                raise ModelError(f"{title}: {int((~known).sum())} pairs came back without a score")
        scores: Floats = entries.score
        return ranked(asked, scores)


def _planted(collection: Collection, reranker: Reranker) -> Planted:
    """A reranker that knows words by the statistics of the corpus (BM25) is asked in the corpus's own words."""
    statistics = array_digest(collection.corpus.digests) in json.dumps(identity_of(reranker))
    return planted_from(collection) if statistics else planted_in(collection)


def alarms(found: ProbeRanking) -> tuple[Alarm, ...]:
    """An alarm if a twentieth of the comparisons or more went wrong."""
    if found.reads:
        return ()
    if found.constant:
        told = f"every planted pair in {found.language} got one score: is its score head loaded?"
    else:
        hardly = ": it hardly reads it" if found.right < _HARDLY * found.of else ""
        told = f"ranks {found.right:g} of {found.of} planted answers above unrelated texts in {found.language}{hardly}"
    return (Alarm("orientation", told),)


def _told_wrong(name: str, found: ProbeRanking) -> str:
    return (
        f"'{name}' ranks {found.right:g} of {found.of} planted answers above unrelated texts in {found.language}: the "
        "wrong way round; check the label (?label=), the sign of its scores and that its score head is the trained one"
    )

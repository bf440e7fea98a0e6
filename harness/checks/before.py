"""The checks that run before a reranker scores its candidates, so that an error costs little."""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks import seen
from harness.checks.orientation import Orientation
from harness.checks.reference import ReferenceCheck
from harness.checks.separation import separation
from harness.data.collection import Collection
from harness.measuring.alarms.alarm import Alarm
from harness.scoring.ground import CandidatePool
from harness.scoring.rerank import is_known
from harness.scoring.session import Session
from harness.scoring.system import ModelReranker, System


class BeforeScoring:
    """The orientation probe, the separation of query and document, the comparison with sentence-transformers, and
    whether the model was trained on the queries.

    Args:
        collections: all collections of the run.
        skip_probe: score no planted pairs, and do not stop the run. Default: False.
    """

    def __init__(self, collections: Sequence[Collection], session: Session, *, skip_probe: bool = False) -> None:
        self._session, self._skip_probe = session, skip_probe
        self._orientation = Orientation(collections, session, skip=skip_probe)
        self._reference = ReferenceCheck(collections, session)

    def look(self, ground: CandidatePool, system: System) -> tuple[Alarm, ...]:
        """Return the alarms of a system on a collection.

        Raises:
            ModelError: answers rank significantly below unrelated texts, and there are candidates to score.
        """
        if not isinstance(system.reranker, ModelReranker):
            return ()
        found = self._orientation.look(ground, system)
        reranker = system.reranker.on(ground.collection)
        known = is_known(ground.collection, ground.candidates, reranker, self._session.ledger)
        to_score = not known and not self._skip_probe
        source = system.reranker.source(ground.collection)
        joined = separation(system.name, reranker, self._session, to_score=to_score, source=source)
        trained = seen.alarms_of(reranker, ground.collection)
        return (*found, *trained, *joined, *self._reference.look(ground, system))

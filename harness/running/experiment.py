"""The flow of the data: collection, candidates, scores, measures, results. Read from the top."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from harness.checks.before import BeforeScoring
from harness.checks.half_noise import with_noise
from harness.checks.robustness import Battery, examined
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.measuring.alarms.alarm import Alarm
from harness.measuring.crosscheck import cross_check
from harness.measuring.paired_measures import PMRR, p_mrr
from harness.result.evaluation import Evaluation
from harness.result.recall import keep_scores, prove_candidates
from harness.result.result import made_now
from harness.result.store import Results
from harness.running.keeping import Keeping
from harness.scoring.audit import audit
from harness.scoring.ground import CandidatePool, prepare
from harness.scoring.session import Session
from harness.scoring.system import Scores, System


def experiment(
    collections: Sequence[Collection],
    systems: Sequence[System],
    measures: Sequence[str],
    session: Session,
    *,
    skip_probe: bool = False,
    store: bool = True,
    battery: Battery | None = None,
) -> Iterator[Evaluation]:
    """Evaluate every system on every collection. Each result is stored as soon as it is computed.

    A result that cannot be stored is still yielded. With `store=False` only scores are stored, and no values.

    The systems share one first stage and depth, so each collection is searched once, and all are measured on the same
    candidates. Before a reranker scores candidates, it has to pass the orientation probe, unless `skip_probe` is set.
    The noise floor of a system in half precision is measured with its values. If the run is long, the reranker is also
    compared with sentence-transformers.

    Args:
        battery: the perturbations under which rerankers are measured. Default: none.

    Raises:
        NotKept: some results could not be stored. Raised after the last result.
    """
    with Results(session.workspace.results) as results:
        keeping = Keeping(session.workspace, results, session.ledger, session.reporter)
        before = BeforeScoring(collections, session, skip_probe=skip_probe)
        for collection in collections:
            prove_candidates(results, session.workspace, collection, systems[0].first_stage, systems[0].depth)
            ground = prepare(collection, systems[0].first_stage, systems[0].depth, measures, session)
            for system in systems:
                alarms = before.look(ground, system)
                found = with_noise(evaluate(ground, system, session, alarms, keep=keeping.scores), results)
                found = examined(found, battery, session)
                yield keeping.evaluation(found) if store else found
        keeping.finish()


def evaluate(
    ground: CandidatePool,
    system: System,
    session: Session,
    alarms: Sequence[Alarm] = (),
    *,
    keep: Callable[[str, Scores], None] | None = None,
) -> Evaluation:
    """Score the candidates of a collection with a system; measure, check and audit the result.

    Args:
        alarms: alarms that were raised before scoring. Default: none.
        keep: stores the scores with the evaluation's id. Default: stores them in the workspace, and raises on failure.
    """
    scores = system.score(ground, session)
    made_of = system.made_of(ground, scores)
    (keep or partial(keep_scores, session.workspace))(made_of.id, scores)
    audited = audit(ground, scores)
    return Evaluation(
        made_of=made_of,
        ground=ground,
        system=system,
        values=measure(ground, scores.run),
        run=scores.run,
        audit=replace(audited, alarms=(*alarms, *scores.alarms, *audited.alarms)),
        fresh=scores.fresh,
        seconds=scores.seconds,
        made=made_now(),
        calls=scores.calls,
        paired=paired(ground.collection, scores.run),
    )


def paired(collection: Collection, run: Run) -> PMRR | None:
    """Return p-MRR of each question; None if the collection has no pairs of queries."""
    if collection.changes is None:
        return None
    return p_mrr(run, collection.queries.ids(), collection.changes.by_question())


def measure(ground: CandidatePool, run: Run) -> npt.NDArray[np.float64]:
    """Return the values per query. A sample is recomputed with pytrec_eval, and a disagreement is an error."""
    values = ground.judged.values(ground.measures, run.scores)
    collection = ground.collection
    cross_check(
        ground.judged, ground.measures, values, collection.corpus.ids,
        scores=run.scores, query_ids=collection.queries.ids(), published=collection.published,
    )  # fmt: skip
    return values

"""Citation measures as results of the store: one per measure, with the values of every question that has one."""

from __future__ import annotations

import math

import numpy as np

from adapters.identity import digest
from harness.citing.evaluation import CitationEvaluation, questions_digest
from harness.citing.scores import F1, MEASURES, PRECISION
from harness.data.collection import Rules
from harness.measuring.measures import CITATION_MEASURES
from harness.measuring.statistics.design import Floats64
from harness.numbers import plural
from harness.result.facts import AuditFacts, CollectionFacts, Controls, CountFacts, Timing
from harness.result.result import Result, made_now, result_of
from harness.result.stored import Stored

ANSWERS = "answers"
"""The split of answers, which have none, and the beginning of the name of their first stage."""


def results_of_citations(found: CitationEvaluation, name: str, questions: str | None = None) -> tuple[Result, ...]:
    """Return the results of a file of answers.

    The collection is the set of questions with the judge and its settings, so values of different judges are never in
    one column. The judge and its settings are also the first stage of the system, so no mean is over different judges.
    Answers to the same questions by the same judge are comparable.

    Args:
        name: of the system that wrote the answers.
        questions: the name of the set of questions. Default: made of its digest.

    Returns:
        nothing if no answer has a value.
    """
    drawn = questions_digest(found.answers)
    fingerprint = found.scores.drawn_from
    texts = digest({"answers": [[one.answer.id, one.answer.text] for one in found.answers]})
    values = {measure: row for measure, row in _values(found).items() if not np.isnan(row).all()}
    if not values:
        return ()
    ids = {measure: _ids(found, row) for measure, row in values.items()}
    kept = {measure: row[~np.isnan(row)] for measure, row in values.items()}
    identity = {"citations": dict(found.identity), "questions": drawn, "reranker": {"answers": texts}}
    made = made_now()
    stored = Stored(
        id=digest({"collection": fingerprint, "answers": texts, "name": name})[:12],
        collection=CollectionFacts(
            f"{questions or f'{ANSWERS}-{drawn[:6]}'} by {found.settings}", ANSWERS, fingerprint,
            CountFacts(len({id for own in ids.values() for id in own})),
            Rules(main_measure=F1, note=_note(found, name)), language_sought=False,
        ),
        first_stage=_judged(found), reranker=name, depth=0, candidates=drawn, identity=identity, audit=AuditFacts(),
        controls=Controls(), environment=made.environment, command=made.command, created=made.at, updated=made.at,
        means={measure: float(np.mean(row)) for measure, row in kept.items()},
    )  # fmt: skip
    return tuple(result_of(stored, measure, row, ids[measure], Timing()) for measure, row in kept.items())


def _judged(found: CitationEvaluation) -> str:
    """In the place of a first stage: the judge with its settings, and a digest, since judges may share a name."""
    return f"{ANSWERS} by {found.settings} ({digest(dict(found.identity))[:6]})"


def _values(found: CitationEvaluation) -> dict[str, Floats64]:
    own = {measure: found.scores.values(measure) for measure in MEASURES}
    if found.needs is None:
        del own["citation-recall-of-all"]
    return own | {measure: row for measure, row in found.correct.items() if measure in CITATION_MEASURES}


def _ids(found: CitationEvaluation, row: Floats64) -> tuple[str, ...]:
    return tuple(id for id, value in zip(found.scores.ids, row.tolist(), strict=True) if not math.isnan(value))


def _note(found: CitationEvaluation, name: str) -> str | None:
    counts = found.scores.counts
    parts = [
        f"{plural('answer', counts.uncited_answers, 'has', 'have')} no citation that counts, and no {PRECISION}"
        if counts.uncited_answers
        else "",
        f"{plural('answer', counts.unjudged, 'has', 'have')} no value because the judge gave none"
        if counts.unjudged
        else "",
        f"{plural('row', len(found.file.bad), 'is', 'are')} not used" if found.file.bad else "",
    ]
    said = "; ".join(filter(None, parts))
    return f"{name}: {said}" if said else None

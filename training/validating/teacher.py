"""V11: the agreement of the teacher with human judgments, on judged queries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.data.collection import Collection
from harness.measuring.questions import questions_of
from harness.measuring.statistics.bootstrap import value_interval
from harness.measuring.statistics.design import Design
from harness.measuring.statistics.difference import Difference, difference
from harness.scoring.rerank import rerank
from harness.scoring.session import Session
from training.teaching.teachers import open_teachers
from training.validating.board import MEASURE, ScoredCollection, board_of
from training.validating.calibration import BINS, Mask, Values, bins, in_order, monotone, per_query_auc, wilson
from training.validating.measured import Name, ValidationRow
from training.validating.numbered import ENOUGH, unmeasured
from training.validating.searching import DEPTH

RANKING = Name("V11", "teacher on judged queries", MEASURE, "share")
ORDER = Name("V11", "teacher within a query", "AUC", "")
BY_SCORE = Name("V11", "relevance by teacher score", "bins in order", "share")
REFUSED = Name("V11", "teacher puts a refused document first", "P(first refused)", "share")
LEAD = Name("V11", "teacher against student", f"difference of {MEASURE}", "share")


@dataclass(frozen=True)
class Lead:
    """The difference between teacher and student on the same queries and candidates, as a fraction."""

    difference: Difference
    queries: int

    @property
    def leads(self) -> bool:
        """Whether the teacher is significantly better than the student."""
        return self.difference.significant and self.difference.value > 0


def measure(
    judged: Collection | None,
    teachers: Sequence[str],
    stage: str,
    session: Session,
    *,
    student: str | None = None,
    weights: Sequence[float] = (),
    depth: int = DEPTH,
    max_length: int | None = None,
    enough: int = ENOUGH,
) -> list[ValidationRow]:
    """Compare the teacher with human judgments. Several teachers are blended as in `train teach`. Pairs in the ledger
    are not scored again. `interval` is over questions; floor and scale do not apply.

    - nDCG@10 on the candidates of the first stage. `levels`: teacher, first stage, and student if one is named.
    - AUC within each query, over its judged documents. If fewer than half of the queries have a document that was
      judged not relevant, unjudged candidates count as not relevant, and the note says so.
    - P(relevant | bin of score) over the same pairs. `parts`: `bins` with Wilson intervals, `monotone`.
    - P(the first judged document is not relevant), over queries with both kinds of judged documents.
    - With a student: the paired difference of nDCG@10. `parts`: `leads`, see `Lead`.

    Raises:
        ModelError: a score is not finite, or all scores of a teacher are equal.
    """
    names = [RANKING, ORDER, BY_SCORE, REFUSED, *([LEAD] if student else [])]
    if judged is None or not len(judged.qrels):
        return unmeasured(names, "there are no judged real queries")
    if len(judged.queries) < enough:
        return unmeasured(names, f"there are {len(judged.queries)} judged queries, but {enough} are needed")
    board = board_of(judged, teachers, stage, weights, depth, max_length, session)
    own = _student_values(board, student, session) if student else None
    return [_ranking(board, own), _order(board), _by_score(board), _refused(board),
            *([] if own is None else [_lead_row(board, own)])]  # fmt: skip


def lead(
    judged: Collection,
    teachers: Sequence[str],
    student: str,
    stage: str,
    session: Session,
    *,
    weights: Sequence[float] = (),
    depth: int = DEPTH,
    max_length: int | None = None,
) -> Lead:
    """The teacher's nDCG@10 minus the student's, for any number of queries."""
    board = board_of(judged, teachers, stage, weights, depth, max_length, session)
    return _lead(board, _student_values(board, student, session))


def _student_values(board: ScoredCollection, student: str, session: Session) -> Values:
    judged = board.collection
    (opened,) = open_teachers([student], judged, None, None, session)
    title = f"student {student} on {judged.name}"
    done = rerank(judged, board.candidates, opened.reranker, session, title, opened.source)
    return board.values(done.run)


def _ranking(board: ScoredCollection, student: Values | None) -> ValidationRow:
    levels: dict[str, float | None] = {"teacher": float(board.teacher.mean())}
    levels["first stage"] = float(board.values(board.candidates).mean())
    if student is not None:
        levels["student"] = float(student.mean())
    queries = len(board.teacher)
    interval = value_interval(_design(board), [board.teacher])
    return _row(RANKING, levels["teacher"], interval, f"{queries} judged queries", {"queries": queries}, levels)


def _order(board: ScoredCollection) -> ValidationRow:
    values = per_query_auc(board.pool.offsets, board.scores, board.relevant, board.counted)
    has = np.isfinite(values)
    known = values[has]
    if not len(known):
        return unmeasured([ORDER], "no query has both a relevant document and one that is not")[0]
    note = f"{len(known)} of {len(values)} queries have both kinds of documents"
    shares = np.histogram(known, bins=20, range=(0, 1))[0].tolist()
    interval = value_interval(_design(board, has), [known])
    return _row(ORDER, float(known.mean()), interval, _joined(note, board.caution), {"histogram": shares})


def _by_score(board: ScoredCollection) -> ValidationRow:
    counted = board.counted
    found = bins(board.scores[counted], board.relevant[counted])
    parts = {"bins": [one.as_dict() for one in found], "monotone": monotone(found)}
    note = f"{int(counted.sum())} pairs in {BINS} bins of equal width, Wilson intervals"
    return _row(BY_SCORE, in_order(found), None, _joined(note, board.caution), parts)


def _refused(board: ScoredCollection) -> ValidationRow:
    run, grades = board.pool, board.grades
    order = run.order()
    order = order[grades[order] >= 0]
    queries, first = np.unique(run.queries[order], return_index=True)
    kinds = [np.isin(queries, run.queries[mask]) for mask in (grades >= 1, grades == 0)]
    both = kinds[0] & kinds[1]
    if not both.any():
        return unmeasured([REFUSED], "no query has both a relevant document and one that was judged not relevant")[0]
    hits, of = int((grades[order[first]] == 0)[both].sum()), int(both.sum())
    return _row(REFUSED, hits / of, wilson(hits, of), f"{of} queries with both kinds judged", {"first": hits, "of": of})


def _lead_row(board: ScoredCollection, student: Values) -> ValidationRow:
    lead = _lead(board, student)
    note = "the teacher leads" if lead.leads else "the teacher does not lead, so a student cannot learn from it"
    parts: dict[str, object] = {"leads": lead.leads, "queries": lead.queries, "p": lead.difference.p}
    return _row(LEAD, lead.difference.value, lead.difference.interval, note, parts)


def _lead(board: ScoredCollection, student: Values) -> Lead:
    return Lead(difference(_design(board), [board.teacher - student]), len(student))


def _design(board: ScoredCollection, kept: Mask | None = None) -> Design:
    """The design over all judged queries, or over some of them."""
    ids = board.collection.queries.ids()
    return Design(
        (questions_of(board.collection, ids if kept is None else [ids[row] for row in np.flatnonzero(kept)]),)
    )


def _row(  # noqa: PLR0917
    name: Name,
    value: float | None,
    interval: tuple[float, float] | None,
    note: str,
    parts: dict[str, object],
    levels: dict[str, float | None] | None = None,
) -> ValidationRow:
    return ValidationRow(
        name.id, name.name, name.statistic, name.unit,
        value=value, interval=interval if interval and math.isfinite(interval[0]) else None,
        note=note, parts=parts, levels=levels or {},
    )  # fmt: skip


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))

"""What the teachers would be asked, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.scoring.rerank import unscored
from harness.scoring.session import Session
from training.mining.pool import Pool
from training.teaching.answers import unanswered
from training.teaching.blend import shares_of
from training.teaching.cycles import most
from training.teaching.drawing import drawn_rows
from training.teaching.lesson import TeachingSet
from training.teaching.pairwise import graph, questions_of
from training.teaching.scored import panel_of, sampled, texts_of
from training.teaching.settings import TeachingSettings
from training.teaching.teachers import ComparingTeacher, Teacher


@dataclass(frozen=True)
class TeacherCost:
    """What one teacher would be asked."""

    spec: str
    what: str
    """`pairs` to score, or `comparisons` in both orders, each of which is one answer."""
    all: int
    new: int
    """Those that are not in the ledger."""
    is_bound: bool = False
    """Whether the numbers are upper bounds, because the sample depends on scores that are not known yet."""
    characters: int | None = None
    """The length of the texts of the new ones, without the prompt; None where it is not known yet."""


def teaching_cost(
    teaching_set: TeachingSet, specs: Sequence[str], settings: TeachingSettings, session: Session
) -> list[TeacherCost]:
    """The cost of each teacher, in their order. No teacher is asked.

    Raises:
        UsageError: see `teach`.
    """
    shares = shares_of(settings.weights, len(specs))
    texts = texts_of(teaching_set, settings.score_as, session)
    panel = panel_of(specs, texts, settings, session)
    found = []
    for one in panel:
        if isinstance(one, Teacher):
            new = unscored(texts.collection, texts.run, one.reranker, session.ledger)
            found.append(TeacherCost(one.spec, "pairs", len(teaching_set.pool), new))
        elif any(isinstance(other, Teacher) for other in panel):
            found.append(_bound(one, teaching_set.pool, settings))
        else:
            taken = sampled(teaching_set, panel, shares, {}, settings.plan)
            pairs = graph(
                teaching_set, drawn_rows(teaching_set, taken.rows), settings.pairwise or 1, settings.plan.seed
            )
            questions = questions_of(pairs, teaching_set.pool, texts)
            new_rows = unanswered(one, questions, session.ledger)
            characters = sum(len(text) for column in questions.texts(new_rows) for text in column)
            found.append(TeacherCost(one.spec, "comparisons", len(questions), len(new_rows), characters=characters))
    return found


def _bound(one: ComparingTeacher, pool: Pool, settings: TeachingSettings) -> TeacherCost:
    sizes = np.minimum(np.diff(pool.offsets), settings.plan.per_query)
    answers = 2 * sum(most(size, settings.pairwise or 1) for size in sizes.tolist())
    return TeacherCost(one.spec, "comparisons", answers, answers, is_bound=True)
